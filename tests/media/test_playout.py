"""The playout buffer: order, delay and holes, whatever arrives."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.playout import FRAME, Playout

FRAME_S = 0.02
DEEPEST = 3200


def octets(number: int) -> bytes:
    """A packet whose octets tell its number."""
    return bytes([number % 255 + 1]) * FRAME


def numbers(taken: list[bytes | list[bytes | int]]) -> list[int]:
    """What came out, by the numbers of the packets; 0 for a hole."""
    return [frame[0] if isinstance(frame, bytes) else 0 for frame in taken]


def played(
    arrivals: list[tuple[float, int]], seconds: float, buffer: Playout | None = None, *, first: int = 0
) -> list[bytes | list[bytes | int]]:
    """Put packets (arrival, number) in and take a frame every 20 ms."""
    buffer = buffer or Playout()
    waiting = sorted(arrivals)
    taken = []
    for beat in range(round(seconds / FRAME_S)):
        now = beat * FRAME_S + 0.005
        while waiting and waiting[0][0] <= now:
            at, number = waiting.pop(0)
            buffer.put((first + number * FRAME) % 2**32, octets(number), at)
        taken.append(buffer.take())
    return taken


@pytest.mark.parametrize("first", [0, 2**32 - 50 * FRAME - 7, 2**31 - 3])
def test_a_steady_stream_comes_out_whole_across_every_wrap_of_its_timestamps(first: int):
    out = numbers(played([(n * FRAME_S, n) for n in range(120)], 2.4, first=first))
    begun = out.index(1)
    assert begun <= 3
    assert out[begun:] == [n % 255 + 1 for n in range(120 - begun)]


def test_packets_out_of_order_come_out_in_theirs():
    order = [n + (1 if n % 7 == 3 else -1 if n % 7 == 4 else 0) for n in range(100)]
    out = numbers(played([(at * FRAME_S, n) for at, n in enumerate(order)], 2.0))
    assert [b - a for a, b in pairwise(out[out.index(1) :])] == [1] * (len(out) - out.index(1) - 1)


def test_a_double_changes_nothing_and_counts():
    buffer = Playout()
    arrivals = [(n * FRAME_S + extra, n) for n in range(50) for extra in (0.0, 0.001)]
    out = numbers(played(arrivals, 1.0, buffer))
    assert out[out.index(1) :] == list(range(1, 51 - out.index(1)))
    assert buffer.doubled == 50


def test_a_lost_packet_is_a_hole_of_its_length_and_one_that_comes_too_late_too():
    arrivals = [(n * FRAME_S + (0.5 if n == 20 else 0.0), n) for n in range(60) if n != 10]
    buffer = Playout()
    out = numbers(played(arrivals, 1.2, buffer))
    begun = out.index(1)
    assert [at - begun for at, number in enumerate(out) if number == 0 and at > begun] == [10, 20]
    assert buffer.late == 1


def test_packets_of_30_ms_are_cut_into_frames_and_a_lost_one_leaves_a_hole_of_30_ms():
    buffer, missing, taken = Playout(), 0, bytearray()
    for n in range(40):
        if n != 20:
            buffer.put(n * 240, bytes([n + 1]) * 240, n * 0.03)
        for _ in range(1 + n % 2):
            frame = buffer.take()
            for piece in [frame] if isinstance(frame, bytes) else frame:
                if isinstance(piece, bytes):
                    taken += piece
                elif taken:
                    missing += piece
    assert missing == 240
    assert taken.count(21) == 0
    assert taken == bytearray().join(bytes([n + 1]) * 240 for n in range(40) if n != 20)[: len(taken)]


def jittery(spread_s: float, count: int = 1500) -> list[tuple[float, int]]:
    chance = random.Random("jitter")
    return [(n * FRAME_S + chance.random() * spread_s, n) for n in range(count)]


@pytest.mark.parametrize(("spread_s", "least_ms", "most_ms"), [(0.0, 20, 21), (0.04, 45, 65), (0.1, 95, 125)])
def test_the_delay_follows_the_spread_of_the_arrivals(spread_s: float, least_ms: int, most_ms: int):
    buffer = Playout()
    out = played(jittery(spread_s), 30.0, buffer)
    assert least_ms <= buffer.delay_ms <= most_ms
    assert numbers(out[200:]).count(0) < 0.03 * len(out)


def test_after_a_jam_everything_within_the_limit_is_heard_and_the_delay_stays_bounded():
    arrivals = [(max(n * FRAME_S, 1.16) if 50 <= n < 58 else n * FRAME_S, n) for n in range(100)]
    buffer = Playout()
    out = numbers(played(arrivals, 2.0, buffer))
    heard = [number for number in out if number]
    assert heard == sorted(set(heard))
    assert set(range(52, 59)) <= set(heard), "what was jammed is played late, not left out"
    assert buffer.depth <= DEEPEST


def test_a_source_that_starts_its_timestamps_anew_is_heard_again_from_its_second_packet_on():
    buffer = Playout()
    played([(n * FRAME_S, n) for n in range(50)], 1.0, buffer)
    for n in range(10):
        buffer.put(123_456_789 + n * FRAME, octets(n), 1.0 + n * FRAME_S)
    taken = [buffer.take() for _ in range(12)]
    assert 2 in numbers(taken)


def test_a_pause_in_the_sending_is_no_loss_whether_or_not_the_timestamps_count_it():
    for counted in (True, False):
        shift = 100 if counted else 0
        arrivals = [(n * FRAME_S, n) for n in range(50)]
        arrivals += [((n + 100) * FRAME_S, n + shift) for n in range(50, 100)]
        out = numbers(played(arrivals, 4.2))
        expected = [(n + (shift if n >= 50 else 0)) % 255 + 1 for n in range(100)]
        heard = [number for number in out if number]
        assert len(heard) >= 98
        assert heard == [number for number in expected if number in set(heard)]


packets = st.tuples(
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 400).map(lambda n: n * FRAME), st.integers(0, 20_000)),
    st.integers(1, 480),
    st.floats(0, 0.3),
    st.integers(0, 4),
)


@given(st.lists(packets, max_size=60))
def test_whatever_arrives_in_whatever_order_frames_come_out_and_the_delay_is_bounded(arrivals):
    buffer, now = Playout(), 5.0
    for timestamp, length, passed, takes in arrivals:
        now += passed
        buffer.put(timestamp, bytes([7]) * length, now)
        assert buffer.depth <= DEEPEST
        for _ in range(takes):
            frame = buffer.take()
            buffer.is_behind(now)
            buffer.is_ahead(now)
            sizes = [len(frame)] if isinstance(frame, bytes) else [p if isinstance(p, int) else len(p) for p in frame]
            assert sum(sizes) == FRAME


@given(st.permutations(range(16)), st.sets(st.integers(0, 15), max_size=4))
def test_no_octet_comes_out_twice_or_out_of_its_order(order, lost):
    buffer = Playout(200, 200)
    for n in order:
        if n not in lost:
            buffer.put((n + 10) * FRAME, octets(n), 0.0)
    heard = [number for number in numbers([buffer.take() for _ in range(40)]) if number]
    assert heard == sorted(set(heard))
