"""What a process tells the service manager that started it: sd_notify(3), datagrams to the socket it named.

Without `NOTIFY_SOCKET` nobody has asked, and nothing is said. A manager that cannot be reached draws its own conclusion
from silence, so a datagram that is not taken is no error here.
"""

from __future__ import annotations

import socket

READY, ALIVE, STOPPING = b"READY=1", b"WATCHDOG=1", b"STOPPING=1"


class ServiceManager:
    """Who waits at `address` (`$NOTIFY_SOCKET`: a path, or `@` and a name in the abstract space); empty for nobody."""

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self) -> None:
        """Everything listens; what `Type=notify` waits for."""
        self._tell(READY)

    def alive(self) -> None:
        """All is well: what `WatchdogSec=` wants to hear in time."""
        self._tell(ALIVE)

    def stopping(self) -> None:
        """The end has begun; it is no failure."""
        self._tell(STOPPING)

    def _tell(self, state: bytes) -> None:
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as teller:
            teller.setblocking(False)
            try:
                teller.sendto(state, self._address)
            except OSError:
                return
