"""Who asks, and for what: the path's token and file name, then the User-Agent (provisioning 1.2, 0.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from provisioning_server.families import PSEUDO_MACS, Families, Family, FileRule

_TOKEN = re.compile(r"[0-9a-f]{32}\Z")
_MACRO = re.compile(r"\$(?:mac|MAC|MA|PSN|MODEL)\b|\$\(|\$\{|\{mac\}|\[PHONE_", re.IGNORECASE)
MAX_NAME = 255


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
    """Of the box, of the common file's number, or of the User-Agent; empty when none is known."""
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
    seen = families.by_user_agent(user_agent)
    unusable = _unusable(name)
    if unusable:
        return NoClaim(name, _agent_mac(seen), unusable)
    matches = [
        (family, rule, found)
        for family in families.by_id.values()
        for rule in family.files
        if (found := rule.pattern.match(name))
    ]
    for family, rule, found in matches:
        if not rule.is_of_one_device:
            return _common(token, name, family, rule, found, seen)
    for family, rule, found in matches:
        mac = found["mac"].lower()
        box = directory.devices_by_mac.get(mac, ())
        if box and box[0].family == family.id:
            return Claim(token, name, mac, family, rule, box, box[0].model, _misfit(box[0], seen))
    for family, rule, found in matches:
        mac = found["mac"].lower()
        if mac not in PSEUDO_MACS:
            known = mac in directory.devices_by_mac
            doubt = "the device is of another family" if known else "unknown MAC"
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
    family: Family,
    rule: FileRule,
    found: re.Match[str],
    seen: tuple[Family, re.Match[str]] | None,
) -> Claim | NoClaim:
    digits = found.groupdict().get("model_id") or ""
    model = family.model_of_id(digits) if digits else _agent_model(family, seen)
    if digits and not model:
        return NoClaim(name, _agent_mac(seen), f"no model of {family.id} has the number {digits}")
    return Claim(token, name, _agent_mac(seen), family, rule, model=model)


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
