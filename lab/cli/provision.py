"""`provision`: what a box is given and why, from a seed; and its resync, on a running switchroom."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import asdict
from difflib import get_close_matches
from html import escape
from pathlib import Path

from markupsafe import Markup

from lab.addresses import PROVISIONING, SIP
from lab.cli.inputs import the_seed, the_settings
from lab.errors import BAD_INPUT, USAGE, UserError
from lab.shell import RealClock
from pbx.clock import Moment
from pbx.domain.devices import Device, normal_mac
from pbx.domain.directory import Directory
from provisioning_server import dhcp
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.reasons import Reason, reasons
from provisioning_server.respond import ConfigRequest, Office, file_names, respond, unused
from provisioning_server.sheet import CannotRender

_HIDDEN = "***"


class Desk:
    """A seed's domain and the office that would serve it."""

    def __init__(self, seed: Path | None) -> None:
        listen = the_settings({}).listen
        base = f"http://{listen.address}:{listen.port_base + PROVISIONING}/p"
        self.directory: Directory = the_seed(seed).directory
        self.office = Office(
            shipped_families(), Ledger(b"", lan_window=True), ServedAt(listen.address, listen.port_base + SIP, base)
        )
        self.now: Moment = RealClock().now()

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
                f"there is no phone {mac!r}", "the seed has none of that MAC" + (f"; near: {near}" if near else ""),
                "name one that `switchroom phone ls` lists", _HELP, BAD_INPUT,
            )  # fmt: skip
        if found[0].family not in self.office.families.by_id:
            raise UserError(
                f"phone {mac!r} is not provisioned", f"no folder of device_templates is called {found[0].family!r}",
                "name another family", "docs/families.md", BAD_INPUT,
            )  # fmt: skip
        return found

    def files(self, mac: str) -> dict[str, str]:
        """Return the text of each file of the box by its name, passwords hidden; a refusal as its reason."""
        box = self.box(mac)
        return {name: self.file(box, name) for name in file_names(self.office, box[0])}

    def file(self, box: tuple[Device, ...], name: str, *, reveal: bool = False) -> str:
        answer = respond(ConfigRequest("http", f"/p/{name}", "127.0.0.1:1"), self.office, self.directory, self.now)
        if answer.status != 200:
            raise UserError(f"{name} is refused", answer.why, "see `switchroom provision show`", _HELP, BAD_INPUT)
        text = answer.body.decode("utf-8")
        return text if reveal else _masked(text, box)


def show(mac: str, seed: Path | None, *, as_json: bool) -> str:
    desk = Desk(seed)
    box = desk.box(mac)
    family = desk.office.families.by_id[box[0].family]
    try:
        idle, fault = sorted({name for one in box for name in unused(desk.office, desk.directory, one, desk.now)}), ""
    except CannotRender as error:
        idle, fault = [], str(error)
    view = {
        "mac": box[0].mac,
        "family": family.id,
        "title": family.title,
        "model": box[0].model,
        "verified": family.verified,
        "lines": {device.port: device.id for device in box},
        "files": file_names(desk.office, box[0]),
        "dhcp": family.dhcp,
        "resync": family.resync,
        "reboot": family.reboot,
        "remote_control": family.remote_control.how if family.remote_control else "",
        "unused": idle,
        "fault": fault,
    }
    if as_json:
        return json.dumps(view, ensure_ascii=False, indent=1)
    lines = [f"{view['mac']}  {family.id}  {view['model']}  ({family.title})"]
    lines += [f"line {device.port}  {device.id}" for device in box]
    lines += [f"file    {name}" for name in file_names(desk.office, box[0])]
    lines += [
        f"dhcp    {', '.join(map(str, family.dhcp)) or 'none'}",
        f"resync  {family.resync}",
        f"reboot  {family.reboot}",
    ]
    lines += [f"remote  {family.remote_control.how}"] if family.remote_control else []
    lines += [f"? {part}: {why}" for part, why in family.doubted.items()]
    lines += [f"✗ {name} is set, but {family.id} writes it nowhere" for name in idle]
    lines += [f"✗ its files cannot be written: {fault}"] if fault else []
    return "\n".join(lines)


def why(mac: str, parameter: str, seed: Path | None, *, as_json: bool) -> str:
    """Explain each parameter of the box whose name, text or settings contain `parameter`; every one without it."""
    desk = Desk(seed)
    box = desk.box(mac)
    try:
        told = reasons(desk.office, desk.directory, box[0], desk.now)
    except CannotRender as fault:
        raise UserError(
            f"the files of {mac} cannot be written", str(fault), "mend the setting named", _HELP, BAD_INPUT
        ) from None
    chosen = [one for one in told if _about(one, parameter)]
    if not chosen:
        near = ", ".join(get_close_matches(parameter, [one.name for one in told], 3, 0.4))
        raise UserError(
            f"nothing that is written for {mac} is about {parameter!r}", f"near: {near}" if near else "no name is near",
            "leave it out to see everything", _HELP, USAGE,
        )  # fmt: skip
    if as_json:
        return json.dumps([asdict(one) for one in chosen], ensure_ascii=False, indent=1)
    return "\n".join(line for one in chosen for line in _explained(one))


def fetch(mac: str, name: str, seed: Path | None, *, reveal: bool) -> str:
    """Return a file as the box would get it, its first own one without a name; passwords hidden unless revealed."""
    desk = Desk(seed)
    box = desk.box(mac)
    names = file_names(desk.office, box[0])
    family = desk.office.families.by_id[box[0].family]
    own = next(family.name_of(rule, box[0].mac or "", box[0].model) for rule in family.files if rule.kind == "device")
    return desk.file(box, _one_of(names, name) if name else own, reveal=reveal)


def diff(mac: str, seed: Path | None, other: Path) -> tuple[str, bool]:
    """Return how the box's files differ between two seeds, and whether they are the same."""
    one, two = Desk(seed).files(mac), Desk(other).files(mac)
    lines: list[str] = []
    for name in dict.fromkeys([*one, *two]):
        before, after = one.get(name, "").splitlines(), two.get(name, "").splitlines()
        lines += difflib.unified_diff(before, after, f"{seed or 'office'}: {name}", f"{other}: {name}", lineterm="")
    return "\n".join(lines), not lines


def snippet(kind: str, base_url: str) -> str:
    """Return a snippet for a DHCP server; `base_url` is that of the running server, the settings' own without it."""
    if kind not in dhcp.KINDS:
        raise UserError(
            f"there is no DHCP server {kind!r}", f"known are {', '.join(dhcp.KINDS)}", "name one of them",
            "switchroom dhcp --help", USAGE,
        )  # fmt: skip
    base = base_url.rstrip("/") or Desk(None).office.at.base_url
    host = base.partition("://")[2].partition("/")[0].rpartition(":")[0] or base.partition("://")[2].partition("/")[0]
    return dhcp.KINDS[kind](dhcp.told(shipped_families(), base, host))


def _about(one: Reason, text: str) -> bool:
    words = [one.name, one.written, *(source.name for source in one.sources)]
    return any(text.lower() in word.lower() for word in words)


def _explained(one: Reason) -> Sequence[str]:
    lines = [f"{one.written}   ({one.file})", f"    = {one.formula}   from {one.layer}"]
    for source in one.sources:
        lines.append(f"    {source.name} = {json.dumps(source.value, ensure_ascii=False)}   from {source.layer}")
        lines += [f"        over {json.dumps(value)} of {layer}" for layer, value in reversed(source.stack[:-1])]
    return lines


def _one_of(names: Sequence[str], name: str) -> str:
    found = next((one for one in names if one.lower() == name.lower().lstrip("/")), "")
    if not found:
        raise UserError(
            f"this phone has no file {name!r}", f"its files are {', '.join(names)}", "name one", _HELP, USAGE
        )
    return found


def _masked(text: str, box: tuple[Device, ...]) -> str:
    for device in box:
        secret = device.password.get_secret_value()
        for spelt in {secret, escape(secret), str(Markup.escape(secret)), json.dumps(secret)[1:-1]} - {""}:
            text = text.replace(spelt, _HIDDEN)
    return text


_HELP = "switchroom provision --help"
