"""How the cells are played: a few calls a client, each proving several cells; what became of each is noted.

Nothing here measures time: a step waits for what proves it, or fails naming what came instead.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from tests.interop.matrix.cells import CANNOT, Cell
from tests.interop.matrix.clients import Client
from tests.interop.matrix.partner import Partner
from tests.interop.matrix.sound import Heard
from tests.interop.office import PATIENCE_S, Switchroom

TONE = r"t{5}\Z"
"""Half a second of it, now."""
TRIES = 6
MUSIC = r"(?:(?!t).){6}\Z"
"""Sound, and none of the tone, for the last 600 ms."""


class Passing(Protocol):
    """Somebody who goes on living while we wait."""

    device: str

    def run_for(self, seconds: float) -> None: ...


@dataclass(kw_only=True)
class Noting:
    """What became of the cells of a client."""

    name: str
    switchroom: Switchroom
    outcome: dict[Cell, str] = field(default_factory=dict)
    """Of each cell that was played; empty when it worked."""

    @contextmanager
    def cell(self, feature: str, direction: str) -> Iterator[None]:
        """Note what becomes of a cell; what fails here ends the scenario."""
        cell = Cell(self.name, feature, direction)
        try:
            yield
        except BaseException as fault:
            self.outcome[cell] = f"{type(fault).__name__}: {fault}"
            raise
        self.outcome[cell] = ""

    def broke(self, scenario: str, fault: Exception) -> None:
        """Note why the rest of a scenario was not played."""
        self.outcome[Cell(self.name, scenario, "")] = f"{type(fault).__name__}: {fault}"

    def can(self, feature: str, direction: str) -> bool:
        return (self.name, feature, direction) not in CANNOT

    def methods(self, device: str, after: int) -> list[str]:
        """How the keys of a device came, as the switch says: each a name."""
        return [
            event["method"] for event in self.switchroom.events()
            if event["event"] == "rtp.dtmf" and event["device"] == device and event["seq"] > after
        ]  # fmt: skip

    def event(self, kind: str, after: int, **where: object) -> None:
        self.switchroom.wait_for(kind, after=after, **where)


@dataclass(kw_only=True)
class Bench(Noting):
    """A client on the bench, and its two partners."""

    client: Client
    friend: Partner
    third: Partner
    encrypted: bool


def play(bench: Bench) -> None:
    """Play every scenario; one that fails does not keep the others from being played."""
    for scenario in (registers, calls, is_called, transfers_attended, is_transferred_attended, presses_by_info,
                     hears_early_media, is_heard_early):  # fmt: skip
        try:
            scenario(bench)
        except Exception as fault:  # noqa: BLE001 - it is in the outcome of the cell, or of those that were not reached
            bench.broke(scenario.__name__, fault)
        for phone in (bench.client, bench.friend, bench.third):
            phone.rest()
        time.sleep(0.2)


def registers(it: Bench) -> None:
    with it.cell("registration", "out"):
        it.event("registration.added", 0, device=it.client.device)
    if it.can("MWI", "out"):
        with it.cell("MWI", "out"):
            it.event("subscription.changed", 0, device=it.client.device, package="message-summary", state="active")
            wait_until(lambda: it.client.lamp() == "no", "told that there is no message", it.client)


def calls(it: Bench) -> None:
    """One call out, with everything that may happen in it; a message is left for the client meanwhile."""
    client, friend, third, before = it.client, it.friend, it.third, it.switchroom.newest
    message = third.dial(f"7{client.device}") if it.can("MWI", "in") else None
    with it.cell("call", "out"):
        client.dial(friend.device)
        talk = friend.wait_for_ringing().answer()
        client.wait_until_up()
        hear(talk.ear, client.hertz, TONE, client)
        hear(client.ear, friend.hertz, TONE, client)
    with it.cell("keys INFO", "in"):
        talk.press_by_info("78")
        wait_until(lambda: client.keys() == "78", lambda: f"2 keys, not {client.keys()!r}", client)
    with it.cell("keys RFC 4733", "in"):
        hear(client.ear, friend.hertz, TONE, client)  # the last key by INFO is over: nobody presses two at once
        talk.press("45*D")
        wait_until(lambda: client.keys() == "7845*D", lambda: f"4 keys, not {client.keys()!r}", client)
    if it.can("keys RFC 4733", "out"):
        with it.cell("keys RFC 4733", "out"):
            client.press("19#0")
            wait_until(lambda: talk.keys_by("rfc4733") == "19#0", lambda: f"4 keys, not {talk.keys}", client)
            wait_until(lambda: it.methods(client.device, before) == ["rfc4733"] * 4, "named by the switch", client)
    with it.cell("keys in-band", "in"):
        hear_keys("528", lambda: client.ear().pressed(friend.hertz), talk.press_in_band, client)
    with it.cell("keys in-band", "out"):
        hear_keys("6703", lambda: talk.ear().pressed(client.hertz), client.press_in_band, client)
    with it.cell("hold", "in"):
        talk.hold()
        it.event("call.held", before, device=friend.device)
        hear(client.ear, friend.hertz, MUSIC, client)
        talk.resume()
        hear(client.ear, friend.hertz, TONE, client)
    if it.can("hold", "out"):
        with it.cell("hold", "out"):
            hear(talk.ear, client.hertz, TONE, client)
            client.hold()
            it.event("call.held", before, device=client.device)
            hear(talk.ear, client.hertz, MUSIC, client)
            client.resume()
            hear(talk.ear, client.hertz, TONE, client)
            hear(client.ear, friend.hertz, TONE, client)
    if message is not None:
        with it.cell("MWI", "in"):
            message.hang_up()
            it.event("voicemail.left", before, box=client.device)
            wait_until(lambda: client.lamp() == "yes", "told of the message", client)
    if it.can("blind transfer", "out"):
        with it.cell("blind transfer", "out"):
            client.transfer_to(third.device)
            other = third.wait_for_ringing().answer()
            client.wait_until_over()
            it.event("call.transferred", before, device=client.device, transfer="blind")
            hear(talk.ear, third.hertz, TONE, client)
            hear(other.ear, friend.hertz, TONE, client)
        other.hang_up()
        talk.wait_until_over()


def is_called(it: Bench) -> None:
    """One call in, passed on by who called."""
    client, friend, third, before = it.client, it.friend, it.third, it.switchroom.newest
    with it.cell("call", "in"):
        talk = friend.dial(client.device)
        client.wait_for_ringing()
        client.answer()
        client.wait_until_up()
        talk.wait_until_up()
        hear(talk.ear, client.hertz, TONE, client)
        hear(client.ear, friend.hertz, TONE, client)
    with it.cell("blind transfer", "in"):
        talk.transfer_to(third.device)
        other = third.wait_for_ringing().answer()
        talk.wait_until_over()
        hear(client.ear, third.hertz, TONE, client)
        hear(other.ear, client.hertz, TONE, client)
        client.hang_up()
        other.wait_until_over()
        it.event("rtp.stopped", before, device=client.device, encrypted=it.encrypted)
        it.event("cdr.written", before, device=friend.device, disposition="ANSWERED")


def transfers_attended(it: Bench) -> None:
    if not it.can("attended transfer", "out"):
        return
    client, friend, third, before = it.client, it.friend, it.third, it.switchroom.newest
    with it.cell("attended transfer", "out"):
        client.dial(friend.device)
        talk = friend.wait_for_ringing().answer()
        client.wait_until_up()
        hear(talk.ear, client.hertz, TONE, client)
        client.hold()
        it.event("call.held", before, device=client.device)
        client.dial(third.device)
        other = third.wait_for_ringing().answer()
        client.wait_until_up()
        hear(other.ear, client.hertz, TONE, client)
        client.join()
        it.event("call.transferred", before, device=client.device, transfer="attended")
        hear(talk.ear, third.hertz, TONE, client)
        hear(other.ear, friend.hertz, TONE, client)
        client.wait_until_over()
    other.hang_up()
    talk.wait_until_over()


def is_transferred_attended(it: Bench) -> None:
    client, friend, third, before = it.client, it.friend, it.third, it.switchroom.newest
    with it.cell("attended transfer", "in"):
        talk = friend.dial(client.device)
        client.wait_for_ringing()
        client.answer()
        client.wait_until_up()
        talk.wait_until_up()
        talk.hold()
        it.event("call.held", before, device=friend.device)
        asking = friend.dial(third.device)
        other = third.wait_for_ringing().answer()
        asking.wait_until_up()
        talk.join_with(asking, third.device)
        talk.wait_until_over()
        asking.wait_until_over()
        hear(client.ear, third.hertz, TONE, client)
        hear(other.ear, client.hertz, TONE, client)
    other.hang_up()
    client.wait_until_over()


def presses_by_info(it: Bench) -> None:
    if not it.can("keys INFO", "out"):
        return
    client, friend, before = it.client, it.friend, it.switchroom.newest
    with it.cell("keys INFO", "out"):
        client.dial(friend.device)
        talk = friend.wait_for_ringing().answer()
        client.wait_until_up()
        hear(talk.ear, client.hertz, TONE, client)
        client.press_by_info("19#0")
        wait_until(lambda: talk.keys_by("rfc4733") == "19#0", lambda: f"4 keys, not {talk.keys}", client)
        wait_until(lambda: it.methods(client.device, before) == ["info"] * 4, "named by the switch", client)
    talk.hang_up()
    client.wait_until_over()


def hears_early_media(it: Bench) -> None:
    if not it.can("early media", "out"):
        return
    client, friend = it.client, it.friend
    with it.cell("early media", "out"):
        client.dial(friend.device)
        talk = friend.wait_for_ringing()
        talk.ring_with_sound()
        hear(client.ear, friend.hertz, TONE, client)
        assert talk.state == "ringing in"
        talk.answer()
        client.wait_until_up()
    talk.hang_up()
    client.wait_until_over()


def is_heard_early(it: Bench) -> None:
    if not it.can("early media", "in"):
        return
    client, friend = it.client, it.friend
    with it.cell("early media", "in"):
        talk = friend.dial(client.device)
        wait_until(lambda: talk.state == "ringing", "ringing", client)
        client.ring_with_sound()
        hear(talk.ear, client.hertz, TONE, client)
        assert talk.state == "ringing"
        client.answer()
        talk.wait_until_up()
    talk.hang_up()
    client.wait_until_over()


def hear(ear: Callable[[], Heard], hertz: float, pattern: str, client: Passing) -> None:
    """Wait until the newest of what an ear heard fits, told as by `Heard.story`."""
    deadline = time.monotonic() + PATIENCE_S
    while re.search(pattern, told := ear().story(hertz)) is None:
        assert time.monotonic() < deadline, f"{pattern} of {hertz} Hz not heard within {PATIENCE_S} s, but {told[-80:]}"
        client.run_for(0.1)


def wait_until(holds: Callable[[], bool], what: str | Callable[[], str], client: Passing) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        told = what if isinstance(what, str) else what()
        assert time.monotonic() < deadline, f"{client.device} not within {PATIENCE_S} s: {told}"
        client.run_for(0.1)


def hear_keys(keys: str, pressed: Callable[[], str], press: Callable[[str], None], client: Passing) -> None:
    """Press in-band until they are heard: a jitter buffer that runs dry on a busy machine tears a tone apart."""
    for _ in range(TRIES):
        press(keys)
        deadline = time.monotonic() + PATIENCE_S / TRIES
        while time.monotonic() < deadline:
            if keys in pressed():
                return
            client.run_for(0.2)
    raise AssertionError(f"{keys} was not heard in {TRIES} tries, but {pressed()!r}")
