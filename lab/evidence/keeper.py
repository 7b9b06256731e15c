"""Gathers the evidence of each case of a run: notes how things stand when it begins, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lab.call_export import Local
from lab.errors import UserError
from lab.evidence.bundle import Bundle, Served
from lab.evidence.screens import screen_svg
from lab.house import House
from lab.mail.outbox import Caught
from lab.phones.face import shown
from lab.phones.screen import card
from lab.provision_view import ProvisionView
from pbx.events import ConfigServed, MailSent, Stamped
from provisioning_server.respond import Office, current
from provisioning_server.sheet import CannotRender
from test_plans.verdicts import CaseResult

_TEXTS = frozenset({"boot", "common", "device", "directory"})
"""Kinds of files that are text; firmware is none to keep."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a lab's evidence comes from, beside the house itself."""

    local: Local
    office: Callable[[], Office | None]
    taps: Path | None = None
    """Where the packets of legs are kept."""
    tls_secrets: Callable[[], bytes] = bytes


class Keeper:
    """Owns what is noted of the cases that go on."""

    def __init__(self, house: House, sources: Sources) -> None:
        self._house, self._sources = house, sources
        self._before: dict[str, tuple[int, list[tuple[str, str]]]] = {}

    def began(self, result: CaseResult) -> None:
        letters = self._house.outbox.letters()
        number = letters[-1].number if letters else 0
        self._before[result.case] = number, list(self._screens(result, "before"))

    def gathered(self, result: CaseResult) -> Bundle:
        """Return what there is of a case that has just ended."""
        number, screens = self._before.pop(result.case, (0, []))
        events = sorted(result.events, key=lambda stamped: stamped.seq)
        now = self._house.now
        return Bundle(
            result.case,
            events,
            self._sources.local,
            self._sources.taps,
            _legs(events),
            now.wall.timestamp() - now.mono,
            {(one.mac, one.path): self._served(one) for one in _files(events)},
            self._letters(events, number),
            [*screens, *self._screens(result, "after")],
            self._sources.tls_secrets(),
        )

    def _screens(self, result: CaseResult, when: str) -> Iterator[tuple[str, str]]:
        bound = set(result.binding.values())
        for phone in self._house.phones:
            for extension in phone.extensions:
                if extension.device in bound and not phone.family.fxs_ports:
                    svg = screen_svg(card(shown(phone, extension), self._house.now))
                    yield f"Screen of {extension.device} {when}", svg

    def _letters(self, events: list[Stamped], since: int) -> list[Caught]:
        """Those the case's own events tell of: another case may have mail at the same time."""
        sent = {(s.event.to, s.event.subject) for s in events if isinstance(s.event, MailSent)}
        letters = self._house.outbox.letters()
        return [one for one in letters if one.number > since and any((to, one.subject) in sent for to in one.to)]

    def _served(self, event: ConfigServed) -> Served:
        name = event.path.rpartition("/")[2]
        office, directory, now = self._sources.office(), self._house.directory, self._house.now
        if office is None:
            return Served(name, "", f"{event.size} bytes, SHA-256 {event.sha256}")
        try:
            text = ProvisionView(directory, office, now).file(event.mac or event.device, name, reveal=False)
            body = current(office, directory, name, "", now)
        except (UserError, CannotRender, UnicodeDecodeError) as error:
            return Served(name, "", f"it cannot be shown any more: {error}")
        same = body is not None and sha256(body.body).hexdigest() == event.sha256
        return Served(name, text, "as served" if same else "as it is now: it has changed since it was served")


def _legs(events: list[Stamped]) -> dict[str, str]:
    """Return each leg and whose it is, as far as events tell."""
    found: dict[str, str] = {}
    for stamped in events:
        leg = getattr(stamped.event, "leg", "")
        if leg:
            whose = getattr(stamped.event, "device", "") or getattr(stamped.event, "number", "")
            found[leg] = found.get(leg) or whose
    return found


def _files(events: list[Stamped]) -> Iterator[ConfigServed]:
    for stamped in events:
        if isinstance(stamped.event, ConfigServed) and stamped.event.file_kind in _TEXTS:
            yield stamped.event
