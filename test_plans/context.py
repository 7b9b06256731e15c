"""What a running case hands its steps: its devices, the events that concern it, waiting."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pbx.callflow.script import Script, Wait
from pbx.events import (
    CallInvited,
    CallRouted,
    Event,
    LegInvited,
    OverloadBegan,
    ServerFault,
    SipRequest,
    SipResponse,
    Stamped,
    fields,
)
from test_plans.bench import Bench, BenchDevice
from test_plans.needs import REFERENCE
from test_plans.plan import Case, Plan, Step
from test_plans.verdicts import CaseResult, StepFailed, StepResult

POLL_S = 0.1
"""How often what is not an event (a screen, a lamp, an ear) is looked at."""
_NAMED = ("device", "extension", "box", "agent", "mac", "caller_number", "number")


class Context:
    """One attempt at one case."""

    def __init__(
        self, bench: Bench, plan: Plan, case: Case, bound: Mapping[str, BenchDevice], result: CaseResult
    ) -> None:
        self.bench = bench
        self.plan = plan
        self.case = case
        self.bound = bound
        self.result = result
        self.events: list[Stamped] = []
        """Those that concern this case, in order."""
        self.cursor = 0
        """Expectations count from here: the last action, or the end of the last one met."""
        self.acted_at = bench.now().mono
        """When something was last done: what a device heard before proves nothing of it."""
        self.marks: dict[str, int] = {"start": 0}
        self.faults: list[str] = []
        self.overloaded = ""
        """How long the switch was late when it turned calls away, in this case's time."""
        self.warnings: list[str] = []
        """Of the step that is being taken."""
        self.witness = ""
        """Of the step that is being taken, where it is not the one of its verb."""
        self.started_at = bench.now().mono
        self._calls: set[str] = set()
        self._aside: deque[Stamped] = deque(maxlen=200)
        """Messages of legs that are not known yet: an INVITE is sent before its leg is announced."""
        self._sip: set[str] = set()
        self._ids = {device.id for device in bound.values()} | {device.number for device in bound.values()}
        self._ids |= {device.extension for device in bound.values() if device.extension}
        self._hosts = {device.host for device in bound.values() if device.host}
        self._boxes: set[str] = set()
        """Mailboxes this case's calls came to: mail about them is its business."""
        self._macs = {device.mac for device in bound.values() if device.mac}
        self._whys: dict[tuple[str, str], str] = {}
        self._moments: dict[str, float] = {"start": self.started_at}
        self._heard: dict[str, float] = {}
        self._acted_seq = 0
        self._noted = 0
        self.boxes = self._messages()
        """New messages in the boxes of those who take part, before the case."""

    # --- events ---------------------------------------------------------------------------------------

    def take(self, stamped: Stamped) -> bool:
        """Note an event if it is this case's business."""
        event = stamped.event
        if isinstance(event, OverloadBegan):
            self.overloaded = f"{event.waited_ms} ms"
        if isinstance(event, ServerFault):
            if not event.call or event.call in self._calls:
                self.faults.append(f"{event.where}: {event.message}")
            return False
        if not self._concerns(event):
            if isinstance(event, SipRequest | SipResponse):
                self._aside.append(stamped)
            return False
        self.events.append(stamped)
        if stamped.seq <= self._acted_seq:  # it came before the action, and was told only now
            self.cursor = len(self.events)
        if isinstance(event, CallRouted) and event.first:
            self._compare(event)
        return True

    def _concerns(self, event: Event) -> bool:
        if isinstance(event, SipRequest | SipResponse):
            mine = event.sip_call_id in self._sip or event.device in self._ids or self._is_at(event.address)
            return mine or self.case.serial
        values = fields(event)
        call = values.get("call", "")
        if isinstance(event, CallInvited) and (
            self.case.serial  # of a call that was there before only the last is told: it is nobody's leak
            or event.device in self._ids
            or event.caller_number in self._ids
            or (not event.device and event.dialled in self._ids)  # a call of the house itself
        ):
            self._calls.add(call)
        if isinstance(event, CallInvited | LegInvited) and call in self._calls:
            self._join(event.sip_call_id)
        box = values.get("box", "")
        if self._is_at(values.get("address", "")):
            if call:
                self._calls.add(call)
            return True
        if self.case.serial:  # alone on the bench: everything is its business
            return True
        if call:
            if call in self._calls and (account := values.get("account")):
                box = f"fax:{account}"
            if call in self._calls and box:
                self._boxes.add(box)
            return call in self._calls
        if box in self._boxes:
            return True
        return any(values.get(name) in self._ids for name in _NAMED[:4] if values.get(name)) or (
            values.get("mac", "") in self._macs and bool(values.get("mac"))
        )

    def _is_at(self, address: str) -> bool:
        return bool(self._hosts) and any(part in self._hosts for part in address.split(":"))

    def _join(self, sip_call_id: str) -> None:
        """A leg of this case's calls: its messages are ours from now on, and those that came before."""
        self._sip.add(sip_call_id)
        for stamped in list(self._aside):
            if stamped.event.sip_call_id == sip_call_id:  # type: ignore[attr-defined]
                self._aside.remove(stamped)
                self.events.append(stamped)

    def _messages(self) -> dict[str, int]:
        boxes = sorted({device.extension for device in self.bound.values() if device.extension})
        return {box: sum(one["folder"] == "new" for one in self.bench.messages(box)) for box in boxes}

    def left_messages(self) -> list[str]:
        """Return what the case left in the boxes of those who take part, in words."""
        now = self._messages()
        return [
            f"{now[box] - before} new messages in box {box}" for box, before in self.boxes.items() if now[box] > before
        ]

    @property
    def calls(self) -> frozenset[str]:
        return frozenset(self._calls)

    def since(self, mark: int) -> list[Stamped]:
        return self.events[mark:]

    def adopt(self, device: str) -> None:
        """One of those bound is that device from now on: what concerns it concerns this case."""
        self._ids.add(device)

    # --- the decision record --------------------------------------------------------------------------

    def ask_why(self, device: BenchDevice, dialled: str) -> None:
        """Note the decision record a call would leave, before it is placed (what it must show, 5)."""
        self._whys[device.id, dialled] = self.bench.why(device, dialled)

    def _compare(self, event: CallRouted) -> None:
        invited = next(
            (s.event for s in self.events if isinstance(s.event, CallInvited) and s.event.call == event.call), None
        )
        if invited is None:
            return
        who = invited.device or invited.caller_number
        before = self._whys.pop((who, event.dialled), None) or self._whys.pop((who, event.dialled.lstrip("+")), None)
        if before is not None:
            self.result.records.append((event.call, before, event.record))

    # --- values ---------------------------------------------------------------------------------------

    def mark(self, name: str) -> None:
        """Name the step that begins now."""
        self.marks[name] = len(self.events)
        self._moments[name] = self.bench.now().mono

    def acts(self) -> None:
        """Something is about to be done: what came before it meets no expectation after it."""
        self.cursor = len(self.events)
        self._acted_seq = self.bench.bus.seq
        self.acted_at = self.bench.now().mono

    def moment_of(self, name: str) -> float:
        """Return the monotonic moment at which a named step began; `start` is the case."""
        return self._moments[name]

    def heard_until(self, ear: BenchDevice) -> float:
        """Return the moment up to which what a device heard was measured already."""
        return self._heard.get(ear.id, self.started_at)

    def note_heard(self, ear: BenchDevice, at: float) -> None:
        self._heard[ear.id] = max(at, self.heard_until(ear))

    def device(self, role: str) -> BenchDevice:
        return self.bound[role]

    def value(self, value: Any) -> Any:
        """Replace `$role.attribute`, `$variable` and `$$` in a value, deep."""
        if isinstance(value, dict):
            return {key: self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(item) for item in value]
        if not isinstance(value, str):
            return value
        return REFERENCE.sub(self._replacement, value)

    def where(self, value: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return conditions with roles resolved: `role: desk` means that device, or that outside number."""
        conditions = dict(self.value(dict(value or {})))
        role = conditions.pop("role", None)
        if role is not None:
            device = self.device(str(role))
            conditions["device" if device.extension else "caller_number"] = device.id
        return conditions

    def _replacement(self, found: re.Match[str]) -> str:
        name, attribute = found[1], found[2] or ""
        if not name:
            return "$"
        if name not in self.bound and name in self.plan.variables and attribute:  # `$mac.cfg` of a variable
            return f"{self.plan.variables[name]}.{attribute}"
        return str(self._reference(name, attribute))

    def _reference(self, name: str, attribute: str) -> object:
        if name in self.bound:
            return getattr(self.bound[name], attribute or "id")
        if name == "outside":
            numbers = self.bench.numbers()
            wanted = attribute.replace("_", " ")
            if wanted not in numbers:
                raise StepFailed(f"no outside number {wanted}")
            return numbers[wanted]
        if name in self.plan.variables:
            return self.plan.variables[name]
        raise StepFailed(f"${name} is neither a role nor a variable")

    # --- waiting --------------------------------------------------------------------------------------

    def until(self, holds: Callable[[], bool], within_s: float, look_s: float = POLL_S) -> Script[bool]:
        """Pause until `holds()`, asked after every event and every `look_s`; False when the time is over."""
        end = self.bench.now().mono + within_s
        while not holds():
            left = end - self.bench.now().mono
            if left <= 0:
                return False
            yield Wait(lambda event: isinstance(event, Stamped), min(look_s, left))
        return True

    def pause(self, seconds: float) -> Script[None]:
        """Let time pass."""
        end = self.bench.now().mono + seconds
        while (left := end - self.bench.now().mono) > 0:
            yield Wait(lambda event: False, left)

    def matching(self, wanted: Callable[[Event], bool], mark: int) -> Callable[[], list[int]]:
        """Return a question for the places of the events from `mark` on that are wanted; each is judged once."""
        found: list[int] = []
        judged = mark

        def places() -> list[int]:
            nonlocal judged
            found.extend(at for at in range(judged, len(self.events)) if wanted(self.events[at].event))
            judged = max(judged, len(self.events))
            return found

        return places

    def note(
        self,
        step: Step,
        verdict: str,
        took_s: float,
        detail: str = "",
        seen: Iterable[str] = (),
        witness: str = "observed",
    ) -> None:
        text = str(self.value(step.text())) if verdict != "blocked" else step.text()
        evidence = (self._noted, len(self.events))
        self._noted = len(self.events)
        self.result.steps.append(
            StepResult(text, verdict, step.line, round(took_s, 3), detail, tuple(seen), witness, evidence)
        )
