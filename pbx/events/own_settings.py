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
    """`do not disturb`, `reject anonymous`, `call waiting`, `forward always`, `forward busy`, `forward no answer`."""
    value: str
    """`on`, `off`, or for a forward where it leads."""
