from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media.telephone_event import KEYS, KeyReceiver, packets

Sent = tuple[int, bytes, float]
"""Timestamp, payload, and when it leaves."""


def dialled(digits: str) -> list[Sent]:
    """The packets of a number, keys 60 ms apart."""
    sent: list[Sent] = []
    at = 0.0
    for digit in digits:
        timestamp = round(at * 8000)
        for _, payload in packets(digit):
            sent.append((timestamp, payload, at))
            at += 0.02
        at += 0.06
    return sent


def received(sent: list[Sent], ssrc: int = 1) -> str:
    receiver, keys, now = KeyReceiver(), [], 0.0
    for timestamp, payload, now in sent:
        keys += receiver.due(now)
        keys += receiver.packet(ssrc, timestamp, payload, now)
    return "".join(keys + receiver.due(now + 1))


def test_a_key_begins_with_the_marker_grows_by_20_ms_and_ends_three_times():
    key = list(packets("5"))
    assert [marker for marker, _ in key] == [True] + [False] * 7
    assert {payload[0] for _, payload in key} == {5}
    durations = [int.from_bytes(payload[2:], "big") for _, payload in key]
    assert durations == [160, 320, 480, 640, 800, 800, 800, 800]
    assert [bool(payload[1] & 0x80) for _, payload in key] == [False] * 5 + [True] * 3


@given(st.text(alphabet=KEYS, max_size=12))
def test_a_number_arrives_as_it_was_dialled(digits):
    assert received(dialled(digits)) == digits


@given(st.text(alphabet=KEYS, min_size=1, max_size=6))
def test_every_packet_doubled_is_no_key_doubled(digits):
    assert received([packet for packet in dialled(digits) for _ in range(2)]) == digits


def test_a_key_whose_ends_are_lost_counts_once_its_packets_have_stopped():
    begun = dialled("7")[:3]
    receiver = KeyReceiver()
    for timestamp, payload, now in begun:
        assert receiver.packet(1, timestamp, payload, now) == []
    assert receiver.waiting
    assert receiver.due(0.1) == []
    assert receiver.due(0.17) == ["7"]
    assert not receiver.waiting
    assert receiver.packet(1, *dialled("7")[7][:2], 0.2) == [], "its end came after all"


def test_a_key_whose_ends_are_lost_counts_when_the_next_one_begins():
    sent = dialled("78")
    assert received(sent[:4] + sent[8:]) == "78"


def test_keys_of_two_sources_are_two_keys():
    receiver = KeyReceiver()
    end = list(packets("1"))[-1][1]
    assert receiver.packet(1, 0, end, 0.0) == ["1"]
    assert receiver.packet(2, 0, end, 0.0) == ["1"]


@pytest.mark.parametrize("payload", [b"", b"\x01\x8a\x03", bytes((16, 0x8A, 3, 32)), bytes((255,)) * 4])
def test_what_is_no_key_is_ignored(payload):
    receiver = KeyReceiver()
    assert receiver.packet(1, 0, payload, 0.0) == []
    assert not receiver.waiting


@pytest.mark.parametrize(("lost", "swapped"), [(0.05, 0.0), (0.2, 0.0), (0.05, 0.1)])
def test_loss_and_reordering_neither_miss_nor_double_a_key(lost, swapped):
    chance = Random(4733)
    digits = "".join(chance.choice(KEYS) for _ in range(500))
    sent = [packet for packet in dialled(digits) if chance.random() >= lost]
    for at in range(len(sent) - 1):
        if chance.random() < swapped:
            sent[at], sent[at + 1] = (*sent[at + 1][:2], sent[at][2]), (*sent[at][:2], sent[at + 1][2])
    assert received(sent) == digits


def test_a_key_held_for_ten_seconds_is_one_key():
    sent = [(0, bytes((5, 10)) + min(at * 160, 0xFFFF).to_bytes(2, "big"), at * 0.02) for at in range(1, 411)]
    sent += [(0xFFFF, bytes((5, 10)) + (at * 160).to_bytes(2, "big"), 8.2 + at * 0.02) for at in range(1, 90)]
    sent += [(0xFFFF, bytes((5, 0x8A)) + (90 * 160).to_bytes(2, "big"), 10 + at * 0.02) for at in range(3)]
    assert received(sent) == "5"


def test_the_same_key_pressed_again_is_two_keys():
    assert received(dialled("55")) == "55"
