"""Live calls: read, placed (the caller's phone rings first), held, transferred, refused, ended.

A call is asked for by its own id (`c-0041`) or by the `call-id` it was placed under.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pbx.access import Action
from pbx.api.answers import ACCEPTED, Answer, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.forms import TEXT, YES_NO
from pbx.api.routes import Route
from pbx.domain.directory import Directory
from pbx.ownership import people_thing
from pbx.switch import control
from pbx.switch.calls import Call
from pbx.switch.legs import Leg
from pbx.switch.switch import Switch

OF_DOMAIN, OF_USER = "/domains/{domain}/calls", "/domains/{domain}/users/{user}/calls"
ONE = f"{OF_USER}/{{call_id}}"
FIELDS = (
    "core-server", "call-session-id", "call-orig-call-id", "call-orig-match-uri", "call-orig-user", "call-orig-domain",
    "call-orig-uri", "call-orig-name", "caller-id-number", "call-dialed-number", "call-by-action", "call-by-user",
    "call-by-domain", "call-by-call-id", "call-term-call-id", "call-term-user", "call-term-domain", "call-term-uri",
    "call-start-datetime", "call-answer-datetime", "call-orig-info", "term-orig-info", "call-audio-codec",
)  # fmt: skip


def told(directory: Directory, call: Call, hostname: str) -> dict[str, Any]:
    """Return a live call as clients read it; who was called last is who terminates it."""
    domain, caller = directory.domain.name, call.caller
    called = [leg for leg in call.legs.values() if leg is not caller and not leg.gone]
    term = next((leg for leg in called if leg.joined), called[-1] if called else None)
    origin = caller.extension or caller.number or call.asked.caller_number
    target = (term.extension or term.number) if term is not None else ""
    by, action = call.diversions[-1] if call.diversions else ("", "")
    record = call.record
    row = dict.fromkeys(FIELDS, "")
    row |= {
        "core-server": hostname, "call-session-id": call.id, "call-orig-call-id": call.alias or call.id,
        "call-orig-match-uri": f"sip:{caller.device or origin}@{domain}", "call-orig-user": origin,
        "call-orig-domain": domain if caller.extension else "", "call-orig-uri": f"sip:{origin}@{domain}",
        "call-orig-name": call.asked.caller_name, "caller-id-number": call.shown.number,
        "call-dialed-number": call.dialled, "call-by-action": action, "call-by-user": by,
        "call-by-domain": domain if by else "", "call-term-call-id": term.name if term is not None else "",
        "call-term-user": target, "call-term-domain": domain if term is not None and term.extension else "",
        "call-term-uri": f"sip:{term.device or target}@{domain}" if term is not None else "",
        "call-start-datetime": _when(record.started_at), "call-answer-datetime": _when(record.answered_at),
        "call-audio-codec": term.remote.codec if term is not None and term.remote is not None else "",
    }  # fmt: skip
    return row


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S}" if seconds else ""


def thing_of(directory: Directory, call: Call, queues: tuple[str, ...] = ()) -> Any:
    """A live call is of everybody who is in it, or on its way to."""
    people = {leg.extension for leg in call.legs.values() if leg.extension} | {user for user, _ in call.diversions}
    return people_thing(directory, people, "call", call.id, queues)


def _things(switch: Switch, directory: Directory, call: Call) -> Any:
    queues = tuple(queue for queue in directory.queues_by_extension if switch.queues.place(queue, call.id))
    return thing_of(directory, call, queues)


def _seen(asked: Asked) -> list[dict[str, Any]]:
    rows, sees, user = [], asked.sees("call"), asked.path.get("user")
    for directory in asked.directories("call"):
        switch = asked.house.switch_of(directory.domain.name)
        for call in switch.calls() if switch is not None else ():
            involved = user is None or any(leg.extension == user and not leg.gone for leg in call.legs.values())
            if switch is not None and involved and sees(_things(switch, directory, call)):
                rows.append(told(directory, call, asked.house.hostname))
    return rows


async def _list(asked: Asked) -> Answer:
    if "user" in asked.path:
        _ = asked.user
    return Answer(200, _seen(asked)[asked.page()])


async def _count(asked: Asked) -> Answer:
    return Answer(200, {"total": len(_seen(asked))})


async def _read(asked: Asked) -> Answer:
    call, _ = _found(asked, "view")
    return Answer(200, told(asked.directory, call, asked.house.hostname))


def _found(asked: Asked, action: Action) -> tuple[Call, Leg]:
    """Return the call and the user's leg in it; Refused when there is none, or the actor may not."""
    name, user = asked.path["call_id"], asked.user
    switch = asked.house.switch_of(asked.domain)
    found = control.legs_of(switch, user.extension, name) if switch is not None else None
    if found is None or switch is None:
        raise nothing("call", name)
    asked.require(action, _things(switch, asked.directory, found[0]))
    return found


async def _place(asked: Asked) -> Answer:
    user, number, name = asked.user, asked.needed("call-term-user"), asked.text("call-id")
    asked.require("create", people_thing(asked.directory, (user.extension,), "call", name))
    switch = asked.house.switch_of(asked.domain)
    if switch is None:
        raise Refused(409, f"domain {asked.domain} is configured here, and served by no switch")
    if name and any(call.alias == name for call in switch.calls()):
        raise Refused(409, f"there is a call {name!r} already")
    devices = _origin(asked, user.extension)
    hands_free = YES_NO.of("auto-answer-enabled", asked.body.get("auto-answer-enabled") or "no")
    placed = asked.house.command(
        lambda switch, now: switch.place_call(devices, number, name, now, hands_free=hands_free)
    )
    if not placed:
        raise Refused(409, f"no phone of {user.extension} is registered: there is nobody to place the call for")
    if not asked.synchronous:
        return Answer(202, {"code": 202, "message": "Accepted", "call-id": name or placed, "call-session-id": placed})
    call = switch.call(placed)
    row = told(asked.directory, call, asked.house.hostname) if call is not None else {"call-session-id": placed}
    return Answer(200, {**row, "call-id": name or placed})


def _origin(asked: Asked, extension: str) -> tuple[str, ...]:
    """Return the devices that ring first: the user's own, or the one that is named."""
    directory = asked.directory
    written = asked.text("call-orig-user")
    name = written.removeprefix("sip:").partition("@")[0]
    own = tuple(device.id for device in directory.devices_by_extension.get(extension, ()))
    if name in ("", extension):
        return own
    if name in own:
        return (name,)
    raise wrong("call-orig-user", written, f"a call of {extension} begins at one of its own phones",
                f"send one of {', '.join(own)}, or leave it out")  # fmt: skip


def _deed(do: Callable[[Switch, Call, Leg, Asked], str], action: Action) -> Any:
    async def act(asked: Asked) -> Answer:
        call, leg = _found(asked, action)
        problem = asked.house.command(
            lambda switch, now: switch.control(lambda inside: do(inside, call, leg, asked), now)
        )
        if problem:
            raise Refused(409, problem)
        return ACCEPTED

    return act


def _transfer(switch: Switch, call: Call, leg: Leg, asked: Asked) -> str:
    other = asked.text("call-destination-session-id")
    if other:
        return control.join(switch, call, leg, other)
    target = asked.text("call-term-user") or asked.text("destination")
    if not target:
        raise wrong("call-term-user", None, "it is required", "send an extension or a number")
    return control.send(switch, call, leg, target)


def _end(switch: Switch, call: Call, leg: Leg, asked: Asked) -> str:
    control.end(call)
    return ""


_TOLD = {"type": "object", "properties": dict.fromkeys(FIELDS, TEXT.schema), "required": list(FIELDS)}
_MANY = {"type": "array", "items": _TOLD}
_NEW = {
    "type": "object",
    "properties": {"synchronous": YES_NO.schema, "auto-answer-enabled": YES_NO.schema, **dict.fromkeys(
        ("call-id", "call-term-user", "call-orig-user", "dial-rule-application"), TEXT.schema)},
    "required": ["call-term-user"],
}  # fmt: skip
_TO = {"type": "object", "properties": dict.fromkeys(
    ("call-term-user", "destination", "call-destination-session-id", "hostname"), TEXT.schema)}  # fmt: skip

ROUTES = (
    Route("GET", OF_DOMAIN, _list, "call", "List live calls", None, _MANY, ("start", "limit")),
    Route("GET", f"{OF_DOMAIN}/count", _count, "call", "Count live calls", None, COUNT_SCHEMA),
    Route("GET", OF_USER, _list, "call", "List a user's live calls", None, _MANY, ("start", "limit")),
    Route("POST", OF_USER, _place, "call", "Place a call: the user's phone rings first", _NEW),
    Route("GET", ONE, _read, "call", "Read a live call", None, _TOLD),
    Route("DELETE", ONE, _deed(_end, "delete"), "call", "End a call"),
    Route("PATCH", f"{ONE}/transfer", _deed(_transfer, "edit"), "call", "Transfer the other party",
          _TO),
    Route("PATCH", f"{ONE}/transferPeer", _deed(_transfer, "edit"), "call", "Transfer the other party",
          _TO),
    Route("PATCH", f"{ONE}/answer", _deed(lambda s, c, leg, a: control.answer_there(s, c, leg), "edit"), "call",
          "Have the phone answer"),
    Route("PATCH", f"{ONE}/hold", _deed(lambda s, c, leg, a: control.set_hold(s, c, leg, True), "edit"), "call",
          "Put the other party on hold"),
    Route("PATCH", f"{ONE}/unhold", _deed(lambda s, c, leg, a: control.set_hold(s, c, leg, False), "edit"), "call",
          "Take the other party back"),
    Route("DELETE", f"{ONE}/reject", _deed(lambda s, c, leg, a: control.refuse(c, leg), "delete"), "call",
          "Refuse a call that rings"),
)  # fmt: skip
