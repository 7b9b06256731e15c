"""A site's network is found out from the site: each fault by its name, and nothing on a clean network."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from lab.clockwork import Clockwork
from lab.network.findings import Verdict, judged
from lab.network.presets import names, network
from lab.network.probe import Wanted
from lab.network.virtual_site import VirtualSite, attach_mirror
from lab.wire import Wire

BRIEF = Wanted(calls=1, seconds=1.0, silences_s=())
EPOCH = datetime(2026, 11, 26, tzinfo=UTC)


def assessed(name: str, wanted: Wanted | None = None, number: int = 1) -> tuple[Verdict, float]:
    """The verdict on a network, and how long it took in virtual seconds."""
    clockwork = Clockwork(Wire(number), EPOCH)
    attach_mirror(clockwork)
    probe = VirtualSite(clockwork, lambda host: False, network(name)).assessment(wanted)
    assert clockwork.run_until(400.0, lambda: probe.done)
    return judged(probe.facts()), clockwork.mono


FOUND = {
    "good-lan": set(),
    "busy-dsl": {"jitter", "loss"},
    "lte": {"symmetric-nat"},
    "satellite": {"delay"},
    "sip-alg": {"alg"},
    "udp-timeout-30": {"nat-timeout"},
    "double-nat": {"double-nat"},
    "no-fragments": {"fragments"},
    "unmarked": {"dscp"},
    "provider-down": {"unreachable"},
}
TOLERATED = {"busy-dsl": {"mos"}, "satellite": {"mos"}, "lte": {"jitter", "loss", "mos"}}
"""What a few seconds of such a line may show or not."""


@pytest.mark.parametrize("name", FOUND)
def test_each_network_is_told_by_its_faults_and_by_no_others(name):
    verdict, _ = assessed(name, Wanted(calls=2, seconds=4.0))
    assert FOUND[name] <= set(verdict.ids) <= FOUND[name] | TOLERATED.get(name, set())
    assert all(finding.remedy for finding in verdict.findings)


def test_every_network_that_comes_with_the_house_has_a_line_above():
    assert set(FOUND) == set(names())


def test_the_timeout_of_a_router_is_found_between_two_silences():
    verdict, took = assessed("udp-timeout-30")
    assert (verdict.facts.held_s, verdict.facts.lost_after_s) == (None, 30)
    verdict, took = assessed("good-lan")
    assert (verdict.facts.held_s, verdict.facts.lost_after_s) == (180, None)
    assert took == pytest.approx(180, abs=2)


def test_a_changed_request_is_told_line_by_line():
    verdict, _ = assessed("sip-alg", BRIEF)
    assert verdict.facts.rewritten is not None
    assert verdict.facts.rewritten[0].startswith("Via: SIP/2.0/UDP 10.1.0.2:40000;")
    assert any(line.startswith("c=IN IP4 10.1.0.2 → c=IN IP4 203.0.113.1") for line in verdict.facts.rewritten)


def test_a_line_too_narrow_for_the_calls_loses_and_one_wide_enough_does_not():
    narrow, _ = assessed("busy-dsl", Wanted(calls=30, seconds=2.0, silences_s=()))
    wide, _ = assessed("busy-dsl", Wanted(calls=2, seconds=2.0, silences_s=()))
    assert (narrow.facts.loss_out or 0) > 0.2 > (wide.facts.loss_out or 0)


@pytest.mark.parametrize("number", range(3))
def test_another_seed_of_chance_gives_the_same_verdict_on_a_clean_line(number):
    assert assessed("good-lan", BRIEF, number)[0].ids == ()
