"""Own voicemail, open: from a phone of the owner's, without the password."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.callflow.voicemail.menu import attend_owner
from pbx.events import VoicemailOpened

CODE = "*61"


def use(call: Control, argument: str) -> Script[Used]:
    user = call.directory.users_by_extension.get(call.asked.caller_extension)
    if user is None or not user.voicemail:
        return (yield from said(call, "not-in-service", done=False))
    call.answer()
    call.publish(VoicemailOpened(call.id, user.extension))
    return Used(True, (yield from attend_owner(call, user)))
