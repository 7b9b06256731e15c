"""Structured log on standard error: one line an event of the lab and one a warning of its libraries.

JSON where a machine reads it, text on a terminal. What is secret stays out: a
provisioning path holds a device's token, so only its last part is written, and
keys pressed may be a PIN, so they are not written at all.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from structlog.types import EventDict, Processor

from pbx.bus import Bus
from pbx.events import Event, ServerFault, SipRequest, SipResponse, Stamped, field_names

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


def follow(bus: Bus, log: Log, later: Callable[[Callable[[], None]], object] | None = None) -> Callable[[], None]:
    """Write every event of `bus`, each SIP message at level `debug` only; return what ends it.

    The messages are four of the five events of a registration, and `trace`, the ladder and the book of calls have
    them: writing each would cost more than serving it. `later` does something when the turn of the loop is over: the
    lines of a turn leave together.
    """
    written = _as_json(log.stream, later) if log.for_machines else _as_text
    if log.lowest > logging.INFO:
        return bus.subscribe(written, [ServerFault] if log.lowest <= logging.ERROR else [])
    return bus.subscribe(written, but=() if log.lowest <= logging.DEBUG else (SipRequest, SipResponse))


def _as_json(stream: TextIO, later: Callable[[Callable[[], None]], object] | None) -> Callable[[Stamped], None]:
    """Return what writes an event's line to `stream`, which is line-buffered as standard error is.

    Spelt out: a chain of processors, each with a copy of the line, cost four times as much, a dozen times a call.
    """
    newest, time = None, ""
    lines: list[str] = []

    def leave() -> None:
        stream.write("".join(lines))
        lines.clear()

    def line(stamped: Stamped) -> None:
        nonlocal newest, time
        seq, at, event = stamped
        if at is not newest:  # the events of one input have one moment
            newest, time = at, at.wall.isoformat()
        told = [f'{{"seq": {seq}, "time": "{time}", "level": "{_level(event)}", "event": "{event.kind}"']
        for name, key in _keys_of(type(event)):
            value = getattr(event, name)
            if type(value) is str:
                if value:
                    told.append(f"{key}{_quoted(_told_text(name, value))}")
            elif value is not None and value != ():
                told.append(f"{key}{_JSON.encode(value)}" if type(value) is not int else f"{key}{value}")
        told.append("}\n")
        lines.append("".join(told))
        if later is None:
            leave()
        elif len(lines) == 1:
            later(leave)

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
    return {name: _told_text(name, value) if isinstance(value, str) else value for name, value in told.items()}


def shown(event: Event) -> dict[str, Any]:
    """Return the fields of an event that have a value, without what nobody may read: tokens and pressed keys."""
    told = {name: getattr(event, name) for name, _ in _keys_of(type(event))}
    return {
        name: _without_token(value) if name == "path" else value
        for name, value in told.items()
        if value is not None and value not in ("", ())
    }


def _keys_of(kind: type[Event]) -> tuple[tuple[str, str], ...]:
    """Return the fields that are written, each with the beginning of its part of a line."""
    keys = _KEYS.get(kind)
    if keys is None:
        keys = _KEYS[kind] = tuple((name, f', "{name}": ') for name in field_names(kind) if name not in UNWRITTEN)
    return keys


_KEYS: dict[type[Event], tuple[tuple[str, str], ...]] = {}


def _told_text(name: str, value: str) -> str:
    if name == "path":
        value = _without_token(value)
    return value if len(value) <= LONG else f"{value[:LONG]}…"


def _without_token(path: str) -> str:
    return path.rsplit("/", 1)[-1]


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
