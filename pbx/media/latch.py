"""Where a far end's packets must come from: no stranger is heard, and none is sent anything (testing.md R9).

The address that offer and answer named is the far end, from its first packet on. Only behind a NAT, which shows in a
named host other than the one its signalling comes from, may packets come from elsewhere: from the host of the
signalling, once a few of one source have come in a row. What is settled stays so until the next offer/answer; another
SSRC from the same address changes nothing, and packets from any other address never do.

All of 127/8 is one host: baresip on an address of its own there sends its audio from 127.0.0.1, by the port it named.
"""

from __future__ import annotations

import ipaddress

Address = tuple[str, int]
IN_A_ROW = 3


class Latch:
    __slots__ = ("_behind", "_candidate", "_named", "_seen", "source")

    def __init__(self, host: str, port: int, signalled: str = "", *, any_port: bool = False) -> None:
        """`host` and `port` as named in SDP; `signalled` is the host the far end's signalling comes from, if known.

        `any_port`: there is a NAT though both are the same.
        """
        self._named = (_canonical(host), port)
        signalled = _canonical(signalled)
        self._behind = signalled if any_port or signalled != self._named[0] else ""
        self._candidate: tuple[Address, int] | None = None
        self._seen = 0
        self.source: Address | None = None
        """Where the far end sends from; None before it is known."""

    def admits(self, source: Address, ssrc: int) -> bool:
        """Judge a packet; True is for the far end, and `source` may be news."""
        if source == self.source:
            return True
        if source == self._named:
            self.source = source
            return True
        if self.source is not None:
            return False
        if source[1] == self._named[1] and _is_loopback(source[0]) and _is_loopback(self._named[0]):
            self.source = source
            return True
        if not self._behind or source[0] != self._behind:
            return False
        if self._candidate != (source, ssrc):
            self._candidate, self._seen = (source, ssrc), 0
        self._seen += 1
        if self._seen < IN_A_ROW:
            return False
        self.source = source
        return True

    def tries(self, source: Address) -> bool:
        """Tell whether a source is on its way to be latched."""
        return self._candidate is not None and self._candidate[0] == source

    def is_behind(self, source: Address) -> bool:
        """Tell whether a source is the host of a far end behind a NAT, which maps each of its ports anew."""
        return bool(self._behind) and self.source is not None and source[0] == self.source[0]

    @property
    def target(self) -> Address:
        """Where to send: where its packets come from, before that what it named."""
        return self.source or self._named


def _is_loopback(host: str) -> bool:
    return host.startswith("127.")


def _canonical(host: str) -> str:
    """Sockets write an IPv6 address in one way (RFC 5952), descriptions in many."""
    if ":" not in host:
        return host
    try:
        return ipaddress.ip_address(host).compressed
    except ValueError:
        return host
