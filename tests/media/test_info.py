from __future__ import annotations

import pytest

from pbx.media.info import info_digit


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"Signal=5\r\nDuration=160\r\n", "5"),
        (b"Signal= 5\r\nDuration= 160", "5"),
        (b"signal=*\n", "*"),
        (b"Duration=250\r\nSignal=#\r\n", "#"),
        (b"Signal=10\r\nDuration=160", "*"),
        (b"Signal=11", "#"),
        (b"Signal=d", "D"),
        (b"Signal=12", ""),
        (b"Signal=\r\nDuration=160", ""),
        (b"", ""),
        (b"\xff\xfe", ""),
    ],
)
def test_a_relayed_key_is_read_as_phones_write_it(body, key):
    assert info_digit("application/dtmf-relay", body) == key


@pytest.mark.parametrize(("body", "key"), [(b"5", "5"), (b" 11\r\n", "#"), (b"55", ""), (b"", "")])
def test_a_bare_key_is_read(body, key):
    assert info_digit("application/dtmf", body) == key
