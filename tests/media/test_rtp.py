from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbx.media import rtp

words = st.integers(0, 0xFFFFFFFF)
numbers = st.integers(0, 0xFFFF)


@given(st.integers(0, 127), numbers, words, words, st.binary(max_size=200), st.booleans())
def test_a_packet_reads_as_it_was_packed(payload_type, sequence, timestamp, ssrc, payload, marker):
    data = rtp.pack(payload_type, sequence, timestamp, ssrc, payload, marker=marker)
    assert rtp.read(data) == rtp.Packet(payload_type, marker, sequence, timestamp, ssrc, payload)


@given(st.binary(max_size=64))
def test_rubbish_is_read_as_nothing_or_as_a_packet_but_never_raises(data):
    packet = rtp.read(data)
    assert packet is None or len(packet.payload) <= len(data) - rtp.HEADER_SIZE


def test_sources_extension_and_padding_are_no_payload():
    plain = rtp.pack(0, 7, 160, 1, b"sound")
    listed = bytes([plain[0] | 1]) + plain[1:12] + b"csrc" + b"sound"
    extended = bytes([plain[0] | 0x10]) + plain[1:12] + b"\xbe\xde\x00\x01extn" + b"sound"
    padded = bytes([plain[0] | 0x20]) + plain[1:] + b"\0\0\3"
    for data in (listed, extended, padded):
        packet = rtp.read(data)
        assert packet is not None
        assert packet.payload == b"sound"


def test_what_is_too_short_for_what_it_announces_is_no_packet():
    plain = rtp.pack(0, 7, 160, 1, b"")
    assert rtp.read(bytes([plain[0] | 2]) + plain[1:]) is None
    assert rtp.read(bytes([plain[0] | 0x10]) + plain[1:]) is None
    assert rtp.read(b"\x00" + plain[1:]) is None


@given(numbers, st.integers(1, 0x7FFF))
def test_order_holds_across_the_wrap(sequence, steps):
    later = (sequence + steps) & 0xFFFF
    assert rtp.after(later, sequence)
    assert not rtp.after(sequence, later)
    assert not rtp.after(sequence, sequence)


@given(st.integers(0, 1 << 40), st.integers(0, 1 << 40))
def test_counters_wrap_when_packed(sequence, timestamp):
    packet = rtp.read(rtp.pack(0, sequence, timestamp, 1, b""))
    assert packet is not None
    assert (packet.sequence, packet.timestamp) == (sequence & 0xFFFF, timestamp & 0xFFFFFFFF)
