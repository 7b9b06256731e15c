"""A mended pyVoIP phone against a server that forgives nothing, on real sockets."""

from __future__ import annotations

import asyncio
import struct
import time

import pytest

pytest.importorskip("pyVoIP")

from lab.phones.family import Account
from lab.phones.pyvoip.handset import Call, Handset, Sound
from pbx.sip.digest import Verdict
from pbx.sip.uri import NameAddr
from tests.lab.phones.pyvoip.strict_server import StrictServer

pytestmark = pytest.mark.realtime


class Ears:
    """Listens to a handset; what it is told arrives from the handset's threads."""

    def __init__(self) -> None:
        self.registrations: list[tuple[bool, int]] = []
        self.states: list[tuple[str, str]] = []
        self.keys: list[str] = []
        self.notices: list[tuple[str, str]] = []
        self.heard: list[bytes] = []
        self.calls: dict[str, Call] = {}

    def registration_told(self, well: bool, code: int) -> None:
        self.registrations.append((well, code))

    def call_changed(self, call: Call) -> None:
        self.calls[call.call_id] = call
        self.states.append((call.call_id, call.state.value))

    def notified(self, event: str, body: str) -> None:
        self.notices.append((event, body))

    def key_heard(self, call: Call, key: str) -> None:
        self.keys.append(key)

    def sound(self, call_id: str) -> Sound:
        return Sound(
            lambda: b"\x55" * 160, lambda payload, alaw: self.heard.append(payload), lambda ulaw: b"\x2a" * 160
        )


@pytest.fixture
async def server():
    made = StrictServer("127.0.0.1")
    made.start()
    yield made
    made.close()


@pytest.fixture
async def phone(server):
    ears = Ears()
    account = Account(1, "109", "109", "sesame", "acme.lab", server.host, server.port, expires_s=120)
    made = Handset(account, ears, address="127.0.0.1", user_agent="lab pyVoIP")
    made.start()
    await server.until(lambda: bool(ears.registrations))
    yield made
    await asyncio.to_thread(made.stop)


async def test_it_registers_with_the_strongest_digest_and_refreshes_at_half_the_granted_time(server, phone):
    ears = phone.listener
    assert ears.registrations == [(True, 200)]
    assert server.verdicts == [Verdict.MISSING, Verdict.OK]
    assert phone.sip._register_due - time.monotonic() == pytest.approx(30, abs=2)


@pytest.mark.parametrize(("algorithms", "status"), [(("MD5",), 401), (("MD5",), 407), (("SHA-256",), 401)])
async def test_it_answers_either_challenge(algorithms, status):
    server = StrictServer("127.0.0.1", algorithms, status)
    server.start()
    ears = Ears()
    account = Account(1, "109", "109", "sesame", "acme.lab", server.host, server.port)
    phone = Handset(account, ears, address="127.0.0.1", user_agent="lab pyVoIP")
    phone.start()
    await server.until(lambda: bool(ears.registrations))
    await asyncio.to_thread(phone.stop)
    server.close()
    assert ears.registrations == [(True, 200)]


async def test_a_wrong_password_is_told_and_not_repeated_at_once(server):
    ears = Ears()
    account = Account(1, "109", "109", "wrong", "acme.lab", server.host, server.port)
    phone = Handset(account, ears, address="127.0.0.1", user_agent="lab pyVoIP")
    phone.start()
    await server.until(lambda: bool(ears.registrations))
    await asyncio.to_thread(phone.stop)
    assert ears.registrations == [(False, 407)]
    assert len(server.verdicts) <= 3


async def test_an_authenticated_call_comes_up_sends_fifty_packets_a_second_and_ends(server, phone):
    server.habits["101"] = "answer"
    call = phone.call("101")
    await server.until(lambda: len(server.packets) >= 50)
    begun = len(server.packets)
    await server.until(lambda: len(server.packets) >= begun + 50, 1.5)
    assert call.is_up
    assert "Confirmed" in server.kinds()
    assert server.packets[10][1] & 0x7F == 0
    assert server.packets[10][12:] == b"\x55" * 160
    call.hangup()
    await server.until(lambda: "Ended" in server.kinds())
    assert (call.is_over, call.code, phone.calls, phone.bound) == (True, 200, {}, {})


@pytest.mark.parametrize("status", [403, 404, 480, 486, 503, 603])
async def test_every_refusal_ends_the_call_and_is_acknowledged(server, phone, status):
    server.habits["102"] = status
    call = phone.call("102")
    await server.until(lambda: call.is_over)
    await server.until(lambda: server.stack.live()["transactions"] == 0)
    assert call.code == status


async def test_a_call_given_up_is_cancelled(server, phone):
    server.habits["103"] = "ring"
    call = phone.call("103")
    await server.until(lambda: call.alerted)
    call.hangup()
    await server.until(lambda: call.is_over)
    assert call.code == 487
    assert "Cancelled" in server.kinds()


async def test_it_rings_answers_and_is_hung_up_on(server, phone):
    server.call("109")
    ears = phone.listener
    await server.until(lambda: bool(ears.calls))
    (call,) = ears.calls.values()
    assert call.is_ringing
    call.answer()
    await server.until(lambda: len(server.packets) > 10)
    assert "Answered" in server.kinds()
    session = server.sessions[0]
    session.bye(time.monotonic())
    server.settle()
    await server.until(lambda: call.is_over)
    assert call.code == 200
    await server.until(lambda: server.stack.live() == {"sessions": 0, "transactions": 0})


async def test_it_hangs_up_a_call_it_answered_with_a_bye_the_server_takes(server, phone):
    server.call("109")
    await server.until(lambda: bool(phone.listener.calls))
    (call,) = phone.listener.calls.values()
    call.answer()
    await server.until(lambda: len(server.packets) > 5)
    call.hangup()
    await server.until(lambda: "Ended" in server.kinds())
    assert call.is_over


async def test_a_rejected_caller_hears_busy_and_a_caller_who_gives_up_stops_the_ringing(server, phone):
    server.call("109")
    ears = phone.listener
    await server.until(lambda: len(ears.calls) == 1)
    next(iter(ears.calls.values())).deny()
    await server.until(lambda: "Rejected" in server.kinds())
    assert server.happened[-1].status == 486
    session = server.call("109")
    await server.until(lambda: len(ears.calls) == 2)
    await server.until(lambda: "Progress" in server.kinds())
    session.cancel(time.monotonic())
    server.settle()
    second = list(ears.calls.values())[1]
    await server.until(lambda: second.is_over)
    assert second.code == 487


async def test_hold_by_the_other_side_stops_its_sound_and_starts_no_second_sender(server, phone):
    server.habits["101"] = "answer"
    call = phone.call("101")
    await server.until(lambda: len(server.packets) > 20)
    session = server.sessions[-1]
    session.reoffer(server.offer("sendonly"), time.monotonic())
    server.settle()
    await server.until(lambda: "ReofferAnswered" in server.kinds())
    assert b"a=recvonly" in server.happened[-1].sdp
    assert call.held_by_peer
    await server.until(lambda: call.RTPClients[0].muted)
    quiet = len(server.packets)
    begun = time.monotonic()
    session.reoffer(server.offer("sendrecv"), time.monotonic())
    server.settle()
    await server.until(lambda: len(server.packets) >= quiet + 50)
    assert time.monotonic() - begun > 0.85
    assert not call.held_by_peer


async def test_keys_are_sent_as_events_that_end(server, phone):
    server.habits["101"] = "answer"
    call = phone.call("101")
    await server.until(lambda: len(server.packets) > 5)
    call.send_keys("15#")
    events = lambda: [p for p in server.packets if p[1] & 0x7F == 101]  # noqa: E731
    await server.until(lambda: len(events()) >= 24)
    by_timestamp: dict[int, list[bytes]] = {}
    for packet in events():
        by_timestamp.setdefault(struct.unpack_from("!I", packet, 4)[0], []).append(packet[12:])
    assert ["0123456789*#"[group[0][0]] for group in by_timestamp.values()] == ["1", "5", "#"]
    assert all(len([event for event in group if event[1] & 0x80]) == 3 for group in by_timestamp.values())
    with pytest.raises(ValueError, match="not keys: x"):
        call.send_keys("x")


async def test_a_key_is_heard_once_though_its_marked_packet_is_lost(server, phone):
    server.habits["101"] = "answer"
    phone.call("101")
    await server.until(lambda: server.rtp_source is not None)
    for event, stamp in ((5, 8000), (5, 8000), (16, 9000), (7, 16000)):
        server.send_rtp(struct.pack("!BBHIIBBH", 0x80, 101, 1, stamp, 99, event, 10, 160))
    server.send_rtp(b"rubbish")
    server.send_rtp(struct.pack("!BBHII", 0x80, 0, 2, 17000, 99) + b"\x11" * 160)
    await server.until(lambda: len(phone.listener.keys) == 2 and bool(phone.listener.heard))
    assert phone.listener.keys == ["5", "7"]
    assert phone.listener.heard[-1] == b"\x11" * 160


async def test_options_and_the_lamp_are_answered(server, phone):
    now = time.monotonic()
    address = NameAddr("sip:109@acme.lab")
    target = f"sip:109@{server.phone.host}:{server.phone.port}"
    server.stack.request("OPTIONS", target, server.phone, from_=address, to=address, now=now)
    server.stack.request(
        "NOTIFY",
        target,
        server.phone,
        from_=address,
        to=address,
        now=now,
        headers=[("Event", "message-summary"), ("Subscription-State", "active")],
        body=b"Messages-Waiting: yes\r\n",
    )
    server.stack.request("REFER", target, server.phone, from_=address, to=address, now=now)
    server.settle()
    await server.until(lambda: server.kinds().count("ResponseReceived") == 3)
    statuses = {e.handle.method: e.response.status for e in server.happened if type(e).__name__ == "ResponseReceived"}
    assert statuses == {"OPTIONS": 200, "NOTIFY": 200, "REFER": 405}
    assert phone.listener.notices == [("message-summary", "Messages-Waiting: yes\r\n")]
