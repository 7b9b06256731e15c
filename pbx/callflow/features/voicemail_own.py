"""Own voicemail: the password alone is asked for."""

from __future__ import annotations

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import ToMailboxLogin

CODE = "*62"


def use(call: Control, argument: str) -> Script[Used]:
    user = call.directory.users_by_extension.get(call.asked.caller_extension)
    if user is None or not user.voicemail:
        return (yield from said(call, "not-in-service", done=False))
    return Used(True, ToMailboxLogin(extension=user.extension))
