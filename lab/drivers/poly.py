"""Poly VVX, Edge E, CCX: REST (UC Software REST API Reference Manual, 5.9.0 and 6.4.0).

The phone must have `apps.restapi.enabled = 1` and a password other than the factory's. Calls are named by the handle
that `callStatus` reports. `Status` says what came of a command; VVX sometimes answers a dial with 400 and a page of
HTML, and does it when asked again.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

from lab.control.command import Answer, Command, Driving, Refused, usual

FAMILIES = ("poly/vvx", "poly/edge_e", "poly/ccx")
CAN = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "press", "reboot"})
DOUBTED = frozenset({"transfer"})
_NAME = "this Poly"
_CALL = {
    "answer": "answerCall",
    "reject": "rejectCall",
    "hangup": "endCall",
    "hold": "holdCall",
    "resume": "resumeCall",
}
_STATUS = {
    "4000": "an argument is not valid",
    "4001": "it is busy",
    "4002": "its line is not registered",
    "4003": "not allowed now",
    "4004": "not supported",
    "4005": "it has no such line",
    "4007": "there is no such call",
    "4010": "its password is still the factory's",
    "5000": "it failed to process the command",
}

Asking = Generator[Command, Answer, Any]


def look() -> Driving:
    yield from _asked(Command("/api/v1/webCallControl/callStatus"))


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            yield from _told("callctrl/dial", {"Dest": argument, "Line": "1", "Type": "TEL"})
        case "press":
            yield from _told("callctrl/sendDTMF", {"Digits": argument})
        case "reboot":
            yield from _told("mgmt/safeRestart", {})
        case "transfer":
            yield from _told("callctrl/transferCall", {"Ref": (yield from _call()), "TransferDest": argument})
        case _:
            yield from _told(f"callctrl/{_CALL[action]}", {"Ref": (yield from _call())})


def _call() -> Asking:
    """The handle of the phone's call; the newest of several."""
    document = yield from _asked(Command("/api/v1/webCallControl/callStatus"))
    calls = document.get("data") or []
    calls = calls if isinstance(calls, list) else [calls]
    handles = [call["CallHandle"] for call in calls if isinstance(call, dict) and call.get("CallHandle")]
    if not handles:
        raise Refused(f"{_NAME} is in no call")
    return str(handles[-1])


def _told(what: str, data: dict[str, str]) -> Driving:
    body = json.dumps({"data": data}).encode()
    command = Command(f"/api/v1/{what}", "POST", body, "application/json")
    yield from _asked(command)


def _asked(command: Command) -> Asking:
    answer = yield command
    if answer.status == 400 and "<html" in answer.text.lower():
        answer = yield command
    usual(answer, _NAME)
    try:
        document = json.loads(answer.body)
    except ValueError:
        raise Refused(f"{_NAME} answers what is no JSON: {answer.text[:60]!r}") from None
    status = str(document.get("Status", "")) if isinstance(document, dict) else ""
    if status != "2000":
        raise Refused(f"{_NAME} says {status or 'no status'}: {_STATUS.get(status, 'see its REST API reference')}")
    return document
