"""`recordings/{callid}`: what was recorded of a call, with the address of its sound."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pbx.api.answers import Answer, Refused, nothing
from pbx.api.asked import Asked
from pbx.api.forms import TEXT
from pbx.api.routes import Route
from pbx.domain.kept import CallRecording
from pbx.domain.queues import person
from pbx.ownership import people_thing

_OF_DOMAIN, _OF_USER = "/domains/{domain}/recordings/{callid}", "/domains/{domain}/users/{user}/recordings/{callid}"


def _thing(asked: Asked, kept: CallRecording) -> Any:
    queues = (kept.why.removeprefix("queue "),) if kept.why.startswith("queue ") else ()
    people = (kept.extension, person(kept.left), person(kept.right))
    return people_thing(asked.directory, people, "recording", kept.call, queues)


def _told(asked: Asked, kept: CallRecording) -> dict[str, Any]:
    begun, ended = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S+00:00}"
                    for at in (kept.begun_at, kept.begun_at + kept.seconds))  # fmt: skip
    path = asked.house.recordings / f"{kept.recording}.wav"
    size = path.stat().st_size // 1024 if path.is_file() else 0
    where = f"/ns-api/v2/domains/{asked.domain}/recordings/{kept.call}?recording={kept.recording}&format=wav"
    return {
        "call-recording-status": "converted" if kept.seconds else "recording", "call-id": kept.call,
        "call-recording-started-datetime": begun, "call-recording-ended-datetime": ended if kept.seconds else "",
        "call-recording-remote-wav": where, "call-recording-remote-wav-size-kilobytes": size,
        "call-recording-remote-storage-config-id": "", "call-recording-match-pattern": kept.why,
        "call-recording-retrieved-datetime": "", "file-duration-seconds": round(kept.seconds),
        "file-access-url": where, "geo-call-id": kept.call, "file-size-kilobytes": size,
    }  # fmt: skip


async def _read(asked: Asked) -> Answer:
    name, user = asked.path["callid"], asked.path.get("user")
    sees = asked.sees("recording")
    served = asked.house.switch_of(asked.domain) is not None
    found = [
        kept
        for kept in (asked.house.store.call_recordings() if served else ())
        if kept.call == name and user in (None, kept.extension) and sees(_thing(asked, kept))
    ]
    if not found:
        raise nothing("recording of call", name)
    if asked.query.get("format") != "wav":
        return Answer(200, [_told(asked, kept) for kept in found])
    wanted = asked.query.get("recording", found[0].recording)
    kept = next((kept for kept in found if kept.recording == wanted), found[0])
    path = asked.house.recordings / f"{kept.recording}.wav"
    if not path.is_file():
        raise Refused(410, "the sound is gone")
    return Answer(200, path.read_bytes(), kind="audio/wav")


_TOLD = {"type": "array", "items": {"type": "object", "properties": {"call-id": TEXT.schema}}}
ROUTES = tuple(
    Route("GET", path, _read, "recording", "Recordings of a call; format=wav for the sound", None, _TOLD,
          ("format", "recording"))
    for path in (_OF_DOMAIN, _OF_USER)
)  # fmt: skip
