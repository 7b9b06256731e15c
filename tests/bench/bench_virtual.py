"""Virtual time: how many cases of the office plan, and how many whole calls, a second of CPU carries.

`python -m tests.bench.bench_virtual`. A call is one between two phones of the office with full SIP on the wire of the
lab: INVITE with digest, ringing, answer, two seconds of talk, BYE, a record. The floor is the same wire and the same
clock carrying as many datagrams of the same length between two nodes that answer each with a copy. Seconds are those of
a core of one's own (`pace`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from lab.clockwork import Clockwork, Node
from lab.phones.phone import Phone
from lab.rehearsal import rehearse, virtual_world
from lab.seeds.load import load_seed
from lab.wire import Wire
from lab.world import World
from pbx.clock import FOREVER
from pbx.sip.address import Peer
from pbx.sip.stack import Outgoing
from pbx.standing import what_stands_stays
from test_plans.plan import load_plan
from test_plans.runner import VERBS
from tests.bench.figures import Figure, table
from tests.bench.machine import SERVER, on_core
from tests.bench.pace import Paces, Span

RUNS = 3
PAIRS = (("101", "102"), ("103", "104"), ("105", "106"))
CALLS = 100
"""Of each pair."""
WHOLE = 10_000
_PLAN = Path(__file__).parents[2] / "test_plans" / "plans" / "office.yaml"
_EPOCH = datetime(2026, 11, 24, 14, tzinfo=UTC)
_DATAGRAM = bytes(600)
_LONG_S = 1e6


Cost = tuple[float, Span]


def calls_s(paces: Paces) -> tuple[Cost, Cost, float]:
    """Return CPU seconds of 10,000 calls, of the floor of as many datagrams, and the datagrams of one call."""
    world = virtual_world(load_seed(), 1)
    assert world.boot_all()
    world.run(5.0)
    sent = world.wire.counts.sent
    with paces.measured() as span:
        begun = time.process_time()
        ended = [_Caller(world, *pair) for pair in PAIRS]
        world.run(_LONG_S, lambda: all(caller.left == 0 for caller in ended))
        used = time.process_time() - begun
    made = CALLS * len(PAIRS)
    answered = sum(caller.answered for caller in ended)
    assert answered == made, f"{made - answered} of {made} calls were not answered"
    datagrams = world.wire.counts.sent - sent
    bare, bare_span = floor_s(paces, datagrams)
    return (used * WHOLE / made, span), (bare * WHOLE / made, bare_span), datagrams / made


class _Caller:
    """Two phones that call one another again and again."""

    def __init__(self, world: World, caller: str, called: str) -> None:
        self._world, self._called = world, called
        self._caller, self._callee = world.phone(caller), world.phone(called)
        self._lines = world.line(caller), world.line(called)
        self.left = CALLS
        self.answered = 0
        self._dial()

    def _dial(self) -> None:
        self._press(self._caller, lambda: self._lines[0].dial(self._called, self._now))
        self._later(0.5, self._answer)

    def _answer(self) -> None:
        self._press(self._callee, lambda: self._lines[1].answer(self._now))
        self._later(2.0, self._hang_up)

    def _hang_up(self) -> None:
        call = self._lines[0].call
        self.answered += call is not None and call.state.value == "up"
        self._press(self._caller, lambda: self._lines[0].hang_up(self._now))
        self._later(0.5, self._next)

    def _next(self) -> None:
        self.left -= 1
        if self.left:
            self._dial()

    def _press(self, phone: Phone, button: Callable[[], object]) -> None:
        self._world.press(phone, button)

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        self._world.clockwork.later(seconds, do)

    @property
    def _now(self) -> float:
        return self._world.clockwork.mono


class _Copier:
    """A core that sends back what it gets until it has had enough."""

    def __init__(self, enough: int) -> None:
        self._left = enough
        self._out: list[Outgoing] = []

    def receive(self, data: bytes, source: Peer, now: float) -> None:
        if self._left:
            self._left -= 1
            self._out.append(Outgoing(source, data))

    def woken(self, now: float) -> None: ...

    def tick(self, now: float) -> None: ...

    def closed(self, peer: Peer, now: float) -> None: ...

    def next_deadline(self) -> float:
        return FOREVER

    def take_outgoing(self) -> list[Outgoing]:
        out, self._out = self._out, []
        return out


def floor_s(paces: Paces, datagrams: int) -> Cost:
    """Return the CPU seconds of that many datagrams on the wire between two nodes that do nothing else."""
    clockwork = Clockwork(Wire(1), _EPOCH)
    for host in ("10.0.0.1", "10.0.0.2"):
        engine = clockwork.engine(host, lambda name: 1.0)
        clockwork.add(Node(host, host, 5060, _Copier(datagrams // 2), engine))
    clockwork.wire.send(Peer("udp", "10.0.0.1", 5060), Peer("udp", "10.0.0.2", 5060), _DATAGRAM, 0.0)
    with paces.measured() as span:
        begun = time.process_time()
        clockwork.run_until(_LONG_S)
        used = time.process_time() - begun
    return used, span


def s_per_case(paces: Paces) -> Cost:
    """Return the CPU seconds of a case of the office plan, the boot of the phones shared among them."""
    plan, seed = load_plan(_PLAN, VERBS), load_seed()
    with paces.measured() as span:
        begun = time.process_time()
        result = rehearse(plan, seed)
        used = time.process_time() - begun
    return used / len(result.cases), span


def figures() -> list[Figure]:
    paces = Paces(SERVER)
    what_stands_stays()  # as `switchroom run` does
    with on_core(SERVER):
        cases = [s_per_case(paces) for _ in range(RUNS)]
        found = [calls_s(paces) for _ in range(RUNS)]
    return [
        Figure("virtual.pace", "of what a core of its own does", paces.all(), steady=False),
        Figure("virtual.cases", "cases a CPU second", tuple(1 / s for s in paces.alone(cases)), more_is_better=True),
        Figure("virtual.calls", "s of CPU for 10000 calls", paces.alone([used for used, _, _ in found]),
               paces.alone([floor for _, floor, _ in found]), must=60),
        Figure("virtual.datagrams", "datagrams a call", tuple(datagrams for _, _, datagrams in found)),
    ]  # fmt: skip


if __name__ == "__main__":
    print(table(figures()))
