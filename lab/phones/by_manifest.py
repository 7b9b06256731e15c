"""A firmware whose boot is its family's manifest: what it asks for, in which order, and what it says of itself.

Only how it reads what it was given is code of its own (`Reading`), and that knows no template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass

from lab.phones.family import (
    Account,
    BootFailed,
    BootScript,
    Box,
    Family,
    Fetch,
    Fetched,
    PhoneConfig,
    Resync,
    check_sync,
    expanded,
    joined,
)
from provisioning_server.families import shipped_families
from provisioning_server.manifest import BootStep
from provisioning_server.manifest import Family as Manifest

Values = Mapping[str, str]
_SEPARATOR = re.compile(r"[:-]")


@dataclass(frozen=True, slots=True)
class Reading:
    read: Callable[[bytes, str], dict[str, str]]
    """(body, file name) → values by the vendor's names; BootFailed for what the firmware refuses."""
    accounts: Callable[[Values], tuple[Account, ...]]
    server_url: Callable[[Values], str] = lambda values: ""
    """Where it is told to fetch from the next time."""
    asks_dhcp: Callable[[Values], bool] = lambda values: True
    listed: Callable[[bytes, str], list[str]] = lambda body, name: []
    """The files a list names, for families whose manifest has one."""


def family(name: str, reading: Reading) -> Family | None:
    """Return the firmware of the family of that name; None while its folder is broken."""
    manifest = shipped_families().by_id.get(name)
    if manifest is None:
        return None
    return Family(
        name=name,
        dhcp_options=manifest.dhcp,
        boot=lambda box, url: _boot(manifest, reading, box, url),
        user_agent=lambda box: f"{manifest.vendor.capitalize()} {box.model} {box.firmware}",
        resync=lambda event: _resync(manifest, event),
        server_in=lambda body, name: reading.server_url(reading.read(body, name)),
        default_firmware=_example(manifest, "version") or "1.0",
        fxs_ports=manifest.capabilities.fxs_ports,
    )


def _boot(manifest: Manifest, reading: Reading, box: Box, url: str) -> BootScript:
    url = expanded(url, _phone_macros(manifest, box))
    folder = folder_of(manifest, url)
    values: dict[str, str] = {}
    applied: list[str] = []
    listed = False
    for step in manifest.boot:
        if step.unless_listed and listed:
            continue
        name, answer = yield from _first_served(manifest, box, folder, step)
        if not answer.ok:
            if step.needed:
                raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")
        elif step.use == "settings":
            values.update(reading.read(answer.body, name))
            applied.append(name)
        elif step.use == "list":
            listed = True
            for item in reading.listed(answer.body, name):
                item = expanded(item, _phone_macros(manifest, box))
                answer = yield Fetch(joined(folder, item), agent_of(manifest, box))
                if not answer.ok:
                    raise BootFailed(f"Config {answer.status or 'timeout'}", f"{item} was not served")
                values.update(reading.read(answer.body, item))
                applied.append(item)
    return PhoneConfig(
        reading.accounts(values),
        values,
        tuple(applied),
        reading.server_url(values),
        asks_dhcp=reading.asks_dhcp(values),
    )


def folder_of(manifest: Manifest, url: str) -> str:
    """What the names are asked for in: a URL that names a file, as the family's start does, ends before it."""
    depth = manifest.start.count("/") + 1
    whole = manifest.start and url.partition("://")[2].count("/") >= depth and not url.endswith("/")
    return url.rsplit("/", depth)[0] if whole else url.rstrip("/")


def _first_served(
    manifest: Manifest, box: Box, folder: str, step: BootStep
) -> Generator[Fetch, Fetched, tuple[str, Fetched]]:
    """Ask for each name until one is served; return it, or the first with the last answer."""
    names = [told for name in step.ask if (told := named(manifest, box, name))]
    answer = Fetched(404)
    for name in names:
        answer = yield Fetch(joined(folder, name), agent_of(manifest, box))
        if answer.ok:
            return name, answer
    return (names[0] if names else step.ask[0]), answer


def named(manifest: Manifest, box: Box, name: str) -> str:
    known = manifest.models.get(box.model)
    digits = known.model_id.zfill(12) if known and known.model_id else ""
    if "{model_id}" in name and not digits:
        return ""
    own = (known.file if known else "") or box.model
    return expanded(name, {"{mac}": box.mac, "{MAC}": box.mac_upper, "{model}": own, "{model_id}": digits})


def _phone_macros(manifest: Manifest, box: Box) -> dict[str, str]:
    known = manifest.models.get(box.model)
    facts = {
        "mac": box.mac,
        "MAC": box.mac_upper,
        "model": box.model,
        "part": (known.file if known else "") or box.model,
    }
    return {macro: facts[fact] for macro, fact in manifest.macros.items()}


def agent_of(manifest: Manifest, box: Box) -> str:
    """The manifest's first example with this phone's own model, version and MAC in it."""
    if not manifest.user_agents:
        return manifest.title
    agent = manifest.user_agents[0]
    match = agent.pattern.search(agent.examples[0])
    assert match is not None, "families: an example matches its own regex"
    text = agent.examples[0]
    spans = [(match.span(group), _like(match[group], group, box)) for group in match.groupdict() if match[group]]
    for (start, end), value in sorted(spans, reverse=True):
        text = text[:start] + value + text[end:]
    return text


def _like(example: str, group: str, box: Box) -> str:
    if group == "mac":
        separator = _SEPARATOR.search(example)
        digits = box.mac_upper if example.upper() == example and example.lower() != example else box.mac
        return separator[0].join(digits[i : i + 2] for i in range(0, 12, 2)) if separator else digits
    return {"model": box.model, "version": box.firmware}.get(group, example)


def _example(manifest: Manifest, group: str) -> str:
    for agent in manifest.user_agents:
        match = agent.pattern.search(agent.examples[0])
        if match and match.groupdict().get(group):
            return match[group]
    return ""


def _resync(manifest: Manifest, event: str) -> Resync:
    """The words of the manifest first; then what all firmwares make of check-sync."""
    said = event.lower().replace(" ", "")
    if said == manifest.resync.lower():
        return Resync.RELOAD
    if said == manifest.reboot.lower():
        return Resync.REBOOT
    packages = tuple({word.partition(";")[0].lower() for word in (manifest.resync, manifest.reboot)})
    return check_sync(event, bare=Resync.RELOAD, packages=packages)
