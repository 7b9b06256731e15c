"""baresip 1.0, run and listened to by `switchroom softphone`: its ctrl_tcp behind one POST a button (seen)."""

from __future__ import annotations

from lab.control.softphones import BUTTONS, do, look

__all__ = ["CAN", "DOUBTED", "FAMILIES", "do", "look"]

FAMILIES = ("generic/baresip",)
CAN = BUTTONS | {"hears"}
DOUBTED: frozenset[str] = frozenset()
