"""What an operator may choose of the switch."""

from __future__ import annotations

from dataclasses import dataclass

from pbx.sip.address import Peer


@dataclass(frozen=True, slots=True)
class SwitchSettings:
    carrier: Peer | None = None
    """The trunk: calls from this address are from outside and need no digest; outside calls go there."""
    challenge: int = 407
    """Status of a challenge: 407 as the platform does, or 401."""
    nonce_lifetime_s: float = 300.0
    user_agent: str = "Switchroom"
    max_calls: int = 2000
    """Calls at once over all domains; more get 503."""
