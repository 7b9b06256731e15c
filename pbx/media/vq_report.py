"""Quality reports of phones (RFC 6035, `application/vq-rtcpxr`), read with patience: each phone writes its own way."""

from __future__ import annotations

import re
from dataclasses import dataclass

_KINDS = {"vqsessionreport": "session", "vqintervalreport": "interval", "vqalertreport": "alert"}
_PAIR = re.compile(r'([A-Za-z][\w-]*)\s*=\s*("[^"]*"|\S+)')
_UNKNOWN = frozenset({"", "*", "n/a", "na", "unknown"})
MAX_LINES = 200


class BadReport(ValueError):
    """Text that is no quality report."""


@dataclass(frozen=True, slots=True)
class VqReport:
    """What a phone heard (`LocalMetrics`); None where it says nothing, or that it does not know."""

    kind: str
    """`session`, `interval` or `alert`."""
    call_id: str
    """Of the dialog it is about."""
    codec: str
    lost_percent: float | None
    """Network loss (NLR)."""
    discarded_percent: float | None
    """Discarded by the jitter buffer (JDR)."""
    jitter_ms: float | None
    """Interarrival jitter (IAJ)."""
    buffer_ms: float | None
    """Nominal delay of the jitter buffer (JBN)."""
    round_trip_ms: float | None
    mos_listening: float | None
    mos_conversational: float | None


def read_report(body: bytes) -> VqReport:
    """Read a report; BadReport when it does not begin as one, names no call, or has no local metrics."""
    lines = body.decode("utf-8", "replace").splitlines()[:MAX_LINES]
    fields: dict[str, str] = {}
    metrics: dict[str, dict[str, str]] = {}
    kind, part = "", ""
    for line in lines:
        name, colon, value = line.partition(":")
        name, value = name.strip().lower(), value.strip()
        if not colon:
            continue
        if not kind:
            kind = _KINDS.get(name, "")
            if not kind:
                raise BadReport(f"begins with {name[:40]!r}, not with a report")
        elif name in ("localmetrics", "remotemetrics"):
            part = name
        elif part:
            if part == "localmetrics":
                metrics[name] = {key.lower(): text.strip('"') for key, text in _PAIR.findall(value)}
        else:
            fields[name.replace("-", "")] = value
    if not kind:
        raise BadReport("an empty report")
    call_id = fields.get("callid", "")
    if not call_id:
        raise BadReport("names no call")
    if not metrics:
        raise BadReport("has no local metrics")
    return VqReport(
        kind,
        call_id,
        metrics.get("sessiondesc", {}).get("pd", "")[:40],
        _figure(metrics, "packetloss", "nlr", 100.0),
        _figure(metrics, "packetloss", "jdr", 100.0),
        _figure(metrics, "delay", "iaj", 65_534.0),
        _figure(metrics, "jitterbuffer", "jbn", 65_534.0),
        _figure(metrics, "delay", "rtd", 65_534.0),
        _figure(metrics, "qualityest", "moslq", 5.0),
        _figure(metrics, "qualityest", "moscq", 5.0),
    )


def _figure(metrics: dict[str, dict[str, str]], line: str, name: str, most: float) -> float | None:
    """Return a figure; None when it is missing, said to be unknown, or beyond what it may be (127, 65535: unknown)."""
    text = metrics.get(line, {}).get(name, "").lower()
    if text in _UNKNOWN:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= most else None
