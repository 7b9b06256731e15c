"""The simulated telephone network: numbers with habits, callers from outside, the emergency desk, the support line.

It speaks SIP through `pbx.sip` like any other peer and sits at one address, the trunk's. Nothing dialled here leaves
the machine: a number without a habit does not exist.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial

from lab.desks import CONFIRM_KEY, CONFIRM_S, DESKS
from lab.phones.calls import CallState, FaxMachine, PhoneCall
from lab.phones.family import Account
from lab.phones.line import Line
from pbx.clock import FOREVER
from pbx.media.engine import DigitPressed, Engine, FaxFinished, FaxSensed, Heard, PlayFinished, Prompts, Tone
from pbx.sip.address import Peer
from pbx.sip.dialog import ALLOW
from pbx.sip.session import Session
from pbx.sip.sip_events import InviteReceived, RequestReceived, SipEvent
from pbx.sip.stack import Outgoing, Stack
from pbx.sip.uri import BadUri, parse_uri


class Habit(Enum):
    """What a number does when it is called."""

    ANSWERS = "answers"
    RINGS_OUT = "rings out"
    BUSY = "busy"
    MISSING = "does not exist"
    BUSY_TONE = "busy tone"
    REORDER_TONE = "reorder tone"
    INTERCEPTED = "intercepted"
    VACANT = "vacant code"
    REORDER_ANNOUNCED = "reorder announced"
    NO_CIRCUIT = "no circuit"
    """These tell by a tone why they cannot be reached, before the call is up, as exchanges do."""
    TONE = "plays a tone"
    ECHO = "echoes"
    PERSON = "a person"
    """Rings until the one who holds this phone answers: a test does."""
    FAX = "a fax machine"
    FAX_BY_SOUND = "a fax machine without T.38"
    """One may send from these, or call them to fax to."""
    DESK = "a desk"
    """One of `lab.desks`."""


NUMBERS: dict[str, Habit] = {
    "14165550142": Habit.ANSWERS,
    "18005550142": Habit.ANSWERS,
    "14165550143": Habit.RINGS_OUT,
    "14165550144": Habit.BUSY,
    "14165550145": Habit.MISSING,
    "14165550146": Habit.TONE,
    "14165550147": Habit.ECHO,
    "14165550148": Habit.PERSON,
    "14165550149": Habit.PERSON,
    "14165550150": Habit.BUSY_TONE,
    "14165550151": Habit.REORDER_TONE,
    "14165550152": Habit.INTERCEPTED,
    "14165550153": Habit.VACANT,
    "14165550154": Habit.REORDER_ANNOUNCED,
    "14165550155": Habit.NO_CIRCUIT,
    "14165550156": Habit.FAX,
    "14165550157": Habit.FAX_BY_SOUND,
}
"""555-01xx is reserved for fiction (NANPA): nobody's telephone rings when a call escapes the lab."""


class Outage(Enum):
    """What ails a trunk."""

    NONE = "up"
    REFUSES = "refuses"
    """Every call gets 503."""
    SILENT = "silent"
    """Nothing that arrives is answered."""


FAX_MACHINES = {Habit.FAX: FaxMachine(), Habit.FAX_BY_SOUND: FaxMachine(takes_t38=False)}
TEST_TONE = "milliwatt"
_EXCHANGE: dict[Habit, tuple[str, int]] = {
    Habit.BUSY_TONE: ("busy", 486),
    Habit.REORDER_TONE: ("reorder", 503),
    Habit.INTERCEPTED: ("sit-intercept", 410),
    Habit.VACANT: ("sit-vacant", 404),
    Habit.REORDER_ANNOUNCED: ("sit-reorder", 503),
    Habit.NO_CIRCUIT: ("sit-no-circuit", 503),
}
"""Habit → what is played before the call is up, and what ends it."""
_TONE_S = 8.0
"""The network plays a tone so long, then it lets go."""
LOCATION_HEADER = "X-Switchroom-Location"

_DELAY_S = 0.3
"""From ringing to the answer."""
_PATIENCE_S = 120.0
"""The network gives up a call that nobody answers."""


@dataclass(frozen=True, slots=True)
class DeskCall:
    """What the emergency desk saw of a call: the evidence that it came, and with which number and place."""

    desk: str
    callback: str
    location: str


class Carrier:
    """Owns its stack's sessions. Same inputs and outputs as a phone."""

    def __init__(
        self,
        stack: Stack,
        engine: Engine,
        *,
        token: Callable[[int], str],
        switch: Peer,
        domain: str,
        numbers: Mapping[str, Habit] | None = None,
        names: Mapping[str, str] | None = None,
        changed: Callable[[], None] | None = None,
    ) -> None:
        """`switch` is where calls into the office go."""
        self._stack, self._engine, self._token = stack, engine, token
        self._switch, self._domain = switch, domain
        self._tell = changed
        known = numbers if numbers is not None else NUMBERS
        self._habits = {
            **{_digits(number): habit for number, habit in known.items()},
            **dict.fromkeys(DESKS, Habit.DESK),
        }
        self._names = {_digits(number): name for number, name in (names or {}).items()}
        self._names |= {number: desk.name for number, desk in DESKS.items()}
        self._lines: dict[str, Line] = {}
        self._desk_lines: dict[str, list[Line]] = {}
        self._calls: dict[str, tuple[Line, PhoneCall]] = {}
        self._legs: dict[str, tuple[Line, PhoneCall]] = {}
        self._later: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = 0
        self._changed: set[Line] = set()
        """Lines whose calls have changed since they were indexed."""
        self._dirty = False
        self._asking: dict[str, DeskCall] = {}
        """Leg of an operator who has yet to put the caller through."""
        self.desk_calls: list[DeskCall] = []
        self.outage = Outage.NONE

    @property
    def habits(self) -> Mapping[str, Habit]:
        """Outside numbers and what each does; not the desks."""
        return {number: habit for number, habit in self._habits.items() if number not in DESKS}

    def number_that(self, habit: Habit) -> str:
        """Return the first number of that habit; KeyError when there is none."""
        for number, known in self._habits.items():
            if known is habit:
                return number
        raise KeyError(habit.value)

    def line(self, number: str) -> Line:
        """The telephone of an outside number (or a desk): to call from, and to see what it hears."""
        line = self._lines.get(number)
        if line is None:
            line = self._lines[number] = self._new_line(number)
        return line

    def calls_at(self, number: str) -> list[PhoneCall]:
        """Return the calls in progress at a number, whoever answers there."""
        lines = [self._lines[number]] if number in self._lines else self._desk_lines.get(number, [])
        return [call for line in lines for call in line.live_calls]

    def _new_line(self, number: str) -> Line:
        account = Account(
            port=1,
            user=number if number in DESKS else f"+{number}",
            auth_user=DESKS[number].party if number in DESKS else number,
            password="",
            domain=self._domain,
            server_host=self._switch.host,
            server_port=self._switch.port,
            transport=self._switch.transport,
            label=number,
            display_name=self._names.get(number, ""),
        )
        machine = FAX_MACHINES.get(self._habits.get(number, Habit.MISSING))
        line = Line(
            account,
            self._stack,
            self._engine,
            token=self._token,
            changed=lambda: self._mark(line),
            machine=machine,
        )
        return line

    def _desk_line(self, number: str) -> Line:
        """A line for one call: what answers by itself takes any number of callers, and holds none of them."""
        lines = self._desk_lines.setdefault(number, [])
        free = next((line for line in lines if not line.live_calls), None)
        if free is None:
            free = self._new_line(number)
            lines.append(free)
        return free

    def live(self) -> dict[str, int]:
        return {**self._stack.live(), "calls": sum(len(line.live_calls) for line in self._every_line())}

    # --- inputs and outputs ---------------------------------------------------------------------------

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        self._engine.at(now)
        if self.outage is Outage.SILENT:
            return
        self._stack.receive(data, source, now)
        self._drain(now)

    def closed(self, peer: Peer, now: float) -> None:
        self._stack.closed(peer, now)
        self._drain(now)

    def woken(self, now: float) -> None:
        self._engine.at(now)
        for event in self._engine.take_events():
            found = self._legs.get(getattr(event, "leg", ""))
            if found is None:
                continue
            line, call = found
            match event:
                case Heard(sound=sound):
                    line.heard(call, sound, now)
                case DigitPressed(digit=digit):
                    line.key_heard(call, digit, now)
                    if digit == CONFIRM_KEY:
                        self._put_through(call, now)
                case FaxSensed():
                    line.fax_sensed(call, now)
                case FaxFinished():
                    line.fax_finished(call, event, now)
                    self._after(call.hang_up_at - now, now, line.let_go)
                case PlayFinished() if not call.over:
                    call.speech.speak()
                    self._after(CONFIRM_S, now, partial(self._put_through, call))
        self._drain(now)

    def act(self, button: Callable[[], object], now: float) -> object:
        self._engine.at(now)
        result = button()
        self._drain(now)
        return result

    def tick(self, now: float) -> None:
        self._engine.at(now)
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2](now)
        self._stack.tick(now)
        self._drain(now)

    def next_deadline(self) -> float:
        return min(self._stack.next_deadline(), self._later[0][0] if self._later else FOREVER)

    def take_outgoing(self) -> list[Outgoing]:
        return self._stack.take_outgoing()

    # --- consequences ---------------------------------------------------------------------------------

    def _drain(self, now: float) -> None:
        while events := self._stack.take_events():
            for event in events:
                self._happened(event, now)
        self._index()
        if self._dirty:
            self._dirty = False
            if self._tell is not None:
                self._tell()

    def _happened(self, event: SipEvent, now: float) -> None:
        match event:
            case InviteReceived(session=session):
                self._invited(session, now)
            case RequestReceived(transaction=transaction, request=request):
                status = 200 if request.method == "OPTIONS" else 405
                self._stack.respond(transaction, status, headers=(("Allow", ALLOW),), now=now)
            case _:
                self._call_happened(event, now)

    def _call_happened(self, event: SipEvent, now: float) -> None:
        session: Session | None = getattr(event, "session", None)
        if session is None:
            return
        self._index()
        found = self._calls.get(session.id)
        if found is not None:
            line, call = found
            line.happened(call, event, now)

    def _invited(self, session: Session, now: float) -> None:
        if self.outage is Outage.REFUSES:
            session.reject(503, "", now)
            return
        number = _called(session)
        habit = self._habits.get(number, Habit.MISSING)
        if habit is Habit.MISSING:
            session.reject(404, "", now)
            return
        if habit is Habit.BUSY:
            session.reject(486, "", now)
            return
        if habit is Habit.DESK and DESKS[number].notes:
            self.desk_calls.append(_desk_call(number, session))
        alone = habit is Habit.PERSON or habit in FAX_MACHINES
        line = self.line(number) if alone else self._desk_line(number)
        call = line.invited(session, now)
        if call is None or habit in FAX_MACHINES:
            return
        if habit in (Habit.RINGS_OUT, Habit.PERSON):
            self._after(_PATIENCE_S, now, lambda later: self._give_up(line, call, 480, later))
        elif habit in _EXCHANGE:
            tone, status = _EXCHANGE[habit]
            if line.speak_early(call, Tone(tone), now):
                self._after(_TONE_S, now, lambda later: self._give_up(line, call, status, later))
        else:
            self._after(_DELAY_S, now, lambda later: self._pick_up(line, call, number, later))

    def _pick_up(self, line: Line, call: PhoneCall, number: str, now: float) -> None:
        if call.state is not CallState.INCOMING or not line.answer_call(call, now):
            return
        speech = call.speech
        match self._habits[number]:
            case Habit.TONE:
                speech.play(Tone(TEST_TONE))
            case Habit.ECHO:
                speech.stop()
                self._engine.bridge(speech.leg, speech.leg)
            case Habit.DESK:
                told = _desk_call(number, call.session)
                if DESKS[number].passes_to:
                    self._asking[speech.leg] = told
                speech.play(Prompts(DESKS[number].says(told.callback, told.location)), "said")

    def _put_through(self, call: PhoneCall, now: float) -> None:
        """The operator has the caller's word for the place, or waited for it: the local desk answers."""
        asked = self._asking.pop(call.speech.leg, None)
        if asked is None or call.over:
            return
        local = DESKS[asked.desk].passes_to
        self.desk_calls.append(DeskCall(local, asked.callback, asked.location))
        call.speech.play(Prompts(("operator-transfers", *DESKS[local].says(asked.callback, asked.location))), "said")

    def _give_up(self, line: Line, call: PhoneCall, status: int, now: float) -> None:
        if call.state is CallState.INCOMING:
            line.reject_call(call, now, status)

    def _after(self, seconds: float, now: float, do: Callable[[float], None]) -> None:
        self._order += 1
        heapq.heappush(self._later, (now + seconds, self._order, do))

    def _every_line(self) -> list[Line]:
        return [*self._lines.values(), *(line for lines in self._desk_lines.values() for line in lines)]

    def _index(self) -> None:
        changed, self._changed = self._changed, set()
        for line in changed:
            for call in line.calls:
                if call.settled:
                    self._calls.pop(call.session.id, None)
                    self._legs.pop(call.speech.leg, None)
                    self._asking.pop(call.speech.leg, None)
                elif call.session.id not in self._calls:
                    self._calls[call.session.id] = self._legs[call.speech.leg] = (line, call)

    def _mark(self, line: Line) -> None:
        self._changed.add(line)
        self._dirty = True


def _desk_call(desk: str, session: Session) -> DeskCall:
    request = session.request
    return DeskCall(desk, _digits(request.from_.user), request.get(LOCATION_HEADER) or "")


def _called(session: Session) -> str:
    try:
        user = parse_uri(session.request.uri).user
    except BadUri:
        return ""
    return _digits(user) if user.startswith("+") else user


def _digits(user: str) -> str:
    return user.lstrip("+")
