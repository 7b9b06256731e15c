"""What an operator may choose of the switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pbx.domain.directory import Directory
from pbx.domain.support import support_domain
from pbx.media.codecs import CODECS
from pbx.sip.address import Peer
from pbx.sip.digest import Credentials
from pbx.sip.passport import Signer
from pbx.sip.tolerances import Tolerance

Headers = Mapping[str, str]
AUTO_ANSWER: Headers = MappingProxyType({
    "Call-Info": "<sip:{domain}>;answer-after=0",
    "Alert-Info": "<http://{domain}>;info=alert-autoanswer;delay=0",
    "Answer-Mode": "Auto",
})  # fmt: skip
"""What makes a phone answer by itself: the two that vendors agree on, and the standard's (RFC 5373)."""


def usual_auto_answer(family: str) -> Headers:
    return AUTO_ANSWER


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    carrier: Peer | None = None
    """The trunk: calls from this address are from outside and need no digest; outside calls go there."""
    more_carriers: tuple[Peer, ...] = ()
    """Further trunks, taken in their order where those before have failed."""
    carrier_credentials: Credentials | None = None
    """What a trunk is answered with when it challenges."""
    signer: Signer | None = None
    """Who signs for the numbers shown outside, for domains that want it; None: nobody."""
    challenge: int = 407
    """Status of a challenge: 407 as the platform does, or 401."""
    algorithms: tuple[str, ...] = ("MD5",)
    """Digest algorithms offered, of `MD5` and `SHA-256`. MD5 alone by default, as the platform does: baresip 1.0 gives
    up (ENOSYS) when any of several challenges names an algorithm it does not know, and sipp reads the first only."""
    nonce_lifetime_s: float = 300.0
    strict: frozenset[Tolerance] = frozenset()
    """Faults of handsets that are not forgiven."""
    user_agent: str = "Switchroom"
    max_calls: int = 2000
    """Calls at once over all domains; more get 503."""
    session_expires_s: int = 1800
    """Session interval asked for (RFC 4028): a call whose phone vanished ends by then; 0 asks for none."""
    support: Directory = field(default_factory=support_domain)
    """The provider's own domain, to which 611 leads."""
    codecs: tuple[str, ...] = CODECS
    """Offered, best first for sounds of our own."""
    direct_media: bool = False
    """Whether two parties that can are told to send their media to each other, past the relay."""
    watchdog: Peer | None = None
    """Where the house asks itself for a sign of life: served like anybody, and not traced."""
    auto_answer: Callable[[str], Headers] = usual_auto_answer
    """By a device's family, the headers that make it answer by itself; `{domain}` stands for our own."""
    config_url: Callable[[str], str] | None = None
    """Where a device's configuration is, by its id; empty for one that has none. None serves no `ua-profile`."""

    @property
    def trunks(self) -> tuple[Peer, ...]:
        """Every way out, the first one first."""
        return (*((self.carrier,) if self.carrier is not None else ()), *self.more_carriers)
