"""The verdict: limits of the checklist, met and missed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.network.facts import Facts
from lab.network.findings import judged

CLEAN = Facts(
    True, "10.0.0.2:5060", "203.0.113.1:5060", "203.0.113.1:5060", "203.0.113.1", (), True, 180, None, 4, 20.0, 2.0,
    0.0, 0.0, 46, 46, 4.4,
)  # fmt: skip


def test_a_clean_line_passes_without_a_word():
    verdict = judged(CLEAN)
    assert verdict.passed
    assert verdict.findings == ()


@pytest.mark.parametrize(
    ("changes", "found", "severity"),
    [
        ({"round_trip_ms": 300.0}, "", ""),
        ({"round_trip_ms": 301.0}, "delay", "fail"),
        ({"jitter_ms": 15.0}, "", ""),
        ({"jitter_ms": 16.0}, "jitter", "warn"),
        ({"jitter_ms": 31.0}, "jitter", "fail"),
        ({"loss_out": 0.003}, "loss", "warn"),
        ({"loss_back": 0.02}, "loss", "fail"),
        ({"held_s": 60, "lost_after_s": 120}, "nat-timeout", "warn"),
        ({"held_s": 30, "lost_after_s": 60}, "nat-timeout", "fail"),
        ({"held_s": 120, "lost_after_s": 180}, "", ""),
        ({"dscp_back": 0}, "dscp", "warn"),
        ({"gateway_public": "192.168.1.2"}, "double-nat", "fail"),
        ({"gateway_public": "100.64.0.9", "mapped": "100.64.0.9:1", "mapped_other": ""}, "double-nat", "fail"),
        ({"gateway_public": ""}, "", ""),
        ({"round_trip_ms": None, "loss_out": 1.0, "loss_back": None, "mos": None}, "no-media", "fail"),
        ({"reached": (("ntp", False),)}, "ntp", "fail"),
    ],
)
def test_each_limit_has_two_sides(changes, found, severity):
    verdict = judged(replace(CLEAN, **changes))
    assert [(finding.id, finding.severity) for finding in verdict.findings] == ([(found, severity)] if found else [])
    assert verdict.passed == (severity != "fail")
