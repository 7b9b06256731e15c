"""The last two parts of the boot strip: where registration and subscription of all lines stand."""

from __future__ import annotations

from collections.abc import Sequence

from lab.phones.boot import Strip
from lab.phones.line import Line
from lab.phones.registration import Standing


def show_standings(strip: Strip, lines: Sequence[Line], now: float) -> None:
    if not lines:
        return
    _show(strip, "register", [line.standing for line in lines], _refusal(lines), now)
    standings = [line.subscription.standing for line in lines if line.subscription is not None]
    if standings:
        _show(strip, "subscribe", standings, "", now)
    elif strip.result("register") == "ok" and strip.result("subscribe") == "wait":
        strip.end("subscribe", now, note="none")


def _show(strip: Strip, part: str, standings: Sequence[Standing], note: str, now: float) -> None:
    result = strip.result(part)
    if all(standing is Standing.GRANTED for standing in standings):
        if result != "ok":
            strip.end(part, now)
    elif any(standing in (Standing.REFUSED, Standing.SILENCE) for standing in standings):
        if result != "fail":
            strip.end(part, now, ok=False, note=note)
    elif result == "wait" and any(standing is Standing.ASKING for standing in standings):
        strip.begin(part, now)


def _refusal(lines: Sequence[Line]) -> str:
    statuses = {line.registration.status for line in lines if line.standing is Standing.REFUSED}
    return f"Register {min(statuses)}" if statuses else "No answer"
