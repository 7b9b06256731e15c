"""Reject anonymous callers: who withholds its number is refused."""

from __future__ import annotations

from dataclasses import replace

from pbx.callflow.features import Used, said
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control

CODE = "*77"


def use(call: Control, argument: str) -> Script[Used]:
    call.set_own(replace(call.own_settings(), rejects_anonymous=True))
    return (yield from said(call, "anonymous-reject-on"))
