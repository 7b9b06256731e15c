"""Who asks, and for what: the path's token and file name, then the User-Agent (provisioning 1.2, 0.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from provisioning_server.families import PSEUDO_MACS, Families, Family, FileRule

_TOKEN = re.compile(r"[0-9a-f]{32}\Z")
_MACRO = re.compile(r"\$(?:mac|MAC|MA|PSN)\b|\$\(|\{mac\}|\[PHONE_")
MAX_NAME = 255


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request says of itself; nothing of it is proved."""

    token: str
    name: str
    mac: str
    family: Family
    rule: FileRule
    box: tuple[Device, ...]
    """Devices of the claimed MAC, by port; empty for a common file nobody is named in."""


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
    if not name or len(name) > MAX_NAME or "\0" in name:
        return NoClaim(name[:MAX_NAME], "", "no usable file name")
    if ".." in name.split("/"):
        return NoClaim(name, "", "the name climbs out of its folder")
    if _MACRO.search(name):
        return NoClaim(name, "", "the phone has not expanded a macro in the name")
    by_agent = families.by_user_agent(user_agent)
    matches = [
        (family, rule, found)
        for family in families.by_id.values()
        for rule in family.files
        if (found := rule.pattern.match(name))
    ]
    if not matches:
        return NoClaim(name, _agent_mac(by_agent), "no family has a file of that name")
    for family, rule, found in matches:
        mac = (found.groupdict().get("mac") or "").lower()
        if mac in PSEUDO_MACS:
            continue
        if mac:
            box = directory.devices_by_mac.get(mac, ())
            if box and box[0].family == family.id:
                return Claim(token, name, mac, family, rule, box)
        elif "{mac}" not in rule.name and "{MAC}" not in rule.name and not rule.sensitive:
            return Claim(token, name, _agent_mac(by_agent), family, rule, ())
    first = next((found.groupdict().get("mac") or "" for _, _, found in matches), "").lower()
    reason = "unknown MAC" if first not in directory.devices_by_mac else "the device is of another family"
    return NoClaim(name, first, reason)


def _agent_mac(found: tuple[Family, re.Match[str]] | None) -> str:
    text = found[1].groupdict().get("mac") if found else None
    try:
        return normal_mac(text) if text else ""
    except ValueError:
        return ""
