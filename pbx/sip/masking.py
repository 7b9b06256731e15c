"""Traces without secrets: what proves a password, and what opens a session, is masked."""

from __future__ import annotations

import re

_PROOF = re.compile(r'(?im)^((?:Proxy-)?Authorization\s*:.*?\bresponse\s*=\s*)"[^"]*"')
_CRYPTO = re.compile(r"(?im)^(a=crypto:.*?inline:)(\S+)")


def masked(data: bytes) -> str:
    """Return the message as text, digest responses and SDES keys replaced by `*`; the body keeps its length."""
    text = data.decode("utf-8", "replace")
    if "uthorization" in text:
        text = _PROOF.sub(r'\1"***"', text)
    if "a=crypto" in text:
        text = _CRYPTO.sub(lambda found: found[1] + "*" * len(found[2]), text)
    return text
