"""Transfer recall: who was transferred and reaches nobody goes back to whoever transferred (F05)."""

from __future__ import annotations

from pbx.callflow.question import Ringing
from pbx.callflow.ring import Outcome, ring, talk
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Cause, Destination, HangUp, ToDevice
from pbx.events import TransferRecalled

RING_S = 25.0


def recall(call: Control, end: HangUp) -> Script[Destination | None]:
    """Ring the phones of the transferor, once a transfer; return `end` when there is none or it does not answer."""
    phones = call.phones_of_transferor() if call.directory.domain.platform.recall_transfers else ()
    if end.cause is Cause.NORMAL or not phones:
        return end
    call.publish(TransferRecalled(call.id, phones[0], end.cause.value))
    rung = yield from ring(call, [Ringing(ToDevice(device=device)) for device in phones], RING_S)
    if rung.outcome is not Outcome.ANSWERED:
        return end
    return (yield from talk(call, rung.leg))
