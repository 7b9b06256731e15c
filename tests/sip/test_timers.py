"""Deadlines: what somebody waits for wakes the stack, what nobody waits for goes with whatever comes next."""

from __future__ import annotations

from pbx.sip.timers import REST_S, TIMEOUT, Timers
from tests.sip.pair import Pair


class Owner:
    def __init__(self) -> None:
        self.fired_at: list[tuple[str, float]] = []

    def fired(self, name: str, now: float) -> None:
        self.fired_at.append((name, now))

    def rested(self, now: float) -> None:
        self.fired_at.append(("rested", now))


def test_what_rests_is_no_reason_to_wake_up_until_it_is_very_late():
    timers, owner = Timers(), Owner()
    timers.rest(owner, 1.0, 4.0)
    timers.arm(owner, "resend", 7.0)
    assert timers.next_deadline() == 7.0
    timers.cancel(owner, "resend")
    assert timers.next_deadline() == 5.0 + REST_S


def test_what_rests_goes_with_the_next_input_and_not_before_its_time():
    timers, owner = Timers(), Owner()
    timers.rest(owner, 1.0, 4.0)
    timers.sweep(4.9)
    assert owner.fired_at == []
    timers.sweep(6.0)
    assert owner.fired_at == [("rested", 6.0)]
    assert len(timers) == 0


def test_a_finished_call_leaves_nothing_behind_once_its_repetitions_can_no_longer_come():
    pair = Pair()
    session = pair.call()
    pair.pass_time(1.0)
    session.cancel(pair.now)
    pair.pass_time(2 * TIMEOUT + REST_S)
    assert (pair.alice.live(), len(pair.alice.timers), len(pair.bob.timers)) == (
        {"sessions": 0, "transactions": 0}, 0, 0
    )  # fmt: skip
