"""`phoneconfiguration/{mac}`: the buttons of a phone. They become its key settings, and its next file has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA, with_kept
from pbx.api.forms import TEXT
from pbx.api.resources.devices import DEVICES
from pbx.api.routes import Route
from pbx.api.shapes import as_refusal
from pbx.domain.base import normal_mac
from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from pbx.ownership import hardware_thing

UNDER = "/domains/{domain}/phoneconfiguration"
MAC, BUTTONS = "phoneconfiguration-mac-address", "phoneconfiguration-buttons"
FEATURES = {"line": "line", "blf": "blf", "park": "park", "speed_dial": "speed"}
"""Theirs → the kind of key it is here; any other is kept, and the key is left to the phone."""
MOST = 200
_PART, _DOMAIN = "phoneconfiguration-button", "phoneconfiguration-domain"


def _filed(mac: str) -> str:
    return f"phoneconfiguration:{mac}"


def _mac(text: str) -> str:
    try:
        return normal_mac(text)
    except ValueError as error:
        raise wrong(MAC, text, str(error), "send twelve hex digits, as 001565aabbcc") from None


def _known(asked: Asked, directory: Directory, mac: str) -> dict[str, Any]:
    found = directory.kept.get(_filed(mac))
    if found is None or not asked.sees("hardware")(hardware_thing(directory, mac)):
        raise nothing("phone configuration", mac)
    return {MAC: mac, **found}


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": sum(of.startswith("phoneconfiguration:") for of in asked.directory.kept)})


async def _read(asked: Asked) -> Answer:
    return Answer(200, _known(asked, asked.directory, _mac(asked.path["mac"])))


async def _create(asked: Asked) -> Answer:
    return await _write(asked, _mac(asked.needed(MAC)), new=True)


async def _change(asked: Asked) -> Answer:
    return await _write(asked, _mac(asked.path["mac"]), new=False)


async def _write(asked: Asked, mac: str, *, new: bool) -> Answer:
    def edit(directory: Directory) -> Directory:
        asked.require("edit", hardware_thing(directory, mac))
        if new and _filed(mac) in directory.kept:
            raise Refused(409, f"phone {mac} has a configuration already")
        before = {} if new else _known(asked, directory, mac)
        if mac not in directory.devices_by_mac:
            raise nothing("phone with a line", mac)
        after = {**before, **{name: v for name, v in asked.body.items() if name.startswith("phoneconfiguration-")}}
        fields = {_DOMAIN: directory.domain.name} | {name: value for name, value in after.items() if name != MAC}
        keyed = _keyed(directory, mac, _keys(after[BUTTONS])) if BUTTONS in after else directory
        return with_kept(keyed, _filed(mac), fields)

    await asked.edit(edit, f"buttons of {mac}")
    return ACCEPTED


def _keys(buttons: Any) -> dict[str, str | int | bool]:
    if not isinstance(buttons, list) or len(buttons) > MOST or not all(isinstance(one, Mapping) for one in buttons):
        raise wrong(BUTTONS, None, f"it is a list of at most {MOST} buttons", "send [{…}]")
    keys: dict[str, str | int | bool] = {}
    for button in buttons:
        keys |= _key(button)
    return keys


def _key(button: Mapping[str, Any]) -> dict[str, str | int | bool]:
    order, feature = button.get(f"{_PART}-order"), str(button.get(f"{_PART}-feature", ""))
    if isinstance(order, bool) or not isinstance(order, int) or not 1 <= order <= MOST:
        raise wrong(f"{_PART}-order", order, f"it is 1 to {MOST}", "send the number of the button")
    kind = FEATURES.get(feature)
    if kind is None:
        return {}
    key: dict[str, str | int | bool] = {f"keys.{order}.type": kind}
    target, label = button.get(f"{_PART}-target"), button.get(f"{_PART}-label")
    if target not in (None, ""):
        key[f"keys.{order}.value"] = str(target).removeprefix("sip:").partition("@")[0]
    if label:
        key[f"keys.{order}.label"] = str(label)
    return key


def _keyed(directory: Directory, mac: str, keys: Mapping[str, str | int | bool]) -> Directory:
    """Return the directory where the box of a MAC has these keys and no other, set on its first line."""
    first = directory.devices_by_mac[mac][0]

    def changed(device: Device) -> Device:
        others = {name: value for name, value in device.settings.items() if not name.startswith("keys.")}
        return device.model_copy(update={"settings": {**others, **(keys if device is first else {})}})

    try:
        return directory.replaced(devices=tuple(changed(d) if d.mac == mac else d for d in directory.devices))
    except ValueError as error:
        raise as_refusal(error, DEVICES.shape, {}) from None


async def _delete(asked: Asked) -> Answer:
    mac = _mac(asked.path["mac"])

    def edit(directory: Directory) -> Directory:
        _known(asked, directory, mac)
        asked.require("edit", hardware_thing(directory, mac))
        left = _keyed(directory, mac, {}) if mac in directory.devices_by_mac else directory
        return left.with_kept(_filed(mac), {})

    await asked.edit(edit, f"buttons of {mac}")
    return ACCEPTED


_TOLD = {
    "type": "object",
    "properties": {
        **dict.fromkeys((MAC, "phoneconfiguration-description", "phoneconfiguration-brand",
                         "phoneconfiguration-model", _DOMAIN), TEXT.schema),
        BUTTONS: {"type": "array", "items": {"type": "object", "properties": {f"{_PART}-order": {"type": "integer"},
                  f"{_PART}-feature": TEXT.schema, f"{_PART}-label": TEXT.schema}}},
    },
}  # fmt: skip
_ONE = f"{UNDER}/{{mac}}"
ROUTES = (
    Route("POST", UNDER, _create, "hardware", "Set the buttons of a phone", {**_TOLD, "required": [MAC]}, None, (),
          "edit"),
    Route("GET", f"{UNDER}/count", _count, "hardware", "Count configured phones", None, COUNT_SCHEMA),
    Route("GET", _ONE, _read, "hardware", "Read the buttons of a phone", None, _TOLD),
    Route("PUT", _ONE, _change, "hardware", "Change the buttons of a phone", _TOLD),
    Route("DELETE", _ONE, _delete, "hardware", "Leave the buttons to the phone", None, None, (), "edit"),
)  # fmt: skip
