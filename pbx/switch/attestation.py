"""What the provider vouches for of a call outside: that the caller is its own, and may show that number (RFC 8588).

A full attestation (A) is for a user of ours who shows a number of the domain; B where the number is another's; C for a
call that came from outside and goes on there, whose caller somebody else knows (ATIS-1000074 §5.2.3).
"""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING

from pbx.sip.passport import Attestation, Passport, identity

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

Headers = list[tuple[str, str]]


def attested(switch: Switch, call: Call, shown: str, number: str) -> Headers:
    """Return the Identity of a call to `number` that shows the number `shown`; nothing where nothing can be said."""
    signer = switch.settings.signer
    if signer is None or not switch.directory.domain.attestation or not shown.isdecimal() or not number.isdecimal():
        return []
    passport = Passport(_level(switch, call, shown), shown, number, int(switch.now.wall.timestamp()))
    # RFC 8224 §4.1: who signs sees to it that there is a Date.
    return [("Date", format_datetime(switch.now.wall, usegmt=True)), ("Identity", identity(passport, signer))]


def _level(switch: Switch, call: Call, shown: str) -> Attestation:
    if not call.asked.caller_extension and not call.diversions:
        return "C"
    own = any(number.number == shown for number in switch.directory.numbers)
    if call.asked.caller_extension:
        return "A" if own else "B"
    return "A" if own else "C"
