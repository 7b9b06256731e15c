"""Who asks, and for what: the path's token and file name, then the User-Agent (provisioning 1.2, 0.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from provisioning_server.families import PSEUDO_MACS, Families
from provisioning_server.manifest import Family, FileRule

_TOKEN = re.compile(r"[0-9a-f]{32}\Z")
_MACRO = re.compile(r"\$(?:mac|MAC|MA|PSN|MODEL)\b|\$\(|\$\{|\{mac\}|\[PHONE_", re.IGNORECASE)
MAX_NAME = 255
UNKNOWN = "unknown MAC"
"""The doubt about a MAC that no device has."""
MAX_AGENT = 300
"""What counts of a User-Agent: no phone says as much."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself; nothing of it is proved."""

    token: str
    name: str
    mac: str
    """Of the file name; for a common file of the User-Agent; empty when neither tells."""
    family: Family
    rule: FileRule
    box: tuple[Device, ...] = ()
    """Devices of the MAC in the file name, by port; empty when there is none of this family."""
    model: str = ""
    """Of the box, of the common file's name, or of the User-Agent; empty when none is known."""
    version: str = ""
    """Of the firmware, as the User-Agent has it; empty when it tells none, or is another family's."""
    doubt: str = ""
    """Why the box is not there, or what does not fit together; for the operator."""


@dataclass(frozen=True, slots=True)
class NoClaim:
    """Nothing here answers to that; `reason` is for the operator."""

    name: str
    mac: str
    reason: str


def split_path(path: str) -> tuple[str, str]:
    """Return (token, file name) of a requested path; separators and doubled slashes are forgiven."""
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".")]
    if parts and parts[0] == "p":
        parts = parts[1:]
    token = parts.pop(0) if parts and _TOKEN.match(parts[0]) else ""
    return token, "/".join(parts)


def identify(path: str, user_agent: str, families: Families, directory: Directory) -> Claim | NoClaim:
    token, name = split_path(path)
    seen = families.by_user_agent(user_agent[:MAX_AGENT])
    unusable = _unusable(name)
    if unusable:
        return NoClaim(name, _agent_mac(seen), unusable)
    matches = families.of_name(name)
    if matches and not matches[0][1].is_of_one_device:
        return _common(token, name, [one for one in matches if not one[1].is_of_one_device], seen)
    for family, rule, found in matches:
        mac = found["mac"].lower()
        box = directory.devices_by_mac.get(mac, ())
        if box and box[0].family == family.id:
            doubt = _misfit(box[0], seen)
            return Claim(token, name, mac, family, rule, box, box[0].model, _version(family, seen), doubt)
    for family, rule, found in matches:
        mac = found["mac"].lower()
        if mac not in PSEUDO_MACS:
            known = mac in directory.devices_by_mac
            doubt = "the device is of another family" if known else UNKNOWN
            return Claim(token, name, mac, family, rule, doubt=doubt)
    return NoClaim(name, _agent_mac(seen), "no family has a file of that name")


def _unusable(name: str) -> str:
    if not name or len(name) > MAX_NAME or "\0" in name:
        return "no usable file name"
    if ".." in name.split("/"):
        return "the name climbs out of its folder"
    if _MACRO.search(name):
        return "the phone has not expanded a macro in the name"
    return ""


def _common(
    token: str,
    name: str,
    matches: list[tuple[Family, FileRule, re.Match[str]]],
    seen: tuple[Family, re.Match[str]] | None,
) -> Claim | NoClaim:
    """Families of one vendor may share a common file: the one whose model is named, or who asks, has it."""
    named = [(one, model) for one in matches if (model := _named_model(one))]
    asking = next((one for one in matches if seen is not None and one[0] is seen[0]), None)
    first = asking or matches[0]
    model = _agent_model(first[0], seen)
    if named:
        first, model = next((pair for pair in named if pair[0] is asking), named[0])
    elif "model_id" in first[2].groupdict():
        digits = first[2]["model_id"]
        return NoClaim(name, _agent_mac(seen), f"no model of {first[0].id} has the number {digits}")
    return Claim(token, name, _agent_mac(seen), first[0], first[1], model=model, version=_version(first[0], seen))


def _named_model(match: tuple[Family, FileRule, re.Match[str]]) -> str:
    """The model that a common file's name tells; empty when it tells none."""
    family, _, found = match
    told = found.groupdict()
    if told.get("model_id"):
        return family.model_of_id(told["model_id"])
    return family.model_files.get(told["model"].lower(), "") if told.get("model") else ""


def _version(family: Family, seen: tuple[Family, re.Match[str]] | None) -> str:
    return (seen[1].groupdict().get("version") or "") if seen is not None and seen[0] is family else ""


def _agent_model(family: Family, seen: tuple[Family, re.Match[str]] | None) -> str:
    model = seen[1].groupdict().get("model") if seen and seen[0] is family else None
    return model if model in family.models else ""


def _misfit(device: Device, seen: tuple[Family, re.Match[str]] | None) -> str:
    """A warning, no refusal: firmware and proxies write what they like into a User-Agent."""
    if seen is not None and seen[0].id != device.family:
        return f"the User-Agent is that of {seen[0].id}"
    told = _agent_mac(seen)
    return f"the User-Agent names {told}" if told and told != device.mac else ""


def _agent_mac(seen: tuple[Family, re.Match[str]] | None) -> str:
    text = seen[1].groupdict().get("mac") if seen else None
    try:
        return normal_mac(text) if text else ""
    except ValueError:
        return ""
