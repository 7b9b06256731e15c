"""A plan presses two physical phones, baresips, by two makers' remote control; the switch witnesses what comes of it.

The phones' web servers are emulations (`tests.lab.control.emulations`): a Yealink's and a Poly's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from tests.conftest import need
from tests.interop.conftest import FOREIGN
from tests.interop.foreign import BaresipPhone, booted_baresip, free_port
from tests.interop.office import PATIENCE_S, ROOT, Switchroom, seed_with
from tests.lab.control import emulations

pytestmark = pytest.mark.soak  # half a minute and more: the suite has fifteen

PLAN = """
plan: 1
id: driven
title: Two physical phones
roles:
  caller: {can: [dial, hangup, hold], model: baresip}
  desk: {can: [answer], model: baresip}
defaults: {within: 10s}
cases:
  - id: C01
    title: One calls the other, holds, takes back, hangs up
    steps:
      - {do: caller.dial, to: $desk.extension}
      - {expect: call.ringing, where: {role: desk}}
      - {do: desk.answer}
      - {expect: call.up, where: {role: caller}}
      - {do: caller.hold}
      - {expect: call.held, where: {role: caller}}
      - {wait: 1s, because: baresip takes no resume before its hold is through}
      - {do: caller.resume}
      - {expect: call.resumed, where: {role: caller}}
      - {do: caller.hangup}
      - {expect: call.ended}
      - {check: cdr, where: {device: $caller.id, disposition: ANSWERED}}
"""


class Pressed:
    """What a phone's web server presses: the buttons of a baresip. HOLD is one key: it holds, then takes back."""

    def __init__(self, phone: BaresipPhone, domain: str) -> None:
        self._phone, self._domain, self._held = phone, domain, False

    def __call__(self, action: str, argument: str) -> None:
        match action:
            case "dial":
                self._phone.dial(f"sip:{argument}@{self._domain}")
            case "answer":
                self._phone.answer()
            case "hold" | "resume":
                self._held = not self._held
                (self._phone.hold if self._held else self._phone.resume)()
            case "hangup":
                self._phone.hang_up()


@contextmanager
def web_server(app: web.Application, port: int) -> Iterator[None]:
    """Serve in a thread of its own until the end."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app)

    async def start() -> None:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()

    loop.run_until_complete(start())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.mark.realtime
def test_a_plan_presses_physical_phones_by_their_makers_remote_control(tmp_path: Path) -> None:
    need("baresip")
    ports = {"101b": free_port(), "102b": free_port()}
    devices = [
        {**device, "password": f"interop-secret-{device['id']}-xyz", "token": f"{number:032x}"}
        for number, device in enumerate(FOREIGN, start=0xB0B0)
    ]
    seed = seed_with(tmp_path / "seed.yaml", devices)
    document = yaml.safe_load(seed.read_text())
    document["lab"]["control"] = {
        "101b": {"driver": "yealink", "url": f"http://127.0.0.1:{ports['101b']}"},
        "102b": {
            "driver": "poly", "url": f"http://127.0.0.1:{ports['102b']}", "user": "Polycom", "password": "lab-secret",
        },
    }  # fmt: skip
    seed.write_text(yaml.safe_dump(document, allow_unicode=True))
    (tmp_path / "driven.yaml").write_text(PLAN)
    with ExitStack() as stack:
        switchroom = stack.enter_context(Switchroom(tmp_path, seed))
        phones = {
            name: stack.enter_context(booted_baresip(switchroom, name, tmp_path, f"127.0.78.{at}"))
            for at, name in enumerate(ports, start=11)
        }
        buttons = {name: Pressed(phone, switchroom.domain) for name, phone in phones.items()}
        stack.enter_context(web_server(emulations.yealink(buttons["101b"]), ports["101b"]))
        stack.enter_context(web_server(emulations.poly(buttons["102b"]), ports["102b"]))
        done = subprocess.run(
            [
                sys.executable, "-c", "from lab.cli import main; main()", "run", str(tmp_path / "driven.yaml"),
                "--against", str(tmp_path / "ready.json"), "--json", str(tmp_path / "results.json"),
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (case,) = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert case["verdict"] == "passed"
    assert sorted(case["binding"].values()) == ["101b", "102b"]
