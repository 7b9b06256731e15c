"""Stock pyVoIP, the badly behaved handset: what it does wrong hurts nobody but itself.

It answers a challenge of 401 and no other, with a repeated branch and without qop; makes up the To tag of its ACK and
of its 200; answers a CANCEL with 200 and goes on ringing; refuses a call and falls over it. (sip-stack.md 4)
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any
from urllib.request import urlopen

import pytest

from lab.phones.pyvoip_phone import available
from tests.interop.office import Switchroom, seed_with
from tests.interop.stock_pyvoip import HERTZ, StockPyvoip

pytestmark = pytest.mark.skipif(not available(), reason="pyVoIP, the extra `lab`, is not installed")

DEVICES = {
    "103s": {"extension": 103, "mac": "02b0b0000103"},
    "104s": {"extension": 104, "mac": "02b0b0000104"},
}
ECHO = "4165550195"
LOUD = 20.0
"""Of the amplitude of 90 it speaks with, in samples of eight bits."""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchroom]:
    folder = tmp_path_factory.mktemp("stock")
    devices = [
        {"id": name, "family": "generic/json", "model": "pyVoIP", "password": f"stock-{name}-xyz", "token": f"{n:032x}"}
        | device
        for n, (name, device) in enumerate(DEVICES.items(), start=0x57)
    ]
    with Switchroom(folder, seed_with(folder / "seed.yaml", devices), "--set", "sip.challenge=401") as running:
        yield running
        assert of_kind(running, "server.error") == []
        assert running.stop() == 0, running.log()


@pytest.fixture(scope="module")
def handsets(office: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[StockPyvoip, StockPyvoip]]:
    """Two of them, so that one can call the other; each on an address of its own."""
    folder = tmp_path_factory.mktemp("handsets")
    with ExitStack() as stack:
        made = []
        for number, (name, device) in enumerate(DEVICES.items(), start=31):
            url = f"{office.device(name)['config_url']}{device['mac']}.json"
            made.append(stack.enter_context(StockPyvoip(url, f"127.0.77.{number}", folder / f"{name}.log")))
        for phone in made:
            phone.wait_for("ready")
        yield made[0], made[1]


@pytest.fixture
def phones(office: Switchroom, handsets: tuple[StockPyvoip, StockPyvoip]) -> tuple[StockPyvoip, StockPyvoip]:
    assert is_idle_again(office, 0)
    for phone in handsets:
        phone.forget()
    return handsets


def of_kind(office: Switchroom, kind: str) -> list[dict[str, Any]]:
    lines = (office.folder / "switchroom.log").read_text(errors="replace").splitlines()
    events = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return [event for event in events if event.get("event") == kind]


def is_idle_again(office: Switchroom, calls: int, within_s: float = 60.0) -> bool:
    """Wait until that many calls have ended and none is left; ask whether the switchroom is well."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if len(of_kind(office, "call.ended")) == len(of_kind(office, "call.invited")) >= calls:
            with urlopen(f"http://127.0.0.1:{office.base}/readyz", timeout=10) as answer:
                return bool(json.load(answer)["ready"])
        time.sleep(0.1)
    return False


def begun(office: Switchroom) -> int:
    return len(of_kind(office, "call.invited"))


def test_it_registers_with_what_it_was_served(office, phones):
    names = {event["device"] for event in of_kind(office, "registration.added")}
    assert {"103s", "104s"} <= names
    agents = {event["user_agent"] for event in of_kind(office, "registration.added")}
    assert agents == {"pyVoIP 1.6.8"}


def test_it_calls_hears_itself_in_the_echo_and_hangs_up(office, phones):
    one, _ = phones
    calls = begun(office)
    one.do("dial", ECHO)
    one.wait_until_up()
    heard = one.listen_for(2.5, HERTZ)
    one.do("hang up")
    one.wait_for("over")
    assert heard > LOUD
    assert is_idle_again(office, calls + 1)


@pytest.mark.parametrize("ends", ["caller", "called"])
def test_it_is_called_answers_and_either_hangs_up(office, phones, ends):
    one, two = phones
    calls = begun(office)
    one.do("dial", "104")
    assert two.wait_for("rings")["caller"]
    two.do("answer")
    one.wait_until_up()
    two.wait_until_up()
    heard = two.listen_for(2.5, HERTZ)
    (one if ends == "caller" else two).do("hang up")
    one.wait_for("over")
    two.wait_for("over")
    assert heard > LOUD
    assert is_idle_again(office, calls + 1)


def test_it_refuses_a_call_and_falls_over_it_but_the_call_goes_on_to_voicemail(office, phones):
    one, two = phones
    one.do("dial", "104")
    two.wait_for("rings")
    two.do("deny")
    assert "AttributeError" in two.wait_for("fault")["fault"]
    one.wait_until_up()
    one.do("hang up")
    one.wait_for("over")
    assert is_idle_again(office, 1)


def test_it_goes_on_ringing_after_a_cancel_and_answers_too_late(office, phones):
    """The ring time runs out, voicemail takes the call; the handset does not know and picks up all the same."""
    one, two = phones
    one.do("dial", "104")
    two.wait_for("rings")
    one.wait_until_up()
    two.do("answer")
    two.wait_for("over")
    one.do("hang up")
    one.wait_for("over")
    assert is_idle_again(office, 1)


def test_it_vanishes_in_the_middle_of_a_call_and_another_takes_its_place(office, phones, tmp_path):
    """At an address of its own: at the old one it would repeat its Call-ID and CSeq, be told 500 and unregister."""
    one, two = phones
    one.do("dial", "104")
    two.wait_for("rings")
    two.do("answer")
    one.wait_until_up()
    two.kill()
    one.do("hang up")
    one.wait_for("over")
    assert is_idle_again(office, 1)
    with StockPyvoip(two.config_url, "127.0.77.33", tmp_path / "again.log") as again:
        again.wait_for("ready")
        one.do("dial", "104")
        again.wait_for("rings")
        again.do("answer")
        one.wait_until_up()
