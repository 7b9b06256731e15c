"""What the API asks of the house it serves, and tells it to do. A composition root fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.domain.kept import ServedFile
from pbx.statistics import Statistics
from pbx.store.protocol import Document, Kept, Store
from pbx.switch.switch import Switch

T = TypeVar("T")
Edit = Callable[[Directory], Directory]
"""Refused when the domain does not take it."""
Audit = Callable[[Directory, Directory], Sequence[Kept]]
"""(before, after) → what is to be written down about the change."""


class House(Protocol):
    """Every method that waits returns once what it did is durable."""

    @property
    def now(self) -> Moment: ...

    @property
    def store(self) -> Store: ...

    def names(self) -> Sequence[str]:
        """Of every domain there is."""
        ...

    def directory(self, domain: str) -> Directory | None: ...

    def switch_of(self, domain: str) -> Switch | None:
        """Return the switch that serves a domain; None for one that is configured and not served."""
        ...

    def command(self, command: Callable[[Switch, Moment], T]) -> T: ...

    async def edit(self, domain: str, edit: Edit, what: str, audit: Audit) -> Directory:
        """Change a domain; edits that come together are written together, each judged after the one before."""
        ...

    async def create(self, directory: Directory) -> None: ...

    async def remove(self, domain: str) -> None:
        """Refused for the domain the house serves."""
        ...

    async def submit(self, *changes: Kept) -> None: ...

    def documents(self, domain: str, kind: str) -> Mapping[str, Document]: ...

    def catalogue(self) -> Sequence[PhoneModel]: ...

    def token(self, length: int) -> str: ...

    @property
    def hostname(self) -> str:
        """What it calls itself to clients."""
        ...

    @property
    def recordings(self) -> Path:
        """Where sound lies, `NAME.wav`."""
        ...

    async def sound(self, content: bytes, text: str) -> bytes:
        """Return µ-law samples of a sound file, or of a text that is spoken; ValueError says why there are none."""
        ...

    def statistics(self, domain: str) -> Statistics: ...

    def served(self, mac: str) -> ServedFile | None:
        """Return what a box was served last."""
        ...

    @property
    def proof(self) -> Callable[[str], str]:
        """What the posts of a subscription are signed with, by its id."""
        ...

    def deliveries(self, subscription: str) -> tuple[int, int]:
        """Return how many posts of a subscription were taken, and how many were not."""
        ...

    def seal(self, text: str) -> str:
        """Return a secret as it may be written down."""
        ...

    def unseal(self, text: str) -> str: ...

    def trace(self, call: str) -> Sequence[str]:
        """Return the SIP messages of a call, one text each."""
        ...


@dataclass(frozen=True, slots=True)
class PhoneModel:
    """A model of phone the house can provision."""

    brand: str
    model: str
    family: str
    lines: int
    fxs: int
    keys: int
