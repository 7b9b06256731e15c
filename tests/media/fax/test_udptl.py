"""UDPTL (ITU-T T.38 §9): octets on the wire, and what becomes of packets that are lost, late or doubled."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.fax.udptl import BadUdptl, Datagram, Receiver, Sender, read, write

LARGE = bytes(range(200))


@pytest.mark.parametrize(
    ("octets", "meaning"),
    [
        ("0000 01 06 00 00", Datagram(0, b"\x06")),
        ("0005 02 c0 01 00 01 01 06", Datagram(5, b"\xc0\x01", (b"\x06",))),
        ("ffff 00 00 00", Datagram(0xFFFF, b"")),
        ("0001 80c8" + LARGE.hex() + "00 00", Datagram(1, LARGE)),
        ("0002 01 06 80 01 03 01 02 aa bb", Datagram(2, b"\x06")),  # parities: the packet itself is taken
    ],
)
def test_a_datagram_is_read_as_the_recommendation_writes_it(octets: str, meaning: Datagram) -> None:
    assert read(bytes.fromhex(octets)) == meaning


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "too short"),
        ("0000 01", "too short"),
        ("0000 7f 06 00 00", "a packet of 127 octets in 3"),
        ("0000 c1 06 06 00 00", "a length of 16,384 or more"),
        ("0000 02 06 00", "before the error recovery"),
        ("0000 03 06 00 00", "before the error recovery"),
        ("0000 01 06 00 05 01 06", "5 older packets in 2 octets"),
        ("0000 01 06 00 02 01 06", "before a length"),
    ],
)
def test_what_is_no_datagram_is_refused_in_words(octets: str, why: str) -> None:
    with pytest.raises(BadUdptl, match=why):
        read(bytes.fromhex(octets))


@given(st.binary(max_size=300))
def test_any_octets_are_read_or_refused(octets: bytes) -> None:
    try:
        it = read(octets)
    except BadUdptl:
        return
    assert len(it.primary) + sum(map(len, it.older)) <= len(octets)


@given(st.integers(0, 0xFFFF), st.binary(max_size=400), st.lists(st.binary(max_size=200), max_size=4))
def test_what_is_written_reads_the_same(number: int, primary: bytes, older: list[bytes]) -> None:
    it = Datagram(number, primary, tuple(older))
    assert read(write(it)) == it


def test_each_packet_goes_out_again_with_the_three_after_it() -> None:
    sender = Sender(400)
    sent = [read(sender.datagram(bytes([number]))) for number in range(5)]
    assert sent[4] == Datagram(4, b"\x04", (b"\x03", b"\x02", b"\x01"))
    assert sent[1] == Datagram(1, b"\x01", (b"\x00",))


def test_copies_are_left_out_before_a_datagram_grows_too_long_for_the_far_end() -> None:
    sender = Sender(120)
    sent = [sender.datagram(bytes([number]) * 50) for number in range(4)]
    assert [len(read(data).older) for data in sent] == [0, 1, 1, 1]
    assert max(map(len, sent)) <= 120


def packets(count: int) -> tuple[list[bytes], list[bytes]]:
    """Return packets and the datagrams that carry them."""
    sender = Sender(1400)
    made = [f"packet {number}".encode() for number in range(count)]
    return made, [sender.datagram(packet) for packet in made]


@pytest.mark.parametrize("lost", [(1,), (0, 1, 2), (3, 4, 5), (0, 4, 6, 8)], ids=str)
def test_up_to_three_lost_in_a_row_are_had_from_the_copies(lost: tuple[int, ...]) -> None:
    made, sent = packets(12)
    receiver = Receiver()
    got = [packet for number, data in enumerate(sent) if number not in lost for _, packet in receiver.take(data)]
    assert got == made
    assert (receiver.recovered, receiver.lost) == (len(lost), 0)


def test_what_is_late_or_doubled_is_taken_once_and_in_order() -> None:
    made, sent = packets(6)
    receiver = Receiver()
    arrivals = [sent[at] for at in (1, 0, 0, 3, 2, 5, 4, 5)]
    got = [found for data in arrivals for found in receiver.take(data)]
    assert got == list(enumerate(made))


def test_a_hole_that_nothing_mends_is_waited_for_and_then_given_up() -> None:
    sent = [write(Datagram(number, bytes([number]))) for number in range(10)]
    receiver = Receiver()
    got = [receiver.take(data) for data in (sent[0], sent[2], sent[1])]
    assert got == [[(0, b"\0")], [], [(1, b"\1"), (2, b"\2")]], "it was late only"
    assert [receiver.take(data) for data in (sent[4], sent[5], sent[6])] == [[], [], []]
    assert receiver.take(sent[7]) == [(number, bytes([number])) for number in (4, 5, 6, 7)]
    assert receiver.lost == 1


def bare(numbers: Iterable[int]) -> list[bytes]:
    return [write(Datagram(number & 0xFFFF, b"x")) for number in numbers]


def test_numbers_go_round() -> None:
    receiver = Receiver()
    got = [number for data in bare(range(0x10003)) for number, _ in receiver.take(data)]
    assert got[-5:] == [0xFFFE, 0xFFFF, 0, 1, 2]
    assert len(got) == 0x10003


def test_late_sound_is_no_packet_of_the_fax_and_another_stream_is_followed_after_a_while() -> None:
    receiver = Receiver()
    stray = bare([0x8000])[0]  # so do the first octets of RTP read
    assert [receiver.take(stray) for _ in range(10)] == [[]] * 10
    assert [number for data in bare(range(3)) for number, _ in receiver.take(data)] == [0, 1, 2]
    got = [number for data in bare(range(9000, 9100)) for number, _ in receiver.take(data)]
    assert got == list(range(9024, 9100))


@given(st.lists(st.integers(0, 29), max_size=60), st.integers(0, 3))
def test_in_any_order_each_packet_comes_once_and_none_before_an_earlier_one(order: list[int], copies: int) -> None:
    sender = Sender(1400, copies)
    sent = [sender.datagram(bytes([number])) for number in range(30)]
    receiver = Receiver()
    got = [number for at in order for number, packet in receiver.take(sent[at]) if packet == bytes([number])]
    assert got == sorted(set(got))
