"""An office at work: people outside and at forty telephones call one another for days of virtual time, from one seed.

When calls come follows the hours of an office, how long people talk is log-normal, how long they wait exponential. What
people do is written as scripts that yield seconds; nothing here looks into the switch.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Generator
from datetime import datetime
from functools import partial
from itertools import accumulate
from random import Random

from lab.phones.calls import PhoneCall
from lab.phones.line import Line
from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from pbx.domain.directory import Directory
from pbx.events import Event, LegInvited, Stamped

DAY_S = 86_400.0
START = datetime(2026, 11, 23, 0, 0)  # noqa: DTZ001 - a Monday, read in the domain's zone
USERS = [str(extension) for extension in range(101, 141)]
QUEUES = {"500": USERS[0:8], "501": USERS[6:14], "502": USERS[14:20]}
ATTENDANTS = [str(extension) for extension in range(440, 452)]
OUTSIDE = [f"1613555{line:04d}" for line in range(100, 160)]
ANSWERING = "14165550190"
MAIN = [f"1416555{line:04d}" for line in range(100, 112)]
DIRECT = {f"1416555{line:04d}": user for line, user in zip(range(120, 160), USERS, strict=True)}
HOURS = [1, 1, 0, 0, 0, 1, 3, 10, 40, 75, 95, 90, 55, 60, 85, 90, 80, 50, 20, 8, 5, 4, 2, 1]
"""Calls of each hour of a working day, relative; a day of a weekend has a twentieth of them."""

Script = Generator[float, None, None]
"""What a person does; each value is how many seconds pass before the next thing."""


def office() -> Seed:
    """Return the seed: 40 users with a telephone each, 3 queues, 12 attendants, 52 numbers."""
    document = {
        "domain": {"name": "weeks.lab", "caller_id": MAIN[0], "emergency_address": "hq", "ring_s": 20},
        "addresses": [{"key": "hq", "callback": MAIN[0], "caller_name": "Weeks", "street": "1 Example St",
                       "city": "Toronto", "region": "ON", "postal_code": "M5X 1A1"}],
        "time_frames": [{"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}}],
        "users": [{"extension": user, "first_name": f"User {user}", "email": f"u{user}@weeks.lab"} for user in USERS],
        "devices": [{"id": user, "extension": user, "family": "yealink/t4x_t5x", "model": "T54W",
                     "mac": f"805ec0d0{int(user):04d}", "password": f"{int(user) * 7919:016x}",
                     "token": f"{int(user) * 104_729:032x}"} for user in USERS],
        "attendants": [_attendant(place, extension) for place, extension in enumerate(ATTENDANTS)],
        "queues": [
            {"extension": "500", "name": "Sales", "strategy": "round_robin", "max_wait_s": 180,
             "greeting": "queue-greeting", "announce": "callers ahead", "overflow": "mailbox 101"},
            {"extension": "501", "name": "Care", "strategy": "linear_cascade", "max_callers": 6, "max_wait_s": 240,
             "overflow": "queue 502"},
            {"extension": "502", "name": "Billing", "strategy": "ring_all", "logout_after_miss": False,
             "require_agents": True, "max_wait_s": 120, "overflow": "attendant 451"},
        ],
        "numbers": [*({"number": number, "routes": [{"to": f"attendant {ATTENDANTS[place]}"}]}
                      for place, number in enumerate(MAIN)),
                    *({"number": number, "routes": [{"to": f"user {user}"}]} for number, user in DIRECT.items())],
        "settings": {"domain": {"lines.*.expires": 3600}},
    }  # fmt: skip
    for queue in document["queues"]:
        queue["agents"] = [{"extension": user, "order": place, "wrap_up_s": 10}
                           for place, user in enumerate(QUEUES[queue["extension"]])]  # fmt: skip
    lab = {"start": START, "carrier": [{"number": ANSWERING, "habit": "answers"}]}
    return Seed(Directory.model_validate(document), LabSeed.model_validate(lab))


def _attendant(place: int, extension: str) -> dict[str, object]:
    """Each attendant knows the three queues, people of its own, the next attendant, and is closed by night."""
    people = {str(key): f"user {USERS[20 + (place * 5 + key) % 20]}" for key in range(4, 9)}
    queues = {str(key): f"queue {queue}" for key, queue in enumerate(QUEUES, start=1)}
    day = {"name": "day", "keys": {**queues, **people, "9": f"attendant {ATTENDANTS[(place + 1) % 12]}"}}
    night = {"name": "night", "greeting": "attendant-closed", "no_key": f"mailbox {USERS[20 + place]}", "tries": 1}
    return {"extension": extension, "name": f"Desk {place}", "open_frames": ["office"], "closed": "night",
            "menus": [day, night]}  # fmt: skip


class Weeks:
    """Owns the world and everybody in it."""

    def __init__(self, number: int, days: int, calls: int) -> None:
        """`calls` has those by which agents log out for lunch and in again."""
        self.world = virtual_world(office(), number, longest_beat_s=30.0)
        self.chance = Random(number)
        assert self.world.boot_all()
        self._clock = self.world.clockwork
        self._begun = self._clock.mono
        self.end_s = self._begun + days * DAY_S
        self.seen: list[tuple[float, Event]] = []
        self.dialled = 0
        self._telephones = list(OUTSIDE)
        self.world.bus.subscribe(self._offered, [LegInvited])
        lunches = [(day, agent) for day in range(days) if day % 7 < 5 for agent in USERS[:20:4]]
        for day, agent in lunches:
            self._clock.later(day * DAY_S + 12 * 3600 + self.chance.uniform(0, 3600), partial(self._lunch, agent))
        for at_s in sorted(self._moment(days) for _ in range(calls - 2 * len(lunches))):
            self._clock.later(at_s, self._somebody_calls)

    def watch(self, kinds: list[type[Event]]) -> None:
        self.world.bus.subscribe(lambda it: self.seen.append((it.at.mono, it.event)), kinds)

    def pass_by(self) -> None:
        """Let all of it happen, and the last calls end."""
        self.world.run(self.end_s - self._clock.mono)
        self.world.run(3600.0, lambda: not any(self.world.live().values()))

    def _moment(self, days: int) -> float:
        weights = list(accumulate((0.05 if day % 7 > 4 else 1) * hour for day in range(days) for hour in HOURS))
        hour = bisect.bisect(weights, self.chance.uniform(0, weights[-1] - 1e-9))
        return min(hour * 3600 + self.chance.uniform(0, 3600), days * DAY_S - 1)

    # --- scripts --------------------------------------------------------------------------------------

    def _somebody_calls(self) -> None:
        kind = self.chance.choices(("outside", "inside", "out"), (6, 3, 1))[0]
        idle = [user for user in USERS if not self.world.line(user).live_calls]
        if kind == "outside" or len(idle) < 2:
            if self._telephones:
                self._go(self._from_outside(self._telephones.pop(self.chance.randrange(len(self._telephones)))))
        else:
            caller, colleague = self.chance.sample(idle, 2)
            self._go(self._from_inside(caller, colleague if kind == "inside" else ANSWERING))

    def _from_outside(self, telephone: str) -> Script:
        """Call a main number and press a key, or somebody's own number; wait; hang up unless a person is there."""
        main = self.chance.random() < 0.75
        line = self.world.carrier.line(telephone)
        call = self._dial_outside(line, self.chance.choice(MAIN if main else list(DIRECT)))
        if main:
            yield self.chance.uniform(3, 12)
            for _ in range(2):
                if not call.over:
                    key = self.chance.choices("123456789", (30, 25, 15, 6, 6, 6, 5, 4, 3))[0]
                    self.world.press_outside(partial(line.press, key, self._clock.mono))
                yield self.chance.uniform(4, 8)
                if self.chance.random() < 0.9:
                    break
        yield 5.0 + self.chance.expovariate(1 / 90)
        if not call.over and "party" not in call.hears and not call.hears.startswith(tuple(USERS)):
            self.world.press_outside(partial(line.hang_up, self._clock.mono))
        while not call.over:
            yield 30.0
        self._telephones.append(telephone)

    def _from_inside(self, caller: str, called: str) -> Script:
        line = self.world.line(caller)
        call = self._press(caller, partial(line.dial, called, self._clock.mono))
        assert isinstance(call, PhoneCall)
        self.dialled += 1
        if called != ANSWERING:
            yield self.chance.uniform(10, 45)
            if call.hears == called:
                return  # the colleague ends it
        yield self._talk_s()
        self._hang_up(caller, line, call)

    def _answering(self, user: str, agent: bool) -> Script:
        yield self.chance.uniform(2, 9 if agent else 14)
        line = self.world.line(user)
        if self.chance.random() > (0.9 if agent else 0.65) or any(call.up_at and not call.over for call in line.calls):
            return
        if not self._press(user, partial(line.answer, self._clock.mono)):
            return
        call = line.call
        assert call is not None
        whole = self._talk_s()
        yield whole / 2
        if not call.over and line.call is call:
            match self.chance.choices(("talk", "hold", "transfer"), (8, 1, 1))[0]:
                case "hold":
                    self._press(user, partial(line.hold, self._clock.mono))
                    yield self.chance.uniform(5, 60)
                    self._press(user, partial(line.resume, self._clock.mono))
                case "transfer":
                    target = self.chance.choice(["500", *USERS[20:]])
                    self._press(user, partial(line.transfer, target, self._clock.mono))
        yield whole / 2
        while not call.over:
            self._hang_up(user, line, call)
            yield 10.0

    def _away(self, agent: str) -> Script:
        """Log out for lunch by a code, and in again."""
        for code in ("*89", "*88"):
            line = self.world.line(agent)
            while line.live_calls:
                yield 60.0
            call = self._press(agent, partial(line.dial, code, self._clock.mono))
            self.dialled += 1
            assert isinstance(call, PhoneCall)
            yield 10.0
            self._hang_up(agent, line, call)
            yield self.chance.uniform(1500, 3600)

    # --- what they do with -----------------------------------------------------------------------------

    def _offered(self, stamped: Stamped) -> None:
        event = stamped.event
        assert isinstance(event, LegInvited)
        if event.device:
            agent = event.extension in USERS[:20]
            self._clock.later(0.0, lambda: self._go(self._answering(event.device, agent)))

    def _lunch(self, agent: str) -> None:
        self._go(self._away(agent))

    def _go(self, script: Script) -> None:
        wait_s = next(script, None)
        if wait_s is not None:
            self._clock.later(wait_s, partial(self._go, script))

    def _dial_outside(self, line: Line, number: str) -> PhoneCall:
        call = self.world.press_outside(partial(line.dial, f"+{number}", self._clock.mono))
        assert isinstance(call, PhoneCall)
        self.dialled += 1
        return call

    def _press(self, user: str, button: Callable[[], object]) -> object:
        return self.world.press(self.world.phone(user), button)

    def _hang_up(self, user: str, line: Line, call: PhoneCall) -> None:
        if not call.over and line.call is call:
            self._press(user, partial(line.hang_up, self._clock.mono))

    def _talk_s(self) -> float:
        """Half of all talks are over after two minutes, one in forty takes more than nine."""
        return min(self.chance.lognormvariate(4.8, 0.75), 1800.0)
