"""Queue strategies against an oracle that knows nothing of them, and what no distribution may do."""

from collections import Counter
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.callflow.acd import Hunt, Waiting, assign
from pbx.catalogue import BrokenCatalogue, plug_ins
from pbx.domain.queues import Strategy
from tests.callflow.strategy_oracle import Scene, expected

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

STRATEGIES = plug_ins("pbx.callflow.strategies", needs="choose")
AGENTS = ("ann", "bob", "cid", "dee", "eve", "fay")
CASES_EACH = 1700
"""Times six strategies: more than ten thousand."""

names = st.sampled_from(AGENTS)


def scene_of(chance: Random) -> Scene:
    """Few moments, tiers and agents, so that ties are the rule."""
    order = chance.sample(AGENTS, chance.randint(1, len(AGENTS)))
    tiers = sorted(chance.randint(0, 3) for _ in order)
    some = [agent for agent in AGENTS if chance.random() < 0.6]
    return Scene(
        list(zip(order, tiers, strict=True)),
        {agent for agent in order if chance.random() < 0.7} or {order[0]},
        {agent for agent in AGENTS if chance.random() < 0.4},
        {agent: chance.choice((0.0, 1.0, 2.0, chance.uniform(0, 1000))) for agent in some},
        chance.randint(1, 6),
        chance.randint(0, 4),
        chance.randint(0, 3),
    )


def choose(strategy, scene):
    free = tuple(name for name, _ in scene.agents if name in scene.free)
    hunt = Hunt(
        free, tuple(scene.tried), scene.round, scene.busy_at, dict(scene.agents), scene.initial, scene.increment
    )
    return list(STRATEGIES[strategy].choose(hunt))


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_strategy_chooses_what_the_oracle_says(strategy):
    for seed in range(CASES_EACH):
        scene = scene_of(Random(f"{strategy} {seed}"))
        assert choose(strategy, scene) == expected(strategy, scene), f"seed {seed}: {scene}"


def test_every_strategy_has_an_oracle_and_a_queue_may_name_it():
    assert set(STRATEGIES) == set(get_args(Strategy))
    assert len(STRATEGIES) * CASES_EACH >= 10_000


@pytest.mark.parametrize("strategy", sorted(set(STRATEGIES) - {"call_park"}))
@given(
    st.lists(st.tuples(st.sets(names), st.integers(1, 4))), st.sets(names), st.dictionaries(names, st.floats(0, 1000))
)
def test_callers_and_agents_are_conserved(strategy, callers, agents, times):
    waiting = [Waiting(f"c{number}", tuple(tried), round_) for number, (tried, round_) in enumerate(callers)]
    offers = assign(
        waiting,
        sorted(agents),
        lambda caller, free: STRATEGIES[strategy].choose(Hunt(free, caller.tried, caller.round, times)),
    )

    offered = Counter(agent for offer in offers for agent in offer.agents)
    assert set(offered) <= set(agents)
    assert all(count == 1 for count in offered.values())
    assert [offer.call for offer in offers] == [caller.call for caller in waiting][: len(offers)]  # longest wait first
    assert len(offers) == len(waiting) or set(offered) == set(agents)  # nobody idles while somebody waits
    assert all(offer.agents for offer in offers)


@pytest.mark.parametrize(
    ("strategy", "initial", "increment", "rung"),
    [
        ("linear_cascade", 0, 1, ["ann", "ann bob", "ann bob cid", "ann bob cid"]),
        ("linear_cascade", 2, 1, ["ann bob", "ann bob cid", "ann bob cid", "ann bob cid"]),
        ("linear_cascade", 1, 0, ["ann", "ann", "ann", "ann"]),
        ("ring_all", 0, 1, ["ann bob cid"] * 4),
        ("ring_all", 1, 2, ["cid", "cid ann bob", "cid ann bob", "cid ann bob"]),
    ],
)
def test_the_first_round_rings_so_many_and_each_further_round_more(strategy, initial, increment, rung):
    """H02. Cid idles longest."""
    hunts = [
        Hunt(("ann", "bob", "cid"), (), round_, {"ann": 5, "bob": 6, "cid": 1}, {}, initial, increment)
        for round_ in range(1, 5)
    ]
    assert [" ".join(STRATEGIES[strategy].choose(hunt)) for hunt in hunts] == rung


def test_the_catalogue_names_what_a_strategy_lacks():
    with pytest.raises(BrokenCatalogue, match="defines no 'missing'"):
        plug_ins("pbx.callflow.strategies", needs="missing")
