"""Guided steps end to end: a script plays the person in chromium, two baresips are the phones nobody can drive.

What is done is ticked by what the switch sees, a wrong action is explained, and the report keeps apart what was
observed from what was attested.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.conftest import need
from tests.interop.conftest import FOREIGN
from tests.interop.foreign import booted_baresip
from tests.interop.office import ROOT, Switchroom, seed_with
from tests.lab.console.chromium import chromium, opened, unfit_for_everybody

pytestmark = [pytest.mark.browser, pytest.mark.realtime]

PLAN = """
plan: 1
id: guided
title: A person at two phones
roles:
  caller: {can: [dial, hangup], model: baresip}
  desk: {can: [answer], model: baresip}
defaults: {within: 15s}
cases:
  - id: C01
    title: One calls the other, by hand
    timeout: 5m
    steps:
      - {do: caller.dial, to: $desk.extension, via: human}
      - {expect: call.ringing, where: {role: desk}}
      - {do: desk.answer, via: human}
      - {expect: call.up, where: {role: caller}}
      - {human: "Listen at {desk}", role: desk, ask: "Do you hear the tone of the other phone?"}
      - {do: caller.hangup, via: human}
      - {expect: call.ended}
"""


async def asked(page: Page, text: str) -> None:
    await expect(page.locator("#guide .request .deed")).to_contain_text(text)


async def test_a_person_goes_through_a_case_and_the_switch_ticks_what_it_sees(tmp_path: Path) -> None:
    need("baresip")
    browser_path = need("chromium")
    devices = [
        {**device, "password": f"interop-secret-{device['id']}-xyz", "token": f"{number:032x}"}
        for number, device in enumerate(FOREIGN, start=0xB0B0)
    ]
    (tmp_path / "guided.yaml").write_text(PLAN)
    with ExitStack() as stack:
        switchroom = stack.enter_context(Switchroom(tmp_path, seed_with(tmp_path / "seed.yaml", devices)))
        phones = {
            name: stack.enter_context(booted_baresip(switchroom, name, tmp_path, f"127.0.79.{at}"))
            for at, name in ((11, "101b"), (12, "102b"))
        }
        async with chromium(browser_path) as browser, opened(browser, f"{switchroom.ready['console']}/runs") as page:
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
            await page.fill("#by", "Ana Reyes")
            await page.click(".attend button")
            await expect(page.locator("#live")).to_have_attribute("data-state", "live")
            run = await asyncio.create_subprocess_exec(
                sys.executable, "-c", "from lab.cli import main; main()", "run", str(tmp_path / "guided.yaml"),
                "--against", str(tmp_path / "ready.json"), "--json", str(tmp_path / "results.json"),
                cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip

            await expect(page.locator("#guide .request")).to_have_count(1)
            deed = await page.locator("#guide .deed").inner_text()
            caller, desk = ("101b", "102b") if deed.endswith("dial 102") else ("102b", "101b")
            number = desk.removesuffix("b")
            await asked(page, f"dial {number}")
            assert await unfit_for_everybody(page) == []

            phones[caller].dial(f"sip:103@{switchroom.domain}")  # the wrong one
            await expect(page.locator("#guide .instead")).to_contain_text("it dialled 103")
            phones[caller].hang_up()
            phones[caller].wait_until_over()
            phones[caller].dial(f"sip:{number}@{switchroom.domain}")
            await asked(page, "answer the call")
            phones[desk].answer()
            await asked(page, "Listen at")
            await page.click("#guide button[value=yes]")
            await asked(page, "hang up")
            phones[caller].hang_up()
            await expect(page.locator("#guide .request")).to_have_count(0)
            async with asyncio.timeout(60):
                output, _ = await run.communicate()
    assert run.returncode == 0, output
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    witnesses = {step["witness"]: step["detail"] for step in case["steps"]}
    assert set(witnesses) == {"action", "observed", "attested"}
    assert witnesses["attested"].startswith("Ana Reyes at ")
