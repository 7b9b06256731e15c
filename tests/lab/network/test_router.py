"""A site's router: who is let in, for how long, and what it does to what passes."""

from __future__ import annotations

import struct

import pytest

from lab.network.router import NAT_PMP_PORT, Router, RouterTraits
from lab.wire import Packet
from pbx.sip.address import Peer

PHONE, OTHER_PHONE = Peer("udp", "10.0.1.1", 5060), Peer("udp", "10.0.1.2", 5060)
SWITCH, STRANGER = Peer("udp", "192.0.2.1", 5060), Peer("udp", "192.0.2.66", 5060)
PUBLIC = "203.0.113.1"


def router(**traits: object) -> Router:
    return Router(lambda host: host.startswith("10.0.1."), PUBLIC, RouterTraits(**traits), gateway="10.0.1.254")


def out(it: Router, source: Peer = PHONE, to: Peer = SWITCH, at: float = 0.0, data: bytes = b"x") -> Packet:
    carried = it.carry(Packet(source, to, data, 46), at)
    assert carried is not None
    return carried


def back(it: Router, mapped: Peer, source: Peer = SWITCH, at: float = 0.0) -> Packet | None:
    return it.carry(Packet(source, mapped, b"y", 46), at)


def test_an_answer_finds_its_way_to_who_asked():
    it = router()
    mapped = out(it).source
    assert mapped == Peer("udp", PUBLIC, 5060), "the inside's own port while it is free"
    answer = back(it, mapped)
    assert answer is not None
    assert (answer.to, answer.source) == (PHONE, SWITCH)


def test_two_phones_of_one_port_are_told_apart():
    it = router()
    one, two = out(it).source, out(it, OTHER_PHONE).source
    assert one != two
    assert back(it, two).to == OTHER_PHONE  # type: ignore[union-attr]


def test_a_stranger_is_not_let_in_and_neither_is_the_inside_reached_from_outside():
    it = router()
    mapped = out(it).source
    assert back(it, mapped, STRANGER) is None
    assert back(it, PHONE) is None
    assert it.counts.refused == 2


def test_a_mapping_ends_after_a_silence_and_traffic_from_inside_keeps_it():
    it = router(udp_timeout_s=30)
    mapped = out(it, at=0.0).source
    assert back(it, mapped, at=29.9) is not None
    out(it, at=29.9)
    assert back(it, mapped, at=59.8) is not None
    assert back(it, mapped, at=59.9) is None, "what comes from outside keeps nothing open (RFC 4787 REQ-6)"


def test_a_symmetric_router_has_a_port_for_each_destination():
    it = router(nat="symmetric")
    assert out(it, to=SWITCH).source != out(it, to=STRANGER).source
    assert out(it, to=SWITCH).source == out(it, to=SWITCH).source


def test_a_gateway_that_knows_sip_rewrites_addresses_there_and_back_and_mends_the_length():
    it = router(rewrites_sip=True)
    body = b"c=IN IP4 10.0.1.1\r\n"
    lines = ["INVITE sip:1@192.0.2.1 SIP/2.0", "Via: SIP/2.0/UDP 10.0.1.1:5060", "X: 10.0.1.11", "Content-Length: 19"]
    head = "\r\n".join([*lines, "", ""]).encode()
    carried = out(it, data=head + body).data
    assert b"Via: SIP/2.0/UDP 203.0.113.1:5060" in carried
    assert b"X: 10.0.1.11" in carried, "another host's address is left alone"
    assert carried.endswith(b"Content-Length: 22\r\n\r\nc=IN IP4 203.0.113.1\r\n")
    assert out(it, data=b"voice 10.0.1.1").data == b"voice 10.0.1.1"


@pytest.mark.parametrize(("size", "passes"), [(1472, True), (1473, False)])
def test_a_firewall_without_fragments_takes_what_fits_a_frame(size, passes):
    it = router(drops_fragments=True)
    assert (it.carry(Packet(PHONE, SWITCH, bytes(size)), 0.0) is not None) == passes


def test_marks_are_stripped_by_a_router_that_does_not_trust_them():
    assert out(router()).dscp == 46
    assert out(router(strips_marks=True)).dscp == 0


def test_the_gateway_says_what_it_is_outside_to_whom_asks_from_inside():
    it = router()
    asked = Packet(PHONE, Peer("udp", it.gateway, NAT_PMP_PORT), b"\x00\x00")
    answer = it.answer(asked)
    assert answer is not None
    assert struct.unpack("!BBHI4B", answer)[4:] == (203, 0, 113, 1)
    assert it.answer(asked._replace(data=b"\x00\x01")) is None
