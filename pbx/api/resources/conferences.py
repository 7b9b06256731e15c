"""Conference rooms, and who is in them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pbx.access import Thing
from pbx.api.answers import ACCEPTED, Answer, nothing
from pbx.api.asked import Asked
from pbx.api.collection import Around, Collection, every
from pbx.api.forms import COUNT, NUMERAL, TEXT, YES_NO, Form, whole
from pbx.api.resources.users import without_placeholder
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, kept, ours, told
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
        {"participant_match": call.id, "conference_match": f"{room.extension}@{directory.domain.name}",
         "name": call.asked.caller_name, "aor_user": call.caller.extension or call.caller.number,
         "aor_host": directory.domain.name, "contact": call.caller.party, "hostname": asked.house.hostname}
        for call in switch.calls() if switch.conferences.is_in(call, room.extension)
    ]  # fmt: skip


def _aor(value: Any) -> str:
    return str(NUMERAL.read(value)).removeprefix("sip:").partition("@")[0]


def _as_text(form: Form) -> Form:
    """A number that is written as a text there."""
    return Form({"type": "string"}, form.read, lambda ours: str(form.tell(ours)), form.remedy)


SHAPE = Shape("Conference", (
    ours("aor", Form(TEXT.schema, _aor), "extension", "conference", "user", required=True,
         told=lambda around, room: f"{room.extension}@{around[1].domain.name}"),
    told("owner_domain", TEXT, lambda around, room: around[1].domain.name),
    ours("owner", NUMERAL, "owner"),
    told("owner_uid", TEXT, lambda around, room: f"{room.owner}@{around[1].domain.name}" if room.owner else ""),
    ours("name", TEXT, "name", "description"),
    ours("leader_pin", Form(NUMERAL.schema, NUMERAL.read), "leader_pin", told=_pin("leader_pin")),
    ours("participants_pin", Form(NUMERAL.schema, NUMERAL.read), "participant_pin", told=_pin("participant_pin")),
    ours("quorum", _as_text(whole(1, 1000)), "quorum"),
    ours("max_participants", _as_text(COUNT), "max_participants"),
    ours("leader_required", YES_NO, "require_leader"),
    ours("annc_join", YES_NO, "announce_arrival"),
    ours("annc_depart", YES_NO, "announce_departure"),
    ours("request_name", YES_NO, "ask_name"),
    told("num_participants", TEXT, lambda around, room: str(_present(around, room))),
    *(kept(name, TEXT) for name in (
        "speaker_pin", "time_begin", "time_end", "gmt_offset", "activate", "audio_dir", "dial_plan",
        "save_participants", "lock_part", "annc_part", "mute", "trigger_by", "promptAudioId", "confOptions")),
    ours("end-when-leader-leaves", YES_NO, "ends_with_leader"),
    ours("site", TEXT, "site"),
))  # fmt: skip


def _make_room(asked: Asked, directory: Directory, written: Written) -> Directory:
    return without_placeholder(directory, str(written.values.get("extension", "")))


ROOMS = Collection(
    noun="conference", right="conference", shape=SHAPE, model=Conference, section="conferences", key="extension",
    named="aor", under=UNDER, parameter="conference", items=every("conferences"), thing=conference_thing,
    removed_as="conference", before=_make_room,
    fresh=lambda asked, written: {"name": str(written.values.get("extension", ""))},
    verbs=("list", "count", "create", "change", "delete"),
    find=lambda asked, directory, name: directory.conferences_by_extension.get(name.partition("@")[0]),
)  # fmt: skip


def _room(asked: Asked) -> Conference:
    room: Conference = ROOMS.one(asked, asked.directory)
    return room


async def _read(asked: Asked) -> Answer:
    """The platform answers one conference as a list."""
    return Answer(200, [ROOMS.tell((asked, asked.directory), _room(asked))])


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


async def _records(asked: Asked) -> Answer:
    """Who took part, call by call, of what the house keeps."""
    room, domain = _room(asked), asked.domain
    served = asked.house.switch_of(domain) is not None
    rows = [
        {"domain": domain, "conference": room.extension, "conf_name": room.name, "conf_id": record.call,
         "time_begin": _when(record.started_at), "time_end": _when(record.ended_at),
         "duration": str(round(record.talk_s)), "participant_count": 1,
         "participants": [{"domain": domain, "conference": room.extension, "conf_id": record.call,
                           "participant": record.call, "name": record.caller_name or None,
                           "user": record.caller_number, "host": domain, "contact": record.device}]}
        for record in (asked.house.store.records() if served else ()) if record.answered_by == room.extension
    ]  # fmt: skip
    return Answer(200, {"cdr_conference": rows[asked.page()]})


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}" if at else ""


ROUTES = (
    Route("GET", f"{UNDER}/{{conference}}/cdr", _records, "conference", "Who took part in a conference", None,
          {"type": "object"}, ("start", "limit")),
    *ROOMS.routes(),
    Route("GET", f"{UNDER}/{{conference}}", _read, "conference", "Read a conference", None,
          {"type": "array", "items": SHAPE.schema()}),
    Route("GET", f"{UNDER}/{{conference}}/participants", _list, "conference", "Who is in a conference", None,
          {"type": "array", "items": {"type": "object"}}),
    Route("DELETE", f"{UNDER}/{{conference}}/participants/{{participant}}", _remove, "conference",
          "Take somebody out of a conference", None, None, (), "edit"),
)  # fmt: skip
