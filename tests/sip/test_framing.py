"""A stream cut into messages: split, joined, oversized, and what keeps it alive between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.sip.framing import MAX_MESSAGE, Framer
from pbx.sip.message import MAX_HEAD
from pbx.sip.tolerances import Tolerance, Tolerances
from tests.sip.notation import messages

RFC_4475 = messages("rfc4475")
MESSAGE = b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\nContent-Length: 4\r\n\r\nbody"


@given(st.lists(st.integers(1, 40)), st.integers(1, 5), st.sampled_from([b"", b"\r\n", b"\r\n\r\n"]))
def test_however_a_stream_is_cut_the_messages_are_the_same(cuts, copies, between):
    stream, framer, found = (MESSAGE + between) * copies, Framer(), []
    for cut in cuts:
        found += framer.feed(stream[:cut])
        stream = stream[cut:]
    found += framer.feed(stream)
    assert found == [MESSAGE] * copies
    assert framer.pings == (copies if len(between) == 4 else 0)
    assert not framer.broken


def test_one_octet_at_a_time():
    framer = Framer()
    found = [message for octet in RFC_4475["wsinv"] for message in framer.feed(bytes([octet]))]
    assert found == [RFC_4475["wsinv"]]


def test_a_length_is_read_however_it_is_written():
    for line in (b"Content-Length: 4", b"l:4", b"CONTENT-LENGTH \t:  4 ", b"Content-Length:\r\n  4"):
        framer = Framer()
        data = MESSAGE.replace(b"Content-Length: 4", line)
        assert framer.feed(data) == [data]


def test_a_message_without_a_length_has_no_body_and_is_counted():
    tolerances = Tolerances()
    (message,) = Framer(tolerances).feed(MESSAGE.replace(b"Content-Length: 4\r\n", b"").removesuffix(b"body"))
    assert message.endswith(b"\r\n\r\n")
    assert tolerances.forgiven == {Tolerance.NO_LENGTH: 1}


BROKEN = {
    "a negative length": RFC_4475["ncl"],
    "two lengths": RFC_4475["mcl01"],
    "no number": MESSAGE.replace(b"4", b"four"),
    "too long a body": MESSAGE.replace(b"4", str(MAX_MESSAGE).encode()),
    "a head without an end": b"OPTIONS sip:x SIP/2.0\r\nX: " + b"x" * MAX_HEAD,
}


@pytest.mark.parametrize("name", BROKEN)
def test_where_nobody_can_tell_the_end_the_stream_is_over_and_what_is_there_is_handed_on(name):
    framer = Framer()
    assert framer.feed(MESSAGE + BROKEN[name]) == [MESSAGE, BROKEN[name]]
    assert framer.broken
    assert framer.feed(MESSAGE) == []


def test_the_same_length_twice_can_still_be_cut():
    data = MESSAGE.replace(b"Via: x", b"Via: x\r\nl: 4")
    assert Framer().feed(data) == [data]


def test_a_long_body_may_take_its_time():
    framer = Framer()
    assert framer.feed(RFC_4475["clerr"]) == []
    (message,) = framer.feed(b"x" * 9999)
    assert len(message) == RFC_4475["clerr"].index(b"\r\n\r\n") + 4 + 9999
