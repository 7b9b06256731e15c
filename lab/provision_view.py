"""What a box is given and why, in words: of a seed, as it would be served, or of a running switchroom, as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from html import escape
from typing import Any

from markupsafe import Markup

from lab.errors import BAD_INPUT, USAGE, UserError
from pbx.clock import Moment
from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from provisioning_server import dhcp
from provisioning_server.coverage import why_not
from provisioning_server.reasons import Reason, reasons
from provisioning_server.respond import Office, current, file_names, passwords, unused
from provisioning_server.sheet import CannotRender

_HIDDEN = "***"
_TOKEN = re.compile(r"\b[0-9a-f]{32}\b")
_HELP = "switchroom provision --help"


@dataclass(frozen=True, slots=True)
class ProvisionView:
    """Every refusal is a UserError, for whichever edge asks."""

    directory: Directory
    office: Office
    now: Moment

    def box(self, mac: str) -> tuple[Device, ...]:
        """Return the devices of a MAC in any spelling (or of the box of a device's id); refuses what is none."""
        named = self.directory.devices_by_id.get(mac)
        try:
            wanted = (named.mac or "") if named else normal_mac(mac)
        except ValueError as fault:
            raise UserError(
                str(fault), "it is no device's id either", "see `switchroom phone ls`", _HELP, USAGE
            ) from None
        found = self.directory.devices_by_mac.get(wanted, ())
        if not found:
            near = ", ".join(get_close_matches(wanted, self.directory.devices_by_mac, 3, 0.6))
            raise UserError(
                f"there is no phone {mac!r}", "no device has that MAC" + (f"; near: {near}" if near else ""),
                "name one that `switchroom phone ls` lists", _HELP, BAD_INPUT,
            )  # fmt: skip
        if found[0].family not in self.office.families.by_id:
            raise UserError(
                f"phone {mac!r} is not provisioned", f"no folder of device_templates is called {found[0].family!r}",
                "name another family", "docs/families.md", BAD_INPUT,
            )  # fmt: skip
        return found

    def shown(self, mac: str) -> dict[str, Any]:
        """Its family, lines and files, how it is found and resynced, and what is set for nothing."""
        box = self.box(mac)
        family = self.office.families.by_id[box[0].family]
        try:
            told = {name for one in box for name in unused(self.office, self.directory, one, self.now)}
            idle, fault = {name: why_not(family, name) for name in sorted(told)}, ""
        except CannotRender as error:
            idle, fault = {}, str(error)
        return {
            "mac": box[0].mac,
            "family": family.id,
            "title": family.title,
            "model": box[0].model,
            "verified": family.verified,
            "doubted": dict(family.doubted),
            "lines": {str(device.port): device.id for device in box},
            "files": file_names(self.office, box[0]),
            "dhcp": list(family.dhcp),
            "resync": family.resync,
            "reboot": family.reboot,
            "remote_control": family.remote_control.how if family.remote_control else "",
            "unused": idle,
            "fault": fault,
        }

    def why(self, mac: str, about: str) -> list[dict[str, Any]]:
        """Explain each parameter whose name, text or settings contain `about`; every one without it."""
        box = self.box(mac)
        try:
            told = reasons(self.office, self.directory, box[0], self.now)
        except CannotRender as fault:
            raise UserError(
                f"the files of {mac} cannot be written", str(fault), "mend the setting named", _HELP, BAD_INPUT
            ) from None
        chosen = [asdict(one) for one in told if _about(one, about)]
        if not chosen:
            near = ", ".join(get_close_matches(about, [one.name for one in told], 3, 0.4))
            raise UserError(
                f"nothing that is written for {mac} is about {about!r}", f"near: {near}" if near else "no name is near",
                "leave it out to see everything", _HELP, USAGE,
            )  # fmt: skip
        return chosen

    def files(self, mac: str) -> dict[str, str]:
        """Return the text of each file of the box by its name, secrets hidden."""
        return {name: self.file(mac, name, reveal=False) for name in file_names(self.office, self.box(mac)[0])}

    def file(self, mac: str, name: str, *, reveal: bool) -> str:
        """Return a file as the box would get it, its first own one without a name; secrets hidden unless revealed."""
        box = self.box(mac)
        family = self.office.families.by_id[box[0].family]
        if not name:
            rule = next(rule for rule in family.files if rule.kind == "device")
            name = family.name_of(rule, box[0].mac or "", box[0].model)
        name = _one_of(file_names(self.office, box[0]), name)
        try:
            found = current(self.office, self.directory, name, "", self.now)
        except CannotRender as fault:
            raise UserError(
                f"{name} cannot be written", str(fault), "mend the setting named", _HELP, BAD_INPUT
            ) from None
        assert found is not None, "a family's own file name is identified"
        text = found.body.decode("utf-8")
        secrets = set().union(*(passwords(self.office, self.directory, one, self.now) for one in box))
        return text if reveal else _masked(text, secrets | {one.password.get_secret_value() for one in box})


def dhcp_snippet(view: ProvisionView, kind: str, site: str) -> tuple[str, list[str]]:
    """Return a snippet for a DHCP server, and the families that are told nothing."""
    sites = [one.name for one in view.directory.sites]
    if site and site not in sites:
        raise UserError(
            f"there is no site {site!r}", f"there are {', '.join(sites) or 'none'}", "name one of them",
            "switchroom dhcp --help", USAGE,
        )  # fmt: skip
    families, urls = view.office.families, dhcp.reached(view.office, view.directory, site)
    marks = dhcp.told(families, urls, view.office.at.sip_host)
    return dhcp.KINDS[kind](marks), dhcp.untold(families, urls)


def shown_in_words(view: dict[str, Any]) -> str:
    lines = [f"{view['mac']}  {view['family']}  {view['model']}  ({view['title']})"]
    lines += [f"line {port}  {device}" for port, device in view["lines"].items()]
    lines += [f"file    {name}" for name in view["files"]]
    lines += [
        f"dhcp    {', '.join(map(str, view['dhcp'])) or 'none'}",
        f"resync  {view['resync']}",
        f"reboot  {view['reboot']}",
    ]
    lines += [f"remote  {view['remote_control']}"] if view["remote_control"] else []
    lines += [f"? {part}: {why}" for part, why in view["doubted"].items()]
    lines += [f"✗ {name} is set, but {view['family']} writes it nowhere: {why}" for name, why in view["unused"].items()]
    lines += [f"✗ its files cannot be written: {view['fault']}"] if view["fault"] else []
    return "\n".join(lines)


def why_in_words(told: Sequence[dict[str, Any]]) -> str:
    return "\n".join(line for one in told for line in _explained(one))


def _explained(one: dict[str, Any]) -> list[str]:
    lines = [f"{one['written']}   ({one['file']})", f"    = {one['formula']}   from {one['layer']}"]
    for source in one["sources"]:
        value = json.dumps(source["value"], ensure_ascii=False)
        lines.append(f"    {source['name']} = {value}   from {source['layer']}")
        lines += [f"        over {json.dumps(value)} of {layer}" for layer, value in reversed(source["stack"][:-1])]
    return lines


def _about(one: Reason, text: str) -> bool:
    words = [one.name, one.written, *(source.name for source in one.sources)]
    return any(text.lower() in word.lower() for word in words)


def _one_of(names: Sequence[str], name: str) -> str:
    found = next((one for one in names if one.lower() == name.lower().lstrip("/")), "")
    if not found:
        raise UserError(
            f"this phone has no file {name!r}", f"its files are {', '.join(names)}", "name one", _HELP, USAGE
        )
    return found


def _masked(text: str, secrets: set[str]) -> str:
    """Without passwords, and without the token that opens the phone's folder."""
    for secret in sorted(secrets, key=len, reverse=True):
        for spelt in {secret, escape(secret), str(Markup.escape(secret)), json.dumps(secret)[1:-1]} - {""}:
            text = text.replace(spelt, _HIDDEN)
    return _TOKEN.sub(_HIDDEN, text)
