"""NDP phones: boxes by their MAC, with the lines on them; and the models there are. Writes have the MAC in the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA, with_kept
from pbx.api.forms import TEXT, YES_NO
from pbx.api.house import PhoneModel
from pbx.api.resources.devices import DEVICES, binding_of
from pbx.api.routes import Route
from pbx.api.shapes import as_refusal
from pbx.domain.base import normal_mac
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.hardware import Hardware
from pbx.ownership import device_thing, hardware_thing

LINES = 8
EVERYWHERE, DOMAIN = "/phones", "/domains/{domain}/phones"
MAC = "device-provisioning-mac-address"
_MODEL = ("device-models-brand-and-model", "model")


def _models(asked: Asked) -> dict[str, PhoneModel]:
    """By brand and model in one, as the portal shows them, in small letters."""
    return {f"{it.brand} {it.model}".casefold(): it for it in asked.house.catalogue()}


def told(asked: Asked, directory: Directory, mac: str) -> dict[str, Any]:
    lines = directory.devices_by_mac.get(mac, ())
    item = directory.hardware_by_mac.get(mac)
    first = lines[0] if lines else None
    model = first.model if first is not None else item.model if item is not None else ""
    family = (first.family if first is not None else item.family if item is not None else "").partition("/")[0]
    fields = directory.kept.get(f"phone:{mac}", {})
    served = asked.house.served(mac)
    bound = binding_of((asked, directory), first) if first is not None else None
    row: dict[str, Any] = {
        MAC: mac, "domain": directory.domain.name, "reseller": directory.reseller.name,
        "device-models-brand-and-model": f"{family.title()} {model}".strip(),
        "device-provisioning-registration-core-server": asked.house.hostname,
        "notes": str(fields.get("notes") or (item.note if item is not None else "")),
        "device-provisioning-sip-transport-protocol": first.transport if first is not None else "udp",
        "device-provisioning-username": "", "device-provisioning-password": "",
        "device-models-count-buttons": 0, "device-models-fxs-support-enabled": 0, "device-models-overrides-blob": "",
        "device-models-resync-support-enabled": "yes", "device-models-shared-line-support-enabled": "no",
        "device-models-sidecar-support-enabled": "no",
        "device-provisioning-last-retrieved-datetime": _when(served.at) if served is not None else "",
        "device-provisioning-directory": "", "device-provisioning-directory-support": "yes",
        "device-provisioning-ndp-hostname": asked.house.hostname, "device-provisioning-presence": "yes",
        "created-datetime": "", "global-one-time-pass": "no", "redundency": "",
        "device-sip-registration-state": "registered" if bound is not None else "unregistered",
        "device-sip-registration-contact": bound.contact if bound is not None else "",
        "device-sip-registration-user-agent": bound.user_agent if bound is not None else "",
    }  # fmt: skip
    known = _models(asked).get(row["device-models-brand-and-model"].casefold())
    if known is not None:
        row |= {"device-models-count-buttons": known.keys, "device-models-fxs-support-enabled": known.fxs}
    by_port = {device.port: device for device in lines}
    for port in range(1, LINES + 1):
        device = by_port.get(port)
        row |= {
            f"device-provisioning-sip-uri-{port}": f"sip:{device.id}@{directory.domain.name}" if device else "",
            f"device-provisioning-line-{port}-enabled": YES_NO.tell(device is not None),
            f"device-provisioning-sip-uri-{port}-shared-line-enabled": "no",
        }
    return row


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}"


def _macs(directory: Directory) -> list[str]:
    return list(dict.fromkeys([*directory.devices_by_mac, *directory.hardware_by_mac]))


def _seen(asked: Asked) -> Iterator[tuple[Directory, str]]:
    sees = asked.sees("hardware")
    for directory in asked.directories("hardware"):
        yield from ((directory, mac) for mac in _macs(directory) if sees(hardware_thing(directory, mac)))


async def _list(asked: Asked) -> Answer:
    return Answer(200, [told(asked, *row) for row in list(_seen(asked))[asked.page()]])


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": sum(1 for _ in _seen(asked))})


def _mac(text: str) -> str:
    try:
        return normal_mac(text)
    except ValueError as error:
        raise wrong(MAC, text, str(error), "send twelve hex digits, as 001565aabbcc") from None


async def _read(asked: Asked) -> Answer:
    try:
        mac = normal_mac(asked.path["mac"])
    except ValueError:
        raise nothing("phone", asked.path["mac"]) from None
    found = next((row for row in _seen(asked) if row[1] == mac), None)
    if found is None:
        raise nothing("phone", mac)
    return Answer(200, told(asked, *found))


# --- writing ----------------------------------------------------------------------------------------------


def _place(asked: Asked) -> str:
    """A phone without a domain in its path is of the one the body names, else of the line it carries."""
    if not asked.domain:
        line = next((v for n, v in asked.body.items() if n in ("device1", "device-provisioning-sip-uri-1") and v), "")
        own = asked.actor.domain or next(iter(asked.house.names()))
        asked.path["domain"] = asked.text("domain") or str(line).partition("@")[2] or own
    return asked.domain


def _lines(asked: Asked, directory: Directory) -> dict[int, str]:
    """Return port → device of the lines a body names."""
    found: dict[int, str] = {}
    for port in range(1, LINES + 1):
        for name in (f"device-provisioning-sip-uri-{port}", f"device{port}"):
            device = asked.text(name).removeprefix("sip:").partition("@")[0]
            if not device:
                continue
            if device not in directory.devices_by_id:
                raise wrong(name, device, f"there is no device {device}", "create the device first")
            found[port] = device
    return found


async def _create(asked: Asked) -> Answer:
    return await _write(asked, new=True)


async def _change(asked: Asked) -> Answer:
    return await _write(asked, new=False)


async def _write(asked: Asked, *, new: bool) -> Answer:
    mac = _mac(asked.needed(MAC) if MAC in asked.body else asked.needed("mac"))
    written = next((asked.text(name) for name in _MODEL if asked.text(name)), "")
    model = _models(asked).get(written.casefold()) if written else None

    def edit(directory: Directory) -> Directory:
        asked.require("create" if new else "edit", hardware_thing(directory, mac))
        known = mac in directory.devices_by_mac or mac in directory.hardware_by_mac
        if new and known:
            raise Refused(409, f"there is a phone {mac} already")
        if not new and not known:
            raise nothing("phone", mac)
        lines = _lines(asked, directory)
        for device in lines.values():  # it comes with its password, whoever's box it was on
            asked.require("edit", device_thing(directory, device))
        changed = {device: port for port, device in lines.items()}
        devices = tuple(_put(device, mac, changed, model, written) for device in directory.devices)
        hardware = directory.hardware
        if not changed and not known:
            hardware = (*hardware, Hardware(mac=mac, family=model.family if model else "", model=written))
        notes = {"notes": asked.text("notes")} if "notes" in asked.body else {}
        try:
            after = directory.replaced(devices=devices, hardware=hardware)
        except ValueError as error:
            raise as_refusal(error, DEVICES.shape, {}) from None
        return with_kept(after, f"phone:{mac}", notes)

    _place(asked)
    await asked.edit(edit, f"phone {mac}")
    return ACCEPTED


def _put(device: Device, mac: str, lines: Mapping[str, int], model: PhoneModel | None, written: str) -> Device:
    """Return a device as it is once the box has these lines; one whose place is taken leaves the box."""
    kind: dict[str, Any] = {}
    if model is not None:
        kind = {"family": model.family, "model": model.model}
    elif written:
        kind = {"model": written}
    if device.id in lines:
        return device.model_copy(update={"mac": mac, "port": lines[device.id], **kind})
    if device.mac == mac and device.port in lines.values():
        return device.model_copy(update={"mac": None})
    return device.model_copy(update=kind) if device.mac == mac and kind else device


async def _delete(asked: Asked) -> Answer:
    mac = _mac(asked.needed(MAC) if MAC in asked.body else asked.needed("mac"))

    def edit(directory: Directory) -> Directory:
        asked.require("delete", hardware_thing(directory, mac))
        if mac not in directory.devices_by_mac and mac not in directory.hardware_by_mac:
            raise nothing("phone", mac)
        devices = tuple(d.model_copy(update={"mac": None}) if d.mac == mac else d for d in directory.devices)
        hardware = tuple(item for item in directory.hardware if item.mac != mac)
        return directory.replaced(devices=devices, hardware=hardware).with_kept(f"phone:{mac}", {})

    if not asked.domain:
        home = next((directory for directory, one in _seen(asked) if one == mac), None)
        if home is None:
            raise nothing("phone", mac)
        asked.path["domain"] = home.domain.name
    await asked.edit(edit, f"phone {mac}")
    return ACCEPTED


# --- models and servers -------------------------------------------------------------------------------------


def told_model(it: PhoneModel) -> dict[str, Any]:
    return {
        "brand": it.brand, "model": it.model, "portal_view": "yes", "device_type": "ata" if it.fxs else "phone",
        "ndp_syntax": it.family, "brand_model": f"{it.brand.title()} {it.model}", "force_https": "no",
        "allow_tftp": "yes", "phone_ext": it.lines, "fxs": it.fxs, "fxo": 0, "trunk": 0, "directory": "yes",
        "presense": "yes", "sla": "no", "sidecar": "no", "resync": "yes", "encrypt_support": "no",
        "firmware_support": "yes", "firmware_options": "", "overrides": "", "description": "",
    }  # fmt: skip


async def _models_told(asked: Asked) -> Answer:
    brand, model = (asked.query.get(name, "").casefold() for name in ("brand", "model"))
    found = [
        told_model(it)
        for it in asked.house.catalogue()
        if brand in ("", it.brand.casefold()) and model in ("", it.model.casefold())
    ]
    if brand and model:
        if not found:
            raise nothing("model", f"{brand} {model}")
        return Answer(200, found[0])
    return Answer(200, found[asked.page()])


def _server(asked: Asked) -> dict[str, Any]:
    return {
        "name": asked.house.hostname, "location": "here", "geo_group": "", "port_tcp": 80, "port_tls": 443,
        "backup_ok": "no", "postfix": "", "ns_api_hostname": asked.house.hostname, "status": "active",
    }  # fmt: skip


async def _servers(asked: Asked) -> Answer:
    return Answer(200, [_server(asked)])


async def _one_server(asked: Asked) -> Answer:
    if asked.path["server"] != asked.house.hostname:
        raise nothing("server", asked.path["server"])
    return Answer(200, _server(asked))


def _profile(it: PhoneModel) -> dict[str, Any]:
    image = {"image-name": "", "image-url": ""}
    buttons = [
        {"profile-button-index": at, "profile-button-type": "line" if at <= it.lines else "key",
         "profile-button-position": f"{at}", "profile-button-settings": ""}
        for at in range(1, max(it.keys, it.lines) + 1)
    ]  # fmt: skip
    device = {
        "device-models-brand": it.brand, "device-models-model": it.model, "device-models-type": "phone",
        "device-models-brand-and-model": f"{it.brand.title()} {it.model}", "device-models-count-buttons": it.keys,
    }  # fmt: skip
    return {**device, "profile-page-count": 1, "profile-sidecar-support": [], "image": image, "buttons": buttons,
            "devicemodel": device}  # fmt: skip


async def _profiles(asked: Asked) -> Answer:
    names = ("device-models-brand", "device-models-model", "device-models-type", "image")
    rows = [{name: _profile(it)[name] for name in names} for it in asked.house.catalogue()[asked.page()]]
    return Answer(200, rows)


async def _profiles_count(asked: Asked) -> Answer:
    return Answer(200, {"total": len(asked.house.catalogue())})


async def _one_profile(asked: Asked) -> Answer:
    make, model = asked.path["make"].casefold(), asked.path["model"].casefold()
    for it in asked.house.catalogue():
        if (it.brand.casefold(), it.model.casefold()) == (make, model):
            return Answer(200, _profile(it))
    raise nothing("device profile", f"{make} {model}")


_TOLD = {"type": "object", "properties": {MAC: TEXT.schema, "device-models-brand-and-model": TEXT.schema,
         "device-provisioning-sip-uri-1": TEXT.schema, "notes": TEXT.schema}}  # fmt: skip
_MANY = {"type": "array", "items": _TOLD}
_NEW = {**_TOLD, "required": [MAC]}
_ANY = {"type": "object"}


def _of(under: str) -> tuple[Route, ...]:
    return (
        Route("GET", under, _list, "hardware", "List phones", None, _MANY, ("start", "limit")),
        Route("POST", under, _create, "hardware", "Add a phone", _NEW),
        Route("PUT", under, _change, "hardware", "Change the phone named in the body", _NEW),
        Route("DELETE", under, _delete, "hardware", "Remove the phone named in the body", _NEW),
        Route("GET", f"{under}/{{mac}}", _read, "hardware", "Read a phone", None, _TOLD),
    )


ROUTES = (
    *_of(EVERYWHERE),
    *_of(DOMAIN),
    Route("GET", "/phones/count", _count, "hardware", "Count phones", None, COUNT_SCHEMA),
    Route("GET", "/phones/models", _models_told, "home", "Models that can be provisioned", None, {},
          ("brand", "model", "start", "limit")),
    Route("GET", "/phones/servers", _servers, "home", "Provisioning servers", None, {"type": "array", "items": _ANY}),
    Route("GET", "/phones/servers/{server}", _one_server, "home", "Read a provisioning server", None, _ANY),
    Route("GET", "/deviceprofiles", _profiles, "home", "Profiles of models", None, {"type": "array", "items": _ANY},
          ("start", "limit")),
    Route("GET", "/deviceprofiles/count", _profiles_count, "home", "Count profiles", None, COUNT_SCHEMA),
    Route("GET", "/deviceprofiles/{make}/{model}", _one_profile, "home", "Read the profile of a model", None, _ANY),
)  # fmt: skip
