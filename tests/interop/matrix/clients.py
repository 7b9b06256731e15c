"""The foreign phones behind one set of buttons: what is different about each is said here and nowhere else."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Protocol

import numpy as np

from tests.interop.foreign import BaresipPhone, Buttons, LinphonePhone
from tests.interop.matrix.sound import Heard, key_tones, read, tone, write
from tests.interop.program import Program
from tests.interop.stock_pyvoip import HERTZ, StockPyvoip

TONE_S = 300.0


class Client(Buttons, Protocol):
    """A foreign phone in the matrix; it dials numbers."""

    hertz: float
    """Of the tone it says into every call."""

    def ring_with_sound(self) -> None:
        """Let the caller hear it before it answers."""
        ...

    def transfer_to(self, number: str) -> None: ...

    def join(self) -> None:
        """Attended: join the other ends of its two calls."""
        ...

    def press_by_info(self, keys: str) -> None: ...

    def press_in_band(self, keys: str) -> None: ...

    def keys(self) -> str:
        """Keys that have come since `rest`."""
        ...

    def lamp(self) -> str:
        """What it was told of messages last: `yes`, `no` or empty."""
        ...

    def ear(self) -> Heard:
        """What it heard in its newest call."""
        ...


class BaresipClient(BaresipPhone):
    hertz = 1800.0

    def __init__(self, device: str, phone: BaresipPhone, domain: str) -> None:
        super().__init__(device, phone.phone)
        self.domain = domain
        self._log = phone.phone.home / "baresip.log"
        self._keys = ""

    def dial(self, to: str) -> None:
        super().dial(f"sip:{to}@{self.domain}")

    def ring_with_sound(self) -> None:
        raise NotImplementedError("baresip 1.0 says nothing before its 200")

    def join(self) -> None:
        raise NotImplementedError("baresip 1.0 transfers blindly")

    def transfer_to(self, number: str) -> None:
        self.phone.command("transfer", f"sip:{number}@{self.domain}")

    def press_by_info(self, keys: str) -> None:
        raise NotImplementedError("baresip 1.0 sends telephone-events alone")

    def press_in_band(self, keys: str) -> None:
        path = self.phone.home / f"keys-{keys.encode().hex()}.wav"
        write(path, np.concatenate([np.zeros(8000), key_tones(keys), tone(self.hertz, TONE_S)]))
        self.phone.command("ausrc", f"aufile,{path}")

    def keys(self) -> str:
        self.run_for(0.05)
        return "".join(event["param"] for event in self.phone.seen if event["type"] == "CALL_DTMF_START")

    def lamp(self) -> str:
        waiting = self._log.read_text(errors="replace").rpartition("Messages-Waiting: ")[2].split()
        return waiting[0] if waiting else ""

    def ear(self) -> Heard:
        newest = max(self.phone.heard(), key=lambda path: path.stat().st_mtime_ns, default=None)
        return read(newest)


class LinphoneClient(LinphonePhone):
    hertz = 1800.0

    def __init__(self, device: str, phone: LinphonePhone, domain: str) -> None:
        self.domain = domain
        super().__init__(device, phone.phone)

    def dial(self, to: str) -> None:
        super().dial(f"sip:{to}@{self.domain}")

    def ring_with_sound(self) -> None:
        """It does so by itself (`incoming_calls_early_media`)."""

    def transfer_to(self, number: str) -> None:
        self.phone.command(f"transfer sip:{number}@{self.domain}")

    def join(self) -> None:
        one, two = re.findall(r"assigned id (\d+)", self.phone.said)[-2:]
        self.phone.command(f"transfer {one} --to-call {two}")

    def press_by_info(self, keys: str) -> None:
        self.phone.command("param sip use_info 1")
        self.phone.command("param sip use_rfc2833 0")
        self.press(keys)

    def press_in_band(self, keys: str) -> None:
        path = self.phone.home / f"keys-{keys.encode().hex()}.wav"
        write(path, np.concatenate([np.zeros(4000), key_tones(keys), tone(self.hertz, TONE_S)]))
        self.phone.command(f"play {path}")

    def keys(self) -> str:
        self.run_for(0.05)
        return "".join(re.findall(r"Receiving tone (\S) from", self.phone.said[self._rested :]))

    def lamp(self) -> str:
        raise NotImplementedError("liblinphone 5.1 knows no message waiting")

    def ear(self) -> Heard:
        return read(self.recording())

    def rest(self) -> None:
        super().rest()
        self._rested = len(self.phone.said)

    _rested = 0


class _ProgramClient:
    """A phone that is a program with our commands (`program`)."""

    def __init__(self, device: str, program: Program, hertz: float) -> None:
        self.device, self.program, self.hertz = device, program, hertz

    def dial(self, to: str) -> None:
        self.program.do("dial", to)

    def wait_for_ringing(self) -> None:
        self.program.wait_for("rings")

    def answer(self) -> None:
        self.program.do("answer")

    def hang_up(self) -> None:
        self.program.do("hang up")

    def wait_until_over(self) -> None:
        self.program.wait_for("over")

    def keys(self) -> str:
        return "".join(event["key"] for event in self.program.listen() if event["what"] == "key")

    def run_for(self, seconds: float) -> None:
        time.sleep(seconds)

    def rest(self) -> None:
        self.program.do("hang up")
        self.program.forget()


class PjsipClient(_ProgramClient):
    HERTZ = 1800.0

    def __init__(self, device: str, program: Program, folder: Path) -> None:
        super().__init__(device, program, self.HERTZ)
        self._folder = folder
        self._call = 0

    def dial(self, to: str) -> None:
        super().dial(to)
        self._call = self.program.wait_for("dials")["call"]

    def wait_for_ringing(self) -> None:
        self._call = self.program.wait_for("rings")["call"]

    def ring_with_sound(self) -> None:
        self.program.do("ring with sound")

    def wait_until_up(self) -> None:
        self.program.wait_for("up", call=self._call)

    def hold(self) -> None:
        self.program.do("hold")

    def resume(self) -> None:
        self.program.do("resume")

    def transfer_to(self, number: str) -> None:
        self.program.do("transfer", number)

    def join(self) -> None:
        self.program.do("join")

    def press(self, keys: str) -> None:
        self.program.do("press", keys)

    def press_by_info(self, keys: str) -> None:
        self.program.do("press by INFO", keys)

    def press_in_band(self, keys: str) -> None:
        self.program.do("press in-band", keys)

    def lamp(self) -> str:
        told = [event["body"] for event in self.program.listen() if event["what"] == "lamp"]
        found = re.search(r"Messages-Waiting: (\w+)", told[-1]) if told else None
        return found[1] if found else ""

    def ear(self) -> Heard:
        return read(self._folder / f"heard-{self._call}.wav")


class PyvoipClient(_ProgramClient):
    def __init__(self, device: str, phone: StockPyvoip, folder: Path) -> None:
        super().__init__(device, phone, HERTZ)
        self._phone, self._path = phone, folder / "heard.raw"

    def wait_until_up(self) -> None:
        self._phone.wait_until_up()

    def press_in_band(self, keys: str) -> None:
        path = self._path.with_suffix(".keys")
        path.write_bytes((key_tones(keys) / 256 + 128).astype(np.uint8).tobytes())
        self._phone.do("say", str(path))

    def ear(self) -> Heard:
        self._phone.do("show", str(self._path))
        self._phone.wait_for("shown")
        sound = np.frombuffer(self._path.read_bytes(), dtype=np.uint8).astype(np.float64)
        return Heard((sound - 128) * 256)

    def rest(self) -> None:
        super().rest()
        self._phone.do("listen")
