"""What happens at a phone: its lines are looked at after every change, and what is different has happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from lab.phones.calls import CallState, PhoneCall
from lab.phones.occurrences import Happened, Occurrence
from lab.phones.registration import Standing


class Watched(Protocol):
    """A line, as far as this need know it."""

    do_not_disturb: bool

    @property
    def live_calls(self) -> list[PhoneCall]: ...

    @property
    def standing(self) -> Standing: ...


class Teller:
    """Of one phone from power to power."""

    def __init__(self) -> None:
        self._started = self._off_hook = False
        self._standings: dict[int, Standing] = {}
        self._quiet: dict[int, bool] = {}
        self._calls: dict[PhoneCall, tuple[int, CallState, bool]] = {}

    def look(self, lines: Mapping[int, tuple[str, Watched]]) -> list[Occurrence]:
        """Return what has happened since the last look; `lines` by number, each with its user."""
        found = list(self._of_the_phone(lines))
        for number, (user, line) in lines.items():
            found += self._of_a_line(number, user, line)
        live = {call for _, line in lines.values() for call in line.live_calls}
        for call in [call for call in self._calls if call not in live]:
            number, *_ = self._calls.pop(call)
            found.append(_of_call(Happened.TERMINATED, number, lines, call))
        if self._off_hook and not _is_off_hook(live):
            self._off_hook = False
            found.append(Occurrence(Happened.ON_HOOK))
        return found

    def _of_the_phone(self, lines: Mapping[int, tuple[str, Watched]]) -> Iterator[Occurrence]:
        if lines and not self._started:
            self._started = True
            yield Occurrence(Happened.STARTED)
        if not self._off_hook and _is_off_hook({call for _, line in lines.values() for call in line.live_calls}):
            self._off_hook = True
            yield Occurrence(Happened.OFF_HOOK)

    def _of_a_line(self, number: int, user: str, line: Watched) -> Iterator[Occurrence]:
        before, now = self._standings.get(number, Standing.NONE), line.standing
        if now is not before and now is not Standing.ASKING:
            self._standings[number] = now
            if now in (Standing.REFUSED, Standing.SILENCE):
                yield Occurrence(Happened.REGISTER_FAILED, number, user)
            else:
                what = Happened.REGISTERED if now is Standing.GRANTED else Happened.UNREGISTERED
                yield Occurrence(what, number, user)
        if line.do_not_disturb is not self._quiet.get(number, False):
            self._quiet[number] = line.do_not_disturb
            yield Occurrence(Happened.DND_ON if line.do_not_disturb else Happened.DND_OFF, number, user)
        for call in line.live_calls:
            _, seen, held = self._calls.get(call, (number, None, False))
            if seen is None:
                yield _said(Happened.OUTGOING if call.outgoing else Happened.INCOMING, number, user, call)
            if call.state is CallState.UP and seen is not CallState.UP:
                yield _said(Happened.ESTABLISHED, number, user, call)
            if call.on_hold is not held:
                yield _said(Happened.HELD if call.on_hold else Happened.RESUMED, number, user, call)
            self._calls[call] = number, call.state, call.on_hold


def _is_off_hook(live: set[PhoneCall]) -> bool:
    return any(call.state is not CallState.INCOMING for call in live)


def _said(what: Happened, number: int, user: str, call: PhoneCall) -> Occurrence:
    return Occurrence(what, number, user, call.session.call_id, call.number)


def _of_call(what: Happened, number: int, lines: Mapping[int, tuple[str, Watched]], call: PhoneCall) -> Occurrence:
    return _said(what, number, lines[number][0] if number in lines else "", call)
