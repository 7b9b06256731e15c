from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.quality import Receiver, mos_g711


def stream(receiver: Receiver, sequences: list[int]) -> Receiver:
    """Packets sent every 20 ms that arrive at once."""
    for sequence in sequences:
        receiver.packet(sequence & 0xFFFF, sequence * 160 & 0xFFFFFFFF, sequence * 0.02)
    return receiver


def test_an_unharmed_stream_has_no_loss_and_no_jitter():
    receiver = stream(Receiver(), list(range(500)))
    assert (receiver.received, receiver.lost, round(receiver.jitter_ms, 6)) == (500, 0, 0.0)


@given(st.integers(0, 0xFFFF), st.sets(st.integers(1, 298), max_size=60))
def test_exactly_the_missing_packets_are_lost_wherever_numbers_wrap(start, missing):
    kept = [start + at for at in range(300) if at not in missing]
    receiver = stream(Receiver(), kept)
    assert (receiver.received, receiver.lost) == (len(kept), len(missing))


@given(st.integers(0, 10_000))
def test_doubles_and_reordering_hide_no_loss(seed):
    chance = Random(seed)
    kept = [at for at in range(400) if at in (0, 399) or at % 50]
    arriving = [at for at in kept for _ in range(1 + (chance.random() < 0.1))]
    for at in range(1, len(arriving) - 2):
        if chance.random() < 0.1:
            arriving[at], arriving[at + 1] = arriving[at + 1], arriving[at]
    receiver = stream(Receiver(), arriving)
    assert (receiver.received, receiver.lost) == (len(kept), 7)
    assert receiver.loss == pytest.approx(7 / 400)


def test_a_long_call_is_counted_to_the_end():
    receiver = stream(Receiver(), [at for at in range(200_000) if at % 100])
    assert (receiver.received, receiver.lost) == (198_000, 1_999)


def test_jitter_is_that_of_the_standard():
    chance, receiver = Random(3550), Receiver()
    for at in range(3000):
        receiver.packet(at, at * 160, 1 + at * 0.02 + chance.gauss(0, 0.005))
    assert 5.0 < receiver.jitter_ms < 7.0, "1.1 to 1.3 times the deviation of 5 ms"


def test_a_pause_of_the_sender_is_no_jitter():
    receiver = stream(Receiver(), list(range(100)))
    for at in range(100, 200):
        receiver.packet(at, at * 160, at * 0.02 + 5)
    assert receiver.jitter_ms < 1


def test_nothing_received_is_nothing_lost():
    assert (Receiver().lost, Receiver().loss) == (0, 0.0)


@pytest.mark.parametrize(
    ("loss", "delay_ms", "mos"),
    [(0.0, 0, 4.41), (0.01, 0, 3.83), (0.0, 300, 3.96), (1.0, 0, 1.0), (0.0, 90, 4.41)],
)
def test_the_estimate_is_that_of_the_e_model(loss, delay_ms, mos):
    assert mos_g711(loss, delay_ms) == pytest.approx(mos, abs=0.06)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 2000))
def test_more_loss_never_sounds_better(a, b, delay_ms):
    assert 1.0 <= mos_g711(max(a, b), delay_ms) <= mos_g711(min(a, b), delay_ms) + 0.01 <= 4.51
