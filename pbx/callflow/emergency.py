"""911 and 933: the simulated emergency desk, told where the caller is; never a trunk number (domain-features 3)."""

from __future__ import annotations

from pbx.callflow.external import dial_out
from pbx.callflow.script import Script
from pbx.callflow.vocabulary import Control
from pbx.domain.destinations import Destination


def call_emergency(call: Control, code: str) -> Script[Destination | None]:
    """Call the desk for `code`; return where the call goes next, None when it was answered and is over."""
    return (yield from dial_out(call, lambda: call.dial_emergency(code)))
