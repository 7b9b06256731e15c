"""Live queues: whatever happens in whatever order, no caller and no agent gets lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pbx.clock import FOREVER
from pbx.domain.queues import Agent, AgentStatus, Queue
from pbx.switch.agents import REST_S
from pbx.switch.queues import Queues

CALLS = ("a", "b", "c", "d")
AGENTS = ("101", "102", "103")


def anybody(agent):
    return True


def queue(strategy="ring_all", extension="500", **fields):
    fields.setdefault("agents", agents_of(*AGENTS))
    return Queue(extension=extension, name="Care", strategy=strategy, **fields)


def agents_of(*names, **fields):
    return tuple(Agent(extension=name, order=order, wrap_up_s=5, **fields) for order, name in enumerate(names))


def waiting_at(*queues):
    """Queues with a caller each, ready to be offered agents, in the order they came."""
    live = Queues()
    for order, it in enumerate(queues):
        live.join(it, f"at {it.extension}", anybody, float(order))
        live.ready(it.extension, f"at {it.extension}")
    return live


def offers(live, *queues, now=10.0, is_free=anybody):
    made = live.offers({it.extension: it for it in queues}, is_free, now)
    return {(one.queue, one.offer.call): one.offer.agents for one in made}


class Distribution(RuleBasedStateMachine):
    """Three queues that share agents, against a model that only knows who waits, who is rung and who talks."""

    def __init__(self) -> None:
        super().__init__()
        self.queues = {
            "500": queue("round_robin"),
            "501": queue("ring_all", "501", agents=agents_of("103", "102", priority=1), logout_after_miss=True),
            "502": queue("linear_cascade", "502"),
        }
        self.live = Queues()
        self.now = 0.0
        self.waiting: dict[str, str] = {}
        self.ringing: dict[str, tuple[str, ...]] = {}
        self.talking: dict[str, tuple[str, str]] = {}
        self.out: set[tuple[str, str]] = set()

    def free(self, agent):
        return agent.name not in {name for _, name in self.talking.values()}

    @rule(call=st.sampled_from(CALLS), extension=st.sampled_from(("500", "501", "502")))
    def join(self, call, extension):
        if call in self.waiting or call in self.talking:
            return
        place = self.live.join(self.queues[extension], call, anybody, self.now)
        assert place == list(self.waiting.values()).count(extension) + 1
        self.live.ready(extension, call)
        self.waiting[call] = extension

    @rule(call=st.sampled_from(CALLS))
    def leave(self, call):
        waited = self.live.leave(self.waiting.get(call, "500"), call, self.now)
        assert (waited is not None) == (call in self.waiting)
        self.waiting.pop(call, None)
        self.ringing.pop(call, None)

    @rule()
    def offer(self):
        for made in self.live.offers(self.queues, self.free, self.now):
            assert self.waiting[made.offer.call] == made.queue
            assert made.offer.call not in self.ringing
            assert not {(made.queue, agent) for agent in made.offer.agents} & self.out
            self.ringing[made.offer.call] = made.offer.agents

    @precondition(lambda self: self.ringing)
    @rule(data=st.data())
    def miss(self, data):
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        extension, agents = self.waiting[call], self.ringing.pop(call)
        logged_out = self.live.missed(self.queues[extension], extension, call, agents, self.now)
        assert set(logged_out) == (set(agents) if extension == "501" else set())
        self.out |= {(extension, agent) for agent in logged_out}

    @precondition(lambda self: self.ringing)
    @rule(data=st.data())
    def answer(self, data):
        call = data.draw(st.sampled_from(sorted(self.ringing)))
        agent, extension = self.ringing.pop(call)[0], self.waiting.pop(call)
        waited = self.live.leave(extension, call, self.now)
        self.live.answered(self.queues[extension], extension, agent, waited, self.now)
        self.talking[call] = (extension, agent)

    @precondition(lambda self: self.talking)
    @rule(data=st.data())
    def finish(self, data):
        extension, agent = self.talking.pop(data.draw(st.sampled_from(sorted(self.talking))))
        assert self.live.talked(self.queues[extension], agent, self.now) == 5

    @precondition(lambda self: self.out)
    @rule()
    def log_in(self):
        extension, agent = self.out.pop()
        known = self.queues[extension].agent(agent)
        assert self.live.agents.set_status(extension, known, AgentStatus.AVAILABLE)

    @rule(seconds=st.floats(0.1, 10))
    def time_passes(self, seconds):
        self.now += seconds

    @invariant()
    def nobody_is_lost(self):
        assert self.live.live() == len(self.waiting)
        rung = [agent for agents in self.ringing.values() for agent in agents]
        assert len(rung) == len(set(rung))
        assert not set(rung) & {agent for _, agent in self.talking.values()}
        assert set(self.live.waiting()) == {self.waiting[call] for call in set(self.waiting) - set(self.ringing)}

    def teardown(self):
        """Whoever still waits when everybody is there again is offered somebody, sooner or later."""
        self.talking.clear()
        self.now += 20
        for extension, agent in self.out:
            self.live.agents.set_status(extension, self.queues[extension].agent(agent), AgentStatus.AVAILABLE)
        for call in list(self.ringing):
            self.live.missed(None, self.waiting[call], call, self.ringing.pop(call), self.now)
        for _ in range(20):
            self.now += 20
            for made in self.live.offers(self.queues, anybody, self.now):
                self.live.leave(made.queue, made.offer.call, self.now)
        assert self.live.live() == 0


TestDistribution = Distribution.TestCase
TestDistribution.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_agent_rests_after_a_miss_and_the_deadline_says_until_when():
    it = queue()
    live = waiting_at(it)
    assert offers(live, it, now=0.0) == {("500", "at 500"): AGENTS}
    live.missed(it, "500", "at 500", AGENTS, 3.0)

    assert offers(live, it, now=3.0) == {}
    assert live.next_deadline({"500": it}, 3.0) == 3.0 + REST_S
    (made,) = live.offers({"500": it}, anybody, 3.0 + REST_S)
    assert made.round == 2
    assert live.next_deadline({"500": it}, 3.0 + REST_S) == FOREVER


def test_a_cascade_waits_for_who_rests_instead_of_ringing_the_next_alone():
    """H02: one, two, three agents."""
    it = queue("linear_cascade")
    live = waiting_at(it)
    rung, now = [], 0.0
    for _ in range(4):
        agents = offers(live, it, now=now)["500", "at 500"]
        rung.append(agents)
        live.missed(it, "500", "at 500", agents, now + 15)
        assert offers(live, it, now=now + 15) == {}
        now += 15 + REST_S
    assert rung == [AGENTS[:1], AGENTS[:2], AGENTS, AGENTS]


def test_a_hunt_goes_on_to_the_next_agent_at_once():
    it = queue("linear_hunt")
    live = waiting_at(it)
    assert offers(live, it, now=0.0) == {("500", "at 500"): ("101",)}
    live.missed(it, "500", "at 500", ("101",), 15.0)
    assert offers(live, it, now=15.0) == {("500", "at 500"): ("102",)}


def test_an_agent_of_two_queues_serves_the_lower_priority_number_first():
    """H10."""
    near = queue(extension="500", agents=agents_of("101", priority=2))
    far = queue(extension="501", agents=agents_of("101", priority=1))
    live = waiting_at(near, far)
    assert offers(live, near, far) == {("501", "at 501"): ("101",)}
    live.leave("501", "at 501", 11.0)
    assert offers(live, near, far, now=11.0) == {("500", "at 500"): ("101",)}


def test_of_equal_queues_the_longest_wait_is_served_first():
    first, second = queue(extension="501", agents=agents_of("101")), queue(extension="500", agents=agents_of("101"))
    assert offers(waiting_at(first, second), first, second) == {("501", "at 501"): ("101",)}


def test_who_is_left_over_serves_the_queue_it_puts_second():
    """102 prefers 501, whose only caller has been offered 101 already."""
    first = queue("linear_hunt", "500", agents=agents_of("102", priority=2))
    second = queue("linear_hunt", "501", agents=agents_of("101", "102", priority=1))
    live = waiting_at(first, second)
    assert offers(live, first, second) == {("501", "at 501"): ("101",), ("500", "at 500"): ("102",)}


def test_the_wrap_up_after_one_queue_counts_in_every_queue():
    first, second = queue(extension="500", agents=agents_of("101")), queue(extension="501", agents=agents_of("101"))
    live = waiting_at(second)
    live.join(first, "x", anybody, 0.0)
    live.answered(first, "500", "101", live.leave("500", "x", 1.0), 1.0)
    assert live.talked(first, "101", 10.0) == 5
    assert offers(live, first, second, now=14.0) == {}
    assert live.next_deadline({"501": second}, 14.0) == 15.0
    assert offers(live, first, second, now=15.0) == {("501", "at 501"): ("101",)}


def test_an_agent_for_one_call_is_logged_out_by_it():
    it = queue(agents=agents_of("101"))
    live = waiting_at(it)
    live.agents.set_status("500", it.agents[0], AgentStatus.ONE_CALL)
    assert offers(live, it) == {("500", "at 500"): ("101",)}
    assert live.answered(it, "500", "101", live.leave("500", "at 500", 11.0), 11.0)
    assert live.agents.status("500", it.agents[0]) is AgentStatus.LOGGED_OUT


def test_only_two_statuses_take_calls():
    it = queue(agents=agents_of("101"))
    for status in AgentStatus:
        live = waiting_at(it)
        live.agents.set_status("500", it.agents[0], status)
        assert bool(offers(live, it)) == (status in ("available", "one call"))


def test_a_miss_logs_out_where_the_queue_says_so():
    for setting in (False, True):
        it = queue(agents=agents_of("101", "102"), logout_after_miss=setting)
        live = waiting_at(it)
        offers(live, it)
        assert live.missed(it, "500", "at 500", ("101",), 25.0) == (("101",) if setting else ())
        rung = ("102",) if setting else ("101", "102")
        assert offers(live, it, now=30.0) == {("500", "at 500"): rung}


def test_an_agent_may_have_as_many_calls_as_its_queue_allows():
    it = queue(agents=agents_of("101", max_calls=2))
    assert offers(waiting_at(it), it, is_free=lambda agent: agent.max_calls > 1)
    assert not offers(waiting_at(it), it, is_free=lambda agent: agent.max_calls > 2)


def test_an_agent_on_one_device_is_not_rung_as_its_user_too():
    first = queue(extension="500", agents=(Agent(device="101a"),))
    second = queue(extension="501", agents=(Agent(extension="101"),))
    assert offers(waiting_at(first, second), first, second) == {("500", "at 500"): ("101a",)}


def test_a_queue_that_parks_rings_nobody():
    it = queue("call_park")
    live = waiting_at(it)
    assert offers(live, it) == {}
    assert live.live() == 1


def test_callers_who_had_to_wait_too_long_are_refused_while_somebody_waits():
    it = queue(max_expected_wait_s=60)
    live = waiting_at(it)
    assert live.expected_wait_s("500", 0.0) == 0
    live.answered(it, "500", "101", live.leave("500", "at 500", 100.0), 100.0)
    assert live.expected_wait_s("500", 100.0) == 0  # nobody waits
    assert live.join(it, "b", anybody, 100.0) == 1
    assert live.expected_wait_s("500", 100.0) == 100.0
    assert live.join(it, "c", anybody, 100.0) == 0
    assert live.join(it, "c", anybody, 100.0 + 3600) == 2  # that was an hour ago
    assert (live.place("500", "c"), live.place("500", "x"), live.place("501", "c")) == (2, 0, 0)


def test_a_caller_who_hears_the_greeting_keeps_the_place_but_is_offered_nobody():
    it = queue("linear_hunt")
    live = Queues()
    for call in ("a", "b"):
        live.join(it, call, anybody, 0.0)
    live.ready("500", "b")
    assert offers(live, it) == {("500", "b"): ("101",)}
    live.ready("500", "a")
    assert offers(live, it) == {("500", "a"): ("102",)}


def test_a_queue_may_be_taken_away_under_its_callers():
    it = queue()
    live = waiting_at(it)
    live.agents.set_status("500", it.agents[0], AgentStatus.LUNCH)
    assert live.missed(None, "500", "at 500", ("101",), 1.0) == ()
    assert live.talked(None, "101", 1.0) == 0
    assert offers(live) == {}
    live.agents.prune({})
    assert live.agents.statuses() == {}
    assert live.leave("500", "at 500", 2.0) == 2.0
    assert live.leave("501", "at 500", 2.0) is None
    assert live.live() == 0


@given(st.integers(1, 3), st.integers(0, 6))
def test_no_more_callers_wait_than_may(most, callers):
    live, it = Queues(), queue(max_callers=most)
    places = [live.join(it, str(number), anybody, 0.0) for number in range(callers)]
    assert places == [*range(1, min(most, callers) + 1), *[0] * max(0, callers - most)]


def test_required_agents_must_be_reachable():
    live, it = Queues(), queue(require_agents=True)
    assert live.join(it, "a", lambda agent: False, 0.0) == 0
    assert live.join(it, "a", lambda agent: agent.name == "102", 0.0) == 1
