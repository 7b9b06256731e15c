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
from typing import Any, TextIO

import structlog
from aiohttp.http import HttpProcessingError
from structlog.types import EventDict, Processor

from pbx.bus import Bus
from pbx.events import ServerFault, SipRequest, SipResponse, Stamped, fields

LONG = 300
_JSON = json.JSONEncoder(default=repr)
"""Made once: an encoder for each line costs as much as the line."""
UNWRITTEN = frozenset({"digits", "digit", "record"})


def configure(stream: TextIO = sys.stderr, level: str = "info", form: str = "auto") -> None:
    """Send structlog from `level` on and the standard library's warnings to `stream`; `form` is json, text or auto."""
    shared: list[Processor] = [structlog.stdlib.add_log_level, _stamp]
    lowest = logging.getLevelNamesMapping()[level.upper()]
    written: Processor = (
        structlog.dev.ConsoleRenderer(colors=stream.isatty())
        if form == "text" or (form == "auto" and stream.isatty())
        else structlog.processors.JSONRenderer(lambda event, **_: _JSON.encode(event))
    )
    structlog.configure(
        processors=[*shared, written],
        logger_factory=structlog.PrintLoggerFactory(stream),
        wrapper_class=structlog.make_filtering_bound_logger(lowest),
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=written, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(lowest, logging.WARNING), force=True)


def follow(bus: Bus) -> Callable[[], None]:
    """Write every event of `bus`, each SIP message at level `debug` only; return what ends it.

    The messages are four of the five events of a registration, and `trace`, the ladder and the book of calls have
    them: writing each would cost more than serving it.
    """
    log = structlog.get_logger().bind()

    def write(stamped: Stamped) -> None:
        told = {name: _short(value) for name, value in shown(stamped).items()}
        say = log.error if isinstance(stamped.event, ServerFault) else log.info
        say(stamped.event.kind, seq=stamped.seq, time=stamped.at.wall.isoformat(), **told)

    return bus.subscribe(write, but=() if log.is_enabled_for(logging.DEBUG) else (SipRequest, SipResponse))


def shown(stamped: Stamped) -> dict[str, Any]:
    """Return the fields of an event that have a value, without what nobody may read: tokens and pressed keys."""
    return {
        name: str(value).rsplit("/", 1)[-1] if name == "path" else value
        for name, value in fields(stamped.event).items()
        if name not in UNWRITTEN and value not in ("", None, ())
    }


def keep_peers_faults_short() -> None:
    """Tell what is no HTTP in one line: its sender is at fault, and its text may hold a token."""
    logging.getLogger("aiohttp.server").addFilter(_without_peers_trace)


def _without_peers_trace(record: logging.LogRecord) -> bool:
    fault = record.exc_info[1] if record.exc_info else None
    if isinstance(fault, HttpProcessingError):
        record.msg, record.args = "refused a request with %s: %s", (fault.code, type(fault).__name__)
        record.exc_info = None
    return True


def _short(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONG:
        return value[:LONG] + "…"
    return value


def _stamp(_: Any, __: str, event: EventDict) -> EventDict:
    if "time" not in event:
        return structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")(_, __, event)
    return event
