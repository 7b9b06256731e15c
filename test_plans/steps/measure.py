"""`measure: audio` proves two ways by signatures; `hears` what one device hears, `digits` what is read to it; `rtp`
the figures. The witness is the device's own ear, which recognises sounds in the payloads it receives.

Of the figures (`model.FIGURES`), `where` must hold, `fail` must not, `warn` should not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from pbx.callflow.script import Script
from pbx.events import MediaHeard, MediaReport, fields
from test_plans.bench import BenchDevice, HeardSound
from test_plans.context import Context
from test_plans.expectations import is_kind, meets
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepBlocked, StepFailed

VERB = "measure"
ARGUMENTS = frozenset(
    {"between", "role", "sound", "reads", "within", "where", "fail", "warn", "for", "from", "first", "then", "by"}
)
KINDS = frozenset({"audio", "hears", "digits", "rtp", "delay"})
_DIGIT = "prompt:digit-"
_OCTETS = 160 + 12 + 8 + 20 + 18
"""Of a packet of 20 ms of G.711 or G.722: sound, RTP, UDP, IPv4, Ethernet."""
_AGAIN_S = 1.0
"""A lost packet may hide a sound for a moment; one that is back within this was never gone."""


def run(context: Context, step: Step) -> Script[str]:
    match str(step.arguments["measure"]):
        case "audio":
            return (yield from _audio(context, step))
        case "hears":
            return (yield from _hears(context, step))
        case "delay":
            return (yield from _delay(context, step))
        case "digits":
            return (yield from _digits(context, step))
        case _:
            return (yield from _figures(context, step))


def _audio(context: Context, step: Step) -> Script[str]:
    """Both ends must hear the other's signature, by their own ears, and still do after `for`."""
    one, two = (context.device(str(name)) for name in step.arguments["between"])
    within = seconds(step.arguments.get("within", "4s"))
    pairs = ((one, two), (two, one))

    def deaf() -> list[tuple[BenchDevice, BenchDevice]]:
        return [(ear, mouth) for ear, mouth in pairs if _now(context, ear) != f"signature:{mouth.id}"]

    heard = yield from context.until(lambda: not deaf(), within)
    lasting = seconds(step.arguments.get("for", "1s"))
    if heard and lasting:
        yield from context.pause(lasting)
        heard = yield from context.until(lambda: not deaf(), _AGAIN_S)
    if not heard:
        missing = deaf()
        kind = "no sound in either direction" if len(missing) == 2 else "one-way audio"
        lost = "; ".join(
            f"{ear.label} does not hear {mouth.label} ({_where(context, mouth)})" for ear, mouth in missing
        )
        seen = tuple(f"{ear.label} heard {_recent(ear)}" for ear, _ in pairs)
        raise StepFailed(f"{kind}: {lost}", seen)
    return f"{one.label} and {two.label} hear each other"


def _where(context: Context, mouth: BenchDevice) -> str:
    """Tell on which side of the switch a party's sound is lost."""
    signature = f"signature:{mouth.id}"
    arrived = any(isinstance(s.event, MediaHeard) and s.event.sound == signature for s in context.events)
    return "it reached the switch and was lost after it" if arrived else "it never reached the switch"


def _hears(context: Context, step: Step) -> Script[str]:
    """A sound counts when it began after the last action and the last one measured at this device; `for`: it lasts."""
    ear = context.device(str(step.arguments["role"]))
    sounds = context.value(step.arguments["sound"])
    wanted: Sequence[str] = [str(one) for one in sounds] if isinstance(sounds, list) else [str(sounds)]
    within = seconds(step.arguments.get("within", "5s"))
    since = _since(context, step, ear)

    def found() -> HeardSound | None:
        return next((one for one in ear.heard() if one.at > since and meets(one.sound, wanted)), None)

    if not (yield from context.until(lambda: found() is not None, within)):
        raise StepFailed(f"{ear.label} hears no {' or '.join(wanted)} within {within:g} s", (f"heard {_recent(ear)}",))
    one = found()
    assert one is not None
    context.note_heard(ear, one.at)
    lasting = seconds(step.arguments.get("for", "0s"))
    if lasting:
        yield from context.pause(lasting)
        if not (yield from context.until(lambda: meets(_now(context, ear), wanted), _AGAIN_S)):
            raise StepFailed(f"{ear.label} hears {one.sound}, but not for {lasting:g} s", (f"heard {_recent(ear)}",))
    return f"{ear.label} hears {one.sound}" + (f" for {lasting:g} s" if lasting else "")


def _digits(context: Context, step: Step) -> Script[str]:
    """A number read aloud: its digits, and no others. Twice the same digit is one change to an ear."""
    ear = context.device(str(step.arguments["role"]))
    wanted = str(context.value(step.arguments["reads"]))
    within = seconds(step.arguments.get("within", "15s"))
    since = _since(context, step, ear)

    def read() -> list[HeardSound]:
        return [one for one in ear.heard() if one.at > since and one.sound.startswith(_DIGIT)]

    def said() -> str:
        return _without_repeats("".join(one.sound.removeprefix(_DIGIT) for one in read()))

    if not wanted.isdigit():
        raise StepFailed(f"{wanted!r} is no number that can be read aloud")
    if not (yield from context.until(lambda: said() == _without_repeats(wanted), within)):
        raise StepFailed(
            f"{ear.label} is not read {wanted} within {within:g} s", (f"read to it: {said() or 'nothing'}",)
        )
    context.note_heard(ear, read()[-1].at)
    return f"{ear.label} is read {wanted}"


def _without_repeats(digits: str) -> str:
    return "".join(digit for digit, _ in groupby(digits))


def _since(context: Context, step: Step, ear: BenchDevice) -> float:
    if "from" in step.arguments:
        return context.moment_of(str(step.arguments["from"]))
    return max(context.heard_until(ear), context.acted_at)


def _figures(context: Context, step: Step) -> Script[str]:
    """The relay's own figures of a leg that has ended."""
    device = context.device(str(step.arguments["role"]))
    within = seconds(step.arguments.get("within", "5s"))

    def reports() -> list[MediaReport]:
        return [s.event for s in context.events if isinstance(s.event, MediaReport) and s.event.device == device.id]

    if not (yield from context.until(lambda: bool(reports()), within)):
        raise StepFailed(f"no media report of {device.label}")
    report = reports()[-1]
    figures = _values(report)
    asked = {*step.arguments.get("where", ()), *step.arguments.get("fail", ())}
    for name in sorted(asked):
        if figures[name] is None:
            raise StepBlocked(
                f"nobody measures {name} here" + (": packets in memory have no IP header" * (name == "dscp"))
            )
    where = dict(step.arguments.get("where") or {})
    wrong = [f"{name} is {figures[name]}, not {want}" for name, want in where.items() if not meets(figures[name], want)]
    wrong += _over(figures, step.arguments.get("fail"))
    if wrong:
        raise StepFailed(f"{device.label}: {'; '.join(wrong)}")
    for text in _over(figures, step.arguments.get("warn")):
        context.warnings.append(f"{device.label}: {text}")
    mos = "" if report.mos is None else f", MOS {report.mos}"
    return f"{report.received} packets received, {report.lost} lost, jitter {report.jitter_ms} ms{mos}"


def _delay(context: Context, step: Step) -> Script[str]:
    """From one event to the next of another kind with the same `by`: least, median, p95 and most, in seconds."""
    first, then, by = str(step.arguments["first"]), str(step.arguments["then"]), str(step.arguments["by"])
    began: dict[object, float] = {}
    took: list[float] = []
    for stamped in context.since(context.marks[str(step.arguments.get("from", "start"))]):
        value = fields(stamped.event).get(by, "")
        if not value:
            continue
        if is_kind(stamped.event, first):
            began.setdefault(value, stamped.at.mono)
        elif is_kind(stamped.event, then) and value in began:
            took.append(stamped.at.mono - began.pop(value))
    if not took:
        raise StepFailed(f"no {then} came after a {first} of the same {by}")
    took.sort()
    figures: dict[str, object] = {
        "least": took[0], "median": took[len(took) // 2], "p95": took[min(int(len(took) * 0.95), len(took) - 1)],
        "most": took[-1],
    }  # fmt: skip
    wrong = _over(figures, step.arguments.get("fail"))
    if wrong:
        raise StepFailed(f"from {first} to {then}: {'; '.join(wrong)}")
    context.warnings.extend(_over(figures, step.arguments.get("warn")))
    return f"{len(took)} times, p95 {figures['p95']:.3f} s"
    yield  # a script, though nothing is waited for


def _values(report: MediaReport) -> dict[str, object]:
    expected = report.received + report.lost
    return {
        "received": report.received,
        "sent": report.sent,
        "lost": report.lost,
        "seconds": report.seconds,
        "mos": report.mos,
        "jitter": report.jitter_ms,
        "loss": round(100 * report.lost / expected, 3) if expected else 0.0,
        "codec": report.codec,
        "delay": None if report.round_trip_ms is None else round(report.round_trip_ms / 2, 1),
        "kbit_s": round(report.received / report.seconds * _OCTETS * 8 / 1000, 1) if report.seconds else 0.0,
        "encrypted": report.encrypted,
        "dscp": report.dscp,
    }


def _over(figures: Mapping[str, object], limits: Mapping[str, object] | None) -> list[str]:
    return [
        f"{name} is {figures[name]}, {limit}" for name, limit in (limits or {}).items() if meets(figures[name], limit)
    ]


def _now(context: Context, ear: BenchDevice) -> str:
    """What lasts: an ear without a call hears nothing, whatever it heard last."""
    heard = ear.heard()
    return heard[-1].sound if heard and heard[-1].at >= context.started_at and not ear.idle else ""


def _recent(ear: BenchDevice) -> str:
    return ", ".join(heard.sound for heard in ear.heard()[-4:]) or "nothing"
