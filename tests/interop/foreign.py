"""Foreign phones as the tests hold them: one set of buttons for baresip and linphone, each with a tone of its own."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.request import urlopen

from tests.interop.baresip import Baresip
from tests.interop.linphone import Linphone
from tests.interop.office import PATIENCE_S, Switchroom
from tests.interop.tones import story, write_tone

TONES = {"101b": 1800.0, "102b": 2100.0, "103b": 2700.0, "107": 2400.0}
"""Above every note of the music on hold."""
TONE_S = 300
"""baresip hangs up when its sound file ends."""
MODULES = "/usr/lib/baresip/modules"


class Buttons(Protocol):
    """What a test does with a foreign phone. Buttons act on its newest call."""

    device: str

    def dial(self, to: str) -> None: ...

    def wait_for_ringing(self) -> None: ...

    def answer(self) -> None: ...

    def wait_until_up(self) -> None: ...

    def hang_up(self) -> None: ...

    def wait_until_over(self) -> None: ...

    def hold(self) -> None: ...

    def resume(self) -> None: ...

    def press(self, keys: str) -> None: ...

    def rest(self) -> None:
        """Be ready for another call: hang up what is left, forget what was heard."""
        ...

    def run_for(self, seconds: float) -> None: ...


class ForeignPhone(Buttons, Protocol):
    """A phone that records; it dials URIs."""

    def recording(self) -> Path | None:
        """What it heard in the present or the last call."""
        ...


class BaresipPhone:
    def __init__(self, device: str, phone: Baresip) -> None:
        self.device = device
        self.phone = phone

    def dial(self, to: str) -> None:
        self.phone.dial(to)

    def wait_for_ringing(self) -> None:
        self.phone.wait_for("CALL_INCOMING")

    def answer(self) -> None:
        self.phone.accept()

    def wait_until_up(self) -> None:
        self.phone.wait_for("CALL_ESTABLISHED")

    def hang_up(self) -> None:
        self.phone.hang_up()

    def wait_until_over(self) -> None:
        self.phone.wait_for("CALL_CLOSED")

    def hold(self) -> None:
        self.phone.command("hold")

    def resume(self) -> None:
        self.phone.command("resume")

    def press(self, keys: str) -> None:
        self.phone.press(keys)

    def recording(self) -> Path | None:
        found = self.phone.heard()
        return found[-1] if found else None

    def rest(self) -> None:
        self.phone.hang_up()
        self.phone.forget()

    def run_for(self, seconds: float) -> None:
        self.phone.run_for(seconds)


class LinphonePhone:
    def __init__(self, device: str, phone: Linphone) -> None:
        self.device = device
        self.phone = phone
        self._calls = 0
        self._record_anew()

    def dial(self, to: str) -> None:
        self.phone.command("call " + to)
        self.phone.wait_for("assigned id")

    def wait_for_ringing(self) -> None:
        self.phone.wait_for("assigned id")

    def answer(self) -> None:
        self.phone.command("answer")

    def wait_until_up(self) -> None:
        self.phone.wait_for("connected.")

    def hang_up(self) -> None:
        self.phone.command("terminate")

    def wait_until_over(self) -> None:
        self.phone.wait_for(" ended")

    def hold(self) -> None:
        self.phone.command("pause")

    def resume(self) -> None:
        self.phone.command("resume")

    def press(self, keys: str) -> None:
        for key in keys:
            self.phone.command(key)
            self.phone.run_for(0.35)

    def recording(self) -> Path | None:
        return self._path if self._path.exists() else None

    def rest(self) -> None:
        self.phone.command("terminate all")
        self.phone.run_for(0.2)
        self._record_anew()
        self.phone.skip()

    def run_for(self, seconds: float) -> None:
        self.phone.run_for(seconds)

    def _record_anew(self) -> None:
        self._calls += 1
        self._path = self.phone.home / f"heard-{self._calls}.wav"
        self.phone.command(f"play {self.phone.home / 'tone.wav'}")
        self.phone.command(f"record {self._path}")
        self.phone.run_for(0.2)


@contextmanager
def booted_baresip(
    switchroom: Switchroom,
    device: str,
    folder: Path,
    address: str,
    *,
    authority: str = "",
    hertz: float = 0.0,
    more: str = "",
    codecs: str = "",
) -> Iterator[BaresipPhone]:
    """Boot a baresip: fetch what the server has for it, add only what belongs to this machine.

    `authority` is the file of who may vouch for a server, `hertz` its tone, `more` further lines of its config,
    `codecs` what it speaks instead of what the server tells it.
    """
    home = folder / device
    (home / "rec").mkdir(parents=True)
    for name in ("config", "accounts", "contacts"):
        with urlopen(switchroom.device(device)["config_url"] + name, timeout=PATIENCE_S) as answer:
            (home / name).write_bytes(answer.read())
    if codecs:
        accounts = (home / "accounts").read_text()
        (home / "accounts").write_text(re.sub(r"audio_codecs=[^;\n]*", f"audio_codecs={codecs}", accounts))
    control = free_port()
    tone = write_tone(home / "tone.wav", hertz or TONES[device], TONE_S)
    local = f"""
module_path {MODULES}
sip_listen {address}:5060
net_interface {address}
rtp_ports 12000-12200
audio_source aufile,{tone}
audio_player aubridge,null{device}
audio_alert aubridge,alert{device}
snd_path {home}/rec
ctrl_tcp_listen 127.0.0.1:{control}
module aufile.so
module aubridge.so
module sndfile.so
module_app ctrl_tcp.so
{f"sip_cafile {authority}" if authority else ""}
{more}
"""
    with (home / "config").open("a") as config:
        config.write(local)
    with Baresip(home, control) as phone:
        phone.wait_for_log("[1 binding]")
        yield BaresipPhone(device, phone)


@contextmanager
def booted_linphone(
    switchroom: Switchroom, device: str, folder: Path, address: str, *, hertz: float = 0.0, more: str = ""
) -> Iterator[LinphonePhone]:
    """Boot a linphonec with nothing but its provisioning URI, what belongs to this machine, and `more` of [sip]."""
    home = folder / device
    (home / ".local" / "share" / "linphone").mkdir(parents=True)
    rc = home / "linphonerc"
    rc.write_text(
        f"[misc]\nconfig-uri={switchroom.device(device)['config_url']}\n"
        f"[sip]\nbind_address={address}\nsip_port={free_port()}\nsip_tcp_port=0\nsip_tls_port=0\nguess_hostname=0\n"
        f"use_ipv6=0\nauto_net_state_mon=0\n{more}[rtp]\nbind_address={address}\naudio_rtp_port=7100-7150\n"
        "[net]\nmtu=0\nfirewall_policy=0\n[video]\nenabled=0\ncapture=0\ndisplay=0\n[storage]\nuri=null\ncall_logs_db_uri=null\n"
    )
    write_tone(home / "tone.wav", hertz or TONES[device], TONE_S)
    with Linphone(home, rc) as phone:
        phone.ask("status register", "registered, identity", PATIENCE_S)
        phone.command("soundcard use files")
        yield LinphonePhone(device, phone)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_to_hear(phone: ForeignPhone, who: str, pattern: str, *others: ForeignPhone) -> str:
    """Wait until what `phone` hears of `who`, told as by `tones.story`, matches `pattern`; return it all.

    `others` run meanwhile, so that nobody's output piles up.
    """
    deadline = time.monotonic() + PATIENCE_S
    told = ""
    while time.monotonic() < deadline:
        recording = phone.recording()
        told = story(recording, TONES[who]) if recording is not None else ""
        if re.search(pattern, told):
            return told
        for each in (phone, *others):
            each.run_for(0.1)
    raise AssertionError(f"{phone.device} did not hear {pattern!r} of {who} within {PATIENCE_S} s, but {told!r}")


def wait_until(holds: Callable[[], bool], what: str, *running: ForeignPhone) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_S} s: {what}"
        for each in running:
            each.run_for(0.1)
