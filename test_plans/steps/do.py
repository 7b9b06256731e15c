"""`do: role.action`: press the buttons of a device, or change the switch (`do: pbx.action`)."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from pbx.callflow.script import Script
from test_plans.bench import CABLE, OPERATIONS, SETTINGS, CannotDo, Lacking
from test_plans.context import Context
from test_plans.plan import Step, seconds
from test_plans.verdicts import StepBlocked, StepFailed

VERB = "do"
ARGUMENTS = frozenset({"to", "keys", "as", "within", "refused", "via"}).union(
    *OPERATIONS.values(), *SETTINGS.values(), CABLE
)
WITNESS = "action"
VIA_S = 10.0
"""How long a way that is asked for may take to be looked at, told and answered."""
READY_S = "2s"
"""How long a device, or the switch, may take until it can do what it is told."""


def _told(name: str, value: Any) -> str:
    """`value` keeps its type: text, number, list or mapping, as JSON."""
    return json.dumps(value, ensure_ascii=False) if name == "value" else str(value)


def run(context: Context, step: Step) -> Script[str]:
    who, _, action = str(step.arguments["do"]).partition(".")
    arguments = {
        key: _told(key, context.value(value))
        for key, value in step.arguments.items()
        if key not in ("do", "as", "within", "refused", "via")
    }
    if "as" in step.arguments:
        context.mark(str(step.arguments["as"]))
    via = str(step.arguments.get("via", ""))
    argument = arguments.get("to", arguments.get("keys", ""))
    if action == "fax":
        argument = f"{argument} {arguments.get('pages', '1')}"
    refusal = ""
    told_before = False

    def press() -> None:
        nonlocal told_before
        # Who takes a while is told once and then asked after: what came meanwhile came of it.
        if not told_before:
            context.acts()
        if who == "pbx":
            context.bench.pbx(action, arguments)
            return
        device, first = context.device(who), not told_before
        told_before = device.patience_s > 0 or bool(via)
        if action in SETTINGS:
            if action in ("be", "register"):
                context.adopt(arguments["device"])
            device.set(action, arguments)
            return
        if action == "dial" and (first or device.idle):  # once its call is there, the switch would answer otherwise
            context.ask_why(device, argument)
        device.do(action, argument, via)

    def done() -> bool:
        nonlocal refusal
        try:
            press()
        except Lacking as error:
            raise StepBlocked(str(error)) from error
        except CannotDo as error:
            refusal = str(error)
            return False
        return True

    if "refused" in step.arguments:
        wanted = str(context.value(step.arguments["refused"]))
        if done():
            raise StepFailed(f"{step.arguments['do']} was done, and should have been refused")
        if not fnmatch.fnmatchcase(refusal, wanted):
            raise StepFailed(f"{step.arguments['do']} was refused for another reason than {wanted}", (refusal,))
        return f"refused: {refusal}"
    # A telephone may lag behind the switch's own events: pyVoIP tells of a call a second after the INVITE.
    if not (yield from context.until(done, _patience(context, who, step))):
        if who != "pbx" and context.device(who).patience_s:
            # Its maker's remote control refuses, or who stands before it has gone: nothing is known of the product.
            raise StepBlocked(f"{step.arguments['do']}: {refusal}")
        raise StepFailed(f"{step.arguments['do']}: {refusal}")
    return "" if who == "pbx" else context.device(who).label


def _patience(context: Context, who: str, step: Step) -> float:
    own = 0.0 if who == "pbx" else context.device(who).patience_s
    if "via" in step.arguments:
        own = max(own, VIA_S)
    return max(seconds(step.arguments.get("within", READY_S)), own)
