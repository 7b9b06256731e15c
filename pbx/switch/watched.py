"""What is watched as if it were a telephone: park slots, queues, and whether an agent is at work (I11).

Their dialogs are nobody's: nothing can take their place, and a pickup goes by the codes (`*55701`, `*35500`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pbx.domain.queues import AgentStatus
from pbx.switch.parking import is_slot

if TYPE_CHECKING:
    from pbx.switch.calls import Call
    from pbx.switch.switch import Switch

AGENT = "agent-"
"""`agent-101` is the work of 101 as an agent; the reference has a button for it (`queue_status`) and no address."""
MOST_SHOWN = 20
"""Callers of a queue a document names."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One dialog of such a thing."""

    id: str
    state: str
    """`confirmed` for who is parked and an agent at work, `early` for who waits and an agent on a break."""
    party: str = ""
    """Extension or number of the other one."""
    name: str = ""


def is_watched(switch: Switch, user: str) -> bool:
    """Tell whether a Request-URI names one of these."""
    return is_slot(user) or user in switch.directory.queues_by_extension or _agent(switch, user) != ""


def seen(switch: Switch, user: str) -> tuple[Seen, ...] | None:
    """Return what there is to see of it; None when there is no such thing any more."""
    if is_slot(user):
        call = switch.parking.call_in(user)
        return (_caller(call, f"park-{user}-{call.id}", "confirmed"),) if call is not None else ()
    if user in switch.directory.queues_by_extension:
        return tuple(_waiting(switch, user))
    agent = _agent(switch, user)
    return tuple(_work(switch, agent)) if agent else None


def _waiting(switch: Switch, queue: str) -> Iterator[Seen]:
    for name in switch.queues.calls_in(queue)[:MOST_SHOWN]:
        call = switch.call(name)
        if call is not None:
            yield _caller(call, f"queue-{queue}-{name}", "early")


def _work(switch: Switch, agent: str) -> Iterator[Seen]:
    statuses = {
        switch.queues.agents.status(queue.extension, known)
        for queue in switch.directory.queues
        if (known := queue.agent(agent)) is not None
    }
    if any(status.takes_calls for status in statuses):
        yield Seen(f"{AGENT}{agent}", "confirmed")
    elif statuses - {AgentStatus.LOGGED_OUT, AgentStatus.DISABLED}:
        yield Seen(f"{AGENT}{agent}", "early")


def _caller(call: Call, number: str, state: str) -> Seen:
    party = call.caller
    return Seen(number, state, party.extension or party.number or "anonymous", call.shown.name)


def _agent(switch: Switch, user: str) -> str:
    """Return the agent a name stands for, empty when it stands for none."""
    name = user.removeprefix(AGENT)
    known = user.startswith(AGENT) and any(queue.agent(name) is not None for queue in switch.directory.queues)
    return name if known else ""
