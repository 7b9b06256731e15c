from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.wire import Impairment, Packet, Wire
from pbx.sip.address import Peer

A, B, C = (Peer("udp", f"10.0.0.{n}", 5060) for n in (1, 2, 3))


def drained(wire: Wire) -> list[tuple[float, bytes]]:
    out = []
    while len(wire):
        at = wire.next_arrival()
        packet = wire.take_due(at)
        assert packet is not None
        out.append((round(at, 6), packet.data))
    return out


def test_a_packet_arrives_after_the_delay_and_not_before():
    wire = Wire(1, Impairment(0.25))
    wire.send(A, B, b"x", 10.0)
    assert wire.take_due(10.2) is None
    assert wire.take_due(10.25) == Packet(A, B, b"x")
    assert wire.next_arrival() == float("inf")


def sent(seed: int, impairment: Impairment) -> list[tuple[float, bytes]]:
    wire = Wire(seed, impairment)
    for n in range(200):
        wire.send(A, B, b"%d" % n, n / 10)
    return drained(wire)


def test_the_same_seed_gives_the_same_faults_and_another_seed_others():
    rough = Impairment(0.05, 0.2, loss=0.1, duplication=0.1)
    assert sent(7, rough) == sent(7, rough)
    assert sent(7, rough) != sent(8, rough)


def test_loss_duplication_and_reordering_happen_at_about_their_chances():
    wire = Wire(3, Impairment(0.05, 0.3, loss=0.2, duplication=0.1))
    for n in range(2000):
        wire.send(A, B, b"%04d" % n, n / 10)
    order = [data for _, data in drained(wire)]
    assert 300 < wire.counts.lost < 500
    assert 100 < wire.counts.duplicated < 220
    assert wire.counts.delivered == len(order) == 2000 - wire.counts.lost + wire.counts.duplicated
    assert order != sorted(order)


def test_the_traffic_of_one_link_does_not_change_the_faults_of_another():
    rough = Impairment(0.05, 0.2, loss=0.3)
    alone, busy = Wire(5, rough), Wire(5, rough)
    for n in range(100):
        alone.send(A, B, b"%d" % n, n / 10)
        busy.send(A, B, b"%d" % n, n / 10)
        busy.send(C, B, b"other", n / 10)
    assert drained(alone) == [item for item in drained(busy) if item[1] != b"other"]


def test_one_direction_may_be_impaired_alone():
    wire = Wire(1, Impairment(0.0))
    wire.impair(Impairment(0.0, loss=1.0), source=A.host, to=B.host)
    wire.send(A, B, b"there", 0.0)
    wire.send(B, A, b"back", 0.0)
    assert drained(wire) == [(0.0, b"back")]
    wire.impair(Impairment(1.0))
    wire.send(C, A, b"slow", 0.0)
    assert drained(wire) == [(1.0, b"slow")]


def test_a_stream_neither_loses_nor_reorders():
    wire = Wire(1, Impairment(0.1, 0.5, loss=0.5, duplication=0.5))
    one, two = Peer("tcp", A.host, 40000), Peer("tcp", B.host, 5060)
    for n in range(50):
        wire.send(one, two, b"%02d" % n, n / 100)
    assert [data for _, data in drained(wire)] == [b"%02d" % n for n in range(50)]


def test_a_mutation_from_outside_changes_or_loses_what_it_wants():
    wire = Wire(1, Impairment(0.0))
    wire.mutate(lambda packet: None if packet.data == b"no" else Packet(packet.source, packet.to, b"changed"))
    wire.send(A, B, b"no", 0.0)
    wire.send(A, B, b"yes", 0.0)
    assert drained(wire) == [(0.0, b"changed")]


@given(st.lists(st.tuples(st.floats(0, 100), st.binary(max_size=8)), max_size=40), st.integers(0, 9))
def test_nothing_arrives_before_it_was_sent_and_the_counts_agree(sendings, seed):
    wire = Wire(seed, Impairment(0.01, 0.5, loss=0.2, duplication=0.2))
    for at, data in sorted(sendings):
        wire.send(A, B, data, at)
    arrivals = drained(wire)
    assert all(at >= min((s for s, d in sendings if d == data), default=0) for at, data in arrivals)
    counts = wire.counts
    assert counts.delivered == counts.sent - counts.lost + counts.duplicated


def test_a_link_of_limited_rate_queues_and_then_loses():
    wire = Wire(1, Impairment(0.0, kbit_s=80))  # 10 bytes a millisecond
    for n in range(12):
        wire.send(A, B, bytes([n]) * 272, 0.0)  # 300 bytes with headers: 30 ms each
    came = drained(wire)
    assert [at for at, _ in came] == pytest.approx([0.03 * n for n in range(1, 9)]), "a quarter of a second is held"
    assert wire.counts.lost == 4
