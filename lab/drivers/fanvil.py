"""Fanvil: Active URI, `GET /cgi-bin/ConfigManApp.com?key=…` with user and password.

The keys are those of a manual of the same design (Planet VIP-1120PT, chapter 5); Fanvil's own specification (Action URL
and Active URI, V0.0.5) was seen by its contents only: everything here is doubted until a phone has done it.
"""

from __future__ import annotations

from lab.control.command import Command, Driving, said, usual

FAMILIES = ("fanvil/",)
CAN = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "press"})
DOUBTED = CAN
_NAME = "this Fanvil"
_SIMPLE = {"answer": "OK", "reject": "X", "hangup": "RELEASE", "hold": "F_HOLD", "resume": "F_HOLD"}


def look() -> Driving:
    usual((yield Command("/cgi-bin/ConfigManApp.com")), _NAME)


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            keys = f"SPEAKER;{said(argument)};ENTER"
        case "press":
            keys = ";".join({"#": "POUND"}.get(key, key) for key in argument)
        case _:
            keys = _SIMPLE[action]
    usual((yield Command(f"/cgi-bin/ConfigManApp.com?key={keys}")), _NAME)
