"""`number-filters`: numbers the whole domain, or one user, takes no calls from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pbx.api.answers import ACCEPTED, Answer, wrong
from pbx.api.asked import Asked
from pbx.api.resources.answer_rules import with_rules
from pbx.api.routes import Route
from pbx.domain.answering import AnsweringRule
from pbx.domain.directory import Directory
from pbx.ownership import domain_thing, user_thing

DOMAIN, USER = "/domains/{domain}/number-filters", "/domains/{domain}/users/{user}/number-filters"
LIST = "phone-numbers-to-reject"


def _told(directory: Directory, user: str, numbers: tuple[str, ...]) -> list[dict[str, Any]]:
    rejected = {"enabled": "yes" if numbers else "no", "parameters": list(numbers)}
    row = {"domain": directory.domain.name, "user": user, "time-frame": "*", "enabled": "yes", "is-active": True}
    return [{**row, LIST: rejected}]


def _numbers(asked: Asked) -> tuple[str, ...]:
    value = asked.body.get(LIST)
    given = value.get("parameters") if isinstance(value, Mapping) else value
    if not isinstance(given, list) or not all(isinstance(one, str | int) for one in given):
        raise wrong(LIST, None, "its parameters are a list of numbers", 'send {"parameters": ["16135550199"]}')
    return tuple(str(one).strip() for one in given)


def _changed(asked: Asked, before: tuple[str, ...]) -> tuple[str, ...]:
    sent = _numbers(asked)
    if asked.method == "DELETE":
        return tuple(number for number in before if number not in sent)
    return (*before, *(number for number in sent if number not in before))


async def _read_domain(asked: Asked) -> Answer:
    asked.require("view", domain_thing(asked.directory, "domain"))
    return Answer(200, _told(asked.directory, "*", asked.directory.domain.spam_callers))


async def _write_domain(asked: Asked) -> Answer:
    _numbers(asked)

    def edit(directory: Directory) -> Directory:
        asked.require("edit", domain_thing(directory, "domain"))
        callers = _changed(asked, directory.domain.spam_callers)
        return directory.replaced(domain=directory.domain.model_copy(update={"spam_callers": callers}))

    await asked.edit(edit, "number filters")
    return ACCEPTED


def _blocked(directory: Directory, extension: str) -> tuple[str, ...]:
    rules = directory.users_by_extension[extension].rules
    return next((rule.block for rule in rules if rule.time_frame == "*"), ())


async def _read_user(asked: Asked) -> Answer:
    user = asked.user
    asked.require("view", user_thing(asked.directory, user.extension, "answering rule"))
    return Answer(200, _told(asked.directory, user.extension, _blocked(asked.directory, user.extension)))


async def _write_user(asked: Asked) -> Answer:
    """They are those of the rule for every time."""
    _numbers(asked)
    extension = asked.user.extension

    def edit(directory: Directory) -> Directory:
        user = asked.user_in(directory)
        asked.require("edit", user_thing(directory, extension, "answering rule"))
        block = _changed(asked, _blocked(directory, extension))
        rules = user.rules if any(rule.time_frame == "*" for rule in user.rules) else (*user.rules, AnsweringRule())
        new = tuple(rule.model_copy(update={"block": block}) if rule.time_frame == "*" else rule for rule in rules)
        return with_rules(directory, user, new)

    await asked.edit(edit, f"number filters of {extension}")
    return ACCEPTED


_SENT = {"type": "object", "properties": {LIST: {"type": "object"}}, "required": [LIST]}
_MANY = {"type": "array", "items": {"type": "object"}}
ROUTES = (
    Route("GET", DOMAIN, _read_domain, "domain", "Numbers the domain takes no calls from", None, _MANY),
    Route("POST", DOMAIN, _write_domain, "domain", "Add numbers to them", _SENT, None, (), "edit"),
    Route("DELETE", DOMAIN, _write_domain, "domain", "Take numbers from them", _SENT, None, (), "edit"),
    Route("GET", USER, _read_user, "answering rule", "Numbers a user takes no calls from", None, _MANY),
    Route("POST", USER, _write_user, "answering rule", "Add numbers to them", _SENT, None, (), "edit"),
    Route("DELETE", USER, _write_user, "answering rule", "Take numbers from them", _SENT, None, (), "edit"),
)  # fmt: skip
