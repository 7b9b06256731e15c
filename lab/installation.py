"""What an installation has of its own: its secret, and what its pyVoIP phones can recognise."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from lab.phones.pyvoip_line import Voice

_SECRET_FILE = "installation.secret"
_SECRET_BYTES = 32


def voices(parties: tuple[str, ...], music: tuple[str, ...]) -> Callable[[str], Voice]:
    from lab.phones.pyvoip.voice import SignatureVoice, knowledge_of

    @lru_cache(maxsize=1)
    def knowledge() -> Any:
        return knowledge_of(parties, music)

    return lambda party: SignatureVoice(party, knowledge())


def no_voice(party: str) -> Voice:
    raise AssertionError("there are no pyVoIP phones here")


def known_as(host: str, domain: str) -> list[str]:
    """Return the names and addresses phones may reach this machine by when it listens at `host`."""
    names = [domain, "localhost", "127.0.0.1", "::1"]
    if host not in ("0.0.0.0", "::"):
        return [host, *names]
    machine = socket.gethostname()
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(machine, None)]
    except OSError:  # a machine that does not know itself
        found = []
    return [machine, *found, *names]


def installation_secret(data: Path, elsewhere: Path | None = None) -> bytes:
    """Return this installation's secret, made at its first start; OSError when it can neither be read nor made.

    It lies in the data folder, or in the file that is named. ValueError for a file that holds none.
    """
    path = elsewhere or data / _SECRET_FILE
    if path.exists():
        found = path.read_bytes()
        if len(found) < _SECRET_BYTES:
            raise ValueError(f"{path} holds no secret of an installation: {_SECRET_BYTES} bytes or more")
        return found
    made = secrets.token_bytes(_SECRET_BYTES)
    path.touch(mode=0o600)
    path.write_bytes(made)
    return made
