"""The same assessment over sockets of this machine, through a relay that does to datagrams what a network does."""

from __future__ import annotations

import pytest

from lab.network.presets import network
from lab.network.probe import Wanted
from lab.network.real_site import assess_behind, open_mirror

pytestmark = [pytest.mark.realtime, pytest.mark.no_cover]

BRIEF = Wanted(calls=1, seconds=1.0, silences_s=())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("sip-alg", "alg"),
        ("double-nat", "double-nat"),
        ("satellite", "delay"),
        ("unmarked", "dscp"),
        ("lte", "symmetric-nat"),
    ],
)
async def test_a_fault_between_real_sockets_is_told_by_its_name(name, found):
    mirror = open_mirror("127.0.0.1", [0, 0, 0])
    try:
        verdict = await assess_behind(network(name), mirror, BRIEF)
    finally:
        mirror.close()
    assert found in verdict.ids, verdict


async def test_a_good_line_has_none_of_the_routers_faults():
    mirror = open_mirror("127.0.0.1", [0, 0, 0])
    try:
        verdict = await assess_behind(network("good-lan"), mirror, BRIEF)
    finally:
        mirror.close()
    # Jitter and loss are this machine's own, and it may be busy.
    assert set(verdict.ids) <= {"jitter", "loss", "mos"}
    assert verdict.facts.reachable
    assert verdict.facts.rewritten == ()
    assert verdict.facts.large_passes
