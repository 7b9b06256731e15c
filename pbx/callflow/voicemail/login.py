"""Getting into a mailbox: its number and PIN."""

from __future__ import annotations

from pbx.callflow.pins import admit
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail.menu import attend_owner
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.events import VoicemailOpened, VoicemailRefused


def log_in(call: Control, box: str) -> Script[Destination | None]:
    """Ask for PIN, and for the box when it is not known, then let the owner in."""
    call.answer()
    owner = yield from admit(call, box, asking="vm-login", may=lambda user: user.voicemail, refused=VoicemailRefused)
    if owner is None:
        return HangUp(cause=Cause.NORMAL)
    call.publish(VoicemailOpened(call.id, owner.extension))
    return (yield from attend_owner(call, owner))
