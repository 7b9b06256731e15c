"""`/domains/{domain}/users/{user}/devices`: what registers. A password that is left out is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pbx.access import Action, Thing
from pbx.api.answers import Answer, Refused
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA, Around, Collection
from pbx.api.forms import NUMBER, NUMERAL, TEXT, YES_NO, Form, choice, whole
from pbx.api.resources.users import of_extension
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, kept, ours, told
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.domain.registrations import Binding
from pbx.ownership import device_thing, hardware_thing, people_thing

UNDER = "/domains/{domain}/users/{user}/devices"
PASSWORD = 16
"""Characters of a password that is made."""


def binding_of(around: Around, device: Device) -> Binding | None:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    return switch.binding(device.id) if switch is not None else None


def _bound(told: Any, otherwise: Any = "") -> Any:
    """Return what is told of a device's registration, something else while it has none."""

    def tell(around: Around, device: Device) -> Any:
        found = binding_of(around, device)
        return told(found) if found is not None else otherwise

    return tell


def _password(around: Around, device: Device) -> str | None:
    """Told to who may read secrets, and once to whoever it was made for."""
    asked, directory = around
    seen = asked.method == "POST" or asked.sees("secret")(Thing("secret", directory.domain.name))
    return device.password.get_secret_value() if seen else None


def mac_of(value: Any) -> str | None:
    return TEXT.read(value) or None


def _agents(value: Any) -> tuple[str, ...]:
    return tuple(part.strip() for part in TEXT.read(value).split(";") if part.strip())


_RECORDING = choice({"no": "", "yes": "always", "yes-with-transcription": "always",
                     "yes-with-transcription-and-sentiment": "always"}, otherwise="no")  # fmt: skip
"""A device that does not record by itself does as its user."""

SHAPE = Shape("Device", (
    ours("device", NUMERAL, "id", required=True),
    told("user", TEXT, lambda around, device: device.extension),
    told("domain", TEXT, lambda around, device: around[1].domain.name),
    told("device-sip-registration-uri", TEXT,
         lambda around, device: f"sip:{device.id}@{around[1].domain.name}"),
    told("device-sip-registration-state", TEXT, _bound(lambda it: "registered", "unregistered")),
    ours("device-sip-registration-password", TEXT, "password", told=_password),
    ours("caller-id-number", NUMBER, "caller_id"),
    ours("caller-id-number-emergency", NUMBER, "emergency_caller_id"),
    ours("device-force-notify-new-voicemails-enabled", YES_NO, "unsolicited_mwi"),
    told("device-level-call-recording-enabled", YES_NO, lambda around, device: "yes" if device.recording else "no"),
    kept("device-push-enabled", YES_NO, "no"),
    told("device-sip-registration-contact", TEXT, _bound(lambda it: it.contact)),
    told("device-sip-registration-core-server", TEXT, lambda around, device: around[0].house.hostname),
    told("device-sip-registration-expires-datetime", TEXT,
         _bound(lambda it: datetime.fromtimestamp(it.expires_at, UTC).isoformat())),
    kept("device-sip-registration-expiry-seconds", whole(0, 86_400), 60),
    ours("device-sip-registration-ignore-for-presence-calculation", YES_NO, "ignored_for_presence"),
    kept("device-sip-registration-ignore-report-enabled", YES_NO, "no"),
    told("device-sip-registration-ip-address", TEXT, _bound(lambda it: it.peer.host)),
    told("device-sip-registration-user-agent", TEXT, _bound(lambda it: it.user_agent)),
    kept("device-sip-no-to-tag-in-cancel", YES_NO, "no"),
    ours("device-srtp-enabled", choice(("no", "yes", "opportunistic")), "srtp"),
    ours("auto-answer-enabled", YES_NO, "auto_answer"),
    ours("device-sip-allowed-user-agent", Form(TEXT.schema, _agents, lambda them: ";".join(them)), "user_agents"),
    ours("device-sip-nat-traversal-enabled", choice(
        {"automatic": "automatic", "never": "never", "none": "never", "fixed": "always"}), "nat"),
    ours("emergency-address-id", TEXT, "emergency_address"),
    told("login-username", TEXT, lambda around, device: _owner(around, device, "login")),
    told("name-full-name", TEXT, lambda around, device: _owner(around, device, "name")),
    ours("device-models-model", TEXT, "model", "model"),
    ours("device-provisioning-mac-address", Form(TEXT.schema, mac_of), "mac", "mac"),
    told("device-provisioning-registration-core-server", TEXT, lambda around, device: around[0].house.hostname),
    ours("device-provisioning-sip-transport-protocol", choice(("udp", "tcp", "tls")), "transport", "transport"),
    ours("device-provisioning-line", whole(1, 32), "port", "line"),
    kept("device-provisioning-overrides", TEXT),
    ours("recording-configuration", _RECORDING, "recording"),
    ours("displayName", TEXT, "label"),
))  # fmt: skip


def _owner(around: Around, device: Device, what: str) -> str:
    user = around[1].users_by_extension.get(device.extension)
    if user is None:
        return ""
    return around[1].login_of(user) if what == "login" else user.name


def _items(asked: Asked, directory: Directory) -> Iterable[Device]:
    return directory.devices_by_extension.get(asked.path["user"], ())


def _prepared(asked: Asked) -> Mapping[str, Any]:
    """A device may be written as its address of record, and is told its family by its model."""
    body = dict(asked.body)
    name = asked.text("device") if not isinstance(body.get("device"), int) else str(body["device"])
    if name:
        body["device"] = name.removeprefix("sip:").partition("@")[0]
    return body


def _fresh(asked: Asked, written: Written) -> Mapping[str, Any]:
    return {"extension": asked.path["user"], "password": asked.house.token(PASSWORD)}


def _of_its_user(directory: Directory, device: Device) -> Thing:
    """A device that is not there yet is its user's, too."""
    return people_thing(directory, (device.extension,), "device", device.id)


class Devices(Collection):
    async def create(self, asked: Asked) -> Answer:
        if of_extension(asked.directory, asked.path["user"]) is None:
            raise Refused(404, f"there is no user {asked.path['user']!r}")
        return await super().create(asked)

    def allow(self, asked: Asked, action: Action, directory: Directory, before: Any, after: Any) -> None:
        """A device goes on a box in use only by the hand of whoever may edit that box, too: it may stand elsewhere."""
        super().allow(asked, action, directory, before, after)
        mac = after.mac if after is not None else None
        if mac in directory.devices_by_mac and (before is None or before.mac != mac):
            asked.require("edit", hardware_thing(directory, mac))


DEVICES = Devices(
    noun="device", right="device", shape=SHAPE, model=Device, section="devices", key="id", named="device", under=UNDER,
    parameter="device", items=_items, thing=_of_its_user,
    removed_as="device", fresh=_fresh, prepared=_prepared,
)  # fmt: skip


def _every(asked: Asked, directory: Directory) -> Iterator[Device]:
    reseller = asked.path.get("reseller")
    return iter(directory.devices if reseller in (None, directory.reseller.name) else ())


_ALL = replace(DEVICES, items=_every, under="/domains/{domain}/devices", verbs=("list", "count"))
_RESELLER = replace(DEVICES, items=_every, under="/resellers/{reseller}/devices", verbs=("count",))


async def _exists(asked: Asked) -> Answer:
    device = asked.directory.devices_by_id.get(asked.path["device"].removeprefix("sip:").partition("@")[0])
    seen = device is not None and asked.sees("device")(device_thing(asked.directory, device.id))
    return Answer(200, {"total": int(seen)})


ROUTES = (
    *DEVICES.routes(),
    *_ALL.routes(),
    *_RESELLER.routes(),
    Route("GET", "/domains/{domain}/devices/{device}/count", _exists, "device", "Whether there is a device", None,
          COUNT_SCHEMA),
)  # fmt: skip
