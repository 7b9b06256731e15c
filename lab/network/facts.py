"""What an assessment has measured, before anybody judges it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """None: not measured, or nobody could tell."""

    reachable: bool
    """The mirror answered at all."""
    local: str = ""
    mapped: str = ""
    """host:port as the mirror's SIP port saw us."""
    mapped_other: str = ""
    """The same of its other port."""
    gateway_public: str = ""
    """The address that the nearest router says it has outside (NAT-PMP); empty when it says nothing."""
    rewritten: tuple[str, ...] | None = None
    """What was changed in a SIP request on its way, a line each."""
    large_passes: bool | None = None
    """A request that needs IP fragments arrives."""
    held_s: int | None = None
    """The longest silence after which the router still let an answer in."""
    lost_after_s: int | None = None
    """The shortest after which it did not."""
    calls: int = 0
    """Streams that ran at once, both ways."""
    round_trip_ms: float | None = None
    """Median."""
    jitter_ms: float | None = None
    """RFC 3550 §6.4.1 over the way there and back, the worst stream's."""
    loss_out: float | None = None
    """Ratio 0…1, to the provider."""
    loss_back: float | None = None
    dscp_out: int | None = None
    """The mark of voice as the provider saw it, 46 where it left."""
    dscp_back: int | None = None
    mos: float | None = None
    reached: tuple[tuple[str, bool], ...] = ()
    """Services by name (`dns`, `ntp`, `https`) and whether they answered."""
