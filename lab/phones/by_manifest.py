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
from lab.phones.occurrences import Occurrence
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
    image: Callable[[bytes, str], str] = lambda body, name: ""
    """The firmware a list names; empty for none."""
    opened: Callable[[bytes, str], bytes] = lambda body, key: body
    """(body, key of the flash) → its text, where files may be encrypted; BootFailed when the key does not fit."""
    file_key: Callable[[Values], str] = lambda values: ""
    """The key of the files to come."""
    firmware: Callable[[Values, Box], str] = lambda values, box: ""
    """URL of the image its configuration wants it to run; empty for none."""
    tells: Callable[[Values, Occurrence, Box], tuple[str, bytes] | None] = lambda values, occurrence, box: None
    """The URL that is called when something happens, and what is posted there; empty for a GET, None for nothing."""
    whose: Callable[[bytes], str] = lambda body: ""
    """The MAC a file says it is for; the firmware refuses another's. Empty where files say no such thing."""


def family(
    name: str,
    reading: Reading,
    *,
    firmware: str = "",
    sip_agent: Callable[[Box], str] | None = None,
    resync: Callable[[str], Resync] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
) -> Family | None:
    """Return the firmware of the family of that name; None while its folder is broken.

    `firmware` is the version its phones have, that of the manifest's first example without it; `sip_agent` what it
    calls itself in SIP; `resync` what it makes of a NOTIFY, where that is not what all do; `headers` are sent along.
    """
    manifest = shipped_families().by_id.get(name)
    if manifest is None:
        return None
    return Family(
        name=name,
        dhcp_options=manifest.dhcp,
        boot=lambda box, url: _Boot(manifest, reading, box, url, headers).run(),
        user_agent=sip_agent or (lambda box: f"{manifest.vendor.capitalize()} {box.model} {box.firmware}"),
        resync=resync or (lambda event: _resync(manifest, event)),
        server_in=lambda body, name: reading.server_url(reading.read(body, name)),
        default_firmware=firmware or _example(manifest, "version") or "1.0",
        fxs_ports=manifest.capabilities.fxs_ports,
        tells=lambda values, occurrence, box: _telling(manifest, reading, values, occurrence, box),
    )


def _telling(manifest: Manifest, reading: Reading, values: Values, occurrence: Occurrence, box: Box) -> Fetch | None:
    told = reading.tells(values, occurrence, box)
    if told is None or not told[0]:
        return None
    url, body = told
    return Fetch(url, agent_of(manifest, box), method="POST" if body else "GET", body=body)


class _Boot:
    """One run through a manifest's steps."""

    def __init__(
        self, manifest: Manifest, reading: Reading, box: Box, url: str, headers: tuple[tuple[str, str], ...]
    ) -> None:
        self._manifest, self._reading, self._box, self._headers = manifest, reading, box, headers
        self._macros = _phone_macros(manifest, box)
        url = expanded(url, self._macros)
        self._file = _file_of(manifest, url)
        self._folder = url.rpartition("/")[0] if self._file else folder_of(manifest, url)
        self._list: tuple[str, bytes] | None = None
        self._values: dict[str, str] = {}
        self._applied: list[str] = []

    def run(self) -> BootScript:
        later = any(step.use == "listed" for step in self._manifest.boot)
        for step in self._manifest.boot:
            if step.unless_listed and self._list is not None:
                continue
            if step.use == "listed":
                yield from self._listed(needed=step.needed)
            elif step.use == "images":
                yield from self._first_served(self._images())
            else:
                yield from self._step(step)
            if step.use == "list" and self._list is not None and not later:
                yield from self._listed(needed=step.needed)
        reading, values = self._reading, self._values
        url = reading.server_url(values)
        return PhoneConfig(
            reading.accounts(values), values, tuple(self._applied), url, asks_dhcp=reading.asks_dhcp(values),
            file_key=reading.file_key(values), firmware_url=reading.firmware(values, self._box),
        )  # fmt: skip

    def _step(self, step: BootStep) -> Generator[Fetch, Fetched, None]:
        names = [told for name in step.ask if (told := self._named(name))]
        name, answer = yield from self._first_served(names)
        if not answer.ok:
            if step.needed:
                raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")
        elif step.use == "settings":
            self._apply(answer.body, name)
        elif step.use == "list":
            self._list = name, answer.body

    def _listed(self, *, needed: bool) -> Generator[Fetch, Fetched, None]:
        """Read the files of the list; without one that is needed, or is the phone's own, it stops."""
        assert self._list is not None, "manifest: a list comes before what it lists"
        name, body = self._list
        for item in self._reading.listed(body, name):
            item = expanded(item, self._macros)
            name = item.rpartition("/")[2]
            answer = yield self._fetch(item)
            if answer.ok:
                self._apply(answer.body, name)
            elif needed or self._box.mac in name.lower() or answer.status == 0:
                raise BootFailed(f"Config {answer.status or 'timeout'}", f"{name} was not served")

    def _images(self) -> list[str]:
        """The part number's own image, then the one for all."""
        image = self._reading.image(self._list[1], self._list[0]) if self._list is not None else ""
        known = self._manifest.models.get(self._box.model)
        own = [f"{known.part}.{image}"] if known is not None and known.part else []
        return [*own, image] if image else []

    def _first_served(self, names: list[str]) -> Generator[Fetch, Fetched, tuple[str, Fetched]]:
        """Ask for each name until one is served; return it, or the first with the last answer."""
        answer = Fetched(404)
        for name in names:
            answer = yield self._fetch(name)
            if answer.ok:
                return name, answer
        return (names[0] if names else "a file"), answer

    def _apply(self, body: bytes, name: str) -> None:
        body = self._reading.opened(body, self._box.file_key)
        whose = self._reading.whose(body)
        if whose and whose != self._box.mac:
            raise BootFailed("Config bad", f"{name} is for {whose}, not for {self._box.mac}")
        self._values.update(self._reading.read(body, name))
        self._applied.append(name)

    def _named(self, name: str) -> str:
        return self._file if name == "{file}" else named(self._manifest, self._box, name)

    def _fetch(self, name: str) -> Fetch:
        url = name if "://" in name else joined(self._folder, name)
        return Fetch(url, agent_of(self._manifest, self._box), self._headers)


def _file_of(manifest: Manifest, url: str) -> str:
    """The file the URL names, for families that may be given one; empty for a folder."""
    last = url.partition("://")[2].partition("/")[2].rpartition("/")[2]
    takes_one = any("{file}" in step.ask for step in manifest.boot)
    return last if takes_one and last.endswith((".cfg", ".xml")) else ""


def folder_of(manifest: Manifest, url: str) -> str:
    """What the names are asked for in: a URL that names a file, as the family's start does, ends before it."""
    depth = manifest.start.count("/") + 1
    whole = manifest.start and url.partition("://")[2].count("/") >= depth and not url.endswith("/")
    return url.rsplit("/", depth)[0] if whole else url.rstrip("/")


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
        "part": (known.part or known.file if known else "") or box.model,
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
    told = {"model": box.model, "version": box.firmware, "digits": re.sub(r"^[A-Z]*?(?=E?\d)", "", box.model)}
    return told.get(group, example)


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
