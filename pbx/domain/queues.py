"""Call queues and their agents (domain-features 1.7)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from string import ascii_lowercase
from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

from pbx.domain.base import E164, Extension, Model
from pbx.domain.destinations import Destination


class AgentStatus(StrEnum):
    """Whether an agent takes calls from a queue, and if not, why. Only the first two are offered any."""

    AVAILABLE = "available"
    ONE_CALL = "one call"
    """Logged out as soon as one has been answered."""
    LOGGED_OUT = "logged out"
    DISABLED = "disabled"
    """By configuration alone: listed, and nothing else; no code and no call of the API logs it in."""
    LUNCH = "lunch"
    BREAK = "break"
    MEETING = "meeting"
    WEB = "web"
    OTHER = "other"
    CUSTOM_1 = "custom1"
    CUSTOM_2 = "custom2"
    CUSTOM_3 = "custom3"
    CUSTOM_4 = "custom4"
    CUSTOM_5 = "custom5"
    CUSTOM_6 = "custom6"
    CUSTOM_7 = "custom7"
    CUSTOM_8 = "custom8"

    @property
    def takes_calls(self) -> bool:
        return self is AgentStatus.AVAILABLE or self is AgentStatus.ONE_CALL


Strategy = Literal["ring_all", "round_robin", "tiered_round_robin", "linear_hunt", "linear_cascade", "call_park"]
"""The plug-ins of `callflow.strategies`, see docs/strategies.md."""


def person(agent: str) -> str:
    """Return whom an agent's name stands for: the extension of a device (`101a` is a phone of 101), else the name."""
    return agent.rstrip(ascii_lowercase)


class Agent(Model):
    """A user with all its phones, one device of a user, or somebody outside: exactly one of the three."""

    extension: Extension | Literal[""] = ""
    device: str = ""
    number: E164 | Literal[""] = ""
    """Off-net."""
    available: bool = True
    """Logged in, until a code, the API or the queue says otherwise."""
    disabled: bool = False
    """On the list and no more: never offered a caller, never logged in, in no statistics."""
    order: int = 0
    """Place in the list, and tier of a tiered queue; equals keep the order they are written in."""
    priority: int = 0
    """Of this queue for the agent: of two queues that have callers, the lower number is served first."""
    wrap_up_s: float = Field(default=0.0, ge=0)
    max_calls: int = Field(default=1, ge=1)
    """Calls at once, whatever they are, before the queue offers none."""
    auto_answer: bool = False
    """The agent's phone is asked to answer by itself."""
    confirm: bool = False
    """The agent has to press 1 before the caller is put through."""

    @property
    def name(self) -> str:
        """What events and strategies call the agent."""
        return self.extension or self.device or self.number

    @property
    def status(self) -> AgentStatus:
        """As configured."""
        return self.status_after(AgentStatus.AVAILABLE if self.available else AgentStatus.LOGGED_OUT)

    def status_after(self, said: AgentStatus) -> AgentStatus:
        """Return the status of an agent whom somebody has said to be in one."""
        return AgentStatus.DISABLED if self.disabled else said

    @model_validator(mode="after")
    def _is_one(self) -> Agent:
        if sum(map(bool, (self.extension, self.device, self.number))) != 1:
            raise ValueError("an agent is an extension, a device or a number: give exactly one of them")
        return self


class Queue(Model):
    model_config = ConfigDict(ignored_types=(cached_property,))

    extension: Extension
    name: str
    strategy: Strategy = "ring_all"
    agents: tuple[Agent, ...] = ()
    agent_ring_s: float = Field(default=15.0, gt=0)
    initial_agents: int = Field(default=0, ge=0, le=99)
    """Rung in the first round by ring all (0: everybody) and linear cascade (0: one)."""
    added_agents: int = Field(default=1, ge=0, le=99)
    """Rung in addition in each further round."""
    max_wait_s: float = Field(default=0.0, ge=0)
    """0 for no limit."""
    max_callers: int = Field(default=0, ge=0)
    max_expected_wait_s: float = Field(default=0.0, ge=0)
    """Callers are refused when they had to expect a longer wait; 0 for no limit."""
    require_agents: bool = False
    logout_after_miss: bool = False
    """An agent who lets an offer ring out, or refuses it, is logged out."""
    overflow: Destination | None = None
    """Where refused and forced-out callers go; none hangs up."""
    unavailable: Destination | None = None
    """Where refused callers go instead."""
    music: str = ""
    recording: bool = False
    """Every conversation with an agent is recorded."""
    statistics: bool = True
    """Its callers and agents are counted."""
    greeting: str = ""
    """Prompt played before the music, empty for none."""
    force_greeting: bool = True
    """No agent is rung before the greeting has been heard to its end."""
    announce: Literal["nothing", "callers ahead", "expected wait"] = "nothing"
    announce_every_s: float = Field(default=0.0, ge=0)
    """0 for once, after the greeting."""
    callback_hours: float = Field(default=0.0, ge=0, le=6)
    """Waiting callers may hang up and be called back when it is their turn, within so many hours; 0 for never
    (platform field `callqueue-max-callback-queueing-hours`)."""
    site: str = ""
    supervisors: tuple[Extension, ...] = ()
    """Call Center Supervisors an office manager has given the queue to."""

    def agent(self, name: str) -> Agent | None:
        return next((agent for agent in self.agents if agent.name == name), None)

    @property
    def enabled(self) -> list[Agent]:
        """Its agents but those that are disabled, as they are written."""
        return [agent for agent in self.agents if not agent.disabled]

    @cached_property
    def roster(self) -> tuple[tuple[Agent, str, str, AgentStatus], ...]:
        """Its agents in order, each with its name, the person it is and its status as configured: what every call for
        the queue asks of each of them."""
        return tuple((agent, agent.name, person(agent.name), agent.status) for agent in self.in_order)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Queue:
        """Return a copy without the roster of the old one, which pydantic's own would carry along."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("roster", None)
        return copy

    @property
    def in_order(self) -> list[Agent]:
        return sorted(self.agents, key=lambda agent: agent.order)
