"""Traces without secrets: what proves a password, and what opens a session, is masked."""

from __future__ import annotations

import re

_PROOF = re.compile(r'(?im)^((?:Proxy-)?Authorization\s*:.*?\bresponse\s*=\s*)"[^"]*"')
_CRYPTO = re.compile(r"(?im)^(a=crypto:.*?inline:)(\S+)")
_KEY_IN_URL = re.compile(r"(?i)(https?://[^\s\"<>]*?/)([0-9a-z_-]{16,})(?=/)")


def masked(data: bytes) -> str:
    """Return the message as text; digest responses, SDES keys and keys in URLs are `*`, the body keeps its length."""
    text = data.decode("utf-8", "replace")
    if "uthorization" in text:
        text = _PROOF.sub(r'\1"***"', text)
    if "a=crypto" in text:
        text = _CRYPTO.sub(lambda found: found[1] + "*" * len(found[2]), text)
    if "ua-profile" in text:
        text = _KEY_IN_URL.sub(lambda found: found[1] + "*" * len(found[2]), text)
    return text
