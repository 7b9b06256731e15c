"""Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760).

The server's nonces are remembered: each expires, and its count may only rise, so a captured answer is worth nothing.
An unknown user costs the same work and gets the same answer as a wrong password.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache, partial
from types import MappingProxyType

from pbx.sip.uri import split_list

_PARAM = re.compile(r'([\w-]+)\s*=\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], hashlib._Hash]] = {
    "MD5": partial(hashlib.md5, usedforsecurity=False),
    "SHA-256": hashlib.sha256,
}
MAX_NONCES = 20_000
_NOBODY = "\x00no such user\x00"


def hexdigest(algorithm: str, *parts: str) -> str:
    return _HASHES[algorithm](":".join(parts).encode("utf-8", "surrogateescape")).hexdigest()


@lru_cache(maxsize=256)
def auth_params(value: str) -> tuple[str, Mapping[str, str]]:
    """Return (scheme, parameters by lower-case name) of an Authorization or challenge value.

    The newest are kept: who a request is from is asked before whether it is right.
    """
    scheme, _, rest = value.strip().partition(" ")
    return scheme, MappingProxyType({name.lower(): quoted or plain for name, quoted, plain in _PARAM.findall(rest)})


@dataclass(frozen=True, slots=True)
class Credentials:
    user: str
    password: str
    ha1: str = ""
    """MD5 of user, realm and password, kept instead of the password by some softphones: answers MD5 challenges only."""

    def __repr__(self) -> str:
        return f"Credentials({self.user!r}, ***)"


class Verdict(Enum):
    OK = "ok"
    MISSING = "missing"
    STALE = "stale"
    """The nonce is old or unknown but the rest may be right: challenge again, saying so."""
    REPLAYED = "replayed"
    WRONG = "wrong"
    TOO_SOON = "too soon"
    """Not looked at: too many wrong answers came from there, or for this user (`guesses`)."""


@dataclass(slots=True)
class _Nonce:
    issued_at: float
    host: str
    """Whom it was given to: an answer from elsewhere was overheard."""
    count: int = 0
    spent: bool = False
    """An answer without a count (RFC 2069) has used it: such a nonce is good for one request."""


class DigestServer:
    """Issues challenges and checks answers for one realm; owns the nonces."""

    def __init__(
        self,
        realm: str,
        token: Callable[[int], str],
        *,
        algorithms: Sequence[str] = ("MD5", "SHA-256"),
        lifetime_s: float = 300.0,
    ) -> None:
        self.realm = realm
        self._token = token
        self._algorithms = tuple(algorithms)
        self._lifetime_s = lifetime_s
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()

    def challenge(self, now: float, *, stale: bool = False, host: str = "") -> list[str]:
        """Return the challenge values for a peer at `host`.

        MD5 stands first although RFC 8760 §2.4 orders by preference: handsets (and sipp) that know only MD5 read only
        the first value; those that know better look at all of them.
        """
        nonce = self._token(32)
        self._nonces[nonce] = _Nonce(now, host)
        while len(self._nonces) > MAX_NONCES or next(iter(self._nonces.values())).issued_at + self._lifetime_s < now:
            self._nonces.popitem(last=False)
        tail = ", stale=true" if stale else ""
        return [
            f'Digest realm="{self.realm}", nonce="{nonce}", algorithm={algorithm}, qop="auth"{tail}'
            for algorithm in self._algorithms
        ]

    def user(self, value: str | None) -> str:
        """Return the user name an answer claims, unproved; empty when there is none."""
        return auth_params(value)[1].get("username", "") if value else ""

    def verify(self, value: str | None, method: str, password: str | None, now: float, *, host: str = "") -> Verdict:
        """Check one answer from `host`; `password` is None for a user that does not exist.

        An answer for another realm is as wrong as one with a wrong password, if it is to a challenge of ours.
        """
        if not value:
            return Verdict.MISSING
        scheme, given = auth_params(value)
        algorithm = given.get("algorithm", "MD5").upper()
        if scheme.lower() != "digest" or algorithm not in self._algorithms:
            return Verdict.MISSING
        expected = self._expected(given, algorithm, method, _NOBODY if password is None else password)
        response = given.get("response", "").lower().encode("utf-8", "surrogateescape")
        ours = given.get("realm") == self.realm
        right = hmac.compare_digest(expected, response) and password is not None and ours
        nonce = self._nonces.get(given.get("nonce", ""))
        if nonce is None or nonce.host != host or nonce.issued_at + self._lifetime_s < now:
            return Verdict.STALE if ours else Verdict.MISSING
        if not right:
            return Verdict.WRONG
        return self._counted(nonce, given)

    def _expected(self, given: Mapping[str, str], algorithm: str, method: str, password: str) -> bytes:
        secret = hexdigest(algorithm, given.get("username", ""), self.realm, password)
        request = hexdigest(algorithm, method, given.get("uri", ""))
        if given.get("qop", "").lower() == "auth":
            middle = [given.get("nonce", ""), given.get("nc", ""), given.get("cnonce", ""), given["qop"]]
        else:
            middle = [given.get("nonce", "")]
        return hexdigest(algorithm, secret, *middle, request).encode()

    def _counted(self, nonce: _Nonce, given: Mapping[str, str]) -> Verdict:
        if nonce.spent:
            return Verdict.REPLAYED
        if "qop" not in given:
            nonce.spent = True
            return Verdict.REPLAYED if nonce.count else Verdict.OK
        try:
            count = int(given.get("nc", ""), 16)
        except ValueError:
            return Verdict.WRONG
        if count <= nonce.count:
            return Verdict.REPLAYED
        nonce.count = count
        return Verdict.OK


def answer_challenge(
    challenges: Sequence[str], credentials: Credentials, method: str, uri: str, cnonce: str, count: int = 1
) -> str | None:
    """Return the Authorization value for the strongest challenge we know, None when there is none."""
    best: tuple[int, str, Mapping[str, str]] | None = None
    for text in challenges:
        for part in _apart(text):
            scheme, given = auth_params(part)
            algorithm = given.get("algorithm", "MD5").upper()
            if scheme.lower() != "digest" or algorithm not in _HASHES or "nonce" not in given:
                continue
            if credentials.ha1 and algorithm != "MD5":
                continue
            rank = 1 if algorithm == "SHA-256" else 0
            if best is None or rank > best[0]:
                best = (rank, algorithm, given)
    if best is None:
        return None
    _, algorithm, given = best
    realm, nonce = given.get("realm", ""), given["nonce"]
    secret = credentials.ha1 or hexdigest(algorithm, credentials.user, realm, credentials.password)
    request = hexdigest(algorithm, method, uri)
    parts = [f'username="{credentials.user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{uri}"']
    parts.append(f"algorithm={algorithm}")
    if "auth" in [option.strip() for option in given.get("qop", "").split(",")]:
        nc = f"{count:08x}"
        proof = hexdigest(algorithm, secret, nonce, nc, cnonce, "auth", request)
        parts += ["qop=auth", f"nc={nc}", f'cnonce="{cnonce}"']
    else:
        proof = hexdigest(algorithm, secret, nonce, request)
    parts.append(f'response="{proof}"')
    if "opaque" in given:
        parts.append(f'opaque="{given["opaque"]}"')
    return "Digest " + ", ".join(parts)


def _apart(text: str) -> list[str]:
    """Several challenges may share one header line: a part that starts with a scheme begins a new one."""
    whole: list[str] = []
    for part in split_list(text):
        if re.match(r"[A-Za-z]+\s+[\w-]+\s*=", part) or not whole:
            whole.append(part)
        else:
            whole[-1] += ", " + part
    return whole
