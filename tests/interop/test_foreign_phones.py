"""baresip and linphone, configured only by what our server served them, as equals of our own phones."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.conftest import need
from tests.interop.baresip import Baresip
from tests.interop.linphone import Linphone
from tests.interop.office import Switchroom
from tests.interop.tones import seconds_of_tone, write_tone

TONES = {"101b": 440.0, "102b": 1000.0, "107": 700.0}
MODULES = "/usr/lib/baresip/modules"


@pytest.fixture(scope="module", autouse=True)
def _installed() -> None:
    need("baresip")
    need("linphonec")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def baresip(switchroom: Switchroom, device: str, folder: Path, address: str) -> Iterator[Baresip]:
    """Boot a baresip: fetch what the server has for it, add only what belongs to this machine."""
    home = folder / device
    (home / "rec").mkdir(parents=True)
    for name in ("config", "accounts", "contacts"):
        with urlopen(switchroom.device(device)["config_url"] + name, timeout=10) as answer:
            (home / name).write_bytes(answer.read())
    control = free_port()
    tone = write_tone(home / "tone.wav", TONES[device], 60)
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
"""
    with (home / "config").open("a") as config:
        config.write(local)
    with Baresip(home, control) as phone:
        phone.wait_for_log("[1 binding]")
        yield phone


@contextmanager
def linphone(switchroom: Switchroom, device: str, folder: Path, address: str) -> Iterator[Linphone]:
    """Boot a linphonec with nothing but its provisioning URI and what belongs to this machine."""
    home = folder / device
    (home / ".local" / "share" / "linphone").mkdir(parents=True)
    rc = home / "linphonerc"
    rc.write_text(
        f"[misc]\nconfig-uri={switchroom.device(device)['config_url']}\n"
        f"[sip]\nbind_address={address}\nsip_port={free_port()}\nsip_tcp_port=0\nsip_tls_port=0\nguess_hostname=0\n"
        f"use_ipv6=0\nauto_net_state_mon=0\n[rtp]\nbind_address={address}\naudio_rtp_port=7100-7150\n"
        "[net]\nmtu=0\nfirewall_policy=0\n[video]\nenabled=0\ncapture=0\ndisplay=0\n[storage]\nuri=null\ncall_logs_db_uri=null\n"
    )
    tone = write_tone(home / "tone.wav", TONES[device], 60)
    with Linphone(home, rc) as phone:
        phone.ask("status register", "registered, identity", 20)
        phone.command("soundcard use files")
        phone.command(f"play {tone}")
        phone.command(f"record {home / 'heard.wav'}")
        phone.run_for(0.5)
        yield phone


@pytest.fixture
def phones(switchroom: Switchroom, tmp_path: Path) -> Iterator[tuple[Baresip, Baresip]]:
    with ExitStack() as stack:
        one = stack.enter_context(baresip(switchroom, "101b", tmp_path, "127.0.77.11"))
        two = stack.enter_context(baresip(switchroom, "102b", tmp_path, "127.0.77.12"))
        yield one, two


def uri(switchroom: Switchroom, number: str) -> str:
    return f"sip:{number}@{switchroom.domain}"


def heard(phone: Baresip, hertz: float, within_s: float = 5.0) -> float:
    """Return the seconds of a tone in what the phone heard; its recorder closes the file a moment after the call."""
    deadline = time.monotonic() + within_s
    best = 0.0
    while time.monotonic() < deadline:
        best = max((seconds_of_tone(path, hertz) for path in phone.heard()), default=0.0)
        if best > 1.0:
            return best
        phone.run_for(0.2)
    return best


def test_two_baresips_hear_each_other_and_the_caller_hangs_up(switchroom, phones):
    one, two = phones
    one.dial(uri(switchroom, "102"))
    two.wait_for("CALL_INCOMING")
    two.accept()
    one.wait_for("CALL_ESTABLISHED")
    two.wait_for("CALL_ESTABLISHED")
    one.run_for(3)
    one.hang_up()
    two.wait_for("CALL_CLOSED")
    assert heard(one, TONES["102b"]) > 1.0
    assert heard(two, TONES["101b"]) > 1.0


def test_the_called_baresip_hangs_up(switchroom, phones):
    one, two = phones
    one.dial(uri(switchroom, "102"))
    two.wait_for("CALL_INCOMING")
    two.accept()
    one.wait_for("CALL_ESTABLISHED")
    two.hang_up()
    one.wait_for("CALL_CLOSED")


def test_a_baresip_holds_and_resumes(switchroom, phones):
    one, two = phones
    one.dial(uri(switchroom, "102"))
    two.wait_for("CALL_INCOMING")
    two.accept()
    one.wait_for("CALL_ESTABLISHED")
    two.run_for(1)
    two.command("hold")
    two.run_for(1.5)
    two.command("resume")
    two.run_for(2)
    one.hang_up()
    two.wait_for("CALL_CLOSED")
    assert heard(one, TONES["102b"]) > 1.0


def test_a_baresip_presses_keys_at_the_attendant(switchroom, phones):
    one, two = phones
    one.dial(uri(switchroom, "400"))
    one.wait_for("CALL_ESTABLISHED")
    one.run_for(1)
    one.press("3")
    one.run_for(1.5)
    one.press("1")
    two.wait_for("CALL_INCOMING")
    two.accept()
    two.wait_for("CALL_ESTABLISHED")
    two.run_for(2)
    one.hang_up()
    two.wait_for("CALL_CLOSED")
    assert heard(two, TONES["101b"]) > 1.0


def test_a_baresip_reaches_611(switchroom, phones):
    one, _ = phones
    one.dial(uri(switchroom, "611"))
    one.wait_for("CALL_ESTABLISHED")
    one.run_for(2)
    one.hang_up()
    one.wait_for("CALL_CLOSED")


def test_a_baresip_leaves_a_message_and_the_other_sees_its_lamp(switchroom, phones):
    one, two = phones
    one.dial(uri(switchroom, "7102"))
    one.wait_for("CALL_ESTABLISHED")
    one.run_for(10)
    one.hang_up()
    one.wait_for("CALL_CLOSED")
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline:
        two.run_for(0.3)
        log = (two.home / "baresip.log").read_text(errors="replace")
        told = [event for event in two.seen if "MWI" in str(event.get("type", ""))]
        if told or "Messages-Waiting: yes" in log:
            return
    raise AssertionError(f"no lamp: {two.seen} {log[-800:]}")


def test_a_linphone_calls_a_baresip_and_both_are_heard(switchroom, phones, tmp_path):
    _, two = phones
    with linphone(switchroom, "107", tmp_path, "127.0.77.13") as caller:
        caller.command("call " + uri(switchroom, "102"))
        two.wait_for("CALL_INCOMING", 15)
        two.accept()
        two.wait_for("CALL_ESTABLISHED")
        two.run_for(4)
        caller.command("terminate")
        two.wait_for("CALL_CLOSED")
        caller.run_for(1)
        assert heard(two, TONES["107"]) > 1.0
        assert seconds_of_tone(tmp_path / "107" / "heard.wav", TONES["102b"]) > 1.0


def test_a_baresip_calls_a_linphone_which_hangs_up(switchroom, phones, tmp_path):
    one, _ = phones
    with linphone(switchroom, "107", tmp_path, "127.0.77.13") as called:
        one.dial(uri(switchroom, "107"))
        called.wait_for("assigned id", 15)
        called.command("answer")
        one.wait_for("CALL_ESTABLISHED", 15)
        one.run_for(2)
        called.command("terminate")
        one.wait_for("CALL_CLOSED", 15)
