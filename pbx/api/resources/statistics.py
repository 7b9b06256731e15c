"""Figures of queues and agents, as docs/statistics.md defines them: since the house started, whatever period is asked.

`datetime-start` and `datetime-end` are required as there; agents' statuses and queues are counted as they happen.
"""

from __future__ import annotations

from typing import Any

from pbx.api.answers import Answer, nothing
from pbx.api.asked import Asked
from pbx.api.resources.records import period, seen
from pbx.api.routes import Route
from pbx.domain.directory import Directory
from pbx.domain.queues import Agent, Queue, person
from pbx.ownership import agent_thing, queue_thing
from pbx.statistics import SHORT_ABANDON_S, AgentFigures, QueueFigures

UNDER = "/domains/{domain}/statistics"
_STATUSES = {
    "login": "", "available": "available", "unavailable": "logged out", "lunch": "lunch", "break": "break",
    "meeting": "meeting", "other": "other", "web": "web", **{f"custom{n}": f"custom{n}" for n in range(1, 9)},
}  # fmt: skip


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 2)


def told_queue(name: str, it: QueueFigures) -> dict[str, Any]:
    return {
        "name": name, "calls-total-count": it.total, "calls-answered-count": it.answered,
        "calls-presented-count": it.presented, "calls-presented-adjusted-count": it.adjusted,
        "calls-voicemailed-count": it.voicemailed, "calls-forwarded-count": it.forwarded,
        "calls-talking-avg-duration-minutes": _minutes(it.average_talk_s), "calls-assisted-count": it.assisted,
        "calls-after-call-work-avg-duration-seconds": round(it.average_wrap_up_s),
        "calls-callback-requests-count": it.callbacks,
        "calls-holding-avg-duration-seconds": round(it.average_hold_s, 2),
        "calls-service-level-percent": round(it.service_level * 100, 2),
        "calls-presented-percent": round(100 * it.presented / it.total, 2) if it.total else 0.0,
        "calls-abandoned-count": it.abandoned, "calls-abandoned-adjusted-count": it.abandoned_adjusted,
        "calls-abandoned-rate": round(it.abandon_rate * 100, 2),
        "calls-abandoned-adjusted-rate": round(it.abandon_rate_adjusted * 100, 2),
        "calls-handling-avg-duration-minutes": _minutes(it.average_handling_s),
        "calls-queueing-avg-duration-seconds": round(it.average_wait_s, 2),
        "calls-talking-duration-minutes": _minutes(it.talk_s), "sms-conversations-count": 0,
        "calls-unanswered-count": it.total - it.answered,
    }  # fmt: skip


def told_agent(name: str, it: AgentFigures) -> dict[str, Any]:
    logged_in = sum(seconds for status, seconds in it.status_s.items() if status != "logged out")
    minutes = {
        f"status-{word}-duration-minutes": _minutes(logged_in if word == "login" else it.status_s.get(status, 0.0))
        for word, status in _STATUSES.items()
    }
    talk = it.talk_s / it.answered if it.answered else 0.0
    return {
        "name": name, **minutes, "inbound-calls-presented-count": it.offered,
        "inbound-calls-answered-count": it.answered, "inbound-calls-duration-minutes": _minutes(it.talk_s),
        "inbound-calls-avg-duration-minutes": _minutes(talk), "calls-answered-count": it.answered,
        "calls-presented-count": it.offered, "calls-talking-duration-minutes": _minutes(it.talk_s),
        "calls-talking-avg-duration-minutes": _minutes(talk), "calls-unanswered-count": it.offered - it.answered,
        "calls-assisted-count": it.assisted,
    }  # fmt: skip


def _figures(asked: Asked) -> list[tuple[Queue, QueueFigures]]:
    period(asked)
    directory, sees = asked.directory, asked.sees("statistics")
    counted = asked.house.statistics(directory.domain.name).queues
    named = {name.strip() for name in asked.query.get("queue_list", "").split(",")} - {""}
    one = asked.path.get("callqueue")
    if one is not None and one not in directory.queues_by_extension:
        raise nothing("queue", one)
    return [
        (queue, counted.get(queue.extension, QueueFigures()))
        for queue in directory.queues
        if one in (None, queue.extension)
        and (not named or queue.extension in named)
        and sees(queue_thing(directory, queue, "statistics"))
    ]


def _sum(them: list[QueueFigures]) -> QueueFigures:
    total = QueueFigures()
    for one in them:
        for name in total.__dataclass_fields__:
            setattr(total, name, getattr(total, name) + getattr(one, name))
    return total


def _shown(asked: Asked, row: dict[str, Any]) -> dict[str, Any]:
    names = {name.strip() for name in asked.query.get("fields", "").split(",")} - {""}
    zeros = asked.query.get("remove_zeros") == "yes"
    return {n: v for n, v in row.items() if (not names or n in names or n == "name") and not (zeros and v == 0)}


async def _queue(asked: Asked) -> Answer:
    rows = _figures(asked)
    if not rows:
        raise nothing("queue", asked.path["callqueue"])
    return Answer(200, _shown(asked, told_queue(rows[0][0].extension, rows[0][1])))


async def _aggregate(asked: Asked) -> Answer:
    return Answer(200, _shown(asked, told_queue("aggregate", _sum([figures for _, figures in _figures(asked)]))))


async def _per_queue(asked: Asked) -> Answer:
    return Answer(200, {queue.extension: _shown(asked, told_queue(queue.name, it)) for queue, it in _figures(asked)})


def _agents(asked: Asked) -> dict[str, AgentFigures]:
    period(asked)
    directory, sees = asked.directory, asked.sees("statistics")
    counted = asked.house.statistics(directory.domain.name).agents(asked.now)
    queue_name, agent_name, department = (asked.path.get("callqueue"), asked.path.get("agent", "").partition("@")[0],
                                          asked.query.get("department"))  # fmt: skip
    found: dict[str, AgentFigures] = {}
    for queue in directory.queues:
        for agent in queue.enabled:
            if queue_name not in (None, queue.extension) or agent_name not in ("", agent.name):
                continue
            if not _is_in(directory, agent, department) or not sees(agent_thing(directory, queue, agent, "statistics")):
                continue
            one = counted.get((queue.extension, agent.name), AgentFigures())
            found[agent.name] = _added(found.get(agent.name, AgentFigures()), one)
    return found


def _is_in(directory: Directory, agent: Agent, department: str | None) -> bool:
    user = directory.users_by_extension.get(person(agent.name))
    return department is None or (user is not None and user.department == department)


def _added(a: AgentFigures, b: AgentFigures) -> AgentFigures:
    """Counts add up over queues; a status is that of the longest."""
    return AgentFigures(
        a.offered + b.offered, a.answered + b.answered, a.talk_s + b.talk_s, a.hold_s + b.hold_s,
        a.wrap_up_s + b.wrap_up_s,
        {name: max(a.status_s.get(name, 0.0), b.status_s.get(name, 0.0)) for name in a.status_s | b.status_s},
        a.assisted + b.assisted,
    )  # fmt: skip


async def _all_agents(asked: Asked) -> Answer:
    return Answer(200, {name: _shown(asked, told_agent(name, it)) for name, it in _agents(asked).items()})


async def _agent(asked: Asked) -> Answer:
    found = _agents(asked)
    if not found:
        raise nothing("agent", asked.path["agent"])
    name, figures = next(iter(found.items()))
    return Answer(200, _shown(asked, told_agent(name, figures)))


async def _numbers(asked: Asked) -> Answer:
    """What became of the calls for each number of the domain."""
    queue = asked.path.get("callqueue")
    found: dict[str, QueueFigures] = {}
    for directory, record in seen(asked):
        if record.dialled not in directory.numbers_by_digits or (queue and f"queue:{queue}" not in record.path):
            continue
        it = found.setdefault(record.dialled, QueueFigures())
        it.total += 1
        it.answered += record.disposition == "ANSWERED"
        it.voicemailed += record.disposition == "VOICEMAIL"
        it.talk_s += record.talk_s
        it.finished += record.disposition == "ANSWERED"
    return Answer(200, {number: _shown(asked, told_queue(number, it)) for number, it in found.items()})


async def _abandoned(asked: Asked) -> Answer:
    """Callers who gave up in a queue."""
    wanted, rows = asked.path.get("callqueue"), []
    for directory, record in seen(asked):
        stops = [stop.partition(":") for stop in record.path.split(" > ")]
        queue = next((name for word, _, name in stops if word == "queue" and wanted in (None, name)), None)
        if queue is None or record.disposition not in ("CANCELLED", "NO ANSWER"):
            continue
        waited = max(0.0, record.ended_at - record.started_at)
        rows.append({
            "domain": directory.domain.name, "call-orig-call-id": record.call, "callqueue": queue,
            "call-dialed-number": _number(record.dialled), "queue-duration-seconds": round(waited),
            "call-orig-from-name": record.caller_name, "call-orig-from-user": _number(record.caller_number),
            "queue-call-disconnect-reason-text": "Abandoned" if waited >= SHORT_ABANDON_S else "Short abandon",
        })  # fmt: skip
    return Answer(200, rows[asked.page()])


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


_FIGURES = {"type": "object"}
_QUERY = ("datetime-start", "datetime-end", "fields", "remove_zeros", "queue_list", "department")
_REPORT = "/domains/{domain}/callqueuereport/abandoned"
_TABLE = (
    ("callqueues/aggregate", _aggregate, "All queues together"), ("callqueues/{callqueue}", _queue, "One queue"),
    ("queue/per-queue", _per_queue, "Each queue"), ("agent", _all_agents, "Each agent"),
    ("agent/callqueues/{callqueue}", _all_agents, "Each agent of a queue"), ("agent/{agent}", _agent, "One agent"),
    ("DNIS", _numbers, "Each number"), ("DNIS/callqueues/{callqueue}", _numbers, "Each number that led to a queue"),
    ("agentLog", _all_agents, "Statuses of each agent"),
)  # fmt: skip

ROUTES = (
    *(Route("GET", f"{UNDER}/{path}", act, "statistics", told, None, _FIGURES, _QUERY) for path, act, told in _TABLE),
    *(Route("GET", path, _abandoned, "statistics", "Callers who gave up", None,
            {"type": "array", "items": {"type": "object"}}, (*_QUERY[:2], "start", "limit"))
      for path in (_REPORT, f"{_REPORT}/{{callqueue}}")),
)  # fmt: skip
