"""The SIP ladder of some events, as SVG, text and Mermaid."""

from __future__ import annotations

from datetime import UTC, datetime
from xml.etree import ElementTree

from pbx.clock import moment_at
from pbx.events import CallEnded, MediaHeard, SipRequest, SipResponse, Stamped
from test_plans.report import ladder

START = datetime(2026, 11, 24, 15, tzinfo=UTC)
HOSTILE = '"><script>alert(1)</script>'


def stamped(*events):
    return [Stamped(at + 1, moment_at(10.0 + at / 10, START), event) for at, event in enumerate(events)]


def invite(device="101"):
    return SipRequest("in", "INVITE", "udp:10.0.1.1:5060", "a@b", device, b"INVITE sip:102@acme.lab SIP/2.0")


def ringing(status="SIP/2.0 180 Ringing\r\n\r\n", code=180):
    return SipResponse("out", "INVITE", code, "udp:10.0.1.1:5060", "a@b", "101", status.encode())


def test_requests_responses_failures_and_sounds_are_rows_between_two_names():
    rows = ladder.rows(
        stamped(
            invite(),
            ringing(),
            ringing("SIP/2.0 486 Busy Here\r\n", 486),
            MediaHeard("c-1", "c-1.0", "101", "signature:101"),
            CallEnded("c-1", "101", "", "101", "102", 16, 0.0),
        )
    )
    assert [(row.source, row.target, row.caption, row.kind) for row in rows] == [
        ("101", "switch", "INVITE", "request"),
        ("switch", "101", "180 Ringing", "response"),
        ("switch", "101", "486 Busy Here", "failure"),
        ("101", "switch", "♪ signature:101", "sound"),
    ]
    assert [round(row.at_s, 1) for row in rows] == [0.0, 0.1, 0.2, 0.3]


def test_what_is_repeated_at_once_is_one_row_with_its_count():
    (row,) = ladder.rows(stamped(invite(), invite(), invite()))
    assert row.repeats == 3
    assert "×3" in ladder.text([row])


def test_the_first_caller_stands_left_of_the_switch_and_the_rest_right():
    rows = ladder.rows(stamped(invite("101"), invite("102"), invite("103")))
    assert ladder.lifelines(rows) == ["101", "switch", "102", "103"]


def test_an_address_stands_in_for_a_device_that_is_not_known():
    rows = ladder.rows(stamped(invite("")), name_of=lambda address: f"<{address}>")
    assert rows[0].source == "<udp:10.0.1.1:5060>"


def test_the_svg_is_well_formed_and_escapes_what_came_from_the_wire():
    rows = ladder.rows(stamped(invite(HOSTILE), ringing(f"SIP/2.0 180 {HOSTILE}")))
    text = ladder.svg(rows, f"Ladder of {HOSTILE}")
    tree = ElementTree.fromstring(text)
    assert "<script" not in text
    assert tree.attrib["role"] == "img"
    assert HOSTILE in tree.attrib["aria-label"]
    assert len(tree.findall("{http://www.w3.org/2000/svg}g")) == 2


def test_the_ladder_is_bounded():
    many = [invite(str(n % 7)) for n in range(1000)]
    assert len(ladder.rows(stamped(*many))) == ladder.MOST_ROWS


def test_the_ladder_as_text_and_as_mermaid():
    rows = ladder.rows(stamped(invite(), ringing()))
    assert ladder.text(rows).splitlines()[0].split() == ["0.000", "101", "──▶", "switch", "INVITE"]
    lines = ladder.mermaid(rows).splitlines()
    assert lines[0] == "sequenceDiagram"
    assert "  p0->>p1: INVITE" in lines


def test_nothing_has_no_rows():
    assert ladder.rows([]) == []
    assert ElementTree.fromstring(ladder.svg([], "empty")).attrib["width"]
