"""Callers are conserved under any order of events: whatever people press, and when, every call has one end and one
record, every caller leaves each queue once, and nothing is left over."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from pbx.events import CallEnded, CallInvited, CallRecordWritten, QueueJoined, QueueLeft
from tests.switch.town import Phone, Talk, Town, assert_at_rest, directory

DIALLED = ("101", "102", "103", "104", "400", "500", "501", "502", "14165550100", "14165550190", "5001", "7101",
           "701", "*55701", "*35101", "*36", "*44", "*69", "611", "911", "999", "*78", "*79", "*50102",
           "*88", "*89", "")  # fmt: skip
OUTSIDE = ("14165550100", "14165550101", "14165550102", "19005550100")
KEYS = "0123456789*#"


class Hands:
    """Everybody in a town, pressing whatever chance says."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance
        self.town = Town(directory())
        self.phones = [*(self.town.phone(device) for device in ("101", "101a", "102", "103", "104")), self.town.carrier]
        self._own: set[int] = set()
        for phone in self.phones[:-1]:
            phone.register(3600)

    def act(self) -> None:
        phone = self._chance.choice(self.phones)
        live = [talk for talk in phone.talks if talk.state != "over"]
        ringing = [talk for talk in live if talk.state == "ringing" and id(talk) not in self._own]
        up = [talk for talk in live if talk.state == "up"]
        acts = ["wait", "wait"]
        acts += ["dial"] * (3 if not live else 1 if len(live) == 1 else 0)
        acts += ["answer", "answer", "answer", "reject"] if ringing else []
        acts += ["hang up"] if live else []
        acts += ["hold", "resume", "refer", "keys", "keys"] if up else []
        acts += ["attended"] * 3 if len(up) > 1 else []
        match self._chance.choice(acts):
            case "dial":
                numbers = OUTSIDE if phone is self.town.carrier else DIALLED
                self._own.add(id(phone.dial(self._chance.choice(numbers))))
            case "answer":
                self._on(phone, ringing[-1], phone.answer)
            case "reject":
                self._on(phone, ringing[-1], phone.reject)
            case "hang up":
                phone.hang_up(self._chance.choice(live))
            case "hold":
                self._on(phone, up[-1], lambda: phone.reoffer("sendonly"))
            case "resume":
                self._on(phone, up[-1], lambda: phone.reoffer("sendrecv"))
            case "refer":
                phone.refer(f"sip:{self._chance.choice(DIALLED[:12])}@acme.lab", up[-1])
            case "attended":
                phone.refer_into(up[0], up[1])
            case "keys":
                keys = "".join(self._chance.choices(KEYS, k=3))
                self._on(phone, up[-1], lambda: phone.press(keys))
            case "wait":
                self.town.run(self._chance.choice((0.0, 0.05, 0.5, 3.0, 8.0, 30.0)))

    def all_hang_up(self) -> None:
        for _ in range(3):
            for phone in self.phones:
                for talk in phone.talks:
                    if talk.state != "over":
                        phone.hang_up(talk)
            self.town.run(200.0)

    def _on(self, phone: Phone, talk: Talk, press) -> None:
        """Press something at the newest talk, which is what the buttons of a town act on."""
        phone.talks.remove(talk)
        phone.talks.append(talk)
        press()


def conserved(seed: int, acts: int) -> None:
    hands = Hands(Random(seed))
    for _ in range(acts):
        hands.act()
    hands.all_hang_up()
    town = hands.town
    began = Counter(event.call for event in town.seen(CallInvited))
    assert Counter(event.call for event in town.seen(CallEnded)) == began, "a call has no end, or two"
    assert {event.call for event in town.seen(CallRecordWritten)} >= began.keys(), "a call has no record"
    joined = Counter((event.call, event.queue) for event in town.seen(QueueJoined))
    left = Counter((event.call, event.queue) for event in town.seen(QueueLeft) if event.outcome != "refused")
    assert left == joined, "a caller is still in a queue, or left it twice"
    assert_at_rest(town)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_pressed_every_caller_has_one_end(seed):
    conserved(seed, 40)


@pytest.mark.soak
@pytest.mark.parametrize("first", range(100, 1100, 50))
def test_whatever_is_pressed_in_a_thousand_towns_every_caller_has_one_end(first):
    for seed in range(first, first + 50):
        conserved(seed, 60)
