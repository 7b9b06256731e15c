"""Days and weeks of an office from one seed: nothing is left over, nobody is lost, and the statistics are the truth."""

from __future__ import annotations

import gc
import time
from collections import Counter
from dataclasses import asdict

import pytest

from pbx import events as e
from pbx.standing import what_stands_stays
from pbx.statistics import Statistics
from tests.lab.office_weeks import QUEUES, Weeks
from tests.statistics_oracle import figures

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

SEEN = [
    e.QueueJoined, e.QueueLeft, e.AgentOffered, e.AgentFinished, e.AgentStatusChanged, e.CallInvited, e.LegInvited,
    e.CallHeld, e.CallResumed, e.CallTransferred, e.MenuEntered, e.VoicemailGreeted, e.VoicemailLeft, e.CallEnded,
    e.CallRecordWritten, e.ServerFault,
]  # fmt: skip
FATES = ("answered", "abandoned", "voicemailed", "forwarded", "turned_away")


def worked(number: int, days: int, calls: int) -> Counter[str]:
    """Let the office work and check everything; return how often each kind of event came."""
    weeks = Weeks(number, days, calls)
    weeks.watch(SEEN)
    statistics = Statistics(weeks.world.directory, weeks.world.now)
    weeks.world.bus.subscribe(lambda it: statistics.take(it.event, it.at), SEEN)
    weeks.pass_by()

    kinds = Counter(event.kind for _, event in weeks.seen)
    assert {name: left for name, left in weeks.world.live().items() if left} == {}, "something is left over"
    assert statistics.live() == 0
    assert [event for _, event in weeks.seen if isinstance(event, e.ServerFault)] == []
    assert kinds["call.invited"] == kinds["call.ended"] == kinds["cdr.written"] == weeks.dialled, "a call was lost"

    agents = frozenset(agent.name for queue in weeks.world.directory.queues for agent in queue.agents)
    lines = [(at, event.kind, e.fields(event)) for at, event in weeks.seen]
    for queue in QUEUES:
        have = asdict(statistics.queues[queue])
        assert have == pytest.approx(figures(lines, queue, agents)), queue
        assert sum(have[fate] for fate in FATES) == have["total"], f"a caller of {queue} has no fate, or two"
    return kinds


def test_a_working_day_leaves_nothing_over_and_is_counted_right():
    kinds = worked(7, days=1, calls=60)
    happens = {"queue.joined", "queue.finished", "attendant.entered", "voicemail.greeted", "queue.agent", "call.held"}
    assert happens <= kinds.keys()


@pytest.mark.soak
def test_two_weeks_of_five_thousand_calls_take_two_minutes_of_a_core():
    thresholds = gc.get_threshold()
    what_stands_stays()  # as `switchroom run` does
    try:
        begun = time.process_time()
        kinds = worked(1, days=14, calls=5000)
        used_s = time.process_time() - begun
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
    assert kinds["call.invited"] > 4900
    assert used_s < 120
