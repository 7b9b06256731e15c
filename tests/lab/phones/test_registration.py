from __future__ import annotations

import pytest

from lab.clockwork import seeded_token
from lab.phones.family import Account
from lab.phones.registration import OVERLAP_S, Registration, Standing, Subscription, Waiting, read_summary
from pbx.sip.address import Peer
from pbx.sip.message import Request
from pbx.sip.sip_events import RequestReceived, RequestTimedOut, ResponseReceived
from pbx.sip.stack import Stack

PHONE, SERVER = Peer("udp", "10.0.1.1", 5060), Peer("udp", "10.0.0.1", 5060)
ACCOUNT = Account(1, "101", "101", "pw", "acme.lab", SERVER.host, SERVER.port, expires_s=60)


class Exchange:
    """A phone's stack and a server's, joined; the server answers what it is told to, in order, or nothing."""

    def __init__(self) -> None:
        self.phone = Stack({"udp": (PHONE.host, PHONE.port)}, token=seeded_token(1, "p"), user_agent="phone")
        self.server = Stack({"udp": (SERVER.host, SERVER.port)}, token=seeded_token(1, "s"), user_agent="server")
        self.answers: list[tuple[int, tuple[tuple[str, str], ...]]] = []
        self.asked: list[Request] = []
        self.now = 0.0
        self.changes = 0
        token = seeded_token(1, "r")
        self.registration = Registration(ACCOUNT, self.phone, self._changed, token, "0000")
        self.subscription = Subscription(ACCOUNT, self.phone, self._changed, token)

    def _changed(self) -> None:
        self.changes += 1

    def pass_on(self) -> None:
        for _ in range(10):
            for outgoing in self.phone.take_outgoing():
                self.server.receive(outgoing.data, PHONE, self.now)
            for event in self.server.take_events():
                if isinstance(event, RequestReceived):
                    self.asked.append(event.request)
                    if self.answers:
                        status, headers = self.answers.pop(0)
                        self.server.respond(event.transaction, status, headers=headers, to_tag="srv", now=self.now)
            for outgoing in self.server.take_outgoing():
                self.phone.receive(outgoing.data, SERVER, self.now)
            for event in self.phone.take_events():
                for asking in (self.registration, self.subscription):
                    if isinstance(event, ResponseReceived):
                        asking.answered(event.handle, event.response, self.now)
                    elif isinstance(event, RequestTimedOut):
                        asking.silent(event.handle, self.now)

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            due = min(self.phone.next_deadline(), self.registration.next_deadline(), self.subscription.next_deadline())
            if due > end:
                self.now = end
                return
            self.now = max(self.now, due)
            self.phone.tick(self.now)
            self.registration.tick(self.now)
            self.subscription.tick(self.now)
            self.pass_on()


@pytest.fixture
def exchange() -> Exchange:
    return Exchange()


def contact(expires: int) -> tuple[tuple[str, str], ...]:
    return (("Contact", f"<sip:101@10.0.1.1:5060>;expires={expires}"),)


def test_it_refreshes_at_half_of_what_was_granted_with_one_call_id_and_rising_numbers(exchange):
    exchange.answers = [(200, contact(40)), (200, contact(40))]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    assert (exchange.registration.standing, exchange.registration.expires_s) == (Standing.GRANTED, 40)
    assert exchange.registration.next_deadline() == 20.0
    exchange.wait(21.0)
    first, second = exchange.asked
    assert first.call_id == second.call_id
    assert second.cseq.number == first.cseq.number + 1
    assert '+sip.instance="<urn:uuid:0000>"' in first.need("Contact")


def test_what_was_granted_for_an_hour_is_refreshed_a_minute_before_its_end(exchange):
    exchange.answers = [(200, contact(3600))]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    assert exchange.registration.next_deadline() == 3600 - OVERLAP_S


def test_expires_of_the_answer_counts_when_no_contact_says_more(exchange):
    exchange.answers = [(200, (("Expires", "30"),))]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    assert exchange.registration.expires_s == 30


def test_an_interval_too_brief_is_asked_again_as_long_as_the_server_wants(exchange):
    exchange.answers = [(423, (("Min-Expires", "600"),)), (200, contact(600))]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    exchange.wait(0.1)
    assert exchange.asked[1].need("Expires") == "600"
    assert exchange.registration.registered


def test_a_refusal_waits_and_silence_is_told_apart(exchange):
    exchange.answers = [(403, ())]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    assert (exchange.registration.standing, exchange.registration.status) == (Standing.REFUSED, 403)
    assert exchange.registration.next_deadline() == 30.0
    exchange.wait(63.0)
    assert exchange.registration.standing is Standing.SILENCE
    exchange.answers = [(200, contact(40))] * 3
    exchange.wait(40.0)
    assert exchange.registration.registered


def test_an_overloaded_server_says_when_to_come_again(exchange):
    exchange.answers = [(503, (("Retry-After", "4 (busy)"),)), (200, contact(40))]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    assert (exchange.registration.standing, exchange.registration.next_deadline()) == (Standing.REFUSED, 4.0)
    exchange.wait(4.1)
    assert exchange.registration.registered


def test_a_lost_connection_registers_again_soon_unless_it_was_somebody_elses(exchange):
    exchange.answers = [(200, contact(40))] * 2
    exchange.registration.ask(0.0)
    exchange.pass_on()
    exchange.registration.lost(Peer("tcp", "10.9.9.9", 1), 1.0)
    assert exchange.registration.registered
    exchange.registration.lost(SERVER, 1.0)
    assert not exchange.registration.registered
    exchange.wait(3.0)
    assert exchange.registration.registered


def test_leaving_removes_the_binding_and_asks_no_more(exchange):
    exchange.answers = [(200, contact(40)), (200, ())]
    exchange.registration.ask(0.0)
    exchange.pass_on()
    exchange.registration.leave(1.0)
    exchange.pass_on()
    assert exchange.asked[-1].need("Expires") == "0"
    assert exchange.registration.next_deadline() == float("inf")
    exchange.registration.lost(SERVER, 2.0)
    assert exchange.registration.next_deadline() == float("inf")


def test_a_subscription_is_refreshed_in_its_dialog_and_begun_anew_when_the_server_forgot_it(exchange):
    exchange.answers = [(200, (("Expires", "100"),)), (481, ()), (200, ())]
    exchange.subscription.ask(0.0)
    exchange.pass_on()
    assert exchange.subscription.expires_s == 100
    exchange.wait(50.5)
    first, refresh = exchange.asked
    assert (refresh.call_id, refresh.to.tag) == (first.call_id, "srv")
    exchange.wait(2.0)
    anew = exchange.asked[2]
    assert anew.call_id != first.call_id
    assert anew.to.tag == ""
    assert (exchange.subscription.standing, exchange.subscription.expires_s) == (Standing.GRANTED, 3600)


def notify(exchange: Exchange, body: str, state: str, call_id: str = "") -> Request:
    headers = [
        ("To", "<sip:101@10.0.1.1>"),
        ("From", "<sip:101@acme.lab>;tag=x"),
        ("Call-ID", call_id or exchange.asked[0].call_id),
        ("Subscription-State", state),
    ]
    return Request("NOTIFY", "sip:101@10.0.1.1", headers, body.encode())


def test_a_notify_sets_the_lamp_and_its_end_begins_a_new_subscription(exchange):
    exchange.answers = [(200, ()), (200, ())]
    exchange.subscription.ask(0.0)
    exchange.pass_on()
    lit = notify(exchange, "Messages-Waiting: yes\r\nVoice-Message: 2/1 (0/0)\r\n", "active")
    assert exchange.subscription.owns(lit)
    exchange.subscription.notified(lit, 1.0)
    assert exchange.subscription.waiting == Waiting(True, 2, 1)
    exchange.subscription.notified(notify(exchange, "rubbish", "terminated;reason=timeout"), 2.0)
    assert exchange.subscription.waiting == Waiting(True, 2, 1)
    exchange.wait(4.0)
    assert len(exchange.asked) == 2


def test_a_summary_is_read_with_and_without_counts():
    assert read_summary("Messages-Waiting: no\r\n") == Waiting(False, 0, 0)
    assert read_summary("messages-waiting: YES\r\nvoice-message: 3/0\r\n") == Waiting(True, 3, 0)
    assert read_summary("hello") is None
