"""Structured log on standard error: one line an event of the lab and one a warning of its libraries.

JSON where a machine reads it, text on a terminal. What is secret stays out: a
provisioning path holds a device's token, so only its last part is written, and
keys pressed may be a PIN, so they are not written at all.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from structlog.types import EventDict, Processor

from pbx.bus import Bus
from pbx.events import Event, ServerFault, SipRequest, SipResponse, Stamped

LONG = 300
_JSON = json.JSONEncoder(default=repr)
"""Made once: an encoder for each line costs as much as the line."""
UNWRITTEN = frozenset({"digits", "digit", "record"})


@dataclass(frozen=True, slots=True)
class Log:
    """Where lines go, from which level of `logging` on, and whether a machine reads them."""

    stream: TextIO
    lowest: int
    for_machines: bool


def configure(stream: TextIO = sys.stderr, level: str = "info", form: str = "auto") -> Log:
    """Send structlog from `level` on and the standard library's warnings to `stream`; `form` is json, text or auto."""
    shared: list[Processor] = [structlog.stdlib.add_log_level, _stamp]
    log = Log(
        stream,
        logging.getLevelNamesMapping()[level.upper()],
        form == "json" or (form == "auto" and not stream.isatty()),
    )
    lowest = log.lowest
    written: Processor = (
        structlog.processors.JSONRenderer(lambda event, **_: _JSON.encode(event))
        if log.for_machines
        else structlog.dev.ConsoleRenderer(colors=stream.isatty())
    )
    structlog.configure(
        processors=[*shared, written],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=written, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(lowest, logging.WARNING), force=True)
    return log


def follow(bus: Bus, log: Log) -> Callable[[], None]:
    """Write every event of `bus`, each SIP message at level `debug` only; return what ends it.

    The messages are four of the five events of a registration, and `trace`, the ladder and the book of calls have
    them: writing each would cost more than serving it.
    """
    if log.lowest > logging.INFO:
        kinds = [ServerFault] if log.lowest <= logging.ERROR else []
        return bus.subscribe(_as_json(log.stream) if log.for_machines else _as_text, kinds)
    unsaid = () if log.lowest <= logging.DEBUG else (SipRequest, SipResponse)
    return bus.subscribe(_as_json(log.stream) if log.for_machines else _as_text, but=unsaid)


def _as_json(stream: TextIO) -> Callable[[Stamped], None]:
    """Return what writes an event's line to `stream`, which is line-buffered as standard error is.

    Spelt out: a chain of processors, each with a copy of the line, cost four times as much, a dozen times a call.
    """
    write = stream.write
    newest, time = None, ""

    def line(stamped: Stamped) -> None:
        nonlocal newest, time
        seq, at, event = stamped
        if at is not newest:  # the events of one input have one moment
            newest, time = at, at.wall.isoformat()
        told = [f'{{"seq": {seq}, "time": "{time}", "level": "{_level(event)}", "event": "{event.kind}"']
        for name, value in _readable(event):
            if isinstance(value, str):
                text = _quoted(value if len(value) <= LONG else f"{value[:LONG]}…")
            else:
                text = _JSON.encode(value)
            told.append(f', "{name}": {text}')
        told.append("}\n")
        write("".join(told))

    return line


def _as_text(stamped: Stamped) -> None:
    log = structlog.get_logger()
    say = log.error if isinstance(stamped.event, ServerFault) else log.info
    say(stamped.event.kind, seq=stamped.seq, time=stamped.at.wall.isoformat(), **_told(stamped.event))


def _level(event: Event) -> str:
    return "error" if isinstance(event, ServerFault) else "info"


def _told(event: Event) -> dict[str, Any]:
    """Return what `shown` does, long texts cut short."""
    told = shown(event)
    for name, value in told.items():
        if isinstance(value, str) and len(value) > LONG:
            told[name] = f"{value[:LONG]}…"
    return told


def shown(event: Event) -> dict[str, Any]:
    """Return the fields of an event that have a value, without what nobody may read: tokens and pressed keys."""
    return dict(_readable(event))


def _readable(event: Event) -> Iterator[tuple[str, Any]]:
    for name in _written_of(type(event)):
        value = getattr(event, name)
        if value or (value is not None and value not in ("", ())):
            yield name, str(value).rsplit("/", 1)[-1] if name == "path" else value


def _written_of(kind: type[Event]) -> tuple[str, ...]:
    names = _WRITTEN.get(kind)
    if names is None:
        names = _WRITTEN[kind] = tuple(field.name for field in fields(kind) if field.name not in UNWRITTEN)
    return names


_WRITTEN: dict[type[Event], tuple[str, ...]] = {}


def keep_peers_faults_short() -> None:
    """Tell what is no HTTP in one line: its sender is at fault, and its text may hold a token."""
    logging.getLogger("aiohttp.server").addFilter(_without_peers_trace)


def _without_peers_trace(record: logging.LogRecord) -> bool:
    fault = record.exc_info[1] if record.exc_info else None
    if isinstance(fault, HttpProcessingError):
        record.msg, record.args = "refused a request with %s: %s", (fault.code, type(fault).__name__)
        record.exc_info = None
    return True


def _stamp(_: Any, __: str, event: EventDict) -> EventDict:
    if "time" not in event:
        return structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")(_, __, event)
    return event
