"""Live queues: whatever happens in whatever order, no caller and no agent gets lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pbx.clock import FOREVER
from pbx.domain.queues import Agent, Queue
from pbx.switch.queues import REST_S, Queues

CALLS = ("a", "b", "c", "d")
AGENTS = ("101", "102", "103")


def queue(strategy="ring_all", **fields):
    agents = tuple(Agent(extension=agent, order=order, wrap_up_s=5) for order, agent in enumerate(AGENTS))
    return Queue(extension="500", name="Care", strategy=strategy, agents=agents, **fields)


class Distribution(RuleBasedStateMachine):
    """One queue against a model that only knows who waits, who is being rung and who talks."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = queue("round_robin")
        self.queues = Queues()
        self.now = 0.0
        self.waiting: list[str] = []
        self.ringing: dict[str, tuple[str, ...]] = {}
        self.talking: dict[str, str] = {}

    def free(self, agent: str) -> bool:
        return agent not in self.talking.values()

    @rule(call=st.sampled_from(CALLS))
    def join(self, call):
        if call in self.waiting or call in self.talking:
            return
        assert self.queues.join(self.queue, call, self.free, self.now) == len(self.waiting) + 1
        self.queues.ready("500", call)
        self.waiting.append(call)

    @rule(call=st.sampled_from(CALLS))
    def leave(self, call):
        waited = self.queues.leave("500", call, self.now)
        assert (waited is not None) == (call in self.waiting)
        if call in self.waiting:
            self.waiting.remove(call)
            self.ringing.pop(call, None)

    @rule()
    def offer(self):
        for offer, round_ in self.queues.offers(self.queue, self.free, self.now):
            assert offer.call in self.waiting
            assert offer.call not in self.ringing
            assert round_ >= 1
            self.ringing[offer.call] = offer.agents

    @precondition(lambda self: self.ringing)
    @rule(data=st.data())
    def miss(self, data):
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        self.queues.missed(self.queue, "500", call, self.ringing.pop(call), self.now)

    @precondition(lambda self: self.ringing)
    @rule(data=st.data())
    def answer(self, data):
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        self.talking[call] = self.ringing.pop(call)[0]
        self.queues.leave("500", call, self.now)
        self.waiting.remove(call)

    @precondition(lambda self: self.talking)
    @rule(data=st.data())
    def finish(self, data):
        call = data.draw(st.sampled_from(sorted(self.talking)))
        self.queues.talked(self.queue, "500", self.talking.pop(call), self.now)

    @rule(seconds=st.floats(0.1, 10))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def nobody_is_lost(self):
        assert self.queues.live() == len(self.waiting)
        rung = [agent for agents in self.ringing.values() for agent in agents]
        assert len(rung) == len(set(rung))
        assert not set(rung) & set(self.talking.values())
        assert self.queues.waiting() == (["500"] if set(self.waiting) - set(self.ringing) else [])


TestDistribution = Distribution.TestCase
TestDistribution.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_agent_rests_after_a_miss_and_the_deadline_says_until_when():
    queues, it = Queues(), queue()
    queues.join(it, "a", lambda agent: True, 0.0)
    queues.ready("500", "a")
    (offer, round_), *_ = queues.offers(it, lambda agent: True, 0.0)
    assert (offer.agents, round_) == (AGENTS, 1)
    queues.missed(it, "500", "a", offer.agents, 3.0)

    assert queues.offers(it, lambda agent: True, 3.0) == []
    assert queues.next_deadline(3.0) == 3.0 + REST_S
    ((offer, round_),) = queues.offers(it, lambda agent: True, 3.0 + REST_S)
    assert round_ == 2
    assert queues.next_deadline(3.0 + REST_S) == FOREVER


def test_a_caller_who_hears_the_greeting_keeps_the_place_but_is_offered_nobody():
    queues, it = Queues(), queue("linear_hunt")
    for call in ("a", "b"):
        queues.join(it, call, lambda agent: True, 0.0)
    queues.ready("500", "b")
    assert [offer.call for offer, _ in queues.offers(it, lambda agent: True, 0.0)] == ["b"]
    queues.ready("500", "a")
    assert [offer.agents for offer, _ in queues.offers(it, lambda agent: True, 0.0)] == [("102",)]


def test_a_queue_may_be_taken_away_under_its_callers():
    queues, it = Queues(), queue()
    queues.join(it, "a", lambda agent: True, 0.0)
    queues.missed(None, "500", "a", ("101",), 1.0)
    queues.talked(None, "500", "101", 1.0)
    assert queues.leave("500", "a", 2.0) == 2.0
    assert queues.leave("501", "a", 2.0) is None
    assert queues.live() == 0


@given(st.integers(1, 3), st.integers(0, 6))
def test_no_more_callers_wait_than_may(most, callers):
    queues, it = Queues(), queue(max_callers=most)
    places = [queues.join(it, str(number), lambda agent: True, 0.0) for number in range(callers)]
    assert places == [*range(1, min(most, callers) + 1), *[0] * max(0, callers - most)]


def test_required_agents_must_be_reachable():
    queues, it = Queues(), queue(require_agents=True)
    assert queues.join(it, "a", lambda agent: False, 0.0) == 0
    assert queues.join(it, "a", lambda agent: agent == "102", 0.0) == 1
