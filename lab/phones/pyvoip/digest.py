"""The digest answer of a handset (RFC 7616, RFC 8760), written apart from the server's.

pyVoIP knows only MD5 without qop and signs a URI that is not the request's.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

_PAIR = re.compile(r'([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


def read_challenge(value: str) -> dict[str, str]:
    """Return the parameters of one challenge by lower-case name; empty when it is not Digest."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {name.lower(): quoted or plain for name, quoted, plain in _PAIR.findall(rest)}


def strongest(challenges: Iterable[str]) -> dict[str, str]:
    """Return the challenge to answer: SHA-256 before MD5; empty when none can be."""
    readable = [read_challenge(value) for value in challenges]
    for algorithm in _HASHES:
        for challenge in readable:
            if challenge and challenge.get("algorithm", "MD5").upper() == algorithm and "nonce" in challenge:
                return challenge
    return {}


def answer(challenge: dict[str, str], *, user: str, password: str, method: str, uri: str, cnonce: str) -> str:
    """Return the value of Authorization (or Proxy-Authorization) for `challenge`."""
    algorithm = challenge.get("algorithm", "MD5")
    make = _HASHES[algorithm.upper()]

    def digest(text: str) -> str:
        return make(text.encode()).hexdigest()

    realm, nonce = challenge.get("realm", ""), challenge["nonce"]
    secret, request = digest(f"{user}:{realm}:{password}"), digest(f"{method}:{uri}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"', f"algorithm={algorithm}"]
    if "auth" in [word.strip() for word in challenge.get("qop", "").split(",")]:
        response = digest(f"{secret}:{nonce}:00000001:{cnonce}:auth:{request}")
        parts += ["qop=auth", "nc=00000001", f'cnonce="{cnonce}"']
    else:
        response = digest(f"{secret}:{nonce}:{request}")
    parts.append(f'response="{response}"')
    if "opaque" in challenge:
        parts.append(f'opaque="{challenge["opaque"]}"')
    return "Digest " + ", ".join(parts)
