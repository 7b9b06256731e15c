"""linphonec 5.1, run and listened to by `switchroom softphone`: its command line behind one POST a button (seen, Debian
12). It joins two calls, which baresip cannot; it declines a call with 603, and has no way to say that it is busy.
"""

from __future__ import annotations

from lab.control.softphones import BUTTONS, do, look

__all__ = ["CAN", "DOUBTED", "FAMILIES", "do", "look"]

FAMILIES = ("linphone/",)
CAN = BUTTONS - {"reject"} | {"attended", "hears"}
DOUBTED: frozenset[str] = frozenset()
