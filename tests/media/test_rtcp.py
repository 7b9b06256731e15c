"""RTCP on the wire (RFC 3550 §6, RFC 3611 §4.7)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.media import rtcp
from pbx.media.quality import Losses, Receiver
from pbx.media.reports import Reports, Sent

words = st.integers(0, 0xFFFFFFFF)
ratios = st.integers(0, 255).map(lambda it: it / 256)
short = st.integers(0, 0xFFFF)
blocks = st.builds(rtcp.Block, words, ratios, st.integers(-0x800000, 0x7FFFFF), words, words, words, words)
reports = st.builds(
    rtcp.Report, words, st.lists(blocks, max_size=31).map(tuple), st.integers(0, 2**64 - 1), words, words, words
) | st.builds(rtcp.Report, words, st.lists(blocks, max_size=31).map(tuple))
names = st.builds(
    rtcp.Names,
    st.lists(st.tuples(words, st.text(max_size=40).filter(lambda it: len(it.encode()) < 255)), max_size=5).map(tuple),
)
mos = st.integers(10, 50).map(lambda it: it / 10)
metrics = st.builds(
    rtcp.VoipMetrics,
    words,
    ratios,
    ratios,
    ratios,
    ratios,
    short,
    short,
    short,
    short,
    st.integers(0, 100),
    mos,
    mos,
    short,
)
extended = st.builds(rtcp.Extended, words, st.lists(metrics, max_size=3).map(tuple))
goodbyes = st.builds(rtcp.Goodbye, st.lists(words, max_size=31).map(tuple))


@given(st.lists(reports | names | extended | goodbyes, min_size=1, max_size=4))
def test_a_compound_reads_as_it_was_packed(packets):
    data = rtcp.pack(packets)
    assert len(data) % 4 == 0
    assert rtcp.is_control(data)
    assert rtcp.read(data) == packets


def test_the_octets_are_those_of_the_standard():
    block = rtcp.Block(0x11223344, 0.5, -1, 0x00010002, 9, 0xAABBCCDD, 65536)
    assert rtcp.pack([rtcp.Report(0xDEADBEEF, (block,))]).hex() == (
        "81c90007deadbeef1122334480ffffff0001000200000009aabbccdd00010000"
    )
    assert rtcp.pack([rtcp.Names(((1, "ab"),))]).hex() == "81ca0003000000010102616200000000"
    assert rtcp.pack([rtcp.Goodbye((7,))]).hex() == "81cb000100000007"


@given(
    st.binary(max_size=200)
    | st.builds(
        lambda head, rest: head + rest,
        st.sampled_from([b"\x81\xc8", b"\x81\xca\0\3", b"\xbf\xcf"]),
        st.binary(max_size=120),
    )
)
def test_rubbish_is_read_as_nothing_or_as_packets_but_never_raises(data):
    assert rtcp.read(data) is None or data


@pytest.mark.parametrize("cut", range(1, 32))
def test_what_is_shorter_than_it_says_is_no_rtcp(cut):
    data = rtcp.pack([rtcp.Report(1, (rtcp.Block(2, 0.0, 0, 0, 0, 0, 0),))])
    assert rtcp.read(data[:-cut]) is None


def test_what_we_do_not_know_is_stepped_over():
    application = bytes((0x80, 204, 0, 2)) + b"\0\0\0\1TEST"
    data = rtcp.pack([rtcp.Report(1, ())]) + application + rtcp.pack([rtcp.Goodbye((1,))])
    assert rtcp.read(data) == [rtcp.Report(1, ()), rtcp.Goodbye((1,))]


@given(st.integers(0, 2**16 - 1))
def test_reports_come_every_five_seconds_give_or_take_half(seed):
    made = Reports(1, lambda bits: seed & (1 << bits) - 1, 0.0)
    assert 1.0 < made.due_at < 3.2
    made.report(10.0, Sent(1, 160, 0), -1, Receiver())
    assert 2.0 < made.due_at - 10.0 < 6.2


def test_who_sends_nothing_reports_as_a_receiver():
    made = Reports(1, lambda bits: 0, 0.0)
    (first, *_) = rtcp.read(made.report(1.0, Sent(0, 0, 0), -1, Receiver())) or ()
    assert (first.ntp, first.blocks) == (None, ())


def test_losses_close_together_are_a_burst_and_lonely_ones_are_not():
    losses = Losses()
    losses.lost(99, 1)
    losses.lost(199, 3)
    losses.lost(209, 2)
    burst_density, gap_density, burst_length, _ = losses.told(1000)
    assert burst_density == 5 / 12, "200 to 211, of which five are missing"
    assert burst_length == 12
    assert gap_density == pytest.approx(1 / 988)


def test_a_source_that_starts_again_has_not_lost_what_lies_between():
    receiver = Receiver()
    for sequence in [*range(10, 20), *range(40_000, 40_010)]:
        receiver.packet(sequence, sequence * 160, 0.0)
    assert (receiver.received, receiver.lost) == (19, 0), "the first that leapt is not believed (RFC 3550 §A.1)"
