"""Rendered files, kept while nothing changes: the same input is not rendered twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from pbx.domain.directory import Directory
from provisioning_server.bans import Network
from provisioning_server.overlay import Scalar
from provisioning_server.render import render
from provisioning_server.sheet import Sheet

FILES = 8192


@dataclass(frozen=True, slots=True)
class Rendered:
    body: bytes
    sha256: str
    since: datetime
    """When these bytes were first rendered."""


@dataclass(slots=True)
class Shelf:
    """Two ways to a file: by its name, while the same snapshot is in force; by its input, across snapshots."""

    rendered: int = 0
    """How many times a template ran."""
    _directory: Directory | None = None
    _by_name: dict[tuple[object, ...], Rendered] = field(default_factory=dict)
    _by_input: dict[str, Rendered] = field(default_factory=dict)
    _macs_by_token: dict[str, str] = field(default_factory=dict)
    _said: dict[tuple[str, str, str], Scalar | None] = field(default_factory=dict)
    _trusted: tuple[list[Network], list[str]] | None = None

    def file(
        self, directory: Directory, name: tuple[object, ...], make: Callable[[], Sheet], now: datetime
    ) -> Rendered:
        """Return the file of that name; `make` gives its input. CannotRender goes through."""
        self._in_force(directory)
        known = self._by_name.get(name)
        if known is not None:
            return known
        sheet = make()
        fingerprint = sheet.fingerprint
        kept = self._by_input.get(fingerprint)
        if kept is None:
            body = render(sheet)
            self.rendered += 1
            kept = Rendered(body, hashlib.sha256(body).hexdigest(), now.replace(microsecond=0))
            if len(self._by_input) >= FILES:
                self._by_input.clear()
            self._by_input[fingerprint] = kept
        if len(self._by_name) >= FILES:
            self._by_name.clear()
        self._by_name[name] = kept
        return kept

    def mac_of_token(self, directory: Directory, token: str, tokens: Callable[[str], tuple[str, ...]]) -> str:
        """Return the MAC one of whose tokens this is; `tokens` gives them of a MAC. Empty when nobody's."""
        self._in_force(directory)
        if not self._macs_by_token:
            for mac in directory.devices_by_mac:
                self._macs_by_token |= {_digest(text): mac for text in tokens(mac) if text}
        return self._macs_by_token.get(_digest(token), "")

    def said(
        self, directory: Directory, what: tuple[str, str, str], read: Callable[[], Scalar | None]
    ) -> Scalar | None:
        """Return what the layers say of (setting, family, device or empty for an unknown one), `read` once."""
        self._in_force(directory)
        if what not in self._said:
            if len(self._said) >= FILES:
                self._said.clear()
            self._said[what] = read()
        return self._said[what]

    def trusted(
        self, directory: Directory, read: Callable[[], tuple[list[Network], list[str]]]
    ) -> tuple[list[Network], list[str]]:
        """Return the networks that are never banned, and what settings name that is none; `read` once."""
        self._in_force(directory)
        if self._trusted is None:
            self._trusted = read()
        return self._trusted

    def clear(self) -> None:
        """Forget what is known by name: what the addresses of the service decide has changed."""
        self._by_name.clear()
        self._macs_by_token.clear()
        self._said.clear()
        self._trusted = None

    def _in_force(self, directory: Directory) -> None:
        if directory is not self._directory:
            self._directory = directory
            self.clear()


def _digest(token: str) -> str:
    """Looked up by hash, so that the time of the look-up tells nothing of the token."""
    return hashlib.sha256(token.encode()).hexdigest()
