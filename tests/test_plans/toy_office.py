"""A bench in memory: a tiny switch of its own, on a clock that jumps, to run the runner against."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from pbx.bus import Bus
from pbx.clock import FOREVER, Moment, moment_at
from pbx.events import (
    CallEnded,
    CallInvited,
    CallRecordWritten,
    CallRinging,
    CallRouted,
    CallUp,
    ConfigServed,
    Event,
    LegInvited,
    MediaHeard,
    MediaReport,
    ServerFault,
    SipRequest,
    SipResponse,
    Stamped,
)
from test_plans.bench import CAPABILITIES, OPERATIONS, BenchDevice, CannotDo, HeardSound
from test_plans.plan import Case, Plan, read_plan
from test_plans.runner import VERBS, Progress, Runner
from test_plans.verdicts import RunResult

EPOCH = datetime(2026, 11, 24, 15, tzinfo=UTC)
EVERYTHING = CAPABILITIES


@dataclass
class Call:
    id: str
    caller: ToyDevice
    called: ToyDevice
    up_at: float | None = None


@dataclass(eq=False)
class ToyDevice:
    bench: ToyBench
    id: str
    extension: str = ""
    family: str = "acme/desk"
    model: str = "D1"
    site: str = "Toronto"
    mac: str = ""
    traits: frozenset[str] = frozenset({"quiet"})
    capabilities: frozenset[str] = EVERYTHING
    registered: bool = True
    lamp: bool = False
    patience_s: float = 0.0
    screen: str = ""
    direct_number: str = ""
    outside_number: str = "14165550100"
    emergency_number: str = "14165550100"
    emergency_address: str = "1 Example Street"
    ears: list[HeardSound] = field(default_factory=list)
    call: Call | None = None

    @property
    def number(self) -> str:
        return self.extension or self.id

    @property
    def label(self) -> str:
        return f"{self.id} <desk>"

    @property
    def idle(self) -> bool:
        return self.call is None

    @property
    def hold_target(self) -> str:
        return ""

    host = ""
    shows = ""

    @property
    def key_names(self) -> Mapping[str, str]:
        return {"hold": "HOLD"} if self.model == "D1" else {}

    @property
    def answer(self) -> tuple[int, str]:
        return 404, "404 Not Found"

    @property
    def config(self) -> Mapping[str, str]:
        return {"lines.1.label": self.label}

    def set(self, action: str, arguments: Mapping[str, str]) -> None:
        raise CannotDo(f"{self.id} is no laptop")

    def heard(self) -> Sequence[HeardSound]:
        return self.ears

    def do(self, action: str, argument: str = "", via: str = "") -> None:
        if action not in self.capabilities:
            raise CannotDo(f"{self.id} has no way to {action}")
        self.bench.act(self, action, argument)

    def hear(self, sound: str) -> None:
        self.ears.append(HeardSound(self.bench.now().mono, sound))


@dataclass
class ToyRequest:
    text: str
    question: str
    device: str
    answer: str = ""
    by: str = ""
    answered_at: str = ""
    state: str = "open"
    seen: str = ""

    def observed(self) -> None:
        self.state = "observed"

    def instead(self, seen: str) -> None:
        self.seen = seen

    def withdraw(self) -> None:
        self.state = "withdrawn" if self.state == "open" else self.state


class ToyBench:
    """Knows calls between its devices; `faults` break it on purpose."""

    domain = "toy.lab"
    virtual = True

    def __init__(self, *faults: str) -> None:
        self.faults = set(faults)
        self.bus = Bus()
        self.mono = 0.0
        self.operations: list[tuple[str, dict[str, str]]] = []
        self.left: dict[str, int] = {"calls": 0}
        self.kept: list[Mapping[str, str | float]] = [_message("m1")]
        """In every box."""
        self.person: Callable[[ToyBench, ToyRequest], None] | None = None
        """What somebody does a second after being asked; None while nobody is there."""
        self.requests: list[ToyRequest] = []
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._calls = count(1)
        self._devices = [ToyDevice(self, str(n), str(n), mac=f"0000000000{n}"[-12:]) for n in (11, 12, 13, 14)]
        self._devices.append(ToyDevice(self, "14165550142", family="outside", traits=frozenset({"a person"})))

    # --- the protocol ---------------------------------------------------------------------------------

    def now(self) -> Moment:
        return moment_at(self.mono, EPOCH)

    def devices(self) -> Sequence[BenchDevice]:
        return self._devices

    def device(self, name: str) -> ToyDevice:
        return next(device for device in self._devices if name in (device.id, device.extension))

    def numbers(self) -> Mapping[str, str]:
        return {"rings out": "14165550191"}

    def live(self) -> Mapping[str, int]:
        return self.left

    def why(self, device: BenchDevice, dialled: str) -> str:
        outcome = f"user:{dialled}" if "why lies" not in self.faults else "hangup:16"
        return _record(dialled, outcome)

    def why_at(self, caller: BenchDevice, dialled: str, at: str) -> str:
        return f"user:{dialled}"

    def findings(self) -> Sequence[str]:
        return ["R03 loop: user 11 → user 12"]

    def audit(self) -> Mapping[str, str]:
        return {"users created": "", "numbers routed": "14165550113 is not routed"}

    def figures(self) -> Mapping[str, float]:
        return {"presented": 3.0}

    def registrations(self) -> int:
        return sum(device.registered for device in self._devices)

    @property
    def attended(self) -> bool:
        return self.person is not None

    def ask(self, text: str, device: str, question: str) -> ToyRequest:
        assert self.person is not None
        request = ToyRequest(text, question, device)
        self.requests.append(request)
        self.after(1.0, lambda: self.person(self, request) if self.person is not None else None)
        return request

    def messages(self, box: str) -> Sequence[Mapping[str, str | float]]:
        return self.kept

    def recorded(self, call: str) -> bool:
        return "forgets records" not in self.faults

    def pbx(self, action: str, arguments: Mapping[str, str]) -> None:
        assert action in OPERATIONS
        if "no operator" in self.faults:
            raise CannotDo("nobody is there")
        self.operations.append((action, dict(arguments)))

    # --- the office -----------------------------------------------------------------------------------

    def act(self, device: ToyDevice, action: str, argument: str) -> None:
        match action:
            case "answer" if "refuses control" in self.faults:
                raise CannotDo(f"{device.id} does not let us control it (403)")
            case "dial":
                self._dial(device, argument)
            case "answer" if device.call is not None and device.call.up_at is None:
                self.after(0.05, lambda call=device.call: self._up(call))  # type: ignore[misc]
            case "hangup" if device.call is not None:
                self.after(0.05, lambda call=device.call: self._end(call))  # type: ignore[misc]
            case "reboot":
                raise LookupError("no such button")
            case _:
                raise CannotDo(f"{device.id} cannot {action} now")

    def _dial(self, device: ToyDevice, dialled: str) -> None:
        called = self.device(dialled)
        call = Call(f"c-{next(self._calls):04}", device, called)
        device.call = called.call = call
        self.left["calls"] += 1
        name = "<script>alert(1)</script> & co\x07"
        self.publish(SipRequest("in", "INVITE", "udp:1", f"{call.id}@a", device.id, f"INVITE sip:{dialled}".encode()))
        self.publish(CallInvited(call.id, f"{call.id}.0", device.number, name, device.id, dialled, f"{call.id}@a"))
        self.publish(CallRouted(call.id, dialled, f"user:{dialled}", _record(dialled, f"user:{dialled}"), True))
        self.publish(SipRequest("out", "INVITE", "udp:2", f"{call.id}@b", "", f"INVITE sip:{called.id}".encode()))
        self.publish(
            LegInvited(call.id, f"{call.id}.1", called.id, called.extension, "", device.number, name, f"{call.id}@b")
        )
        self.publish(SipResponse("out", "INVITE", 180, "udp:1", f"{call.id}@a", device.id, b"SIP/2.0 180 Ringing"))
        if "rings nobody" not in self.faults:
            self.after(0.2, lambda: self._ring(call, device.number, name))
        if "server fault" in self.faults:
            self.publish(ServerFault("switch", call.id, "KeyError: 'x'"))

    def _ring(self, call: Call, number: str, name: str) -> None:
        self.publish(CallRinging(call.id, f"{call.id}.1", call.called.id, call.called.extension, number, name))

    def _up(self, call: Call) -> None:
        call.up_at = self.mono
        one, two = call.caller, call.called
        self.publish(CallUp(call.id, f"{call.id}.1", two.id, two.extension, one.number, "called"))
        self.publish(CallUp(call.id, f"{call.id}.0", one.id, one.extension, one.number, "caller"))
        self.publish(MediaHeard(call.id, f"{call.id}.0", one.id, f"signature:{one.id}"))
        self.publish(MediaHeard(call.id, f"{call.id}.1", two.id, f"signature:{two.id}"))
        if "deaf caller" not in self.faults:
            one.hear(f"signature:{two.id}")
        two.hear(f"signature:{one.id}")

    def _end(self, call: Call) -> None:
        if call.caller.call is not call:
            return
        one, two = call.caller, call.called
        talk_s = round(self.mono - call.up_at, 3) if call.up_at is not None else 0.0
        lost = 3 if "lossy" in self.faults else 0
        for leg, device in enumerate((one, two)):
            self.publish(
                MediaReport(
                    call.id, f"{call.id}.{leg}", device.id, "PCMU", 97, 97, lost, 1.5, round(4.4 - lost / 10, 2), talk_s
                )
            )
        if "no record" not in self.faults:
            how = "ANSWERED" if call.up_at is not None else "CANCELLED"
            by = two.extension if call.up_at is not None else ""
            self.publish(CallRecordWritten(call.id, one.number, two.extension, one.id, by, how, talk_s, 16, "internal"))
        one.call = two.call = None
        if "leak" not in self.faults:
            self.left["calls"] -= 1
        if "never ends" not in self.faults:
            self.publish(CallEnded(call.id, one.id, two.extension, one.number, two.extension, 16, talk_s))

    def leave_a_message(self) -> None:
        self.kept = [*self.kept, _message(f"m{len(self.kept) + 1}")]

    def serve(self, device: ToyDevice) -> None:
        self.publish(
            ConfigServed(
                "http", "x", "127.0.0.1", device.mac, device.id, device.family, "x", "device", "0", 10, True, ""
            )
        )

    def publish(self, event: Event) -> Stamped:
        return self.bus.publish(event, self.now())

    # --- time -----------------------------------------------------------------------------------------

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._later, (self.mono + seconds, next(self._order), act))

    def pass_until(self, mono: float) -> None:
        """Let time pass until something happens, at most until `mono`."""
        at = self._later[0][0] if self._later else FOREVER
        if at <= mono:
            self.mono = max(self.mono, at)
            heapq.heappop(self._later)[2]()
        else:
            self.mono = max(self.mono, mono)


def _message(name: str) -> Mapping[str, str | float]:
    return {"id": name, "folder": "new", "seconds": 2.0, "caller_number": "11", "heard": "signature:11"}


def _record(dialled: str, outcome: str) -> str:
    step = {"step": "user", "rule": "extension", "saw": dialled, "verdict": "✓", "because": "<b>it is</b>", "link": ""}
    return json.dumps({"question": f"{dialled}?", "outcome": outcome, "decisions": [step]}, sort_keys=True)


def run(
    plan: Plan,
    bench: ToyBench | None = None,
    *,
    seed: int = 0,
    only: Callable[[Case], bool] = lambda case: True,
    progress: Progress = lambda result, what: None,
    side_by_side: int = 5,
) -> RunResult:
    """Drive a runner to its end; at most an hour of the bench's time."""
    bench = bench or ToyBench()
    runner = Runner(bench, plan, seed=seed, only=only, progress=progress, side_by_side=side_by_side)
    news: list[Stamped] = []
    end = bench.bus.subscribe(news.append)
    runner.start()
    while not runner.done:
        assert bench.mono < 3600, "the run hangs"
        while news:
            runner.feed(news.pop(0))
        runner.tick()
        if not news and not runner.done:
            bench.pass_until(runner.deadline)
    end()
    return runner.result


def plan_of(cases: str, head: str = "") -> Plan:
    """Return a plan of two phones, `caller` and `desk`, with these cases (YAML, indented by two)."""
    return read_plan(f"{HEAD}{head}cases:\n{cases}", "toy.yaml", VERBS)


HEAD = """\
plan: 1
id: toy
title: A toy plan
roles:
  caller: {can: [dial, hangup]}
  desk: {can: [answer]}
defaults: {within: 2s}
"""

TALK = """\
  - id: C01
    title: Two phones talk
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk, caller_number: $caller.number}, within: 1s}
      - {do: desk.answer}
      - {expect: call.up, where: {role: caller}}
      - {measure: audio, between: [caller, desk], for: 1s}
      - {do: caller.hangup}
      - {expect: call.ended, where: {cause: 16}}
      - {check: cdr, where: {device: $caller.id, disposition: ANSWERED, talk_s: "0.9..9"}}
"""
