"""What a peer writes where a number belongs is a number or None, never an exception."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.sdp import parse_sdp
from pbx.numerals import natural


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        (" 70 ", 70),
        ("0068", 68),
        ("4294967295", 2**32 - 1),
        ("0" * 5000 + "7", 7),
        ("9" * 11, None),
        ("9" * 5000, None),
        ("²", None),
        ("٣", None),
        ("-1", None),
        ("+1", None),
        ("1_0", None),
        ("1 0", None),
        ("", None),
        ("\x1e", None),
    ],
)
def test_only_a_few_ascii_digits_are_a_number(text, number):
    assert natural(text) == number


@given(st.text(alphabet="0123456789 ²٣-+_\x1e", max_size=14))
def test_whatever_is_taken_is_what_int_takes(text):
    found = natural(text)
    assert found is None or (found == int(text.strip()) and found >= 0)


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "\x1e²", ""])
def test_a_session_description_with_it_is_read(number):
    lines = [
        "v=0",
        "c=IN IP4 10.0.0.1",
        f"m=audio 4000 RTP/AVP 0 {number}",
        f"a=ptime:{number}",
        "a=rtpmap:0 PCMU/8000",
    ]
    found = parse_sdp("\r\n".join(lines).encode())
    assert (found.ptime_ms, found.codecs[0][0]) == (20, "PCMU")
