"""The desks of the simulated network: emergency, its national call centre, the read-back of 933, public services,
and the agents of the provider's support.

What each says to a caller. All but the agents answer to a name (`emergency-911`), never to a number: nothing that is
dialled in the lab reaches a real one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pbx.domain.dialplan import SERVICE_CODES
from pbx.domain.sounds import spoken_text
from pbx.domain.support import support_domain

NO_ADDRESS = "ECRC"
"""Location of a caller whose address nobody knows (`pbx.callflow.identity.ECRC`)."""
CONFIRM_KEY = "1"
CONFIRM_S = 4.0
"""The operator takes silence for a yes after so long: whoever calls 911 may not be able to press a key."""


@dataclass(frozen=True, slots=True)
class Desk:
    name: str
    party: str
    """Signature it speaks."""
    says: Callable[[str, str], tuple[str, ...]]
    """(callback number, location) → prompts."""
    notes: bool = False
    """What it was told of a call is kept as evidence."""
    passes_to: str = ""
    """Desk the caller is put through to once the place is confirmed."""


def _address(location: str) -> tuple[str, ...]:
    if location in ("", NO_ADDRESS):
        return ("address-not-on-file",)
    return ("your-address-is", *spoken_text(location))


def _read_back(callback: str, location: str) -> tuple[str, ...]:
    return ("emergency-simulated", "your-number-is", *spoken_text(callback), *_address(location))


def _operator(callback: str, location: str) -> tuple[str, ...]:
    return ("emergency-simulated", "operator-answers", *_address(location), "operator-asks")


def _service(code: str) -> Desk:
    return Desk(f"Service {code}", "service", lambda callback, location: ("service-simulated", *spoken_text(code)))


SUPPORT_AGENTS = tuple(agent.number for queue in support_domain().queues for agent in queue.agents if agent.number)
"""Numbers of the agents of the provider's support, whom the lab plays."""

DESKS: dict[str, Desk] = {
    "emergency-911": Desk(
        "Emergency desk", "emergency", lambda callback, location: ("emergency-simulated",), notes=True
    ),
    "emergency-operator": Desk(
        "Emergency operator", "emergency", _operator, notes=True, passes_to="emergency-911"
    ),
    "emergency-933": Desk("Emergency read-back", "emergency", _read_back, notes=True),
    **dict.fromkeys(SUPPORT_AGENTS, Desk("Support agent", "support", lambda callback, location: ("support-agent",))),
    **{f"service-{code}": _service(code) for code in SERVICE_CODES},
}  # fmt: skip
