"""What a clock that is set, and a disk that refuses, do to a town: as little as can be (R14, R15)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from pbx.callflow.ports import Change
from pbx.clock import Moment
from pbx.events import CallEnded, CallRecordWritten, ClockStepped, RegistrationExpired, VoicemailGreeted
from pbx.store.memory import MemoryStore
from tests.switch.test_packages import states
from tests.switch.test_switch_calls import up
from tests.switch.town import Town, assert_at_rest, directory

HOUR = 3600.0


def set_clock(town: Town, by_s: float) -> None:
    town.epoch += timedelta(seconds=by_s)
    town.run(1.0)


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
def test_a_clock_that_is_set_drops_nothing(town, by_s):
    ana, ben = up(town)
    cleo = town.phone("103")
    cleo.watch("dialog", "102")
    set_clock(town, by_s)
    town.switch.tick(town.now)
    assert town.last(ClockStepped).by_s == by_s
    assert town.switch.registered() == frozenset({"101", "102", "103"})
    assert town.seen(RegistrationExpired) == []
    assert town.seen(CallEnded) == []
    town.run(5.0)
    assert ben.talk.state == "up"
    ana.hang_up()
    town.run(1.5)
    assert states(cleo.told("dialog")[-1])[0][1] == "terminated"


@pytest.mark.parametrize("by_s", [HOUR, -HOUR])
def test_a_registration_lasts_as_long_as_it_was_granted_whatever_the_clock_says(town, by_s):
    town.phone("101").register(60)
    town.run(20.0)
    set_clock(town, by_s)
    town.switch.tick(town.now)
    town.run(30.0)
    assert town.switch.registered() == frozenset({"101"})
    town.run(10.0)
    assert town.switch.registered() == frozenset()
    assert len(town.seen(RegistrationExpired)) == 1


def test_what_is_on_disk_moves_with_the_clock(town):
    cleo = town.phone("103")
    cleo.watch("dialog", "102")
    (before,), (watched,) = town.history.bindings(), town.history.subscriptions()
    set_clock(town, HOUR)
    town.switch.tick(town.now)
    (after,), (later,) = town.history.bindings(), town.history.subscriptions()
    assert after.expires_at == pytest.approx(before.expires_at + HOUR)
    assert later.expires_at == pytest.approx(watched.expires_at + HOUR)
    town.restart()
    assert town.switch.registered() == frozenset({"103"})


class FullDisk(MemoryStore):
    """Takes what it is given and can write none of it, while it is full."""

    def __init__(self) -> None:
        super().__init__()
        self._ticket = 0

    def submit(self, change: Change) -> int:  # type: ignore[override]
        super().submit(change)
        if self.writes:
            return 0
        self._ticket += 1
        return self._ticket


@pytest.fixture
def poor() -> Iterator[Town]:
    made = Town(directory(), history=FullDisk())
    yield made
    made.history.writes = True  # type: ignore[misc]
    made.switch.confirm(made.history._ticket, made.now)  # type: ignore[attr-defined]
    assert_at_rest(made)


def fill(town: Town) -> None:
    town.history.writes = False  # type: ignore[misc]


def test_calls_go_on_while_the_disk_is_full(poor):
    ana, ben = up(poor)
    fill(poor)
    poor.run(5.0)
    assert (ana.heard[-1], ben.heard[-1]) == ("signature:102", "signature:101")
    ana.hang_up()
    poor.run(1.0)
    cleo = poor.phone("103", registered=False)
    cleo.dial("102")
    poor.run(0.5)
    ben.answer()
    poor.run(1.0)
    assert cleo.talk.state == "up"
    cleo.hang_up()
    poor.run(1.0)
    assert poor.seen(CallRecordWritten) == []  # nothing is told to be durable that is not


def test_a_registration_is_not_promised_but_taken_while_the_disk_is_full(poor):
    ana, ben = poor.phone("101"), poor.phone("102")
    fill(poor)
    answer = ben.register()
    assert answer is not None
    assert (answer.status, answer.get("Retry-After")) == (503, "5")
    poor.run(250.0)  # its first registration alone would be nearly over, that of 101 as well
    ben.register()
    poor.run(100.0)
    assert poor.switch.registered() == frozenset({"102"})
    ana.dial("102")
    poor.run(0.5)
    assert ben.talk.state == "ringing"
    ana.hang_up()


def test_voicemail_does_not_answer_while_the_disk_is_full(poor):
    ana = poor.phone("101")
    fill(poor)
    ana.dial("7102")
    poor.run(2.0)
    assert (ana.talk.state, ana.talk.status) == ("over", 480)
    assert poor.seen(VoicemailGreeted) == []


def test_another_hour_of_the_office_leads_calls_elsewhere_and_leaves_everything_else_as_it_is():
    night = [{"name": "night", "dates": ["2030-01-01"], "kind": "specific-dates"}]
    rules = [{"time_frame": "night", "forward_always": "user 102"}]
    town = Town(directory(time_frames=night, users={"101": {"rules": rules}}))
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    far = datetime(2030, 1, 1, 17, tzinfo=UTC)
    town.switch.hours = lambda moment: Moment(moment.mono, far)
    cleo.dial("101")
    town.run(0.5)
    assert (len(ana.talks), len(ben.talks)) == (0, 1)
    assert town.switch.registered() == frozenset({"101", "102", "103"})
    assert town.seen(ClockStepped) == []
    cleo.hang_up()
    town.run(0.5)
    town.switch.hours = lambda moment: moment
    cleo.dial("101")
    town.run(0.5)
    assert len(ana.talks) == 1
