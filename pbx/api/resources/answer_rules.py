"""`/domains/{domain}/users/{user}/answerrules`: what happens to a call for a user, per time frame, top first.

The user of a queue has one rule, `*`: where callers go whom the queue refuses (busy) or lets go (no answer).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, Fault, Refused, nothing, wrong
from pbx.api.asked import Asked
from pbx.api.collection import COUNT_SCHEMA
from pbx.api.destinations import written
from pbx.api.forms import TEXT, YES_NO
from pbx.api.resources.users import USERS, of_extension
from pbx.api.routes import Route
from pbx.api.shapes import as_refusal
from pbx.callflow.answering import rule_in_force
from pbx.domain.answering import AnsweringRule, RingTarget
from pbx.domain.destinations import parse_destination
from pbx.domain.directory import Directory
from pbx.domain.queues import Queue
from pbx.domain.seed import BadSeed, read_model
from pbx.domain.tenancy import User
from pbx.ownership import queue_thing, user_thing

UNDER = "/domains/{domain}/users/{user}/answerrules"
FORWARDS = {
    "forward-always": "forward_always", "forward-on-active": "forward_on_active", "forward-on-busy": "forward_on_busy",
    "forward-no-answer": "forward_no_answer", "forward-when-unregistered": "forward_offline",
    "forward-on-dnd": "forward_on_dnd", "forward-on-spam-call": "forward_on_spam",
}  # fmt: skip
LISTS = {"phone-numbers-to-allow": "allow", "phone-numbers-to-reject": "block"}
SWITCHES = {"do-not-disturb": "do_not_disturb", "call-screening": "call_screening"}
OF_A_QUEUE = {"forward-on-busy": "unavailable", "forward-no-answer": "overflow"}
LAST = 99
"""Order of `*`, which sorts last."""


def _feature(parameters: list[str]) -> dict[str, Any]:
    return {"enabled": "yes" if parameters else "no", "parameters": parameters}


def told(directory: Directory, user: User, rule: AnsweringRule, order: int, *, active: bool) -> dict[str, Any]:
    """Return a rule as clients read it."""
    ring = [_ring(target) for target in rule.simultaneous_ring]
    forwards = {name: getattr(rule, at) for name, at in FORWARDS.items()}
    return {
        "domain": directory.domain.name, "user": user.extension, "time-frame": rule.time_frame,
        "enabled": YES_NO.tell(rule.enabled), "is-active": active,
        "order": LAST if rule.time_frame == "*" else order,
        "simultaneous-ring": _feature(ring),
        **{name: {"enabled": YES_NO.tell(getattr(rule, at))} for name, at in SWITCHES.items()},
        **{name: _feature([written(to)] if to is not None else []) for name, to in forwards.items()},
        **{name: _feature(list(getattr(rule, at))) for name, at in LISTS.items()},
    }  # fmt: skip


def _ring(target: RingTarget) -> str:
    """`<OwnDevices>`, `1234wp`, `3456;delay=15`, `confirm_18005551234;delay=20`."""
    name = "<OwnDevices>" if target.target == "own" else target.target.partition(" ")[2]
    return f"{'confirm_' if target.confirm else ''}{name}" + (f";delay={target.delay_s:g}" if target.delay_s else "")


def _of_queue(directory: Directory, queue: Queue) -> dict[str, Any]:
    user = of_extension(directory, queue.extension)
    assert user is not None
    rule = AnsweringRule(forward_on_busy=queue.unavailable, forward_no_answer=queue.overflow)
    return told(directory, user, rule, LAST, active=True)


def rules_of(asked: Asked) -> list[dict[str, Any]]:
    directory = asked.directory
    queue = directory.queues_by_extension.get(asked.path["user"])
    if queue is not None:
        return [_of_queue(directory, queue)]
    user = asked.user
    active = rule_in_force(directory, user, asked.now)
    rows = [told(directory, user, rule, at, active=rule is active) for at, rule in enumerate(user.rules)]
    return sorted(rows, key=lambda row: int(row["order"]))


def _may(asked: Asked, action: Any) -> None:
    extension = asked.path["user"]
    if of_extension(asked.directory, extension) is None:
        raise nothing("user", extension)
    asked.require(action, user_thing(asked.directory, extension, "answering rule"))


async def _list(asked: Asked) -> Answer:
    _may(asked, "view")
    return Answer(200, rules_of(asked)[asked.page()])


async def _count(asked: Asked) -> Answer:
    _may(asked, "view")
    return Answer(200, {"total": len(rules_of(asked))})


async def _read(asked: Asked) -> Answer:
    _may(asked, "view")
    return Answer(200, _rule(asked, asked.path["timeframe"]))


def _rule(asked: Asked, name: str) -> dict[str, Any]:
    found = next((row for row in rules_of(asked) if row["time-frame"] == name), None)
    if found is None:
        raise nothing("answering rule for time frame", name)
    return found


def _values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of our rule that a body names; Refused says which of its features is not understood."""
    values: dict[str, Any] = {}
    faults: list[Fault] = []
    if "enabled" in body:
        values["enabled"] = _on(body["enabled"], faults)
    for name, at in SWITCHES.items():
        if name in body:
            values[at] = _enabled(name, body[name], faults)
    for name, at in FORWARDS.items():
        if name in body:
            values[at] = _forward(name, body[name], faults)
    if "simultaneous-ring" in body:
        values["simultaneous_ring"] = tuple(_parameters("simultaneous-ring", body["simultaneous-ring"], faults))
    for name, at in LISTS.items():
        if name in body:
            values[at] = tuple(_parameters(name, body[name], faults))
    if faults:
        raise Refused(400, "; ".join(f"{fault.field}: {fault.rule}" for fault in faults), tuple(faults))
    return values


def _on(value: Any, faults: list[Fault]) -> bool:
    try:
        return bool(YES_NO.read(value))
    except ValueError as error:
        faults.append(Fault("enabled", value, str(error), YES_NO.remedy))
        return False


def _enabled(name: str, value: Any, faults: list[Fault]) -> bool:
    inner = value.get("enabled", "no") if isinstance(value, Mapping) else value
    try:
        return bool(YES_NO.read(inner))
    except ValueError as error:
        faults.append(Fault(name, value, str(error), 'send {"enabled": "yes"}'))
        return False


def _parameters(name: str, value: Any, faults: list[Fault]) -> list[str]:
    """Return what a feature that is on leads to; nothing for one that is off."""
    if not _enabled(name, value, faults):
        return []
    given = value.get("parameters", ()) if isinstance(value, Mapping) else ()
    given = [given] if isinstance(given, str | int) else given
    if not isinstance(given, list | tuple) or not all(isinstance(one, str | int) for one in given):
        faults.append(Fault(name, value, "its parameters are a list of texts", 'send {"parameters": ["102"]}'))
        return []
    return [str(one).strip() for one in given if str(one).strip()]


def _forward(name: str, value: Any, faults: list[Fault]) -> Any:
    targets = _parameters(name, value, faults)
    if not targets:
        return None
    try:
        return parse_destination(targets[0])
    except ValueError as error:
        faults.append(Fault(name, targets[0], str(error), "send who it leads to, as vmail_101 or 16135550199"))
        return None


async def _create(asked: Asked) -> Answer:
    name = asked.text("time-frame") or "*"
    return await _write(asked, name, new=True)


async def _change(asked: Asked) -> Answer:
    return await _write(asked, asked.path["timeframe"], new=False)


async def _write(asked: Asked, name: str, *, new: bool) -> Answer:
    values, extension = _values(asked.body), asked.path["user"]

    def edit(directory: Directory) -> Directory:
        queue = directory.queues_by_extension.get(extension)
        if queue is not None:
            return _with_queue(asked, directory, queue, name)
        user = asked.user_in(directory)
        asked.require("create" if new else "edit", user_thing(directory, extension, "answering rule"))
        known = next((rule for rule in user.rules if rule.time_frame == name), None)
        if new and known is not None:
            raise Refused(409, f"user {extension} has a rule for time frame {name} already")
        if not new and known is None:
            raise nothing("answering rule for time frame", name)
        fields = dict(known) if known is not None else {"time_frame": name}
        try:
            rule = read_model(AnsweringRule, {**fields, **values})
        except BadSeed as bad:
            raise Refused(400, str(bad), tuple(_fault(values, p) for p in bad.problems)) from None
        return with_rules(directory, user, _placed(user.rules, known, rule, asked.text("new-position")))

    await asked.edit(edit, f"answering rules of {extension}")
    return Answer(200, _rule(asked, name)) if asked.synchronous else ACCEPTED


def _fault(values: Mapping[str, Any], problem: Any) -> Fault:
    at = str(problem.path[0]) if problem.path else ""
    names = {at: name for table in (FORWARDS, LISTS, SWITCHES) for name, at in table.items()}
    name = names.get(at, at.replace("_", "-"))
    return Fault(name, None, problem.sentence, "send another value")


def _placed(
    rules: tuple[AnsweringRule, ...], known: AnsweringRule | None, rule: AnsweringRule, position: str
) -> tuple[AnsweringRule, ...]:
    if known is not None and not position:
        return tuple(rule if one is known else one for one in rules)
    others = tuple(one for one in rules if one is not known)
    return (rule, *others) if position == "top" else (*others, rule)


def with_rules(directory: Directory, user: User, rules: tuple[AnsweringRule, ...]) -> Directory:
    try:
        return directory.with_user(user.model_copy(update={"rules": rules}))
    except ValueError as error:
        raise as_refusal(error, USERS.shape, {}) from None


def _with_queue(asked: Asked, directory: Directory, queue: Queue, name: str) -> Directory:
    asked.require("edit", queue_thing(directory, queue))
    if name != "*":
        raise wrong("time-frame", name, "the user of a queue has one rule, for every time", "send *")
    faults: list[Fault] = []
    values = {at: _forward(theirs, asked.body[theirs], faults) for theirs, at in OF_A_QUEUE.items()
              if theirs in asked.body}  # fmt: skip
    if faults:
        raise Refused(400, faults[0].rule, tuple(faults))
    new = queue.model_copy(update=values)
    try:
        return directory.replaced(queues=tuple(new if one is queue else one for one in directory.queues))
    except ValueError as error:
        raise as_refusal(error, USERS.shape, {}) from None


async def _delete(asked: Asked) -> Answer:
    name = asked.path["timeframe"]

    def edit(directory: Directory) -> Directory:
        user = asked.user_in(directory)
        asked.require("delete", user_thing(directory, user.extension, "answering rule"))
        left = tuple(rule for rule in user.rules if rule.time_frame != name)
        if len(left) == len(user.rules):
            raise nothing("answering rule for time frame", name)
        return with_rules(directory, user, left)

    await asked.edit(edit, f"answering rules of {asked.path['user']}")
    return ACCEPTED


async def _reorder(asked: Asked) -> Answer:
    rows = asked.rows if asked.rows is not None else asked.body.get("time-frames")
    names = [str(row.get("time-frame", "")) if isinstance(row, Mapping) else str(row) for row in rows or ()]

    def edit(directory: Directory) -> Directory:
        user = asked.user_in(directory)
        asked.require("edit", user_thing(directory, user.extension, "answering rule"))
        known = {rule.time_frame: rule for rule in user.rules}
        unknown = [name for name in names if name not in known]
        if unknown or not names or len(set(names)) != len(names):
            rule = f"there is no rule for {unknown[0]}" if unknown else "it lists each time frame once"
            raise wrong("time-frame", unknown[0] if unknown else None, rule, f"send {', '.join(known) or 'nothing'}")
        return with_rules(directory, user, (*(known.pop(name) for name in names), *known.values()))

    await asked.edit(edit, f"answering rules of {asked.path['user']}")
    return ACCEPTED


_FEATURE = {"type": "object", "properties": {"enabled": YES_NO.schema, "parameters": {"type": "array"}}}


def _schema(*required: str) -> dict[str, Any]:
    names = {name: {"type": "object"} for name in SWITCHES} | dict.fromkeys((*FORWARDS, *LISTS), _FEATURE)
    properties = {"time-frame": TEXT.schema, "enabled": YES_NO.schema, "simultaneous-ring": _FEATURE, **names}
    return {"type": "object", "properties": properties, **({"required": list(required)} if required else {})}


_TOLD = _schema()
_ROWS = {"type": "array", "items": {"type": "object", "properties": {"time-frame": TEXT.schema},
                                    "required": ["time-frame"]}}  # fmt: skip

ROUTES = (
    Route("GET", UNDER, _list, "answering rule", "List answering rules", None, {"type": "array", "items": _TOLD},
          ("start", "limit")),
    Route("POST", UNDER, _create, "answering rule", "Create an answering rule", _schema("time-frame"), _TOLD),
    Route("GET", f"{UNDER}/count", _count, "answering rule", "Count answering rules", None, COUNT_SCHEMA),
    Route("PUT", f"{UNDER}/reorder", _reorder, "answering rule", "Order answering rules", _ROWS),
    Route("GET", f"{UNDER}/{{timeframe}}", _read, "answering rule", "Read an answering rule", None, _TOLD),
    Route("PUT", f"{UNDER}/{{timeframe}}", _change, "answering rule", "Change an answering rule", _schema(), _TOLD),
    Route("DELETE", f"{UNDER}/{{timeframe}}", _delete, "answering rule", "Delete an answering rule"),
)  # fmt: skip
