"""Stock pyVoIP 1.6.8 as a badly behaved handset: a process of its own, booted from what the server served.

Nothing of it is mended. As a program (`python -m tests.interop.stock_pyvoip URL ADDRESS`) it is the handset: it takes
one command a line and tells what happens, each a JSON object. `StockPyvoip` is the test's hand on it.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from tests.interop.program import Program, tell

HERTZ = 600.0
"""What it says into a call."""
RATE = 8000


class StockPyvoip(Program):
    """The handset as a test holds it; a context manager that leaves no process behind."""

    def __init__(self, config_url: str, address: str, log: Path) -> None:
        super().__init__("tests.interop.stock_pyvoip", config_url, address, log=log)
        self.config_url, self.address = config_url, address

    def wait_until_up(self) -> None:
        while self.wait_for("state")["state"] != "ANSWERED":
            continue

    def listen_for(self, seconds: float, hertz: float) -> float:
        """Go on talking; return how loud a tone was in what it heard meanwhile."""
        self.do("listen")
        time.sleep(seconds)
        self.do("tell", str(hertz))
        return float(self.wait_for("heard")["amplitude"])


# --- the handset itself -----------------------------------------------------------------------------------


def main(config_url: str, address: str) -> None:
    from lab.phones.pyvoip.stock import VOIP

    name = config_url.rstrip("/")
    with urlopen(name, timeout=10) as answer:
        (line,) = json.load(answer)["lines"]
    called: list[Any] = []
    ears = bytearray()
    mouth: list[bytes] = []

    def rings(call: Any) -> None:
        called.append(call)
        tell("rings", caller=call.request.headers["From"]["number"])
        follow(call, ears, mouth)

    phone = VOIP.VoIPPhone(
        line["server"]["host"], line["server"]["port"], line["user"], line["password"],
        myIP=address, callCallback=rings, sipPort=5060, rtpPortLow=10_000, rtpPortHigh=10_100,
    )  # fmt: skip
    try:
        phone.start()
    except Exception as fault:  # noqa: BLE001 - it raises a type of its own for each status it does not know
        tell("refused", fault=f"{type(fault).__name__}: {fault}")
        return
    tell("registered")
    time.sleep(1.2)  # its receiving thread begins a second after it is registered
    tell("ready")
    for text in sys.stdin:
        command, argument = json.loads(text)
        try:
            match command:
                case "dial":
                    threading.Thread(target=dial, args=(phone, argument, called, ears, mouth), daemon=True).start()
                case "answer":
                    called[-1].answer()
                case "deny":
                    called[-1].deny()
                case "hang up":
                    called[-1].hangup()
                case "listen":
                    ears.clear()
                case "say":
                    mouth.append(Path(argument).read_bytes())
                case "show":
                    Path(argument).write_bytes(bytes(ears))
                    tell("shown")
                case "tell":
                    tell("heard", amplitude=loudness(bytes(ears), float(argument)))
        except Exception as fault:  # noqa: BLE001 - whatever it does badly is part of what is tested
            tell("fault", command=command, fault=f"{type(fault).__name__}: {fault}")


def dial(phone: Any, number: str, called: list[Any], ears: bytearray, mouth: list[bytes]) -> None:
    call = phone.call(number)
    called.append(call)
    follow(call, ears, mouth)


def follow(call: Any, ears: bytearray, mouth: list[bytes]) -> None:
    """Stay with the call: speak, listen, tell each state; a callback that returned would end it.

    What is in `mouth` is said once, between two stretches of the tone.
    """
    tone = bytes(128 + round(90 * math.sin(2 * math.pi * HERTZ * n / RATE)) for n in range(RATE))
    state, spoke_at = "", 0.0
    while state != "ENDED":
        if call.state.value != state:
            state = call.state.value
            tell("state", state=state)
        if state == "ANSWERED":
            if time.monotonic() - spoke_at > 0.9:
                call.write_audio(mouth.pop() if mouth else tone)
                spoke_at = time.monotonic()
            ears += call.read_audio(160, blocking=False)
            if key := call.get_dtmf():
                tell("key", key=key)
        time.sleep(0.02)
    tell("over")


def loudness(sound: bytes, hertz: float) -> float:
    """Return the amplitude of a tone in 8-bit samples, by Goertzel over the loudest second."""
    best = 0.0
    for start in range(0, max(1, len(sound) - RATE), RATE // 2):
        window = [sample - 128 for sample in sound[start : start + RATE]]
        factor, one, two = 2 * math.cos(2 * math.pi * hertz / RATE), 0.0, 0.0
        for sample in window:
            one, two = sample + factor * one - two, one
        power = max(0.0, one * one + two * two - factor * one * two)
        best = max(best, 2 * math.sqrt(power) / max(1, len(window)))
    return best


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
