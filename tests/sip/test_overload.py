"""Admission: what is refused while datagrams wait too long, what never is, and how it ends."""

from __future__ import annotations

import pytest

from pbx.sip.message import parse
from pbx.sip.overload import DEEP_S, LAST_S, PATIENCE_S, STANDING_S, Admission
from pbx.sip.sip_events import InviteReceived
from pbx.sip.stack import Stack
from tests.sip.pair import ALICE, BOB, Pair, token
from tests.sip.test_validate import written

EMERGENCY = "sip:911@lab"
PROOF = 'Proxy-Authorization: Digest username="a"'


class Busy:
    """A stack whose socket's wait is set by hand."""

    def __init__(self) -> None:
        self.told: list[tuple[bool, int]] = []
        self.admission = Admission(
            spares=lambda request: request.uri == EMERGENCY,
            changed=lambda refusing, waited_s, refused: self.told.append((refusing, refused)),
        )
        where = (BOB.host, BOB.port)
        self.stack = Stack({"udp": where}, token=token(1), user_agent="busy", admission=self.admission)
        self.now = 0.0
        self._sent = 0

    def wait(self, seconds: float, times: int = 10) -> None:
        for _ in range(times):
            self.now += PATIENCE_S / 4
            self.admission.waited(seconds, self.now)

    def says(self, data: bytes) -> list[int]:
        self.stack.receive(data, ALICE, self.now)
        return [parse(item.data).status for item in self.stack.take_outgoing()]

    def new(self, method: str, uri: str = "sip:bob@lab", *lines: str) -> bytes:
        self._sent += 1
        return written(method, uri, f"Call-ID: n{self._sent}", *lines, branch=f"n{self._sent}")


def test_a_burst_is_served_and_a_standing_queue_refuses_what_is_new():
    busy = Busy()
    busy.wait(STANDING_S, times=2)
    assert busy.says(busy.new("INVITE")) == [100]
    busy.wait(STANDING_S)
    assert busy.says(busy.new("INVITE")) == [503]
    assert busy.told == [(True, 0)]


def test_who_is_refused_is_told_when_to_come_again_and_not_all_at_once():
    busy = Busy()
    busy.wait(STANDING_S)
    times = set()
    for _ in range(50):
        busy.stack.receive(busy.new("INVITE"), ALICE, busy.now)
        (item,) = busy.stack.take_outgoing()
        answer = parse(item.data)
        assert answer.to.tag
        times.add(int(answer.need("Retry-After")))
    assert times == set(range(2, 10))


@pytest.mark.parametrize("method", ["INVITE", "SUBSCRIBE", "OPTIONS", "MESSAGE", "PUBLISH"])
def test_what_begins_something_is_refused(method):
    busy = Busy()
    busy.wait(STANDING_S)
    assert busy.says(busy.new(method)) == [503]


def test_what_was_begun_goes_on_until_the_queue_is_deep():
    busy = Busy()
    busy.wait(STANDING_S)
    assert busy.says(busy.new("INVITE", "sip:bob@lab", PROOF)) == [100]
    assert busy.says(busy.new("REGISTER")) == []  # taken: the owner answers
    busy.wait(DEEP_S)
    assert busy.says(busy.new("INVITE", "sip:bob@lab", PROOF)) == [503]
    assert busy.says(busy.new("REGISTER")) == []
    busy.wait(LAST_S)
    assert busy.says(busy.new("REGISTER")) == [503]


def test_what_belongs_to_a_call_is_always_served_and_so_is_an_emergency():
    busy = Busy()
    first = busy.new("INVITE")
    assert busy.says(first) == [100]
    (event,) = busy.stack.take_events()
    assert isinstance(event, InviteReceived)
    busy.wait(1.0)
    assert busy.says(first) == [100]  # a repetition
    event.session.answer(b"", busy.now)
    busy.stack.take_outgoing()
    tag = event.session.local.tag
    bye = written("BYE", "sip:bob@lab", "Call-ID: n1", f"To: <sip:bob@lab>;tag={tag}", "CSeq: 8 BYE", branch="bye")
    assert busy.says(bye) == [200]
    assert busy.says(busy.new("INVITE", EMERGENCY)) == [100]


def test_it_ends_when_the_queue_is_short_again_and_says_how_many_were_refused():
    busy = Busy()
    busy.wait(STANDING_S)
    for _ in range(3):
        busy.says(busy.new("INVITE"))
    busy.wait(STANDING_S * 0.7)
    assert busy.admission.refusing
    busy.wait(STANDING_S * 0.1, times=1)
    assert busy.says(busy.new("INVITE")) == [100]
    assert busy.told == [(True, 0), (False, 3)]
    assert busy.admission.refused == 3


def test_a_refused_caller_hears_503_and_nothing_is_left():
    pair = Pair()
    admission = Admission(spares=lambda request: False)
    where = (BOB.host, BOB.port)
    pair.bob = Stack({"udp": where}, token=token(2), user_agent="bob", admission=admission)
    admission.waited(1.0, 0.0)
    admission.waited(1.0, PATIENCE_S)
    pair.call()
    pair.pass_time(40)
    assert pair.started("bob") == ["503"]
    assert pair.started("alice") == ["INVITE", "ACK"]
    assert pair.alice.live() == pair.bob.live() == {"sessions": 0, "transactions": 0}


def test_what_follows_from_a_refusal_is_taken_without_a_trace():
    busy = Busy()
    traced = []
    busy.stack._trace = lambda *seen: traced.append(seen)
    busy.wait(STANDING_S)
    invite = busy.new("INVITE")
    assert busy.says(invite) == [503]
    assert busy.says(invite.replace(b"INVITE", b"CANCEL")) == [481]
    assert busy.says(invite.replace(b"INVITE", b"ACK")) == []
    assert traced == []
