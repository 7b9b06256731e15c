"""The pyVoIP phone as a box: boot, screen, buttons, against a strict server on real sockets."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

pytest.importorskip("pyVoIP")

from lab.phones.boot import BootPace
from lab.phones.calls import CallState
from lab.phones.chassis import Extension
from lab.phones.face import cards
from lab.phones.families import FAMILIES
from lab.phones.family import Fetched, boxed
from lab.phones.pyvoip_phone import PyvoipPhone
from lab.phones.registration import Standing
from lab.shell import RealClock
from pbx.sip.uri import NameAddr
from tests.lab.phones.pyvoip.strict_server import StrictServer

pytestmark = pytest.mark.realtime

FAMILY = FAMILIES["generic/json"]
PACE = BootPace(0.0, 0.0, 0.0, retry_s=0.2)


class Murmur:
    """Says one frame for ever, hears one sound at its first packet."""

    def __init__(self) -> None:
        self.told = False

    def speak(self) -> bytes:
        return b"\x55" * 160

    def hear(self, payload: bytes, alaw: bool) -> str | None:
        if self.told:
            return None
        self.told = True
        return "tone:dial"

    def to_alaw(self, ulaw: bytes) -> bytes:
        return ulaw


class Bench:
    """One phone, its files, and the moment in the loop."""

    def __init__(self, server: StrictServer) -> None:
        self.server = server
        self.status = 200
        self.password = "sesame"
        self.changes = 0
        loop = asyncio.get_running_loop()
        self.phone = PyvoipPhone(
            FAMILY,
            boxed(FAMILY, "pyVoIP", "020000000109"),
            [Extension("109", "109", "Ines", "Toronto", 1)],
            dhcp={66: "http://h/p"},
            address="127.0.0.1",
            voice=lambda party: Murmur(),
            hand_over=loop.call_soon_threadsafe,
            clock=time.monotonic,
            pace=PACE,
            changed=lambda phone: setattr(self, "changes", self.changes + 1),
        )

    def config(self) -> bytes:
        server = {"host": self.server.host, "port": self.server.port}
        line = {"user": "109", "password": self.password, "domain": "acme.lab", "server": server, "label": "109 Ines"}
        return json.dumps({"lines": [line]}).encode()

    def serve(self) -> None:
        """Let the boot go as far as it can now."""
        for _ in range(12):
            if self.phone.next_deadline() <= time.monotonic():
                self.phone.tick(time.monotonic())
            for number, _ in self.phone.take_fetches():
                self.phone.fetched(number, Fetched(self.status, self.config()), time.monotonic())

    def card(self):
        return cards(self.phone, RealClock().now())[0]


@pytest.fixture
async def bench():
    server = StrictServer("127.0.0.1")
    server.start()
    made = Bench(server)
    yield made
    if made.phone.powered:
        await asyncio.to_thread(made.phone.power_off, time.monotonic())
    server.close()


async def booted(bench: Bench) -> PyvoipPhone:
    bench.phone.power_on(time.monotonic())
    bench.serve()
    await bench.server.until(lambda: bench.phone.lines[0].registered)
    return bench.phone


async def test_it_boots_from_its_file_registers_and_shows_its_extension(bench):
    assert bench.card().state == "off"
    phone = await booted(bench)
    card = bench.card()
    assert (card.state, card.screen[1], [part.result for part in card.boot]) == ("idle", "109 Ines", ["ok"] * 6)
    assert phone.boots == 1
    phone.resync(time.monotonic())
    bench.serve()
    assert phone.boots == 2
    assert phone.lines[0].registered
    assert bench.changes > 3


async def test_a_missing_file_is_an_error_and_is_tried_again(bench):
    bench.status = 404
    bench.phone.power_on(time.monotonic())
    bench.serve()
    assert (bench.phone.error, bench.card().state) == ("Config 404", "fault")
    bench.status = 200
    await bench.server.until(lambda: bench.serve() or bool(bench.phone.lines))
    await bench.server.until(lambda: bench.phone.lines[0].registered)
    assert bench.card().state == "idle"


async def test_a_wrong_password_is_a_fault_on_its_card(bench):
    bench.password = "wrong"
    bench.phone.power_on(time.monotonic())
    bench.serve()
    line = bench.phone.lines[0]
    await bench.server.until(lambda: line.standing is Standing.REFUSED)
    assert (bench.card().state, bench.card().note) == ("fault", "Register 407")


async def test_a_changed_account_takes_the_place_of_the_old_one(bench):
    phone = await booted(bench)
    old = phone.lines[0]
    bench.password = "other"
    bench.server.passwords["109"] = "other"
    phone.resync(time.monotonic())
    bench.serve()
    assert phone.lines[0] is not old
    await bench.server.until(lambda: phone.lines[0].registered)


async def test_it_dials_hears_presses_and_hangs_up(bench):
    phone = await booted(bench)
    line = phone.lines[0]
    bench.server.habits["101"] = "answer"
    call = line.dial("101", time.monotonic())
    assert line.press("7", time.monotonic())  # before it is up: sent when it is
    await bench.server.until(lambda: call.state is CallState.UP)
    assert bench.card().state == "in-call"
    await bench.server.until(lambda: any(packet[1] & 0x7F == 101 for packet in bench.server.packets))
    bench.server.send_rtp(bytes([0x80, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9]) + b"\x11" * 160)
    await bench.server.until(lambda: call.hears == "tone:dial")
    assert [sensed.sound for sensed in line.ears] == ["tone:dial"]
    assert not line.press("1", time.monotonic(), by_info=True)
    assert [line.hold(0.0), line.resume(0.0), line.transfer("102", 0.0)] == [False] * 3
    assert line.hang_up(time.monotonic())
    assert (call.over, call.status, call.hung_up_by) == (True, 200, "us")
    assert line.last_call is call
    assert not line.hang_up(time.monotonic())


async def test_a_refused_call_tells_its_status(bench):
    phone = await booted(bench)
    bench.server.habits["102"] = 486
    call = phone.lines[0].dial("102", time.monotonic())
    await bench.server.until(lambda: call.over)
    assert (call.status, call.hung_up_by) == (486, "peer")
    assert bench.card().screen[2] == "Busy"


async def test_it_rings_and_is_answered_or_refused_or_not_disturbed(bench):
    phone = await booted(bench)
    line = phone.lines[0]
    bench.server.call("109")
    await bench.server.until(lambda: line.call is not None)
    assert (line.call.number, line.call.name, bench.card().state) == ("101", "Ana", "ringing")
    assert line.answer(time.monotonic())
    assert line.call.state is CallState.UP
    await bench.server.until(lambda: "Answered" in bench.server.kinds())
    bench.server.sessions[0].bye(time.monotonic())
    bench.server.settle()
    await bench.server.until(lambda: line.call is None)
    bench.server.call("109")
    await bench.server.until(lambda: line.call is not None)
    assert line.reject(time.monotonic())
    await bench.server.until(lambda: "Rejected" in bench.server.kinds())
    line.set_do_not_disturb(True)
    assert bench.card().do_not_disturb
    bench.server.call("109")
    await bench.server.until(lambda: bench.server.kinds().count("Rejected") == 2)
    assert line.call is None
    assert [line.answer(0.0), line.reject(0.0), line.press("1", 0.0)] == [False] * 3


async def test_two_calls_are_enough(bench):
    phone = await booted(bench)
    line = phone.lines[0]
    bench.server.habits["103"] = "ring"
    assert line.dial("103", time.monotonic())
    assert line.dial("103", time.monotonic())
    assert line.dial("103", time.monotonic()) is None
    await bench.server.until(lambda: all(call.state is CallState.RINGING for call in line.live_calls))
    line.hang_up_all(time.monotonic())
    await bench.server.until(lambda: not line.live_calls)
    assert phone.live() == {"calls": 0}


async def test_a_notify_lights_the_lamp_or_resyncs(bench):
    phone = await booted(bench)
    address = NameAddr("sip:109@acme.lab")
    for event, body in (("message-summary", b"Messages-Waiting: yes\r\nVoice-Message: 1/0\r\n"), ("check-sync", b"")):
        bench.server.stack.request(
            "NOTIFY", f"sip:109@{bench.server.phone.host}:{bench.server.phone.port}", bench.server.phone,
            from_=address, to=address, now=time.monotonic(), headers=[("Event", event)], body=body,
        )  # fmt: skip
        bench.server.settle()
    await bench.server.until(lambda: phone.lines[0].waiting.lit)
    assert bench.card().waiting == 1
    await bench.server.until(lambda: bench.serve() or phone.boots == 2)
    assert phone.lines[0].registered


async def test_power_and_factory_reset(bench):
    phone = await booted(bench)
    phone.kept_url = "http://kept/p"
    await asyncio.to_thread(phone.factory_reset, time.monotonic())
    assert (phone.kept_url, phone.booting) == ("", True)
    bench.serve()
    await bench.server.until(lambda: phone.lines[0].registered)
    assert phone.line_of("109") is phone.lines[0]
    assert phone.line_of("999") is None
