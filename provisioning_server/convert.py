"""From canonical values to what vendors write: one place, tested by tables (provisioning 3.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def dscp_to_tos(dscp: int) -> int:
    """46 → 184: DSCP is the upper six bits of the TOS byte (RFC 2474 §3)."""
    if not 0 <= dscp <= 63:
        raise ValueError(f"DSCP {dscp} is not 0–63")
    return dscp << 2


def whole_minutes(seconds: int) -> int:
    """Seconds as minutes, rounded up: a registration must not outlive what was asked."""
    return max(1, -(-seconds // 60))


def transport_number(transport: str) -> int:
    """udp 0, tcp 1, tls 2, as Yealink and Grandstream count."""
    return {"udp": 0, "tcp": 1, "tls": 2}[transport]


def poly_transport(transport: str) -> str:
    return {"udp": "UDPOnly", "tcp": "TCPOnly", "tls": "TLS"}[transport]


def standard_offset_s(zone: str, year: int) -> int:
    """Seconds east of UTC outside daylight saving."""
    tz = ZoneInfo(zone)
    offsets = [_offset(tz, datetime(year, month, 1, tzinfo=UTC)) for month in range(1, 13)]
    return int(min(offsets).total_seconds())


def has_daylight_saving(zone: str, year: int) -> bool:
    tz = ZoneInfo(zone)
    return len({_offset(tz, datetime(year, month, 1, tzinfo=UTC)) for month in range(1, 13)}) > 1


def changes(zone: str, year: int) -> list[tuple[datetime, timedelta]]:
    """Return each clock change of the year: (the local wall time before it, the step)."""
    tz = ZoneInfo(zone)
    found = []
    moment = datetime(year, 1, 1, tzinfo=UTC)
    while moment.year == year:
        after = moment + timedelta(hours=1)
        step = _offset(tz, after) - _offset(tz, moment)
        if step:
            found.append(((after + _offset(tz, moment)).replace(tzinfo=None), step))
        moment = after
    return found


def yealink_change(local: datetime) -> str:
    """`3/2/7/2`: month, week of the month (5 is the last), weekday (Monday 1), hour."""
    last = (local + timedelta(days=7)).month != local.month
    week = 5 if last else (local.day - 1) // 7 + 1
    return f"{local.month}/{week}/{local.isoweekday()}/{local.hour}"


def yealink_offset(zone: str, year: int) -> str:
    """`-5` or `+5:30`."""
    seconds = standard_offset_s(zone, year)
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours}" + (f":{minutes:02}" if minutes else "")


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
