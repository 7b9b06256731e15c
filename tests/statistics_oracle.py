"""Queue statistics counted from raw events by the definitions of docs/statistics.md; knows nothing of `pbx.statistics`.

Looks at a finished stream call by call, back and forth, instead of folding it.
"""

from __future__ import annotations

from itertools import pairwise

Line = tuple[float, str, dict]
"""(seconds, kind, fields)."""


def figures(stream: list[Line], queue: str, agents: frozenset[str] = frozenset({"101", "102"})) -> dict[str, float]:
    """Count the callers of a queue; `agents` are the extensions of all there are."""
    calls: dict[str, list[Line]] = {}
    for line in stream:
        if "call" in line[2]:
            calls.setdefault(line[2]["call"], []).append(line)
    counted = dict.fromkeys(
        ("total", "presented", "answered", "in_time", "abandoned", "abandoned_soon", "voicemailed", "forwarded",
         "turned_away", "wait_s", "talk_s", "hold_s", "wrap_up_s", "finished",
         "assisted", "callbacks"), 0.0,
    )  # fmt: skip
    for lines in calls.values():
        for at, (_, kind, it) in enumerate(lines):
            if it.get("queue") != queue:
                continue
            if kind == "queue.joined":
                counted["total"] += 1
                visit = _until(lines[at + 1 :], lambda kind, it: kind == "queue.left" and it["queue"] == queue)
                counted["presented"] += any(kind == "queue.offered" for _, kind, _ in visit)
            counted["callbacks"] += kind == "queue.callback_asked"
            if kind == "queue.left":
                _visit_over(lines, at, it, counted, agents)
    return counted


def _visit_over(lines: list[Line], at: int, it: dict, counted: dict[str, float], agents: frozenset[str]) -> None:
    if it["outcome"] == "answered":
        counted["answered"] += 1
        counted["wait_s"] += it["waited_s"]
        counted["in_time"] += it["waited_s"] <= 20
        _conversation(lines, at, it["agent"], counted, agents)
    elif it["outcome"] == "abandoned":
        counted["abandoned"] += 1
        counted["abandoned_soon"] += it["waited_s"] < 10
    else:
        counted["total"] += it["outcome"] == "refused"
        for _, kind, then in lines[at + 1 :]:
            if kind == "voicemail.greeted":
                counted["voicemailed"] += 1
            elif kind in ("call.offered", "attendant.entered", "queue.joined") or (
                kind == "queue.left" and then["outcome"] == "refused"
            ):
                counted["forwarded"] += 1
            elif kind == "call.ended":
                counted["turned_away"] += 1
            else:
                continue
            break


def _conversation(lines: list[Line], at: int, agent: str, counted: dict[str, float], agents: frozenset[str]) -> None:
    begins = lines[at][0]
    for end, kind, it in lines[at + 1 :]:
        if kind == "call.transferred" and it["device"][:3] == agent[:3]:  # three digits, and letters of telephones
            counted["assisted"] += it["target"][:3] in agents - {agent[:3]}
        if kind == "queue.finished" and it["agent"] == agent:
            held = _held(lines, begins, end)
            counted["finished"] += 1
            counted["hold_s"] += held
            counted["talk_s"] += end - begins - held
            counted["wrap_up_s"] += it["wrap_up_s"]
            return


def _held(lines: list[Line], begins: float, ends: float) -> float:
    """Seconds in which at least one leg held, cut out moment by moment between neighbouring events."""
    seconds = 0.0
    moments = sorted({begins, ends, *(at for at, _, _ in lines if begins < at < ends)})
    for left, right in pairwise(moments):
        on = set()
        for at, kind, it in lines:
            if at <= left and kind == "call.held":
                on.add(it["leg"])
            if at <= left and kind == "call.resumed":
                on.discard(it["leg"])
        seconds += (right - left) if on else 0.0
    return seconds


def _until(lines: list[Line], over) -> list[Line]:
    taken = []
    for line in lines:
        taken.append(line)
        if over(line[1], line[2]):
            break
    return taken
