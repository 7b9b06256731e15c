"""What the console and the API see of a running lab: phones, calls, runs, health, as the views they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from html import escape
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.callbook import CallBook, CallEntry
from lab.console.views import (
    BoxesPage,
    BoxPage,
    BoxRow,
    CallPage,
    CallRow,
    ClockView,
    GivenFile,
    Handset,
    Health,
    PhoneCard,
    Request,
    RouteView,
    RunView,
    SaidOnce,
    SentFile,
)
from lab.devices import DeviceDesk, DeviceRow
from lab.errors import UserError
from lab.handsets import Handsets
from lab.house import AnyPhone
from lab.phones.face import cards
from lab.run_book import RunBook
from lab.service import Lab
from lab.trace import lines
from pbx.domain.history import CallRecord
from pbx.events import MediaHeard, SipRequest, SipResponse, Stamped
from test_plans.report import ladder

SHOWN_CALLS = 200
SHOWN_BOXES = 200


class LabSource:
    """Implements `lab.console.views.ConsoleSource` over a lab in real time."""

    def __init__(self, lab: Lab, devices: DeviceDesk) -> None:
        self._lab, self._devices = lab, devices
        self._handsets = Handsets(lab)
        self.book = CallBook()
        self.run_book = RunBook(self._words, lambda: lab.runs_folder)
        lab.bus.subscribe(self.book.take)

    @property
    def domain(self) -> str:
        return self._lab.directory.domain.name

    def phones(self) -> Sequence[PhoneCard]:
        return [card for phone in self._lab.phones for card in self.cards_of(phone)]

    def cards_of(self, phone: AnyPhone) -> Sequence[PhoneCard]:
        now = self._lab.now
        return cards(phone, now._replace(wall=now.wall.astimezone(self._zone)))

    def handset(self, device: str) -> Handset | None:
        return self._handsets.handset(device)

    def press(self, device: str, button: str, argument: str) -> str:
        try:
            self._handsets.press(device, button, argument)
        except UserError as error:
            return f"{error.happened}: {error.why}"
        return ""

    def requests(self) -> Sequence[Request]:
        return [
            Request(asked.number, asked.text, asked.device, asked.question, asked.seen)
            for asked in self._lab.people.requests()
            if asked.state == "open"
        ]

    def answer(self, number: int, answer: str, by: str) -> str:
        try:
            self._lab.people.answer(number, answer, by)
        except KeyError:
            return "It is done, answered or no longer asked."
        except ValueError as error:
            return f"{error}." if by.strip() else "An answer is signed: say who you are first, above the requests."
        return ""

    def calls(self) -> Sequence[CallRow]:
        """Newest first: those of this life as they were seen, then the records of earlier ones."""
        seen = [self._row(entry) for entry in islice(self.book.entries(), SHOWN_CALLS)]
        earlier = (record for record in self._lab.history.records() if self.book.entry(record.call) is None)
        return seen + [self._kept(record) for record in islice(earlier, SHOWN_CALLS - len(seen))]

    def call(self, call: str) -> CallPage | None:
        entry = self.book.entry(call)
        if entry is None:
            kept = next((record for record in self._lab.history.records() if record.call == call), None)
            return CallPage(self._kept(kept), (), "", (), ()) if kept is not None else None
        shown = [s for s in entry.events if isinstance(s.event, SipRequest | SipResponse | MediaHeard)]
        return CallPage(
            self._row(entry),
            self._routes(entry),
            ladder.svg(ladder.rows(shown), f"SIP ladder of {escape(call)}"),
            tuple(self._message(entry, stamped) for stamped in entry.messages),
            entry.sounds,
            tuple(lines(entry.events, plain=True)),
        )

    def boxes(self, words: str, standing: str) -> BoxesPage:
        rows = self._devices.rows(words, standing)
        return BoxesPage(len(rows), tuple(map(self._box, self._devices.with_state(rows[:SHOWN_BOXES]))))

    def box(self, mac: str) -> BoxPage | None:
        row = self._devices.row(mac)
        if row is None or not mac:
            return None
        given = tuple(
            GivenFile(file.name, self._short(file.at), f"{file.protocol} {file.address}", file.name in row.behind)
            for file in self._devices.served(mac)
        )
        folder = self._lab.provisioning.uploads
        kept = folder.of(mac) if folder is not None else []
        sent = tuple(SentFile(one.name, self._short(one.at.timestamp()), one.size) for one in kept)
        return BoxPage(self._box(row), given, sent, self._once(mac))

    def _once(self, mac: str) -> SaidOnce | None:
        one = self._devices.one_shots.of(mac)
        if one is None:
            return None
        values = tuple((name, _hidden(name, value)) for name, value in one.settings.items())
        ends = f"until {self._short(one.until.timestamp())}" if one.until is not None else "once it is fetched"
        taken = {file for file, _ in one.fetched}
        return SaidOnce(values, one.by, ends, tuple((file, file in taken) for file in one.files))

    def _short(self, at: float) -> str:
        return f"{datetime.fromtimestamp(at, self._zone):%d %b %H:%M}"

    def _box(self, row: DeviceRow) -> BoxRow:
        lines = tuple(f"{line.device} {line.name} {'●' if line.registered else '○'}" for line in row.lines)
        note = "up to date" if row.served_at else ""
        if row.behind:
            note = f"behind: {', '.join(row.behind)}"
        elif row.asked:
            note = f"has asked {row.asked} times"
        when = self._short(row.served_at) if row.served_at else ""
        return BoxRow(row.mac, row.standing, row.family, row.model, lines, note, f"{when} {row.address}".strip())

    def runs(self) -> Sequence[RunView]:
        return self.run_book.views()

    def run(self, run: str) -> RunView | None:
        return self.run_book.view(run)

    def evidence(self, run: str, case: str, name: str) -> Path | None:
        return self.run_book.evidence(run, case, name)

    def report(self, run: str) -> str | None:
        return self.run_book.report(run)

    def health(self) -> Health:
        listeners = self._lab.health()
        return Health(all(listeners.values()), listeners)

    def clock(self) -> ClockView:
        real, hours = self._lab.now.wall, self._lab.hours
        hour = hours.now().wall
        return ClockView(self._words(hour.timestamp()), f"{real.astimezone(self._zone):%a %H:%M}", hours.word)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._lab.directory.domain.time_zone)

    def _words(self, at: float) -> str:
        return datetime.fromtimestamp(at, self._zone).strftime("%a %d %b %Y %H:%M %Z")

    def _row(self, entry: CallEntry) -> CallRow:
        local = entry.started.at.wall.astimezone(self._zone)
        return CallRow(
            entry.call,
            local.strftime("%H:%M:%S"),
            entry.caller_device or entry.caller_number,
            entry.dialled,
            entry.path,
            entry.disposition,
            entry.talk_s,
            not entry.ended,
        )

    def _kept(self, record: CallRecord) -> CallRow:
        """A call of an earlier life of the server: its record is all there is."""
        started = datetime.fromtimestamp(record.started_at, self._zone)
        return CallRow(
            record.call,
            f"{started:%d %b %H:%M:%S}",
            record.device or record.caller_number,
            record.dialled,
            tuple(record.path.split(" > ")) if record.path else (),
            record.disposition,
            record.talk_s,
            False,
        )

    def _routes(self, entry: CallEntry) -> tuple[RouteView, ...]:
        views: list[RouteView] = []
        told: tuple[tuple[str, str, str, str], ...] = ()
        for record in entry.records:
            view = self._route(record)
            repeats = set(view.lines) <= set(told)
            told = told if repeats else view.lines
            views.append(replace(view, repeats=repeats))
        return tuple(views)

    @staticmethod
    def _route(record: dict[str, object]) -> RouteView:
        decisions = record.get("decisions")
        lines = []
        for decision in decisions if isinstance(decisions, list) else []:
            words = [str(decision.get(part, "")) for part in ("rule", "saw", "because")]
            told = " — ".join(word for word in words if word)
            lines.append((str(decision["verdict"]), str(decision["step"]), told, str(decision.get("link", ""))))
        return RouteView(str(record.get("question", "")), str(record.get("outcome", "")), tuple(lines))

    @staticmethod
    def _message(entry: CallEntry, stamped: Stamped) -> tuple[str, str]:
        event = stamped.event
        assert isinstance(event, SipRequest | SipResponse)
        first = event.text.split("\r\n", 1)[0]
        arrow = "→ switch" if event.direction == "in" else "← switch"
        return (
            f"{stamped.at.mono - entry.started.at.mono:.3f} {event.device or event.address} {arrow}  {first}",
            event.text,
        )


def _hidden(name: str, value: object) -> str:
    """What stands under a maker's own name may be a password."""
    return "***" if name.startswith("vendor.raw.") or name.endswith("password") else str(value)
