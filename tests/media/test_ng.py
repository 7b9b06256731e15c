from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.media import ng

VALUES = st.recursive(
    st.binary(max_size=20) | st.integers(-(1 << 60), 1 << 60),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


def test_a_request_is_a_cookie_and_a_dictionary_in_order():
    fields = {"command": "offer", "call-id": "x", "flags": ["trust-address"], "delete-delay": 0, "sdp": b"v=0\r\n"}
    assert ng.pack("c1", fields) == (
        b"c1 d7:call-id1:x7:command5:offer12:delete-delayi0e5:flagsl13:trust-addresse3:sdp5:v=0\r\ne"
    )


@settings(max_examples=40)
@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=4))
def test_what_was_packed_is_read(fields):
    assert ng.unpack(ng.pack("cookie", fields)) == ("cookie", fields)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"cookie", b"c ", b"c i5e", b"c d", b"c d1:ae", b"c d1:a5:abce", b"c d1:ai5e", b"c d1:aiee",
        b"c d1:a-1:e",
        b"c de rubbish", b"c d1:a99999999999999999999999999:e", b"c d1:a" + b"l" * 5000, b"c \xff\xfe",
    ],
)  # fmt: skip
def test_what_is_no_reply_is_refused(data):
    with pytest.raises(ng.BadReply):
        ng.unpack(data)


@given(st.binary(max_size=60))
def test_any_octets_are_a_reply_or_refused(data):
    try:
        ng.unpack(b"c d" + data)
    except ng.BadReply:
        return


@pytest.mark.parametrize("value", [True, None, 1.5, object()])
def test_what_bencode_has_no_word_for_is_refused(value):
    with pytest.raises(TypeError):
        ng.pack("c", {"x": value})
