"""The mirror answers what it knows, is silent to rubbish, and is nobody's amplifier."""

from __future__ import annotations

import pytest

from lab.network.datagrams import Datagram
from lab.network.mirror import LONGEST_S, RTP_HEAD, STAMP, Mirror
from pbx.media import rtp
from pbx.sip.address import Peer
from pbx.sip.message import Response, parse
from pbx.sip.stun import binding_request, mapped_address

SIP, OTHER, MEDIA = 5060, 5062, 16_000
ASKER = Peer("udp", "198.51.100.7", 4711)


def mirror() -> Mirror:
    return Mirror((SIP, OTHER, MEDIA), b"secret")


def options(*headers: str) -> bytes:
    lines = [
        "OPTIONS sip:mirror@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 10.0.1.1:5060;branch=z9hG4bKx;rport",
        "From: <sip:a@b>;tag=1",
        "To: <sip:mirror@192.0.2.1>",
        "Call-ID: 1",
        "CSeq: 1 OPTIONS",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def answered(it: Mirror, data: bytes, port: int = SIP, peer: Peer = ASKER, now: float = 0.0) -> list[Datagram]:
    it.receive(Datagram(port, peer, data, 46), now)
    return it.take_outgoing()


def said(out: list[Datagram]) -> Response:
    (one,) = out
    message = parse(one.data)
    assert isinstance(message, Response)
    return message


@pytest.mark.parametrize("port", [SIP, OTHER])
def test_stun_says_where_one_comes_from_on_both_ports(port):
    (one,) = answered(mirror(), binding_request(b"twelve bytes"), port)
    assert mapped_address(one.data) == ("198.51.100.7", 4711)
    assert one.port == port


def test_an_answer_is_given_after_the_silence_asked_for():
    it = mirror()
    assert answered(it, options("X-Answer-After: 30")) == []
    assert it.next_deadline() == 30.0
    it.tick(30.0)
    assert said(it.take_outgoing()).status == 200


@pytest.mark.parametrize("wrong", ["-1", "soon", "²", str(LONGEST_S + 1), "9" * 5000])
def test_a_silence_that_is_none_is_refused(wrong):
    assert said(answered(mirror(), options(f"X-Answer-After: {wrong}"))).status == 400


def test_one_address_can_have_only_so_many_answers_pending():
    it = mirror()
    for _ in range(100):
        answered(it, options("X-Answer-After: 10"))
    it.tick(10.0)
    assert len(it.take_outgoing()) == 16


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"INVITE", b"SIP/2.0 200 OK\r\n\r\n", bytes(range(256))])
def test_rubbish_is_met_with_silence(data):
    it = mirror()
    for port in (SIP, OTHER, MEDIA):
        assert answered(it, data, port) == []


def test_other_methods_are_told_which_there_are():
    refused = said(answered(mirror(), options().replace(b"OPTIONS", b"REGISTER")))
    assert (refused.status, refused.get("Allow")) == (405, "OPTIONS, INVITE, ACK")


def voice(token: bytes, ssrc: int = 1) -> bytes:
    return rtp.pack(0, 1, 160, ssrc, STAMP.pack(token, 0, 1.5, 0, 0) + bytes(100))


def token_of(it: Mirror, peer: Peer = ASKER) -> bytes:
    where = said(answered(it, options(), peer=peer)).need("X-Mirror")
    return bytes.fromhex(where.rpartition("token=")[2])


def test_voice_comes_back_with_its_count_and_its_mark_and_not_one_byte_more():
    it = mirror()
    data = voice(token_of(it))
    for count in (1, 2):
        (one,) = answered(it, data, MEDIA)
        assert STAMP.unpack_from(one.data, RTP_HEAD)[2:] == (1.5, count, 46)
        assert len(one.data) == len(data)


def test_voice_without_the_token_of_its_address_is_not_sent_back():
    it = mirror()
    stolen = token_of(it, Peer("udp", "203.0.113.9", 1))
    assert answered(it, voice(stolen), MEDIA) == []
