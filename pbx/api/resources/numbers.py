"""`/domains/{domain}/phonenumbers`: what happens to a call for a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pbx.api.answers import Answer, wrong
from pbx.api.asked import Asked
from pbx.api.collection import Collection, every
from pbx.api.destinations import APPLICATIONS, PARAMETER, application_of, application_read, header_of, target_of
from pbx.api.forms import NUMBER, TEXT, YES_NO, Form, choice
from pbx.api.routes import Route
from pbx.api.shapes import Shape, kept, ours, told
from pbx.domain.destinations import TREATMENTS, parse_destination
from pbx.domain.directory import Directory
from pbx.domain.numbers import NumberRoute, PhoneNumber
from pbx.ownership import site_thing

UNDER = "/domains/{domain}/phonenumbers"
APPLICATION, USER = "dial-rule-application", "dial-rule-translation-destination-user"
AVAILABLE = "available-number"


def _always(number: PhoneNumber) -> Any:
    """Where it leads while no time frame says otherwise."""
    return next((route.to for route in reversed(number.routes) if route.time_frame == "*"), None)


def _prefix(number: PhoneNumber) -> str:
    return f"{number.caller_id_prefix}[*]" if number.caller_id_prefix else "[*]"


def _read_prefix(value: Any) -> str:
    text = TEXT.read(value)
    if text and not text.endswith("[*]"):
        raise ValueError("a prefix is followed by [*], the caller's own name")
    return str(text).removesuffix("[*]")


SHAPE = Shape("Phonenumber", (
    ours("phonenumber", Form(TEXT.schema, NUMBER.read), "number", required=True),
    kept("enabled", YES_NO, "yes"),
    told("domain", TEXT, lambda around, number: around[1].domain.name),
    told(APPLICATION, choice(APPLICATIONS), lambda around, number: application_of(_always(number))),
    told(PARAMETER, TEXT, lambda around, number: header_of(_always(number))),
    told(USER, TEXT, lambda around, number: target_of(_always(number))),
    told("dial-rule-translation-destination-host", TEXT, lambda around, number: around[1].domain.name),
    ours("dial-rule-translation-source-name", Form(TEXT.schema, _read_prefix), "caller_id_prefix",
         told=lambda around, number: _prefix(number)),
    ours("dial-rule-description", TEXT, "description", "phone-number-description"),
    ours("routes", Form({"type": "array", "items": {"type": "object"}}, tuple, lambda routes: None), "routes"),
    ours("site", TEXT, "site"),
))  # fmt: skip


def _prepared(asked: Asked) -> Mapping[str, Any]:
    """Application and target together are the route that holds when no time frame says otherwise."""
    body = {name: value for name, value in asked.body.items() if name != "routes"}
    if "phonenumber" not in body and "phonenumber" in asked.path:
        body["phonenumber"] = asked.path["phonenumber"]
    if body.keys().isdisjoint((APPLICATION, USER, PARAMETER)):
        return body
    before = next((n for n in asked.directory.numbers if n.number == body.get("phonenumber")), None)
    others = tuple(route for route in before.routes if route.time_frame != "*") if before is not None else ()
    now = _always(before) if before is not None else None
    application = asked.text(APPLICATION) or (application_of(now) if now is not None else "to-user")
    if application == AVAILABLE:
        return {**body, "routes": others}
    target = asked.text(USER) or (target_of(now) if now is not None else "")
    header = asked.text(PARAMETER)
    if not header and PARAMETER not in body and "add-header" in application:
        header = header_of(now)
    return {**body, "routes": (*others, NumberRoute(to=_route(asked.directory, application, target, header)))}


def _route(directory: Directory, known: str, target: str, header: str) -> Any:
    if known not in APPLICATIONS:
        raise wrong(APPLICATION, known, f"it is one of {', '.join(APPLICATIONS)}", "send one of them")
    if known.startswith("to-user") and target in directory.attendants_by_extension:
        return parse_destination(f"attendant {target}")
    if known.startswith("to-user") and target in directory.conferences_by_extension:
        return parse_destination(f"conference {target}")
    if known.startswith("to-user") and target in directory.queues_by_extension:
        return parse_destination(f"queue {target}")
    once_to_a_user = known == "to-connection-or-user-no-failover" and target in directory.users_by_extension
    if (known.startswith("to-connection") and not once_to_a_user) or (
        known.startswith("to-user") and len(target) >= 10
    ):
        target = str(NUMBER.read(target) or "")
        known = known if known.startswith("to-connection") else "to-connection"
    try:
        return application_read(known, target, header)
    except ValueError as error:
        if "header" in str(error):
            raise wrong(PARAMETER, header, str(error), "send a header, as X-Door: front") from None
        raise wrong(USER, target, str(error), "send who or what it leads to, as 101") from None


def _eleven(name: str) -> str:
    """Return a number of a path with its 11 digits; empty for what is none."""
    try:
        return str(NUMBER.read(name) or "")
    except ValueError:
        return ""


NUMBERS = Collection(
    noun="number", right="number", shape=SHAPE, model=PhoneNumber, section="numbers", key="number",
    named="phonenumber", under=UNDER, parameter="phonenumber", items=every("numbers"),
    thing=lambda directory, number: site_thing(directory, "number", number.number, number.site), removed_as="number",
    prepared=_prepared, find=lambda asked, directory, name: directory.numbers_by_digits.get(_eleven(name)),
)  # fmt: skip
assert set(TREATMENTS) <= set(APPLICATIONS)


async def _change_by_body(asked: Asked) -> Answer:
    asked.path["phonenumber"] = asked.needed("phonenumber")
    return await NUMBERS.change(asked)


def _everywhere(asked: Asked, directory: Directory) -> Iterator[PhoneNumber]:
    yield from directory.numbers


_ALL = replace(NUMBERS, items=_everywhere, under="/phonenumbers", verbs=("list", "count"))

ROUTES = (
    Route("PUT", UNDER, _change_by_body, "number", "Change the number named in the body", SHAPE.schema(change=True)),
    *NUMBERS.routes(),
    *_ALL.routes(),
)
