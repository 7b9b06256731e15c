"""Calls a phone answers by itself, told by the headers vendors agree on and the standard's (testing.md 6, RFC 5373)."""

from __future__ import annotations

import re

from pbx.sip.message import Request

_AT_ONCE = re.compile(r";\s*answer-after\s*=\s*0+\b", re.IGNORECASE)
_ALERT = re.compile(r";\s*info\s*=\s*\"?alert-autoanswer\b", re.IGNORECASE)


def is_to_be_answered(request: Request) -> bool:
    """Tell whether an INVITE asks the phone to answer by itself; one that talks to somebody does not obey."""
    return (
        any(_AT_ONCE.search(value) for value in request.all("Call-Info"))
        or any(_ALERT.search(value) for value in request.all("Alert-Info"))
        or (request.get("Answer-Mode") or "").partition(";")[0].strip().lower() == "auto"
    )
