"""What must not bring the switch down: rubbish, faults of ours, a dead media process, no media ports, the end."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.domain.registrations import Peer
from pbx.events import (
    CallEnded,
    CallRecordWritten,
    InputIgnored,
    ServerFault,
    ServerRecovered,
    SipResponse,
    VoicemailLeft,
)
from pbx.media.engine import NoMediaPort, RecordingFinished, WorkerBack, WorkerLost
from pbx.switch.calls import Call
from tests.switch.test_switch_calls import up
from tests.switch.town import DOMAIN, Town, assert_at_rest, directory

STRANGER = Peer("udp", "10.0.7.7", 5060)
INVITE = (
    "{method} sip:102@acme.lab SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.7.7:5060;branch=z9hG4bK{branch};rport\r\n"
    "From: <{sender}>;tag=a\r\nTo: <{to}>{tag}\r\nCall-ID: {branch}@x\r\nCSeq: 1 {method}\r\nMax-Forwards: 70\r\n"
    "Contact: <sip:101@10.0.7.7>\r\n{more}\r\n"
)

parts = st.sampled_from(
    (b"\r\n", b":", b";", b"<", b">", b'"', b"sip:", b"\x00", b"\xff", b"INVITE ", b" SIP/2.0", b"Via")
)
mutations = st.lists(st.tuples(st.integers(0, 600), st.sampled_from("dir"), parts), max_size=6)


def mutated(data: bytes, changes) -> bytes:
    for at, how, part in changes:
        at %= len(data) + 1
        data = data[:at] + (part if how != "d" else b"") + data[at + (0 if how == "i" else len(part)) :]
    return data


@pytest.fixture(scope="module")
def busy_town():
    town = Town(directory())
    up(town)
    return town


@given(data=st.binary(max_size=400))
@settings(max_examples=150, deadline=None)
def test_no_bytes_raise(busy_town, data):
    busy_town.switch.receive(data, STRANGER, busy_town.now)
    assert busy_town.seen(ServerFault) == []


@given(
    method=st.sampled_from(
        ("INVITE", "REGISTER", "SUBSCRIBE", "OPTIONS", "BYE", "REFER", "INFO", "NOTIFY", "CANCEL", "ACK")
    ),
    sender=st.sampled_from(("sip:101@acme.lab", "tel:+14165550142", "sip:acme.lab", "urn:x:y", "sip:%00@x")),
    to=st.sampled_from(("sip:102@acme.lab", "tel:911", "sip:[::1]")),
    tag=st.sampled_from(("", ";tag=b")),
    more=st.sampled_from(("", "Expires: 0\r\n", "Event: message-summary\r\n", "Authorization: Digest x\r\n")),
    changes=mutations,
    source=st.sampled_from((STRANGER, Peer("udp", "10.0.0.9", 5060))),
)
@settings(max_examples=300, deadline=None)
def test_no_broken_message_raises_or_is_a_fault_of_ours(busy_town, method, sender, to, tag, more, changes, source):
    busy_town.mono += 0.001
    text = INVITE.format(method=method, sender=sender, to=to, tag=tag, more=more, branch=f"b{busy_town.mono}")
    busy_town.switch.receive(mutated(text.encode(), changes), source, busy_town.now)
    assert busy_town.seen(ServerFault) == []


def test_what_cannot_be_read_is_told_of(town):
    town.send(STRANGER, b"INVITE sip:102@acme.lab SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.7.7\r\n\r\n")
    town.run(0.5)
    assert town.last(InputIgnored).address == str(STRANGER)


class Mischief(Exception):
    pass


def test_a_fault_in_one_call_ends_that_call_and_touches_no_other(monkeypatch):
    town = Town(directory())
    ana, ben = up(town)
    cleo, mobile = town.phone("103"), town.phone("101a")

    def broken(self: Call, device: str) -> str | None:
        raise Mischief("no such luck")

    with monkeypatch.context() as patched:
        patched.setattr(Call, "dial_device", broken)
        cleo.dial("102")
        town.run(1.0)

    assert cleo.talk.status == 500
    fault = town.last(ServerFault)
    assert (fault.call, fault.message) == ("c-0002", "Mischief: no such luck")
    assert [e.call for e in town.seen(CallEnded)] == ["c-0002"]
    assert town.last(CallRecordWritten).disposition == "FAILED"
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    mobile.dial("103")
    town.run(0.5)
    assert cleo.talk.state == "ringing"
    for phone in (mobile, ana):
        phone.hang_up()
    town.run(40.0)
    assert not any(town.switch.live().values())


@pytest.mark.parametrize(("where", "method"), [("pbx.switch.switch.take_invite", "INVITE"),
                                               ("pbx.switch.switch.take_request", "OPTIONS")])  # fmt: skip
def test_a_fault_before_there_is_a_call_is_answered_500(monkeypatch, where, method):
    town = Town(directory())

    def broken(*_: object) -> None:
        raise Mischief

    monkeypatch.setattr(where, broken)
    phone = town.phone("101", registered=False)
    if method == "INVITE":
        phone.dial("102")
        town.run(1.0)
        assert phone.talk.status == 500
    else:
        assert phone.request(method).status == 500


def test_a_call_whose_cleanup_is_broken_too_is_forgotten(monkeypatch):
    town = Town(directory())
    ana, ben = up(town)
    monkeypatch.setattr(Call, "_conclude", lambda self: (_ for _ in ()).throw(Mischief("twice")))
    ana.hang_up()
    town.run(1.0)
    assert town.switch.live()["calls"] == 0
    assert ben.talk.state == "over"
    assert town.last(ServerFault).message == "Mischief: twice"


def test_when_the_media_process_dies_every_call_ends_and_says_so(town):
    ana, ben = up(town)
    town.engine._events.append(WorkerLost("killed"))
    town.switch.media(town.now)
    town.run(1.0)
    assert (ana.talk.state, ben.talk.state) == ("over", "over")
    assert town.last(CallEnded).cause == 41
    faults = town.seen(ServerFault)
    assert [(fault.where, fault.message) for fault in faults] == [("media", "killed")]
    town.bus._events.clear()
    town.engine._events.append(WorkerBack(0.4))
    town.switch.media(town.now)
    assert town.last(ServerRecovered).message == "another worker took over after 0.4 s"


def test_without_a_media_port_nothing_rings_and_nothing_hangs(town, monkeypatch):
    ana, cleo = town.phone("101"), town.phone("103")

    def full(leg: str) -> None:
        raise NoMediaPort("every media port is taken")

    monkeypatch.setattr(town.engine, "open", full)
    for number in ("103", "400", "501", "611", "5001"):
        ana.dial(number)
        town.run(1.0)
        assert ana.talk.status == 503, number
    assert cleo.talks == []
    assert town.switch.live()["calls"] == 0
    assert {fault.where for fault in town.seen(ServerFault)} == {"media"}
    assert "every media port is taken" in town.last(ServerFault).message
    town.bus._events.clear()


def test_a_message_the_disk_had_no_room_for_is_told_and_nobody_is_promised_it(town):
    ana = town.phone("101")
    ana.dial("7102")
    town.run(1.0)
    call = next(iter(town.switch._calls))
    name = town.switch.mailboxes.expect(call, "102", "101", "Ana Silva")
    town.engine._events.append(RecordingFinished("gone", name, 0.0, "limit", "silence", "No space left on device"))
    town.switch.media(town.now)
    ana.hang_up()
    town.run(1.0)
    fault = town.last(ServerFault)
    assert (fault.where, fault.message) == (
        "voicemail", "a message of 101 for box 102 could not be kept: No space left on device"
    )  # fmt: skip
    assert town.seen(VoicemailLeft) == []
    town.bus._events.clear()


def test_the_switch_goes_down_in_order():
    town = Town(directory())
    ana, ben = up(town)
    cleo, mobile = town.phone("103"), town.phone("101a")
    cleo.dial("101")
    town.run(0.5)

    town.switch.drain(town.now)
    town.run(1.0)

    assert (ana.talks[0].state, ben.talk.state) == ("over", "over")
    assert cleo.talk.status == 503
    mobile.dial("911")
    town.run(0.5)
    assert mobile.talk.status == 503
    assert_at_rest(town)


def test_a_phone_that_dies_in_a_call_is_noticed_when_it_is_spoken_to(town):
    ana, ben = up(town)
    town.unplug(ben)
    ana.hang_up()
    town.run(40.0)
    assert town.last(CallEnded).cause == 16


def test_a_phone_that_rings_but_is_gone_is_given_up(town):
    ana, cleo = town.phone("101"), town.phone("103")
    town.unplug(cleo)
    ana.dial("103")
    town.run(5.0)
    assert ana.talk.status == 480
    town.run(40.0)
    assert 408 not in [e.status for e in town.seen(SipResponse) if e.direction == "out"]


def test_a_call_to_oneself_does_not_ring_the_phone_that_calls(town):
    ana = town.phone("101")
    ana.dial("101")
    town.run(1.0)
    assert [talk.session.role for talk in ana.talks] == ["uac"]
    assert ana.talk.state == "up"  # voicemail
    ana.hang_up()


def test_a_forward_in_a_circle_is_a_loop():
    rules = [{"time_frame": "*", "forward_always": "user 102"}]
    back = [{"time_frame": "*", "forward_always": "user 101"}]
    town = Town(directory(users={"101": {"rules": rules}, "102": {"rules": back}}))
    cleo = town.phone("103")
    cleo.dial("101")
    town.run(1.0)
    assert cleo.talk.status == 482
    assert_at_rest(town)


def test_a_transfer_in_a_call_that_is_being_taken_down_does_nothing(town):
    ana, ben = up(town)
    ana.hang_up()
    ben.talk.session.refer(f"sip:103@{DOMAIN}", town.mono)
    town.run(1.0)
    assert len(town.seen(CallEnded)) == 1
