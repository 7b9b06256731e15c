"""Call records: `cdrs` of the house, a domain, a user; a period is required."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from pbx.api.answers import Answer, wrong
from pbx.api.asked import Asked
from pbx.api.forms import TEXT
from pbx.api.routes import Route
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord
from pbx.ownership import record_thing

_ZONED = re.compile(r"(.*)\[([A-Za-z0-9_+/-]+)\]")
INBOUND, OUTBOUND, ON_NET, MISSED = 0, 1, 2, 3
TYPES = {"inbound": INBOUND, "outbound": OUTBOUND, "on-net": ON_NET, "missed": MISSED}
"""Numbers of the list filter; which means what is published nowhere."""
_NULLS = (
    "call-disposition", "call-disposition-notes", "call-disposition-reason", "call-disposition-submitted-datetime",
    "call-disposition-type", "call-fax-codec", "call-fax-relay-side-a-local-port",
    "call-fax-relay-side-a-packet-count", "call-fax-relay-side-a-remote-ip", "call-fax-relay-side-b-packet-count",
    "call-fax-relay-side-b-remote-ip", "call-record-creation-datetime", "call-ringing-datetime",
    "call-term-department", "call-term-reseller", "call-term-site", "call-through-call-id", "call-through-caller-id",
    "call-through-department", "call-through-domain", "call-through-reseller", "call-through-site", "call-through-uri",
    "call-through-user", "call-video-codec", "call-video-relay-side-a-local-port",
    "call-video-relay-side-a-packet-count", "call-video-relay-side-a-remote-ip",
    "call-video-relay-side-b-packet-count", "call-video-relay-side-b-remote-ip", "call-account-code",
)  # fmt: skip
_TEXTS = (
    "call-audio-codec", "call-audio-relay-side-a-remote-ip", "call-audio-relay-side-b-remote-ip",
    "call-batch-answer-datetime", "call-batch-sequence-marker", "call-batch-start-datetime", "call-intelligence-job-id",
    "call-intelligence-percent-negative", "call-intelligence-percent-neutral", "call-intelligence-percent-positive",
    "call-intelligence-topics-top", "call-orig-department", "call-orig-ip-address", "call-orig-site",
    "call-parent-call-id", "call-parent-cdr-id", "call-server-mac-address", "call-tag", "call-term-ip-address",
    "call-through-action", "prefilled-trace-api", "prefilled-transcription-api",
)  # fmt: skip
_ZEROS = (
    "call-audio-relay-side-a-local-port", "call-audio-relay-side-a-packet-count",
    "call-audio-relay-side-b-packet-count", "call-batch-on-hold-duration-seconds", "call-batch-total-duration-seconds",
    "call-leg-ordinal-index", "call-on-hold-duration-seconds", "call-routing-class", "hide-from-results",
)  # fmt: skip
_REASONS = {
    "ANSWERED": "Orig: Bye", "NO ANSWER": "No Answer", "BUSY": "Busy", "CANCELLED": "Orig: Cancel",
    "FAILED": "Failed", "VOICEMAIL": "Orig: Bye", "SERVER RESTART": "Server Restart",
}  # fmt: skip


def period(asked: Asked) -> tuple[float, float]:
    """Return the POSIX seconds a request is about; Refused without both ends of it."""
    return _moment(asked, "datetime-start", "start_time"), _moment(asked, "datetime-end", "end_time")


def _moment(asked: Asked, name: str, formerly: str) -> float:
    text = asked.query.get(name) or asked.query.get(formerly, "")
    remedy = "send RFC 3339, as 2026-11-26T00:00:00-05:00, or with a zone, as 2026-11-26T00:00:00[Canada/Eastern]"
    if not text:
        raise wrong(name, None, "it is required", remedy)
    zoned = _ZONED.fullmatch(text)
    try:
        moment = datetime.fromisoformat((zoned[1] if zoned else text).replace(" ", "+"))
        zone = ZoneInfo(zoned[2]) if zoned else UTC
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).timestamp()
    except (ValueError, KeyError, OSError, OverflowError):
        raise wrong(name, text, "it is no moment", remedy) from None


def type_of(record: CallRecord) -> int:
    if record.disposition not in ("ANSWERED", "VOICEMAIL", "") and record.direction != "outbound":
        return MISSED
    return {"inbound": INBOUND, "outbound": OUTBOUND}.get(record.direction, ON_NET)


def people_of(directory: Directory, record: CallRecord) -> frozenset[str]:
    """Return the extensions of everybody in it."""
    return record_thing(directory, record).owners


def told(directory: Directory, record: CallRecord, hostname: str) -> dict[str, Any]:
    """Return a record of a domain as clients read it."""
    domain = directory.domain.name
    caller, called = _user(directory, record.device), _user(directory, record.answered_by)
    origin, total = record.caller_number, max(0.0, record.ended_at - record.started_at) if record.ended_at else 0.0
    row: dict[str, Any] = dict.fromkeys(_NULLS) | dict.fromkeys(_TEXTS, "") | dict.fromkeys(_ZEROS, 0)
    caller_name = caller.extension if caller is not None else origin
    forwarded = [stop for stop in record.path.split(" > ") if stop.startswith("user:")]
    row |= {
        "id": f"{record.call}-{int(record.started_at)}", "domain": domain, "reseller": directory.reseller.name,
        "call-direction": type_of(record), "call-orig-call-id": record.call, "call-term-call-id": record.call,
        "call-orig-caller-id": _number(origin), "call-orig-user": _number(caller_name), "call-orig-domain": domain,
        "call-orig-from-host": domain, "call-orig-from-name": record.caller_name, "call-orig-from-user": origin,
        "call-orig-from-uri": f"sip:{origin}@{domain}", "call-orig-to-host": domain,
        "call-orig-to-user": record.dialled,
        "call-orig-to-uri": f"sip:{record.dialled}@{domain}", "call-orig-request-host": domain,
        "call-orig-request-user": record.dialled, "call-orig-request-uri": f"sip:{record.dialled}@{domain}",
        "call-orig-pre-routing-uri": f"sip:{record.dialled}@{domain}",
        "call-orig-match-uri": f"sip:{record.device or origin}@{domain}", "call-orig-reseller": directory.reseller.name,
        "call-orig-department": caller.department if caller is not None else "",
        "call-orig-site": caller.site if caller is not None else "",
        "call-term-user": record.answered_by or None, "call-term-caller-id": record.dialled, "call-term-domain": domain,
        "call-term-to-uri": f"sip:{record.answered_by or record.dialled}@{domain}",
        "call-term-match-uri": f"sip:{record.answered_by or record.dialled}@{domain}",
        "call-term-pre-reouting-uri": f"sip:{record.dialled}@{domain}",
        "call-term-department": called.department if called is not None else None,
        "call-term-site": called.site if called is not None else None,
        "call-through-user": forwarded[0].partition(":")[2] if len(forwarded) > 1 else None,
        "call-routing-match-uri": record.path, "call-start-datetime": _when(record.started_at),
        "call-answer-datetime": _when(record.answered_at), "call-disconnect-datetime": _when(record.ended_at),
        "call-disconnect-reason-text": _REASONS.get(record.disposition, record.disposition),
        "call-talking-duration-seconds": round(record.talk_s), "call-total-duration-seconds": round(total),
        "core-server": hostname, "is-trace-expected": True,
    }  # fmt: skip
    return row


def told_user(directory: Directory, record: CallRecord, extension: str) -> dict[str, Any]:
    """Return a record as the call history of one user has it."""
    own = (_user(directory, record.device) or _Nobody).extension == extension
    number = record.dialled if own else record.caller_number
    return {
        "uid": f"{extension}@{directory.domain.name}", "domain": directory.domain.name,
        "cdr_id": f"{record.call}-{int(record.started_at)}", "type": OUTBOUND if own else type_of(record),
        "time_start": int(record.started_at), "time_answer": int(record.answered_at),
        "time_release": int(record.ended_at), "duration": round(record.talk_s),
        "orig_to_uri": f"sip:{record.dialled}@{directory.domain.name}", "number": number or None,
        "name": (None if own else record.caller_name) or None, "onnet": int(record.direction == "internal"), "hide": 0,
        "tag": "", "expected_trace": True,
    }  # fmt: skip


class _Nobody:
    extension = ""


def _user(directory: Directory, who: str) -> Any:
    device = directory.devices_by_id.get(who)
    return directory.users_by_extension.get(device.extension if device is not None else who)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else 0


def _when(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S+00:00}" if seconds else ""


def _of_house(asked: Asked, directory: Directory) -> Iterator[CallRecord]:
    """The records of a domain: what the house keeps is of the domain its switch serves."""
    if asked.house.switch_of(directory.domain.name) is not None:
        yield from asked.house.store.records()


def seen(asked: Asked) -> Iterator[tuple[Directory, CallRecord]]:
    """Return the records of the period that the actor may see, newest first."""
    start, end = period(asked)
    kind, wanted = asked.query.get("type", ""), {name: asked.query.get(name) for name in ("caller", "dialled", "site")}
    if kind and kind.lower() not in (*TYPES, *map(str, TYPES.values()), "received", "off-net"):
        raise wrong("type", kind, "it is Inbound, Outbound, On-net, Off-net, Missed or Received", "leave it out")
    user, sees = asked.path.get("user"), asked.sees("call record")
    for directory in asked.directories("call record"):
        for record in _of_house(asked, directory):
            if not (start <= record.started_at <= end and _is(record, kind.lower())):
                continue
            thing = record_thing(directory, record)
            if user is not None and user not in thing.owners:
                continue
            if wanted["caller"] not in (None, record.caller_number) or wanted["dialled"] not in (None, record.dialled):
                continue
            if wanted["site"] is not None and wanted["site"] not in thing.sites:
                continue
            if sees(thing):
                yield directory, record


def _is(record: CallRecord, kind: str) -> bool:
    match kind:
        case "":
            return True
        case "received":
            return record.direction == "inbound" and bool(record.answered_at)
        case "off-net":
            return record.direction != "internal"
        case _:
            return type_of(record) == (TYPES[kind] if kind in TYPES else int(kind))


async def _list(asked: Asked) -> Answer:
    if asked.domain not in ("", "*"):
        _ = asked.directory
    rows = list(seen(asked))[asked.page()]
    return Answer(200, [told(directory, record, asked.house.hostname) for directory, record in rows])


async def _of_user(asked: Asked) -> Answer:
    extension = asked.user.extension
    return Answer(200, [told_user(directory, record, extension) for directory, record in
                        list(seen(asked))[asked.page()]])  # fmt: skip


async def _count(asked: Asked) -> Answer:
    if "user" in asked.path:
        _ = asked.user
    records = [record for _, record in seen(asked)]
    seconds = round(sum(record.talk_s for record in records))
    return Answer(200, {"total": len(records), "minutes": round(seconds / 60, 2), "seconds": seconds})


_TOLD = {
    "type": "object",
    "properties": dict.fromkeys(("id", "domain", "reseller", *_TEXTS), TEXT.schema)
    | {name: {"type": "integer"} for name in _ZEROS},
}
_MANY = {"type": "array", "items": _TOLD}
_COUNT = {"type": "object", "properties": {"total": {"type": "integer"}, "minutes": {"type": "number"},
          "seconds": {"type": "integer"}}}  # fmt: skip
_QUERY = ("datetime-start", "datetime-end", "start", "limit", "type", "caller", "dialled", "site")

ROUTES = (
    Route("GET", "/cdrs", _list, "call record", "List call records", None, _MANY, _QUERY),
    Route("GET", "/cdrs/count", _count, "call record", "Count call records", None, _COUNT, _QUERY),
    Route("GET", "/domains/{domain}/cdrs", _list, "call record", "List a domain's call records", None, _MANY, _QUERY),
    Route("GET", "/domains/{domain}/cdrs/count", _count, "call record", "Count a domain's call records", None, _COUNT,
          _QUERY),
    Route("GET", "/domains/{domain}/users/{user}/cdrs", _of_user, "call record", "List a user's call records", None,
          {"type": "array", "items": {"type": "object"}}, _QUERY),
    Route("GET", "/domains/{domain}/users/{user}/cdrs/count", _count, "call record", "Count a user's call records",
          None, _COUNT, _QUERY),
)  # fmt: skip
