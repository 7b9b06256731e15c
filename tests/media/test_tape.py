from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pbx.media.playout import FRAME, RATE
from pbx.media.tape import Tape

SOURCE = 7
BEFORE_THE_WRAP = (1 << 32) - 3 * FRAME


def octets(number: int) -> bytes:
    return bytes([number + 1]) * FRAME


def put(tape: Tape, number: int, *, ssrc: int = SOURCE, first: int = 0, now: float | None = None) -> None:
    at = number * FRAME
    tape.put(ssrc, first + at & 0xFFFFFFFF, octets(number), at / RATE if now is None else now)


def whole(pieces: list[bytes | int]) -> bytes:
    """Holes as zeros, which no octet here is."""
    return b"".join(bytes(piece) if isinstance(piece, int) else piece for piece in pieces)


@given(st.permutations(range(1, 12)), st.sets(st.integers(1, 10)), st.sampled_from([0, BEFORE_THE_WRAP]))
def test_what_comes_in_any_order_lies_in_its_own(order, lost, first):
    tape = Tape(0.0, 100 * FRAME)
    put(tape, 0, first=first)
    for number in order:
        if number not in lost:
            put(tape, number, first=first)
            put(tape, number, first=first)
    there = [number for number in range(12) if number not in lost]
    assert tape.end == (there[-1] + 1) * FRAME
    expected = b"".join(octets(n) if n not in lost else bytes(FRAME) for n in range(there[-1] + 1))
    assert whole(tape.take(tape.end)) == expected


@given(st.sets(st.integers(1, 30)), st.lists(st.integers(0, 33 * FRAME)))
def test_it_is_read_in_any_stretches(lost, stretches):
    tape = Tape(0.0, 100 * FRAME)
    for number in range(32):
        if number not in lost:
            put(tape, number)
    read = b"".join(whole(tape.take(upto)) for upto in [*sorted(stretches), tape.end])
    assert read == b"".join(bytes(FRAME) if number in lost else octets(number) for number in range(32))


def test_a_hole_is_told_by_its_length_and_what_comes_after_it_was_read_is_left_out():
    tape = Tape(0.0, 100 * FRAME)
    put(tape, 0)
    put(tape, 3)
    assert tape.take(2 * FRAME) == [octets(0), FRAME]
    put(tape, 1)
    assert tape.take(4 * FRAME) == [FRAME, octets(3)]


def test_a_packet_of_thirty_milliseconds_fills_a_hole_of_twenty():
    tape = Tape(0.0, 100 * FRAME)
    put(tape, 0)
    put(tape, 2)
    tape.put(SOURCE, FRAME - 80, b"\xaa" * 240, 0.05)
    assert tape.take(3 * FRAME) == [octets(0) + b"\xaa" * FRAME + octets(2)]


def test_another_source_begins_at_its_moment():
    tape = Tape(10.0, 200 * FRAME)
    tape.put(SOURCE, 5000, octets(0), 10.0)
    tape.put(8, 123_456, octets(1), 11.0)
    assert tape.take(tape.end) == [octets(0), RATE - FRAME, octets(1)]


def test_a_source_that_starts_anew_with_its_old_name_goes_on_where_it_was():
    tape = Tape(0.0, 200 * FRAME)
    put(tape, 0)
    put(tape, 1)
    put(tape, 0, first=1_000_000_000, now=0.04)
    put(tape, 1, first=1_000_000_000, now=0.06)
    assert tape.take(tape.end) == [octets(0) + octets(1) + octets(0) + octets(1)]


def test_what_lies_beyond_the_end_is_not_kept():
    tape = Tape(0.0, 2 * FRAME)
    for number in range(4):
        put(tape, number)
    assert tape.end == 2 * FRAME


def skipped_to(number: int) -> Tape:
    """A tape of one packet that was read up to another, which has not come."""
    tape = Tape(0.0, 1000 * FRAME)
    put(tape, 0)
    tape.take(number * FRAME)
    assert tape.skip(number * FRAME) == (number - 1) * FRAME
    return tape


def test_what_comes_for_a_stretch_that_was_skipped_is_left_out_and_moves_nothing():
    tape = skipped_to(10)
    for late in (2, 7, 3, 8, 4, 9):
        put(tape, late, now=0.2)
    put(tape, 10)
    put(tape, 11)
    assert tape.take(12 * FRAME) == [octets(10) + octets(11)]


def test_a_source_whose_clock_stood_still_goes_on_at_its_moment_after_a_few_packets():
    tape = skipped_to(50)
    for number in range(1, 20):
        put(tape, number, now=1.0 + number * 0.02)
    first = 5
    hole, sound = tape.take(tape.end)
    assert (hole, sound) == (first * FRAME, b"".join(octets(number) for number in range(first, 20)))
    assert tape.end == (50 + 20) * FRAME
