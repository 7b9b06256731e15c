"""The dialect of `switchroom softphone`: one POST a button, the same for every program behind it."""

from __future__ import annotations

import json

from lab.control.command import Command, Driving, Refused, usual

BUTTONS = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "press"})


def look() -> Driving:
    usual((yield Command("/")), "this softphone")


def do(action: str, argument: str) -> Driving:
    body = json.dumps({"action": action, "argument": argument}).encode()
    answer = yield Command("/press", "POST", body, "application/json")
    if answer.status == 409:
        raise Refused(answer.text)
    usual(answer, "this softphone")
