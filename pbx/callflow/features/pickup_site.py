"""Site pickup: the call that rings longest at the caller's site."""

from __future__ import annotations

from pbx.callflow.features import Used, colleagues, moved
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*54"


def use(call: Control, argument: str) -> Script[Used]:
    own = call.directory.users_by_extension.get(call.asked.caller_extension)
    site = own.site if own is not None else ""
    members = [user for user in call.directory.users if site and user.site == site]
    return (yield from moved(call, call.pick_up(colleagues(call, members)), "no-call-rings"))
