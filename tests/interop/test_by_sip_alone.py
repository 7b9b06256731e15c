"""What baresip and linphone let the switch do to them by SIP alone: asked, tried, and believed (docs/drivers.md)."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import need
from tests.interop.office import ROOT, Switchroom
from tests.interop.test_mixed_devices import SEED, SWITCHROOM, softphone

pytestmark = [pytest.mark.soak, pytest.mark.realtime]  # two foreign phones, each waited for

PLAN = """
plan: 1
id: by-sip-alone
title: By SIP alone
roles:
  baresip: {can: [dial], model: baresip}
  linphone: {can: [dial], model: Linphone, without: [pin-four, do-not-disturb]}
  desk: {can: [dial, answer, hangup], traits: [reception]}
defaults: {within: 10s}
cases:
"""
CASE = """
  - id: {phone}-{deed}
    title: {phone}, told to {deed}
    serial: true
    steps:
      - {{do: desk.dial, to: ${phone}.extension}}
      - {{expect: call.ringing, where: {{role: {phone}}}}}
      - {before}
      - {{do: {phone}.{deed}, via: sip}}
"""
DIAL = """
  - id: {phone}-dial{turn}
    title: {phone}, told to dial
    serial: true
    steps:
      - {{do: {phone}.dial, to: $desk.extension, via: sip}}
"""
PHONES = {"baresip": "231", "linphone": "233"}


def plan() -> str:
    text = PLAN
    for phone in PHONES:
        text += DIAL.format(phone=phone, turn="") + DIAL.format(phone=phone, turn="-again")
        text += CASE.format(phone=phone, deed="answer", before="{note: it rings}")
        text += CASE.format(phone=phone, deed="hold", before=f"{{do: {phone}.answer}}")
    return text


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], list[dict[str, Any]]]:
    """Why each case was blocked, and every use of SIP control."""
    need("baresip")
    need("linphonec")
    folder = tmp_path_factory.mktemp("by-sip")
    (folder / "plan.yaml").write_text(plan())
    with ExitStack() as stack:
        switchroom = stack.enter_context(Switchroom(folder, SEED, "--phones"))
        for device in PHONES.values():
            stack.enter_context(softphone(device, folder))
        command = [*SWITCHROOM, "run", str(folder / "plan.yaml"), "--against", str(folder / "ready.json"), "--json",
                   str(folder / "results.json")]  # fmt: skip
        subprocess.run(command, cwd=ROOT, capture_output=True, timeout=300, check=False)
        events = [event for event in switchroom.events() if str(event["event"]).startswith("control.")]
    cases = json.loads((folder / "results.json").read_text())["cases"]
    assert {case["verdict"] for case in cases} == {"blocked"}, cases
    return {case["id"]: case["reason"] for case in cases}, events


def ways(events: list[dict[str, Any]], device: str) -> list[str]:
    return [event["means"] for event in events if event["device"] == device and event["event"] == "control.sent"]


def test_baresip_names_refer_and_refuses_it_and_is_not_asked_again(told):
    blocked, events = told
    assert ways(events, "231") == ["REFER", "INVITE that it answers itself"]
    assert blocked["baresip-dial"] == "baresip.dial: 231 does not answer a call by itself"
    assert blocked["baresip-dial-again"] == "baresip.dial: 231 does not answer a call by itself"


def test_linphone_answers_no_call_by_itself(told):
    blocked, events = told
    assert ways(events, "233")[-1] == "INVITE that it answers itself"
    assert blocked["linphone-dial"] == "linphone.dial: 233 does not answer a call by itself"
    assert blocked["linphone-dial-again"] == "linphone.dial: 233 does not answer a call by itself"


@pytest.mark.parametrize("deed", ["answer", "hold"])
@pytest.mark.parametrize("phone", PHONES)
def test_neither_offers_talk_nor_hold_nor_csta(told, phone, deed):
    assert "names neither an event nor uaCSTA for it" in told[0][f"{phone}-{deed}"]
