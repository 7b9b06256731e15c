"""Grandstream GRP and GXP: CTI commands, `GET /cgi-bin/api-…` (GRP26xx CTI guide).

`passcode` is the password of the phone's administrator. The answer is JSON with `response`.
"""

from __future__ import annotations

import json

from lab.control.command import Command, Driving, Refused, said, usual

FAMILIES = ("grandstream/grp", "grandstream/gxp")
CAN = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "press", "reboot"})
DOUBTED = frozenset({"press"})
PASSWORD = "{password}"
"""Put in by the caller: a script never holds a secret."""
_NAME = "this Grandstream"
_OPERATIONS = {
    "answer": "acceptcall",
    "reject": "rejectcall",
    "hangup": "endcall",
    "hold": "holdcall",
    "resume": "holdcall",
}


def look() -> Driving:
    yield from _told(f"api-get_line_status?passcode={PASSWORD}")


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            yield from _told(f"api-make_call?phonenumber={said(argument)}&account=0&passcode={PASSWORD}")
        case "press":
            keys = ":".join({"*": "STAR", "#": "POUND"}.get(key, key) for key in argument)
            yield from _told(f"api-send_key?passcode={PASSWORD}&keys={keys}")
        case "reboot":
            yield from _told(f"api-sys_operation?passcode={PASSWORD}&request=REBOOT")
        case _:
            yield from _told(f"api-phone_operation?passcode={PASSWORD}&cmd={_OPERATIONS[action]}")


def _told(what: str) -> Driving:
    answer = yield Command(f"/cgi-bin/{what}")
    usual(answer, _NAME)
    try:
        document = json.loads(answer.body)
    except ValueError:
        raise Refused(f"{_NAME} answers what is no JSON: {answer.text[:60]!r}") from None
    if not isinstance(document, dict) or document.get("response") != "success":
        body = document.get("body") if isinstance(document, dict) else document
        raise Refused(f"{_NAME} does not do it ({body!r}): wrong passcode, or nothing to do it to")
