"""Yealink: Action URI, `GET /servlet?key=…` (Administrator's Guide for SIP-T2/T4/T5/CP920 IP Phones, Action URI).

The phone must have `features.action_uri.enable`, our address in `features.action_uri_limit_ip`, and
`features.show_action_uri_option = 0`, or it asks whoever stands before it. Touch-screen models take no keys.
"""

from __future__ import annotations

from lab.control.command import Command, Driving, Refused, said, usual

FAMILIES = ("yealink/",)
CAN = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "transfer", "press", "reboot"})
DOUBTED = frozenset({"transfer"})
_NAME = "this Yealink"
_KEYS = {"*": "*", "#": "POUND"}
_SIMPLE = {
    "answer": "ASW",
    "reject": "X",
    "hangup": "CALLEND",
    "hold": "F_HOLD",
    "resume": "F_HOLD",
    "reboot": "Reboot",
}


def look() -> Driving:
    usual((yield Command("/servlet?phonecfg=get[&accounts=1]")), _NAME)


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            yield from _pressed(f"number={said(argument)}")
        case "press":
            yield from _pressed(_digits(argument))
        case "transfer":
            yield from _pressed(f"F_TRANSFER;{_digits(argument)};F_TRANSFER")
        case _:
            yield from _pressed(_SIMPLE[action])


def _digits(keys: str) -> str:
    return ";".join(_KEYS.get(key, key) for key in keys)


def _pressed(keys: str) -> Driving:
    answer = yield Command(f"/servlet?key={keys}")
    usual(answer, _NAME)
    if "allow remote control" in answer.text.lower():
        raise Refused(f"{_NAME} asks whoever stands before it: set features.show_action_uri_option = 0")
