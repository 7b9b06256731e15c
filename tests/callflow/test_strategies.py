"""Queue strategies against oracles that know nothing of them, and what no distribution may do."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.callflow.acd import Waiting, assign
from pbx.callflow.strategies import linear_hunt, ring_all, round_robin
from pbx.catalogue import BrokenCatalogue, plug_ins

AGENTS = ("ann", "bob", "cid", "dee", "eve")
free = st.lists(st.sampled_from(AGENTS), min_size=1, unique=True)
tried = st.lists(st.sampled_from(AGENTS)).map(tuple)
busy_at = st.dictionaries(st.sampled_from(AGENTS), st.floats(0, 1000))
strategy = st.sampled_from((ring_all, linear_hunt, round_robin))


@given(free, tried, busy_at)
def test_ring_all_rings_everybody_who_is_free(agents, before, times):
    assert ring_all.choose(agents, before, times) == tuple(agents)


@given(free, tried, busy_at)
def test_linear_hunt_takes_the_topmost_who_was_not_tried_or_begins_anew(agents, before, times):
    chosen = linear_hunt.choose(agents, before, times)
    expected = agents[0]
    for agent in agents:
        if agent not in before:
            expected = agent
            break
    assert chosen == (expected,)


@given(free, tried, busy_at)
def test_round_robin_takes_whoever_idles_longest(agents, before, times):
    (chosen,) = round_robin.choose(agents, before, times)
    never = [agent for agent in agents if agent not in times]
    if never:
        assert chosen == never[0]
    else:
        longest = min(times[agent] for agent in agents)
        assert chosen == next(agent for agent in agents if times[agent] == longest)


@given(strategy, st.lists(tried), st.lists(st.sampled_from(AGENTS), unique=True), busy_at)
def test_callers_and_agents_are_conserved(plug_in, callers, agents, times):
    waiting = [Waiting(f"c{number}", before) for number, before in enumerate(callers)]
    offers = assign(waiting, agents, times, plug_in.choose)

    offered = Counter(agent for offer in offers for agent in offer.agents)
    assert set(offered) <= set(agents)
    assert all(count == 1 for count in offered.values())
    assert [offer.call for offer in offers] == [caller.call for caller in waiting][: len(offers)]  # longest wait first
    assert len(offers) == len(waiting) or set(offered) == set(agents)  # nobody idles while somebody waits
    assert all(offer.agents for offer in offers)


def test_the_catalogue_finds_one_strategy_a_file_and_names_what_is_missing():
    assert set(plug_ins("pbx.callflow.strategies", needs="choose")) == {"linear_hunt", "ring_all", "round_robin"}
    with pytest.raises(BrokenCatalogue, match="defines no 'missing'"):
        plug_ins("pbx.callflow.strategies", needs="missing")
