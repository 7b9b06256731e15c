"""Stock pyVoIP 1.6.8 as a badly behaved handset: a process of its own, booted from what the server served.

Nothing of it is mended. As a program (`python -m tests.interop.stock_pyvoip URL ADDRESS`) it is the handset: it takes
one command a line and tells what happens, each a JSON object. `StockPyvoip` is the test's hand on it.
"""

from __future__ import annotations

import json
import math
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.request import urlopen

ROOT = Path(__file__).parents[2]
HERTZ = 600.0
"""What it says into a call."""
RATE = 8000


class StockPyvoip:
    """The handset as a test holds it; a context manager that leaves no process behind."""

    def __init__(self, config_url: str, address: str, log: Path) -> None:
        self.config_url, self.address = config_url, address
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.interop.stock_pyvoip", config_url, address],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
        )  # fmt: skip
        self._lines: queue.Queue[str] = queue.Queue()
        self.told: list[dict[str, Any]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> StockPyvoip:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()
        self._log.close()

    def kill(self) -> None:
        """Pull the plug: nobody is told."""
        self._process.kill()
        self._process.wait(10)

    def do(self, command: str, argument: str = "") -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, argument]) + "\n")
        self._process.stdin.flush()

    def wait_for(self, what: str, within_s: float = 60.0) -> dict[str, Any]:
        """Return the next thing told of that name; what comes before it is kept in `told`."""
        deadline = time.monotonic() + within_s
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = json.loads(self._lines.get(timeout=left))
            except queue.Empty:
                break
            self.told.append(event)
            if event["what"] == what:
                return dict(event)
        raise AssertionError(f"the stock phone did not say {what!r}: {self.told}")

    def forget(self) -> None:
        """What was told so far no longer counts."""
        while not self._lines.empty():
            self._lines.get_nowait()
        self.told.clear()

    def wait_until_up(self) -> None:
        while self.wait_for("state")["state"] != "ANSWERED":
            continue

    def listen_for(self, seconds: float, hertz: float) -> float:
        """Go on talking; return how loud a tone was in what it heard meanwhile."""
        self.do("listen")
        time.sleep(seconds)
        self.do("tell", str(hertz))
        return float(self.wait_for("heard")["amplitude"])

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)


# --- the handset itself -----------------------------------------------------------------------------------


def main(config_url: str, address: str) -> None:
    from lab.phones.pyvoip.stock import VOIP

    name = config_url.rstrip("/")
    with urlopen(name, timeout=10) as answer:
        (line,) = json.load(answer)["lines"]
    called: list[Any] = []
    ears = bytearray()

    def rings(call: Any) -> None:
        called.append(call)
        tell("rings", caller=call.request.headers["From"]["number"])
        follow(call, ears)

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
                    threading.Thread(target=dial, args=(phone, argument, called, ears), daemon=True).start()
                case "answer":
                    called[-1].answer()
                case "deny":
                    called[-1].deny()
                case "hang up":
                    called[-1].hangup()
                case "listen":
                    ears.clear()
                case "tell":
                    tell("heard", amplitude=loudness(bytes(ears), float(argument)))
        except Exception as fault:  # noqa: BLE001 - whatever it does badly is part of what is tested
            tell("fault", command=command, fault=f"{type(fault).__name__}: {fault}")


def dial(phone: Any, number: str, called: list[Any], ears: bytearray) -> None:
    call = phone.call(number)
    called.append(call)
    follow(call, ears)


def follow(call: Any, ears: bytearray) -> None:
    """Stay with the call: speak, listen, tell each state; a callback that returned would end it."""
    tone = bytes(128 + round(90 * math.sin(2 * math.pi * HERTZ * n / RATE)) for n in range(RATE))
    state, spoke_at = "", 0.0
    while state != "ENDED":
        if call.state.value != state:
            state = call.state.value
            tell("state", state=state)
        if state == "ANSWERED":
            if time.monotonic() - spoke_at > 0.9:
                call.write_audio(tone)
                spoke_at = time.monotonic()
            ears += call.read_audio(160, blocking=False)
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


def tell(what: str, **more: Any) -> None:
    print(json.dumps({"what": what} | more), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
