"""Agents of queues, and their status. `callqueue-agent-id` is `1001@domain`, `sip:1001a@domain` or a number outside."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA, with_ignored, with_kept
from pbx.api.forms import COUNT, TEXT, YES_NO, choice, whole
from pbx.api.resources.queues import QUEUES, queue_of
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, as_refusal, changed, made, ours, told
from pbx.domain.directory import Directory
from pbx.domain.queues import Agent, AgentStatus, Queue, person
from pbx.ownership import agent_thing

UNDER = "/domains/{domain}/callqueues/{callqueue}/agents"
STATUSES = {
    "login": AgentStatus.AVAILABLE, "logout": AgentStatus.LOGGED_OUT, "onecall": AgentStatus.ONE_CALL,
    "single": AgentStatus.ONE_CALL, "lunch": AgentStatus.LUNCH, "break": AgentStatus.BREAK,
    "meeting": AgentStatus.MEETING, "web": AgentStatus.WEB, "other": AgentStatus.OTHER,
    "available": AgentStatus.AVAILABLE, "unavailable": AgentStatus.LOGGED_OUT,
    **{f"cust{n}": AgentStatus(f"custom{n}") for n in range(1, 9)},
    **{f"custom{n}": AgentStatus(f"custom{n}") for n in range(1, 9)},
}  # fmt: skip
_AVAILABILITY = ("automatic", "manual", "disabled", "offnet-automatic")


def agent_id(directory: Directory, agent: Agent) -> str:
    domain = directory.domain.name
    if agent.device:
        return f"sip:{agent.device}@{domain}"
    return f"{agent.extension}@{domain}" if agent.extension else agent.number


def fields_of(directory: Directory, written: str) -> dict[str, str]:
    """Return which kind of agent an id means."""
    name = written.strip().removeprefix("sip:").partition("@")[0]
    if name in directory.users_by_extension and not written.strip().startswith("sip:"):
        return {"extension": name}
    if name in directory.devices_by_id:
        return {"device": name}
    digits = name.lstrip("+")
    if digits.isascii() and digits.isdigit() and len(digits) in (10, 11):
        return {"number": digits if len(digits) == 11 else f"1{digits}"}
    return {"extension": name}


def _entry(agent: Agent) -> str:
    return "device" if agent.device else "user" if agent.extension else "offnet"


def _status(around: Any, agent: Agent) -> str:
    asked, directory, queue = around
    switch = asked.house.switch_of(directory.domain.name)
    status = switch.queues.agents.status(queue.extension, agent) if switch is not None else agent.status
    return str(status.value)


def _registered(around: Any, agent: Agent) -> str:
    asked, directory, _ = around
    if agent.number:
        return "offnet"
    switch = asked.house.switch_of(directory.domain.name)
    return "yes" if switch is not None and switch.agent_reachable(agent) else "no"


def _availability(around: Any, agent: Agent) -> str:
    if agent.disabled:
        return "disabled"
    if agent.number:
        return "offnet-automatic"
    return "automatic" if _status(around, agent) in ("available", "one call") else "manual"


def _user(around: Any, agent: Agent, what: str) -> Any:
    user = around[1].users_by_extension.get(person(agent.name))
    if user is None:
        return ""
    return around[1].login_of(user) if what == "login" else getattr(user, what)


def _calls(around: Any, agent: Agent) -> int:
    asked, directory, _ = around
    switch = asked.house.switch_of(directory.domain.name)
    return switch.parties.busy[person(agent.name)] if switch is not None else 0


SHAPE = Shape("Agent", (
    told("callqueue-agent-id", TEXT, lambda around, agent: agent_id(around[1], agent)),
    told("callqueue", TEXT, lambda around, agent: around[2].extension),
    told("domain", TEXT, lambda around, agent: around[1].domain.name),
    ours("callqueue-agent-availability-type", choice(_AVAILABILITY), "availability", told=_availability),
    ours("callqueue-agent-wrap-up-allowance-seconds", whole(0, 86_400), "wrap_up_s"),
    ours("auto-answer-enabled", YES_NO, "auto_answer"),
    ours("callqueue-agent-dispatch-order-ordinal", whole(0, 10_000), "order"),
    ours("callqueue-agent-dispatch-queue-priority-ordinal", whole(0, 10_000), "priority", "callqueue-agent-priority"),
    ours("limits-max-active-calls-total", whole(1, 1000), "max_calls"),
    ours("callqueue-agent-answer-confirmation-enabled", YES_NO, "confirm"),
    told("callqueue-agent-has-registered-devices", TEXT, _registered),
    told("callqueue-agent-availability-for-dispatch", TEXT, _status),
    told("active-calls-total-current", COUNT, _calls),
    told("callqueue-agent-entry-type", TEXT, lambda around, agent: _entry(agent)),
    told("login-username", TEXT, lambda around, agent: _user(around, agent, "login")),
    told("name-full-name", TEXT, lambda around, agent: _user(around, agent, "name")),
    told("agent-name-first-name", TEXT, lambda around, agent: _user(around, agent, "first_name")),
    told("agent-name-last-name", TEXT, lambda around, agent: _user(around, agent, "last_name")),
    told("agent-department", TEXT, lambda around, agent: _user(around, agent, "department")),
    told("agent-site", TEXT, lambda around, agent: _user(around, agent, "site")),
    told("agent-user-scope", TEXT, lambda around, agent: _user(around, agent, "scope")),
))  # fmt: skip


def _read_fields(asked: Asked, *, new: bool) -> Written:
    """Read what was sent; the one word of availability is two things here: listed at all, and logged in."""
    written = SHAPE.read(asked.body, new=new)
    values = dict(written.values)
    word = values.pop("availability", None)
    if word is not None:
        values |= {"disabled": True} if word == "disabled" else {"disabled": False, "available": word != "manual"}
    return replace(written, values=values)


def told_agent(asked: Asked, directory: Directory, queue: Queue, agent: Agent) -> dict[str, Any]:
    return SHAPE.tell((asked, directory, queue), agent, directory.kept.get(_filed(queue, agent), {}))


def _filed(queue: Queue, agent: Agent) -> str:
    return f"agent:{queue.extension}:{agent.name}"


def _seen(asked: Asked) -> Iterator[tuple[Directory, Queue, Agent]]:
    sees, only = asked.sees("agent"), asked.path.get("callqueue")
    for directory in asked.directories("agent"):
        for queue in directory.queues:
            if only in (None, "all", queue.extension):
                yield from ((directory, queue, agent) for agent in queue.in_order
                            if sees(agent_thing(directory, queue, agent)))  # fmt: skip


async def _list(asked: Asked) -> Answer:
    if asked.path.get("callqueue") not in (None, "all") and asked.path["callqueue"] not in (
        asked.directory.queues_by_extension
    ):
        raise nothing("queue", asked.path["callqueue"])
    return Answer(200, [told_agent(asked, *row) for row in list(_seen(asked))[asked.page()]])


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": sum(1 for _ in _seen(asked))})


def _one(asked: Asked, directory: Directory) -> tuple[Queue, Agent]:
    queue, written = queue_of(asked, asked.path["callqueue"]), asked.path["agent"]
    name = next(iter(fields_of(directory, written).values()))
    queue = directory.queues_by_extension.get(queue.extension, queue)
    agent = queue.agent(name)
    if agent is None or not asked.sees("agent")(agent_thing(directory, queue, agent)):
        raise nothing("agent", written)
    return queue, agent


async def _read(asked: Asked) -> Answer:
    return Answer(200, told_agent(asked, asked.directory, *_one(asked, asked.directory)))


async def _create(asked: Asked) -> Answer:
    name = asked.needed("callqueue-agent-id")
    written = _read_fields(asked, new=True)
    extension = asked.path["callqueue"]

    def edit(directory: Directory) -> Directory:
        queue = directory.queues_by_extension.get(extension)
        if queue is None:
            raise nothing("queue", extension)
        agent = made(Agent, fields_of(directory, name), written.values, SHAPE)
        asked.require("create", agent_thing(directory, queue, agent))
        if queue.agent(agent.name) is not None:
            raise Refused(409, f"queue {extension} has an agent {name!r} already")
        return with_kept(_with(directory, queue, (*queue.agents, agent)), _filed(queue, agent), written.kept)

    directory = await asked.edit(edit, f"agent {name} of queue {extension}")
    if not asked.synchronous:
        return with_ignored(ACCEPTED, written)
    queue = directory.queues_by_extension[extension]
    return with_ignored(Answer(200, told_agent(asked, directory, queue, queue.agents[-1])), written)


async def _change(asked: Asked) -> Answer:
    written = _read_fields(asked, new=False)

    def edit(directory: Directory) -> Directory:
        queue, agent = _one(asked, directory)
        asked.require("edit", agent_thing(directory, queue, agent))
        new = changed(agent, written.values, SHAPE)
        agents = tuple(new if one is agent else one for one in queue.agents)
        return with_kept(_with(directory, queue, agents), _filed(queue, agent), written.kept)

    directory = await asked.edit(edit, f"agent {asked.path['agent']}")
    queue, agent = _one(asked, directory)
    if "available" in written.values:
        _set(asked, agent, AgentStatus.AVAILABLE if agent.available else AgentStatus.LOGGED_OUT, queue.extension)
    if asked.synchronous:
        return with_ignored(Answer(200, told_agent(asked, directory, queue, agent)), written)
    return with_ignored(ACCEPTED, written)


async def _delete(asked: Asked) -> Answer:
    def edit(directory: Directory) -> Directory:
        queue, agent = _one(asked, directory)
        asked.require("delete", agent_thing(directory, queue, agent))
        left = _with(directory, queue, tuple(one for one in queue.agents if one is not agent))
        return left.with_kept(_filed(queue, agent), {})

    await asked.edit(edit, f"agent {asked.path['agent']}")
    return ACCEPTED


def _with(directory: Directory, queue: Queue, agents: tuple[Agent, ...]) -> Directory:
    new = queue.model_copy(update={"agents": agents})
    try:
        return directory.replaced(queues=tuple(new if one is queue else one for one in directory.queues))
    except ValueError as error:
        raise as_refusal(error, QUEUES.shape, {}) from None


async def _status_of_one(asked: Asked) -> Answer:
    word = asked.path.get("status") or asked.path["deed"]
    status = STATUSES.get(word)
    if status is None:
        raise wrong("status", word, f"it is one of {', '.join(STATUSES)}", "send one of them")
    queue, agent = _one(asked, asked.directory)
    asked.require("edit", agent_thing(asked.directory, queue, agent))
    _set(asked, agent, status, queue.extension)
    return ACCEPTED


async def _status_everywhere(asked: Asked) -> Answer:
    word = asked.path["status"]
    status = STATUSES.get(word)
    if status is None:
        raise wrong("status", word, f"it is one of {', '.join(STATUSES)}", "send one of them")
    directory = asked.directory
    name = next(iter(fields_of(directory, asked.path["agent"]).values()))
    found = [(queue, agent) for queue in directory.queues if (agent := queue.agent(name)) is not None]
    if not found:
        raise nothing("agent", asked.path["agent"])
    for queue, agent in found:
        asked.require("edit", agent_thing(directory, queue, agent))
    _set(asked, found[0][1], status, "")
    return ACCEPTED


def _set(asked: Asked, agent: Agent, status: AgentStatus, queue: str) -> None:
    if asked.house.switch_of(asked.domain) is not None:
        asked.house.command(lambda switch, now: switch.set_agent_status(agent.name, status, now, queue))


_TOLD = SHAPE.schema()
_MANY = {"type": "array", "items": _TOLD}
_NEW = {**SHAPE.schema(new=True), "required": ["callqueue-agent-id"]}
_NEW["properties"] = {"callqueue-agent-id": TEXT.schema, **_NEW["properties"]}
_ONE = f"{UNDER}/{{agent}}"

ROUTES = (
    Route("GET", UNDER, _list, "agent", "List the agents of a queue", None, _MANY, ("start", "limit")),
    Route("POST", UNDER, _create, "agent", "Give a queue an agent", _NEW, _TOLD),
    Route("GET", f"{UNDER}/count", _count, "agent", "Count the agents of a queue", None, COUNT_SCHEMA),
    Route("GET", _ONE, _read, "agent", "Read an agent", None, _TOLD),
    Route("PUT", _ONE, _change, "agent", "Change an agent", SHAPE.schema(change=True), _TOLD),
    Route("DELETE", _ONE, _delete, "agent", "Take an agent from a queue"),
    *(
        Route(method, f"{_ONE}/{{deed}}", _status_of_one, "agent", "Log an agent of a queue in or out", None, None, (),
              "edit")
        for method in ("PATCH", "POST")
    ),
    *(
        Route(method, "/domains/{domain}/callqueues/all/agents/{agent}/{status}", _status_everywhere, "agent",
              "Say in every queue whether an agent takes calls", None, None, (), "edit")
        for method in ("PATCH", "POST")
    ),
    Route("GET", "/domains/{domain}/agents", _list, "agent", "List every agent", None, _MANY, ("start", "limit")),
)  # fmt: skip
