"""Keys of a party: told once, however they came; those by INFO are handed on to whom it talks to.

A telephone-event reaches the other end with the sound it is part of (RFC 4733). An INFO ends at the switch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pbx.callflow.vocabulary import KeyPressed
from pbx.events import DigitReceived
from pbx.switch.legs import Key, Leg

if TYPE_CHECKING:
    from pbx.switch.calls import Call

SAME_KEY_S = 1.0
"""The same key by another way within this is the same press."""
MOST_TYPED = 20
CODE_S = 3.0
"""Keys of a code follow each other within this."""
HAND_ON_AFTER_S = 0.4
"""An INFO comes as the key goes down, the event of a phone that sends both is known when it is up again."""


def pressed(call: Call, leg: Leg, digit: str, method: str) -> None:
    """A key came, by INFO or as telephone-event. A phone set to send both must not press every key twice."""
    now, last = call.now, leg.last_key
    if method == "rfc4733":
        leg.sends_events = True
    if last is not None and last.digit == digit and last.method != method and now - last.at < SAME_KEY_S:
        leg.owed = ""
        return
    leg.last_key = Key(digit, method, now)
    call.publish(DigitReceived(call.id, leg.name, leg.device, digit, method))
    call.feed(KeyPressed(call.name_of(leg), digit))
    leg.typed = (leg.typed + digit if last is not None and now - last.at < CODE_S else digit)[-MOST_TYPED:]
    if leg.joined:
        call.typed(leg)
    if method == "info" and leg.joined and not leg.sends_events:
        leg.owed += digit
        call.hand_keys_on_at(now + HAND_ON_AFTER_S)


def hand_on(call: Call) -> None:
    """Press at the other end what came by INFO: as telephone-events, or by INFO where none were agreed."""
    for leg in call.legs.values():
        keys, leg.owed = leg.owed, ""
        other = call.legs.get(leg.joined)
        if not keys or other is None or other.gone or other.remote is None:
            continue
        if other.remote.event_type is not None and not other.bearer.peer:
            other.engine.send_digits(other.name, keys)
        elif other.session is not None:
            for digit in keys:
                body = f"Signal={digit}\r\nDuration=160\r\n".encode()
                other.session.info("application/dtmf-relay", body, call.now)
