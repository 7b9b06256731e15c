"""Department pickup: the call that rings longest in the caller's department."""

from __future__ import annotations

from pbx.callflow.features import Used, colleagues, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*37"


def use(call: Control, argument: str) -> Script[Used]:
    own = call.directory.users_by_extension.get(call.asked.caller_extension)
    department = own.department if own is not None else ""
    members = [user for user in call.directory.users if department and user.department == department]
    return (yield from moved(call, call.pick_up(colleagues(call, members)), "no-call-rings"))
