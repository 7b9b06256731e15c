"""Conference rooms, and who is in them."""

from __future__ import annotations

from typing import Any

from pbx.access import Thing
from pbx.api.answers import ACCEPTED, Answer, nothing
from pbx.api.asked import Asked
from pbx.api.collection import Around, Collection, every
from pbx.api.forms import COUNT, NUMERAL, TEXT, YES_NO, Form, whole
from pbx.api.resources.users import without_placeholder
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, ours, told
from pbx.domain.conferences import Conference
from pbx.domain.directory import Directory
from pbx.ownership import conference_thing
from pbx.switch import control

UNDER = "/domains/{domain}/conferences"


def _pin(name: str) -> Any:
    """A PIN is told to who may read secrets alone."""

    def tell(around: Around, room: Conference) -> str | None:
        asked, directory = around
        seen = asked.sees("secret")(Thing("secret", directory.domain.name))
        return str(getattr(room, name).get_secret_value()) if seen else None

    return tell


def _present(around: Around, room: Conference) -> int:
    return len(_participants(*around, room))


def _participants(asked: Asked, directory: Directory, room: Conference) -> list[dict[str, Any]]:
    switch = asked.house.switch_of(directory.domain.name)
    if switch is None:
        return []
    return [
        {"participant": call.id, "name": call.asked.caller_name, "user": call.caller.extension,
         "domain": directory.domain.name, "conference": room.extension,
         "caller-id-number": call.caller.extension or call.caller.number}
        for call in switch.calls() if switch.conferences.is_in(call, room.extension)
    ]  # fmt: skip


SHAPE = Shape("Conference", (
    ours("conference", NUMERAL, "extension", "conference-id", "user", required=True),
    told("domain", TEXT, lambda around, room: around[1].domain.name),
    ours("description", TEXT, "name", "name"),
    ours("owner", NUMERAL, "owner"),
    ours("leader-pin", Form(NUMERAL.schema, NUMERAL.read), "leader_pin", told=_pin("leader_pin")),
    ours("participant-pin", Form(NUMERAL.schema, NUMERAL.read), "participant_pin", told=_pin("participant_pin")),
    ours("min-participants", whole(1, 1000), "quorum", "quorum"),
    ours("max-participants", COUNT, "max_participants"),
    ours("require-leader", YES_NO, "require_leader"),
    ours("end-when-leader-leaves", YES_NO, "ends_with_leader"),
    ours("announce-arrival", YES_NO, "announce_arrival"),
    ours("announce-departure", YES_NO, "announce_departure"),
    ours("ask-name", YES_NO, "ask_name"),
    ours("site", TEXT, "site"),
    told("participants-current", COUNT, _present),
))  # fmt: skip


def _make_room(asked: Asked, directory: Directory, written: Written) -> Directory:
    return without_placeholder(directory, str(written.values.get("extension", "")))


ROOMS = Collection(
    noun="conference", right="conference", shape=SHAPE, model=Conference, section="conferences", key="extension",
    named="conference", under=UNDER, parameter="conference", items=every("conferences"), thing=conference_thing,
    removed_as="conference", before=_make_room,
    fresh=lambda asked, written: {"name": str(written.values.get("extension", ""))},
    find=lambda asked, directory, name: directory.conferences_by_extension.get(name.partition("@")[0]),
)  # fmt: skip


def _room(asked: Asked) -> Conference:
    room: Conference = ROOMS.one(asked, asked.directory)
    return room


async def _list(asked: Asked) -> Answer:
    return Answer(200, _participants(asked, asked.directory, _room(asked)))


async def _remove(asked: Asked) -> Answer:
    room, name = _room(asked), asked.path["participant"]
    asked.require("edit", conference_thing(asked.directory, room))
    switch = asked.house.switch_of(asked.domain)
    call = switch.call(name) if switch is not None else None
    if switch is None or call is None or not switch.conferences.is_in(call, room.extension):
        raise nothing("participant", name)

    def hang_up(inside: Any) -> str:
        control.end(call)
        return ""

    asked.house.command(lambda switch, now: switch.control(hang_up, now))
    return ACCEPTED


ROUTES = (
    *ROOMS.routes(),
    Route("GET", f"{UNDER}/{{conference}}/participants", _list, "conference", "Who is in a conference", None,
          {"type": "array", "items": {"type": "object"}}),
    Route("DELETE", f"{UNDER}/{{conference}}/participants/{{participant}}", _remove, "conference",
          "Take somebody out of a conference", None, None, (), "edit"),
)  # fmt: skip
