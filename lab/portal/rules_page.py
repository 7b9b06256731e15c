"""Answering rules of a user: their order, the one in force, and what may be done to them (domain-features 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web
from pydantic import ValidationError

from lab.portal.fields import Field, changed_item, read, reasons, tag_of, text_of, value_of, written
from lab.portal.gate import ACTOR
from lab.portal.room import Form, Room, user_tabs
from lab.portal.sections import RULE_FIELDS, USERS
from lab.portal.sight import Sight
from pbx.access import may
from pbx.domain.answering import AnsweringRule
from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent
from pbx.domain.tenancy import User
from pbx.ownership import user_thing


@dataclass(slots=True)
class RulesPage:
    room: Room

    def route(self, app: web.Application) -> None:
        app.router.add_get("/d/{domain}/users/{key}/rules", self._rules)
        app.router.add_post("/d/{domain}/users/{key}/rules", self._edit_rules)

    async def _rules(self, request: web.Request) -> web.Response:
        directory, user = self.room.found(request, USERS)
        self.room.gate.must(request, "view", user_thing(directory, user.extension, "answering rule"))
        return self._ruled(request, directory, user)

    def _ruled(
        self, request: web.Request, directory: Directory, user: User, status: int = 200, wrong: str = ""
    ) -> web.Response:
        sight = Sight(self.room.house, directory)
        in_force = sight.rule_in_force(user)
        frames = dict.fromkeys(one.name for one in directory.time_frames if one.owner in ("", user.extension))
        rows = [
            {
                "place": place, "rule": rule, "active": place == in_force,
                "does": [(field.label, text) for field in RULE_FIELDS
                         if (text := text_of(field, value_of(directory, rule, field)))],
            }
            for place, rule in enumerate(user.rules)
        ]  # fmt: skip
        tag = _rules_tag(directory, user)
        edits = bool(may(request[ACTOR], "edit", user_thing(directory, user.extension, "answering rule")))
        answer = self.room.page(
            request, "portal/rules.html", status=status, room="users", domain=directory.domain.name, user=user,
            rows=rows, tag=tag, goes=sight.rings(user), ring_s=directory.ring_s_of(user), edits=edits, wrong=wrong,
            frames=("*", *frames), fields=RULE_FIELDS, tabs=user_tabs(request, directory, user),
        )  # fmt: skip
        answer.headers["ETag"] = f'"{tag}"'
        return answer

    async def _edit_rules(self, request: web.Request) -> web.Response:
        form = await self.room.form(request)
        directory, user = self.room.found(request, USERS)
        thing = user_thing(directory, user.extension, "answering rule")
        self.room.gate.must(request, "edit", thing)
        if (str(form.get("tag", "")) or request.headers.get("If-Match", "").strip('"')) != _rules_tag(directory, user):
            why = (
                "The rules were changed since you opened this page. These are the newest: do it again if it still fits."
            )
            return self._ruled(request, directory, user, 412, why)
        try:
            changed = _with_rules(directory, user, form)
            kept = directory.with_user(changed)
        except (ValidationError, Inconsistent) as error:
            return self._ruled(request, directory, user, 422, "; ".join(reasons(error).values()))
        except ValueError as error:
            return self._ruled(request, directory, user, 422, str(error))
        if changed != user:
            await self.room.ledger.keep(request, kept, thing, "edit", user, changed)
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/users/{user.extension}/rules")


def _with_rules(directory: Directory, user: User, form: Form) -> User:
    """Return the user as one deed of the page of rules leaves it; ValueError when it cannot be done."""
    rules, deed = list(user.rules), str(form.get("do", ""))
    fields = {name: getattr(user, name) for name in User.model_fields}
    if deed == "settings":
        written_s = str(form.get("ring_s", "")).strip()
        if not written_s.isdecimal():
            raise ValueError(f"ring time {written_s[:20]!r} is no number of seconds")
        ring_s = user.ring_s if int(written_s) == directory.ring_s_of(user) else int(written_s)
        return User.model_validate({**fields, "ring_s": ring_s, "do_not_disturb": bool(form.get("do_not_disturb"))})
    if deed in ("add", "change"):
        place = _place(form, rules) if deed == "change" else None
        old = rules[place] if place is not None else AnsweringRule(time_frame=str(form.get("time_frame", "*")))
        values, wrong = read(RULE_FIELDS, old, written(RULE_FIELDS, directory, old, form))
        values = {name: value if value != "" else None for name, value in values.items()}
        new, more = changed_item(old, values)
        if wrong or new is None:
            raise ValueError("; ".join((wrong | more).values()))
        assert isinstance(new, AnsweringRule)
        if place is not None:
            rules[place] = new
        elif any(rule.time_frame == new.time_frame for rule in rules):
            raise ValueError(f"there is a rule for {new.time_frame} already: one a time frame")
        else:
            rules.insert(0, new)
    else:
        place = _place(form, rules)
        match deed:
            case "up" if place > 0:
                rules[place - 1 : place + 1] = [rules[place], rules[place - 1]]
            case "down" if place + 1 < len(rules):
                rules[place : place + 2] = [rules[place + 1], rules[place]]
            case "up" | "down":
                pass
            case "switch":
                rules[place] = rules[place].model_copy(update={"enabled": not rules[place].enabled})
            case "remove":
                del rules[place]
            case _:
                raise ValueError(f"{deed[:40]!r} is nothing that is done to rules")
    return User.model_validate({**fields, "rules": tuple(rules)})


def _place(form: Form, rules: Sequence[AnsweringRule]) -> int:
    text = str(form.get("place", ""))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) < len(rules)):
        raise ValueError(f"there is no rule {text[:20]!r}")
    return int(text)


def _rules_tag(directory: Directory, user: User) -> str:
    fields = (
        Field("rules", "", shown=lambda directory, user: [rule.model_dump_json() for rule in user.rules]),
        Field("ring_s", "", shown=lambda directory, user: directory.ring_s_of(user)),
        Field("do_not_disturb", ""),
    )
    return tag_of(fields, directory, user)
