"""What users set at their telephones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pbx.events.base import Event


@dataclass(frozen=True, slots=True)
class OwnSettingChanged(Event):
    kind: ClassVar[str] = "user.setting"
    extension: str
    setting: str
    """`do not disturb`, `reject anonymous`, `call waiting`, `forward always`, `forward busy`, `forward no answer`,
    `hot desk`."""
    value: str
    """`on`, `off`, for a forward where it leads, for a hot desk which device."""


@dataclass(frozen=True, slots=True)
class CallerProved(Event):
    """Whoever calls has entered the PIN of a user, in whose name the call goes on."""

    kind: ClassVar[str] = "caller.proved"
    call: str
    device: str
    extension: str


@dataclass(frozen=True, slots=True)
class PinRefused(Event):
    """A PIN that was asked for elsewhere than at a mailbox was wrong."""

    kind: ClassVar[str] = "caller.refused"
    call: str
    extension: str
    """As entered."""
    attempt: int
