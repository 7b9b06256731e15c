"""Who tries names and tokens is banned for a while, by address and by neighbourhood."""

from __future__ import annotations

import pytest

from provisioning_server.bans import (
    FIRST_S,
    FORGOTTEN_S,
    LONGEST_S,
    MOST_KEPT,
    WITHIN_S,
    Ban,
    Bans,
    is_within,
    networks,
)

HOST = "192.0.2.1"


def guesses(bans: Bans, number: int, now: float, host: str = HOST) -> list[Ban]:
    """So many different names at once; return the bans they led to."""
    said = [bans.guessed(host, f"805ec0{n:06x}", "", now) for n in range(number)]
    return [ban for ban in said if ban is not None]


def test_the_guess_that_reaches_the_limit_bans_and_the_ban_ends_by_itself():
    bans = Bans(limit=3)
    assert guesses(bans, 3, 0.0) == [Ban(HOST, FIRST_S, 3)]
    assert bans.is_banned(HOST, FIRST_S - 1)
    assert not bans.is_banned("192.0.2.2", 1.0)
    assert not bans.is_banned(HOST, FIRST_S)
    assert bans.in_force(FIRST_S - 1) == [Ban(HOST, FIRST_S, 3)]
    assert bans.in_force(FIRST_S) == []


def test_the_same_name_again_and_again_is_one_guess():
    bans = Bans(limit=3)
    assert not any(bans.guessed(HOST, "805ec0000101", "", float(n)) for n in range(50))


def test_another_token_is_another_guess():
    bans = Bans(limit=3)
    assert [bool(bans.guessed(HOST, "805ec0000101", token, 0.0)) for token in "abc"] == [False, False, True]


def test_guesses_far_apart_are_no_walk():
    bans = Bans(limit=3)
    assert not any(bans.guessed(HOST, str(n), "", n * WITHIN_S / 2) for n in range(50))


def test_each_further_ban_lasts_twice_as_long_up_to_an_hour():
    bans, now, lasted = Bans(limit=2), 0.0, []
    for _ in range(9):
        (ban,) = guesses(bans, 2, now)
        lasted.append(ban.until - now)
        now = ban.until
    assert lasted == [60, 120, 240, 480, 960, 1920, LONGEST_S, LONGEST_S, LONGEST_S]


def test_a_day_without_a_guess_and_the_next_ban_is_short_again():
    bans = Bans(limit=2)
    guesses(bans, 2, 0.0)
    (ban,) = guesses(bans, 2, 2 * FORGOTTEN_S)
    assert ban.until == 2 * FORGOTTEN_S + FIRST_S


def test_a_walk_spread_over_a_neighbourhood_bans_the_neighbourhood():
    bans = Bans(limit=4)
    said = [bans.guessed(f"192.0.2.{n % 10}", f"805ec0{n:06x}", "", 0.0) for n in range(20)]
    assert [ban.place for ban in said if ban is not None] == ["192.0.2.0/24"]
    assert bans.is_banned("192.0.2.200", 1.0)
    assert not bans.is_banned("192.0.3.1", 1.0)


def test_of_ipv6_a_customers_whole_network_counts_as_one():
    bans = Bans(limit=3)
    for n in range(3):
        bans.guessed(f"2001:db8:0:1::{n}", str(n), "", 0.0)
    assert bans.is_banned("2001:db8:0:1:ffff::1", 1.0)
    assert not bans.is_banned("2001:db8:0:2::1", 1.0)


def test_an_ipv4_address_in_ipv6_clothes_is_the_same_address():
    bans = Bans(limit=3)
    guesses(bans, 3, 0.0, "::ffff:192.0.2.1")
    assert bans.is_banned(HOST, 1.0)


def test_an_operator_lifts_a_ban():
    bans = Bans(limit=3)
    guesses(bans, 3, 0.0)
    assert bans.lift(HOST)
    assert not bans.is_banned(HOST, 1.0)
    assert not bans.lift(HOST)


def test_a_flood_of_addresses_does_not_grow_the_book():
    bans = Bans()
    for number in range(MOST_KEPT + 50):
        bans.guessed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", "x", "", 0.0)
    assert len(bans._guessers) == MOST_KEPT


@pytest.mark.parametrize(
    ("host", "within"),
    [("192.0.2.9", True), ("192.0.3.9", False), ("198.51.100.7", True), ("::ffff:192.0.2.9", True), ("nobody", False)],
)
def test_networks_are_named_by_their_prefix_or_by_one_address(host, within):
    known, wrong = networks(["192.0.2.0/24, 198.51.100.7", "10.0.0.0/33"])
    assert is_within(host, known) is within
    assert wrong == ["10.0.0.0/33"]
