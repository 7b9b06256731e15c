"""Keys by SIP INFO: `application/dtmf-relay` and `application/dtmf`, as phones write them (de facto, no RFC)."""

from __future__ import annotations

import re

_SIGNAL = re.compile(r"(?im)^\s*signal\s*=\s*(\S+)")
_NUMBERED = {"10": "*", "11": "#"}
_KEYS = frozenset("0123456789*#ABCD")


def info_digit(content_type: str, body: bytes) -> str:
    """Return the key an INFO body names, empty when it names none."""
    text = body.decode("utf-8", "replace")
    if content_type == "application/dtmf-relay":
        found = _SIGNAL.search(text)
        word = found[1] if found else ""
    else:
        word = text.strip()
    word = _NUMBERED.get(word, word).upper()
    return word if word in _KEYS else ""
