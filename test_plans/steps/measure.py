"""`measure: audio` proves two ways by signatures; `hears` what one device hears; `rtp` the figures."""

from __future__ import annotations

from collections.abc import Sequence

from pbx.callflow.script import Script
from pbx.events import MediaReport
from test_plans.bench import BenchDevice
from test_plans.context import Context
from test_plans.expectations import meets
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "measure"
ARGUMENTS = frozenset({"between", "role", "sound", "within", "where", "silent_for", "of"})


def run(context: Context, step: Step) -> Script[str]:
    match str(step.arguments["measure"]):
        case "audio":
            return (yield from _audio(context, step))
        case "hears":
            return (yield from _hears(context, step))
        case "rtp":
            return (yield from _figures(context, step))
        case other:
            raise StepFailed(f"nothing measures {other!r}: audio, hears or rtp")


def _audio(context: Context, step: Step) -> Script[str]:
    """Both ends must hear the other's signature, by their own ears, in payloads received after this step began."""
    one, two = (context.device(str(name)) for name in step.arguments["between"])
    within = seconds(step.arguments.get("within", "4s"))
    start = context.bench.now().mono
    pairs = ((one, f"signature:{two.id}"), (two, f"signature:{one.id}"))

    def deaf() -> list[str]:
        return [f"{ear.label} does not hear {sound}" for ear, sound in pairs if not _now_hears(ear, sound, start)]

    if not (yield from context.until(lambda: not deaf(), within)):
        missing = deaf()
        kind = "no sound in either direction" if len(missing) == 2 else "one-way audio"
        seen = tuple(f"{ear.label} heard {_recent(ear)}" for ear, _ in pairs)
        raise StepFailed(f"{kind}: {'; '.join(missing)}", seen)
    return f"{one.label} and {two.label} hear each other"


def _now_hears(ear: BenchDevice, sound: str, start: float) -> bool:
    """What it hears now; what began before the step and still lasts counts."""
    heard = ear.heard()
    return bool(heard) and heard[-1].sound == sound


def _hears(context: Context, step: Step) -> Script[str]:
    ear = context.device(str(step.arguments["role"]))
    sounds = context.value(step.arguments["sound"])
    wanted: Sequence[str] = [str(one) for one in sounds] if isinstance(sounds, list) else [str(sounds)]
    within = seconds(step.arguments.get("within", "5s"))
    start = context.marks_at(str(step.arguments.get("of", "")))

    def found() -> bool:
        return any(meets(heard.sound, wanted) for heard in ear.heard() if heard.at >= start) or (
            bool(ear.heard()) and meets(ear.heard()[-1].sound, wanted)
        )

    if not (yield from context.until(found, within)):
        raise StepFailed(f"{ear.label} hears no {' or '.join(wanted)} within {within:g} s", (f"heard {_recent(ear)}",))
    return f"{ear.label} hears {' or '.join(wanted)}"


def _figures(context: Context, step: Step) -> Script[str]:
    """The relay's own figures of a leg that has ended."""
    device = context.device(str(step.arguments["role"]))
    where = dict(step.arguments.get("where") or {})
    within = seconds(step.arguments.get("within", "5s"))

    def reports() -> list[MediaReport]:
        return [s.event for s in context.events if isinstance(s.event, MediaReport) and s.event.device == device.id]

    if not (yield from context.until(lambda: bool(reports()), within)):
        raise StepFailed(f"no media report of {device.label}")
    report = reports()[-1]
    wrong = [
        f"{name} is {getattr(report, name)}, not {want}"
        for name, want in where.items()
        if not meets(getattr(report, name), want)
    ]
    if wrong:
        raise StepFailed("; ".join(wrong))
    return f"{report.received} packets received, {report.lost} lost, MOS {report.mos}"


def _recent(ear: BenchDevice) -> str:
    return ", ".join(heard.sound for heard in ear.heard()[-4:]) or "nothing"
