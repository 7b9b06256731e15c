"""`check: cdr | fax | voicemail | registration | screen | lamp | idle | provisioning | leak | …`: a state.

`answer` is what a laptop was told, `config` what a phone has read (by its maker's names), `caller` who its display
names, `why` where a call would go, now or `at` another moment, `findings` what is wrong with the call flows, `audit` a
line of the day of port, `witness` what a phone tells of its calls against what the switch saw, `statistics` the
figures of the queue that is counted, `registrations` how many there are.
"""

from __future__ import annotations

from collections.abc import Callable

from pbx.callflow.script import Script
from pbx.events import CallRecordWritten, ConfigServed
from test_plans.accounts import disagree, in_words, of_the_phone, of_the_switch
from test_plans.context import Context
from test_plans.expectations import meets, nearest, unmet
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "check"
ARGUMENTS = frozenset(
    {"role", "where", "rows", "within", "shows", "lit", "box", "new", "saved", "kind", "heard", "seconds", "to", "at",
     "line", "account", "pages", "over"}
)  # fmt: skip


def run(context: Context, step: Step) -> Script[str]:
    what = str(step.arguments["check"])
    check = _CHECKS[what]
    within = seconds(step.arguments.get("within", "3s"))
    if not (yield from context.until(lambda: not check(context, step), within)):
        wrong = check(context, step)
        raise StepFailed(wrong, _seen(context, what))
    return ""


def _records(context: Context, step: Step) -> str:
    rows = [s.event for s in context.events if isinstance(s.event, CallRecordWritten)]
    where = context.where(step.arguments.get("where"))
    fitting = [row for row in rows if not unmet(row, where)]
    wanted = int(step.arguments.get("rows", 1))
    if len(fitting) != wanted:
        return f"{len(fitting)} call records fit, not {wanted}"
    lost = [row.call for row in fitting if not context.bench.recorded(row.call)]
    return f"{lost[0]} is not in the call history, though it was said to be written" if lost else ""


def _voicemail(context: Context, step: Step) -> str:
    box = str(context.value(step.arguments["box"]))
    messages = context.bench.messages(box)
    for folder in ("new", "saved"):
        if folder in step.arguments:
            count = sum(message["folder"] == folder for message in messages)
            if not meets(count, step.arguments[folder]):
                return f"box {box} holds {count} {folder} messages, not {step.arguments[folder]}"
    if "seconds" in step.arguments:
        length = messages[-1]["seconds"] if messages else 0.0
        if not meets(length, step.arguments["seconds"]):
            return f"the newest message lasts {length} s, not {step.arguments['seconds']}"
    if "heard" in step.arguments:
        wanted = context.value(step.arguments["heard"])
        if not messages or not meets(messages[-1]["heard"], wanted):
            return f"the newest message holds {messages[-1]['heard'] if messages else 'nothing'}, not {wanted}"
    return ""


def _fax(context: Context, step: Step) -> str:
    """A fax of an account and the newest of a machine are the same to the dot, one sent and the other received."""
    account, role = str(context.value(step.arguments["account"])), str(step.arguments["role"])
    ours, theirs = context.bench.faxes(account), context.device(role).faxes()
    if not ours or not theirs:
        return f"{account if not ours else context.device(role).label} has neither sent nor received a fax"
    two = theirs[-1]
    # Others may fax to the same account meanwhile: the one with these pages is ours, else the newest.
    one = next((fax for fax in reversed(ours) if fax.pages == two.pages and fax.sent != two.sent), ours[-1])
    if one.sent == two.sent:
        return f"both {account} and {role} have {'sent' if one.sent else 'received'} one"
    if one.problem or two.problem:
        return one.problem or two.problem
    if one.pages != two.pages:
        return f"{len(one.pages)} pages at {account} and {len(two.pages)} at {role} are not the same"
    if "pages" in step.arguments and not meets(len(one.pages), step.arguments["pages"]):
        return f"it has {len(one.pages)} pages, not {step.arguments['pages']}"
    if "over" in step.arguments and one.over != str(step.arguments["over"]):
        return f"it went over {one.over}, not {step.arguments['over']}"
    return ""


def _witness(context: Context, step: Step) -> str:
    """The phone says of its calls what the switch says, since the case began."""
    device = context.device(str(step.arguments["role"]))
    events = [stamped.event for stamped in context.events]
    switch, phone = of_the_switch(events, device.id), of_the_phone(events, device.id)
    if not switch or disagree(switch, phone):
        return f"of {device.label} the switch says: {in_words(switch)}; the phone says: {in_words(phone)}"
    return ""


def _registration(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    return "" if device.registered else f"{device.label} is not registered"


def _screen(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    wanted = str(context.value(step.arguments["shows"]))
    return (
        ""
        if any(text in device.screen for text in wanted.split("|"))
        else f"the screen of {device.label} shows {device.screen!r}, not {wanted!r}"
    )


def _lamp(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    lit = step.arguments.get("lit", True) is True
    return "" if device.lamp == lit else f"the lamp of {device.label} is {'on' if device.lamp else 'off'}"


def _idle(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    return "" if device.idle else f"{device.label} is in a call"


def _provisioning(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    wanted = str(step.arguments.get("kind", "device"))
    served = [s.event for s in context.events if isinstance(s.event, ConfigServed)]
    mine = [event for event in served if event.mac == device.mac and event.file_kind == wanted]
    return "" if mine else f"no {wanted} file was served to {device.mac}"


def _leak(context: Context, step: Step) -> str:
    left = {name: count for name, count in context.bench.live().items() if count}
    return f"still in progress: {left}" if left else ""


def _answer(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    status, text = device.answer
    said = {"status": status, "text": text}
    where = context.value(dict(step.arguments.get("where") or {}))
    wrong = [f"{name} is {said[name]!r}, not {wanted!r}" for name, wanted in where.items()
             if not meets(said[name], wanted)]  # fmt: skip
    return f"{device.id} was answered: {'; '.join(wrong)}"[:400] if wrong else ""


def _config(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    where = context.value(dict(step.arguments.get("where") or {}))
    wrong = [f"{name} is {device.config.get(name)!r}, not {wanted!r}" for name, wanted in where.items()
             if not meets(device.config.get(name, ""), wanted)]  # fmt: skip
    return f"{device.label} has read: {'; '.join(wrong)}" if wrong else ""


def _caller(context: Context, step: Step) -> str:
    device = context.device(str(step.arguments["role"]))
    wanted = str(context.value(step.arguments["shows"]))
    return "" if meets(device.shows, wanted) else f"{device.label} names {device.shows!r}, not {wanted!r}"


def _why(context: Context, step: Step) -> str:
    caller = context.device(str(step.arguments["role"]))
    wanted, to = context.value(step.arguments["shows"]), str(context.value(step.arguments["to"]))
    at = str(context.value(step.arguments.get("at", "")))
    outcome = context.bench.why_at(caller, to, at)
    return "" if meets(outcome, wanted) else f"{to} at {at or 'this moment'} leads to {outcome}, not {wanted}"


def _findings(context: Context, step: Step) -> str:
    wanted = str(context.value(step.arguments["shows"]))
    fitting = [text for text in context.bench.findings() if meets(text, wanted)]
    rows = int(step.arguments.get("rows", 1))
    return "" if len(fitting) == rows else f"{len(fitting)} findings are {wanted!r}, not {rows}"


def _audit(context: Context, step: Step) -> str:
    lines, line = context.bench.audit(), str(step.arguments["line"])
    if line not in lines:
        return f"the audit has no line {line!r}; it has {', '.join(lines)}"
    wanted = context.value(step.arguments.get("shows"))
    return "" if meets(lines[line], wanted) else f"{line}: {lines[line] or 'nothing is missing'}"


def _statistics(context: Context, step: Step) -> str:
    figures = context.bench.figures()
    wrong = [f"{name} is {figures.get(name)}, not {wanted}" for name, wanted in step.arguments["where"].items()
             if not meets(figures.get(name), context.value(wanted))]  # fmt: skip
    return "; ".join(wrong)


def _registrations(context: Context, step: Step) -> str:
    count, wanted = context.bench.registrations(), dict(step.arguments.get("where") or {}).get("count")
    return "" if meets(count, wanted) else f"{count} devices are registered, not {wanted}"


def _seen(context: Context, what: str) -> tuple[str, ...]:
    return nearest(context.events, "cdr.written", {}) if what == "cdr" else ()


_CHECKS: dict[str, Callable[[Context, Step], str]] = {
    "cdr": _records,
    "fax": _fax,
    "voicemail": _voicemail,
    "registration": _registration,
    "witness": _witness,
    "screen": _screen,
    "lamp": _lamp,
    "idle": _idle,
    "provisioning": _provisioning,
    "leak": _leak,
    "answer": _answer,
    "config": _config,
    "caller": _caller,
    "why": _why,
    "findings": _findings,
    "audit": _audit,
    "statistics": _statistics,
    "registrations": _registrations,
}
KINDS = frozenset(_CHECKS)
NEEDED: dict[str, frozenset[str]] = {
    "fax": frozenset({"account", "role"}),
    "voicemail": frozenset({"box"}),
    "screen": frozenset({"role", "shows"}),
    "caller": frozenset({"role", "shows"}),
    "why": frozenset({"role", "to", "shows"}),
    "findings": frozenset({"shows"}),
    "audit": frozenset({"line"}),
    "statistics": frozenset({"where"}),
    "registrations": frozenset({"where"}),
    **{
        kind: frozenset({"role"})
        for kind in ("registration", "witness", "lamp", "idle", "provisioning", "answer", "config")
    },
}
"""Kind → the arguments without which it asks for nothing."""
