"""Where a far end's packets must come from (testing.md R9)."""

from __future__ import annotations

from random import Random

from pbx.media.latch import IN_A_ROW, Latch

PHONE = ("192.0.2.1", 6000)
STRANGER = ("203.0.113.9", 40000)


def test_the_named_address_is_the_far_end_from_its_first_packet_on():
    latch = Latch(*PHONE, "192.0.2.1")
    assert latch.target == PHONE
    assert latch.admits(PHONE, 1)
    assert latch.source == PHONE


def test_three_hundred_packets_of_strangers_before_and_after_move_nothing():
    chance = Random(9)
    latch = Latch(*PHONE, "192.0.2.1")
    strangers = [(f"203.0.113.{chance.randrange(255)}", chance.randrange(1, 65536)) for _ in range(150)]
    strangers += [("192.0.2.1", chance.randrange(7000, 65536)) for _ in range(150)]
    assert not any(latch.admits(source, 1) for source in strangers)
    assert latch.admits(PHONE, 2)
    assert not any(latch.admits(source, 2) for source in strangers)
    assert latch.target == PHONE


def test_another_ssrc_from_the_far_end_is_still_the_far_end():
    latch = Latch(*PHONE)
    assert latch.admits(PHONE, 1)
    assert latch.admits(PHONE, 2)


def test_behind_a_nat_a_few_packets_in_a_row_of_the_signalling_host_settle_it():
    latch = Latch("192.168.1.20", 11780, "198.51.100.7")
    mapped = ("198.51.100.7", 52001)
    assert [latch.admits(mapped, 5) for _ in range(IN_A_ROW)] == [False] * (IN_A_ROW - 1) + [True]
    assert latch.target == mapped
    assert not any(latch.admits(("198.51.100.7", 52003), 6) for _ in range(300)), "what is settled stays so"
    assert not any(latch.admits(STRANGER, 5) for _ in range(300))


def test_behind_a_nat_a_mixture_of_sources_settles_nothing():
    latch = Latch("192.168.1.20", 11780, "198.51.100.7")
    for port in range(50_000, 50_300):
        assert not latch.admits(("198.51.100.7", port), 5)
        assert not latch.admits(STRANGER, 5)
    assert latch.source is None


def test_an_ipv6_address_is_the_same_however_it_is_written():
    latch = Latch("2001:DB8:0:0::0001", 6000, "2001:db8::1")
    assert latch.admits(("2001:db8::1", 6000), 1)
    assert not Latch("2001:DB8::2", 6000, "2001:db8:0::2").admits(("2001:db8::2", 7000), 1)
