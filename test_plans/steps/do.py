"""`do: role.action`: press the buttons of a device, or change the switch (`do: pbx.action`)."""

from __future__ import annotations

from pbx.callflow.script import Script
from test_plans.bench import CannotDo
from test_plans.context import Context
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepFailed

VERB = "do"
ARGUMENTS = frozenset(
    {
        "to",
        "keys",
        "as",
        "extension",
        "state",
        "box",
        "device",
        "label",
        "index",
        "time_frame",
        "within",
        "site",
        "network",
    }
)
WITNESS = "action"
READY_S = "2s"
"""How long a device, or the switch, may take until it can do what it is told."""


def run(context: Context, step: Step) -> Script[str]:
    who, _, action = str(step.arguments["do"]).partition(".")
    arguments = {
        key: str(context.value(value)) for key, value in step.arguments.items() if key not in ("do", "as", "within")
    }
    if "as" in step.arguments:
        context.mark(str(step.arguments["as"]))
    argument = arguments.get("to", arguments.get("keys", ""))
    refusal = ""

    def press() -> None:
        context.acts()
        if who == "pbx":
            context.bench.pbx(action, arguments)
            return
        device = context.device(who)
        if action == "dial":
            context.ask_why(device, argument)
        device.do(action, argument)

    def done() -> bool:
        nonlocal refusal
        try:
            press()
        except CannotDo as error:
            refusal = str(error)
            return False
        return True

    # A telephone may lag behind the switch's own events: pyVoIP tells of a call a second after the INVITE.
    if not (yield from context.until(done, seconds(step.arguments.get("within", READY_S)))):
        raise StepFailed(f"{step.arguments['do']}: {refusal}")
    return "" if who == "pbx" else context.device(who).label
