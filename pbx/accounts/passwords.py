"""Passwords: argon2id hashes, and what is too easily guessed."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

LEAST, MOST = 10, 200
"""Characters."""

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
"""As OWASP recommends for servers: 19 MiB and two passes, some 20 ms."""
_NOBODYS = _HASHER.hash("the password of nobody")


def hashed(password: str) -> str:
    """Return the hash to keep; takes some 20 ms, so not on the loop."""
    return _HASHER.hash(password)


def fits(hash_: str | None, password: str) -> bool:
    """Return whether a password is the one of a hash. Without a hash it is not, and takes as long to say so."""
    try:
        return _HASHER.verify(hash_ or _NOBODYS, password[:MOST]) and hash_ is not None
    except (Argon2Error, InvalidHashError):
        return False


def why_not(password: str, *known: str) -> str:
    """Return why a password cannot be taken, empty when it can; `known` are words others know of its owner."""
    if not LEAST <= len(password) <= MOST:
        return f"A password has {LEAST} to {MOST} characters."
    if len(set(password)) < 5:
        return "Too few different characters: this is guessed at once."
    folded = password.casefold()
    for word in known:
        if len(word) > 2 and folded in (word.casefold(), word.casefold() * 2):
            return "This is your own name or number: it is guessed at once."
    return ""
