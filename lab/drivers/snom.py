"""Snom desk phones: `GET /command.htm` (service.snom.com, Can I control my Snom phone remotely)."""

from __future__ import annotations

from lab.control.command import Command, Driving, said, usual

FAMILIES = ("snom/",)
CAN = frozenset({"dial", "answer", "reject", "hangup", "hold", "resume", "press", "reboot"})
DOUBTED: frozenset[str] = frozenset()
_NAME = "this Snom"
_SIMPLE = {
    "answer": "/command.htm?key=ENTER",
    "reject": "/command.htm?key=CANCEL",
    "hangup": "/command.htm?key=CANCEL",
    "hold": "/command.htm?key=F_HOLD",
    "resume": "/command.htm?key=F_HOLD",
    "reboot": "/advanced_update.htm?reboot=Reboot",
}


def look() -> Driving:
    usual((yield Command("/command.htm")), _NAME)


def do(action: str, argument: str) -> Driving:
    match action:
        case "dial":
            path = f"/command.htm?number={said(argument)}"
        case "press":
            path = f"/command.htm?key_dtmf={said(argument)}"
        case _:
            path = _SIMPLE[action]
    usual((yield Command(path)), _NAME)
