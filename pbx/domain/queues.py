"""Call queues and their agents (domain-features 1.7)."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import Extension, Model
from pbx.domain.destinations import Destination


class Agent(Model):
    extension: Extension
    available: bool = True
    """Logged in."""
    order: int = 0
    wrap_up_s: float = Field(default=0.0, ge=0)


class Queue(Model):
    extension: Extension
    name: str
    strategy: str = "ring_all"
    """A plug-in of `callflow.strategies`: `ring_all`, `round_robin`, `linear_hunt`."""
    agents: tuple[Agent, ...] = ()
    agent_ring_s: float = Field(default=15.0, gt=0)
    max_wait_s: float = Field(default=0.0, ge=0)
    """0 for no limit."""
    max_callers: int = Field(default=0, ge=0)
    require_agents: bool = False
    overflow: Destination | None = None
    """Where refused and forced-out callers go; none hangs up."""
    music: str = ""
    greeting: str = ""
    """Prompt played before the music, empty for none."""
    site: str = ""
