"""A recorded call as a test plan (*make test*): who took part becomes roles, what they did steps, what was seen
expectations. It runs as it is on the domain the call was made in; where a role must be somebody in particular, say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any

import yaml

from lab.callbook import CallEntry
from pbx.events import (
    CallEnded,
    CallHeld,
    CallInvited,
    CallRecordWritten,
    CallResumed,
    CallRinging,
    CallTransferred,
    CallUp,
    ConferenceJoined,
    DigitReceived,
    Event,
    FeatureUsed,
    LegEnded,
    LegFailed,
    LegInvited,
    MediaTwoWay,
    MenuEntered,
    QueueJoined,
    Stamped,
    VoicemailGreeted,
    VoicemailLeft,
)

Step = dict[str, Any]
_PLACES: dict[type[Event], str] = {
    MenuEntered: "attendant",
    QueueJoined: "queue",
    VoicemailGreeted: "box",
    ConferenceJoined: "conference",
    FeatureUsed: "code",
}
"""Stops of a call, and the field that says where."""
_LEAST_S, _TALK_S = 3, 2
_NAMES = ("desk", "second", "third", "fourth", "fifth")


def plan_of(entry: CallEntry) -> str:
    """Return the plan of a call that is over as YAML; ValueError when too little of it was kept."""
    return _Writer(entry).text()


class _Writer:
    def __init__(self, entry: CallEntry) -> None:
        self._entry = entry
        self._steps: list[Step] = []
        self._roles: dict[str, dict[str, Any]] = {}
        self._by_device: dict[str, str] = {}
        self._variables: dict[str, str] = {}
        self._keys = ""
        self._over = self._talked = False
        self._last_s = entry.started.at.mono if entry.events else 0.0

    def text(self) -> str:
        if not any(isinstance(stamped.event, CallInvited) for stamped in self._entry.events):
            raise ValueError(f"of {self._entry.call} only its record is kept")
        if not self._entry.ended:
            raise ValueError(f"{self._entry.call} is still up")
        extensions = self._meet()
        for stamped in self._entry.events:
            self._take(stamped, extensions)
        number = self._entry.call
        document: dict[str, Any] = {
            "plan": 1,
            "id": f"call-{number}",
            "title": f"As call {number}: {self._entry.caller_number or 'anonymous'} to {self._entry.dialled}",
            **({"vars": self._variables} if self._variables else {}),
            "roles": self._roles,
            "defaults": {"within": "10s"},
            "cases": [{"id": f"T-{number}", "title": f"What was seen in call {number}", "steps": self._steps}],
        }
        return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, default_flow_style=None, width=140)

    def _meet(self) -> Mapping[str, str]:
        """Give everybody a role who did something; return the roles by extension."""
        by_extension: dict[str, str] = {}
        for stamped in self._entry.events:
            match stamped.event:
                case CallInvited(device="", caller_number=number):
                    self._roles["caller"] = {"outside": True, "traits": ["a person"], "can": ["dial"]}
                    self._by_device[number] = "caller"
                case CallInvited(device=device, caller_number=extension):
                    self._roles["caller"] = {"can": ["dial"]}
                    self._by_device[device] = by_extension[extension] = "caller"
                case CallRinging(device=device, extension=extension) if device and device not in self._by_device:
                    if len(self._by_device) <= len(_NAMES):
                        name = _NAMES[len(self._by_device) - 1]
                        self._roles[name] = {"can": []}
                        self._by_device[device] = by_extension[extension] = name
                case _:
                    pass
        return by_extension

    def _take(self, stamped: Stamped, extensions: Mapping[str, str]) -> None:
        event, now_s = stamped.event, stamped.at.mono
        if not isinstance(event, DigitReceived):
            self._press()
        match event:
            case CallInvited(dialled=dialled):
                self._do("caller", "dial", to=self._address(dialled, extensions))
            case CallRinging(device=device) if device in self._by_device:
                self._expect("call.ringing", {"role": self._by_device[device]}, now_s)
            case LegInvited(device="", number=number) if number.isdecimal():
                self._expect("call.offered", {"number": self._variable("number", number)}, now_s)
            case LegFailed(device=device, status=status) if device in self._by_device and status in (486, 603):
                self._do(self._by_device[device], "reject")
                self._expect("call.refused", {"role": self._by_device[device]}, now_s)
            case CallUp(role="called", device=device) if device in self._by_device:
                self._do(self._by_device[device], "answer")
                self._expect("call.up", {"role": self._by_device[device]}, now_s)
            case CallUp(role="caller", device=device) if device and not self._steps_have("answer"):
                self._expect("call.up", {"role": "caller"}, now_s)
            case MediaTwoWay(device=device, other=other):
                self._heard(device, other)
            case DigitReceived(device=device, digit=digit) if self._by_device.get(device, "caller") == "caller":
                self._keys += digit
            case CallHeld(device=device) if device in self._by_device:
                self._do(self._by_device[device], "hold")
                self._expect("call.held", {"role": self._by_device[device]}, now_s)
            case CallResumed(device=device) if device in self._by_device:
                self._do(self._by_device[device], "resume")
                self._expect("call.resumed", {"role": self._by_device[device]}, now_s)
            case CallTransferred(device=device, target=target) if device in self._by_device:
                self._do(self._by_device[device], "transfer", to=self._address(target, extensions))
                self._expect("call.transferred", {"role": self._by_device[device]}, now_s)
            case VoicemailLeft(box=box):
                self._hang_up("caller")
                where = {"box": self._place(box, extensions)}
                self._expect("voicemail.left", where, now_s)
            case LegEnded(device=device, by="peer") if not self._over:
                self._hang_up(self._by_device.get(device, "caller"))
            case CallEnded(cause=cause):
                self._expect("call.ended", {"cause": cause}, now_s)
            case CallRecordWritten() as written:
                self._check(written, extensions)
            case _ if (place := _PLACES.get(type(event))) is not None:
                self._expect(event.kind, {place: self._place(str(getattr(event, place)), extensions)}, now_s)
            case _:
                pass

    def _press(self) -> None:
        """Keys that were pressed one after another are one step."""
        if self._keys:
            keys, self._keys = self._keys, ""
            self._do("caller", "press", keys=keys)

    def _heard(self, device: str, other: str) -> None:
        """Once both have heard each other, that is measured."""
        pair = self._by_device.get(device, ""), self._by_device.get(other, "")
        if not self._talked and all(pair) and pair[0] != pair[1]:
            self._talked = True
            self._steps.append({"measure": "audio", "between": sorted(pair), "for": f"{_TALK_S}s"})

    def _hang_up(self, role: str) -> None:
        if not self._over:
            self._over = True
            self._do(role, "hangup")

    def _check(self, written: CallRecordWritten, extensions: Mapping[str, str]) -> None:
        where: Step = {"disposition": written.disposition, "direction": written.direction}
        if written.device in self._by_device:
            where["device"] = f"${self._by_device[written.device]}.id"
        if extensions.get(written.answered_by, "caller") != "caller":
            where["answered_by"] = f"${extensions[written.answered_by]}.extension"
        self._steps.append({"check": "cdr", "where": where})

    def _do(self, role: str, action: str, **arguments: str) -> None:
        can = self._roles[role]["can"]
        if action not in can:
            can.append(action)
        self._steps.append({"do": f"{role}.{action}", **arguments})

    def _expect(self, kind: str, where: Step, now_s: float) -> None:
        within = max(_LEAST_S, ceil(2 * (now_s - self._last_s)))
        self._last_s = now_s
        self._steps.append({"expect": kind, "where": where, "within": f"{within}s"})

    def _steps_have(self, action: str) -> bool:
        return any(str(step.get("do", "")).endswith(f".{action}") for step in self._steps)

    def _address(self, dialled: str, extensions: Mapping[str, str]) -> str:
        """A role's own extension where that was dialled, else a variable: another domain has other numbers."""
        role = extensions.get(dialled)
        return f"${role}.extension" if role is not None else self._variable("dialled", dialled)

    def _place(self, extension: str, extensions: Mapping[str, str]) -> str:
        """Where a call came to: whoever calls next time comes to the same box, were it this caller's own."""
        own = extensions.get(extension) == "caller"
        return self._variable("place", extension) if own else self._address(extension, extensions)

    def _variable(self, name: str, value: str) -> str:
        known = next((one for one, said in self._variables.items() if said == value), None)
        if known is None:
            known = name if name not in self._variables else f"{name}_{len(self._variables) + 1}"
            self._variables[known] = value
        return f"${known}"
