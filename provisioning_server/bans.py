"""Who tries names and tokens: each address's distinct guesses, and the bans that follow and end by themselves.

A guess is a device's file asked for in vain, known or not: if only unknown MACs counted, a ban would tell which are
known. The same name with the same token is one guess however often it is asked for, so a phone that was locked out and
asks all day is no scanner. Who is banned still gets what a valid token opens: the phones behind the same address that
hold one do not notice.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

LIMIT = 20
"""Distinct guesses of one address that ban it."""
NEIGHBOURS = 5
"""So many times that, from one neighbourhood (/24, or /48 of IPv6), ban the neighbourhood."""
WITHIN_S = 60.0
FIRST_S = 60.0
"""The first ban; each further one lasts twice as long."""
LONGEST_S = 3600.0
FORGOTTEN_S = 86_400.0
"""So long after the last guess a former ban makes the next one no longer."""
MOST_KEPT = 10_000

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Ban:
    place: str
    """An address or a network."""
    until: float
    """Monotonic seconds."""
    guesses: int
    """Distinct guesses that led to it."""


@dataclass(slots=True)
class _Guesser:
    at_by_guess: dict[tuple[str, str], float] = field(default_factory=dict)
    bans: int = 0
    last_at: float = 0.0
    ban: Ban | None = None


class Bans:
    """Owns the counts; times are monotonic seconds."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit = limit
        self._guessers: OrderedDict[str, _Guesser] = OrderedDict()

    def is_banned(self, host: str, now: float) -> bool:
        return any(self._in_force(self._guessers.get(place), now) for place, _ in _places(host))

    def guessed(self, host: str, name: str, token: str, now: float) -> Ban | None:
        """Count a guess; return the ban it leads to, the widest when there are two."""
        found = None
        for place, times in _places(host):
            found = self._count(place, (name, token), self.limit * times, now) or found
        return found

    def lift(self, place: str) -> bool:
        """Forget an address or network; False when nothing was known of it."""
        return self._guessers.pop(place, None) is not None

    def in_force(self, now: float) -> list[Ban]:
        return [one.ban for one in self._guessers.values() if one.ban is not None and self._in_force(one, now)]

    def _in_force(self, guesser: _Guesser | None, now: float) -> bool:
        return guesser is not None and guesser.ban is not None and now < guesser.ban.until

    def _count(self, place: str, guess: tuple[str, str], limit: int, now: float) -> Ban | None:
        guesser = self._guessers.setdefault(place, _Guesser())
        self._guessers.move_to_end(place)
        if len(self._guessers) > MOST_KEPT:
            self._guessers.popitem(last=False)
        if now - guesser.last_at > FORGOTTEN_S:
            guesser.bans = 0
        guesser.last_at = now
        recent = {one: at for one, at in guesser.at_by_guess.items() if now - at < WITHIN_S}
        recent[guess] = now
        guesser.at_by_guess = recent
        if len(recent) < limit:
            return None
        lasts = min(FIRST_S * 2**guesser.bans, LONGEST_S)
        guesser.bans += 1
        guesser.at_by_guess = {}
        guesser.ban = Ban(place, now + lasts, len(recent))
        return guesser.ban


def networks(texts: Iterable[str]) -> tuple[list[Network], list[str]]:
    """Return the networks that are named (`192.0.2.0/24`, or one address), and the words that name none."""
    found, wrong = [], []
    for word in (word for text in texts for word in text.replace(",", " ").split()):
        try:
            found.append(ipaddress.ip_network(word, strict=False))
        except ValueError:
            wrong.append(word)
    return found, wrong


def is_within(host: str, known: Iterable[Network]) -> bool:
    """Whether an address lies in one of the networks; what is no address lies in none."""
    address = address_of(host)
    return address is not None and any(address in network for network in known)


@lru_cache(maxsize=4096)
def address_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Read an address; an IPv4 address in IPv6 clothes is the IPv4 address. None for what is none."""
    try:
        address = ipaddress.ip_address(host.strip("[]").partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4096)
def _places(host: str) -> tuple[tuple[str, int], ...]:
    """What is counted of an address: itself (of IPv6 the /64 one customer has) and its neighbourhood."""
    address = address_of(host)
    if address is None:
        return ((host, 1),)
    if address.version == 4:
        return ((str(address), 1), (str(ipaddress.ip_network(f"{address}/24", strict=False)), NEIGHBOURS))
    return tuple(
        (str(ipaddress.ip_network(f"{address}/{bits}", strict=False)), n) for bits, n in ((64, 1), (48, NEIGHBOURS))
    )
