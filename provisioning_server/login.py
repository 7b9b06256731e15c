"""The login of a phone that is asked for one (RFC 7617): its MAC and its token, instead of a token in the URL."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from pbx.domain.devices import normal_mac

LOGIN = "provisioning.login"
"""Of the domain alone: whoever is refused is asked for a login, known and unknown alike."""
CHALLENGE = 'Basic realm="provisioning", charset="UTF-8"'
UNAUTHORIZED = b"401 Unauthorized\n"
_LONGEST = 512


def login(headers: Mapping[str, str]) -> tuple[str, str]:
    """Return (MAC, password) of the Authorization header; both empty for none, or one that is no login of a phone.

    `headers` by their names in lower case.
    """
    kind, _, told = headers.get("authorization", "")[:_LONGEST].partition(" ")
    if kind.lower() != "basic":
        return "", ""
    try:
        user, colon, password = base64.b64decode(told.strip(), validate=True).decode("utf-8").rpartition(":")
        return (normal_mac(user), password) if colon and password else ("", "")  # a MAC may have colons
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", ""
