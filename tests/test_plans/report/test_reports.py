"""What a run leaves behind: JUnit, JSON, HTML, console lines; hostile text stays text."""

from __future__ import annotations

import itertools
import json
import re
from datetime import datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from test_plans.report.console import case_line, summary
from test_plans.report.document import VERSION, document, results
from test_plans.report.html import html
from test_plans.report.junit import junit
from tests.test_plans.toy_office import TALK, ToyBench, plan_of, run

BLOCKED = """\
  - id: K09
    title: Nobody can "do" <this> & that
    roles: {nobody: {traits: [unheard-of]}}
    steps: [{check: registration, role: nobody}]
"""


@pytest.fixture(scope="module")
def good():
    return run(plan_of(TALK, "later: {C09: 'waits for issue 9 <b>'}\n"))


@pytest.fixture(scope="module")
def mixed():
    cases = TALK + BLOCKED + "  - {id: N01, steps: [{do: caller.reboot}]}\n"
    return run(plan_of(cases), ToyBench("deaf caller"))


# --- JUnit --------------------------------------------------------------------------------------------


def test_junit_counts_and_names_what_happened(mixed):
    (suite,) = ElementTree.fromstring(junit(document(mixed)))
    assert {key: suite.attrib[key] for key in ("name", "tests", "failures", "errors", "skipped")} == {
        "name": "toy",
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
    }
    failed, blocked, error = suite.findall("testcase")
    assert "one-way audio" in failed.find("failure").attrib["message"]
    assert blocked.find("skipped").attrib["message"].startswith("blocked: no device for role 'nobody'")
    assert "LookupError" in error.find("error").attrib["message"]
    assert {item.attrib["name"]: item.attrib["value"] for item in suite.find("properties")}["world"] == "virtual"


def test_junit_lists_the_binding_and_every_step(good):
    (case,) = ElementTree.fromstring(junit(document(good))).iter("testcase")
    lines = case.find("system-out").text.splitlines()
    assert lines[0] == "bound: caller=11, desk=12"
    assert len(lines) == 9


SCHEMA = {
    # element: (attributes it must have, those it may have, its children in order)
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors", "disabled"}, ["testsuite"]),
    "testsuite": (
        {"name"},
        {"tests", "failures", "errors", "skipped", "time", "timestamp", "hostname", "id", "package", "disabled"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "testcase": (
        {"name"},
        {"classname", "time", "status", "assertions"},
        ["skipped", "error", "failure", "system-out", "system-err"],
    ),
    "skipped": (set(), {"message", "type"}, []),
    "failure": (set(), {"message", "type"}, []),
    "error": (set(), {"message", "type"}, []),
    "system-out": (set(), set(), []),
    "system-err": (set(), set(), []),
}
"""The schema of Jenkins' JUnit reader, by hand."""


def test_junit_is_shaped_as_its_readers_expect(mixed, good):
    for result in (mixed, good):
        root = ElementTree.fromstring(junit(document(result)))
        assert root.tag == "testsuites"
        for element in root.iter():
            must, may, children = SCHEMA[element.tag]
            assert must <= set(element.attrib) <= must | may, element.tag
            order = [children.index(child.tag) for child in element]
            assert order == sorted(order), element.tag
        for element in root.iter("testcase"):
            assert float(element.attrib["time"]) >= 0
        (suite,) = root
        assert datetime.fromisoformat(suite.attrib["timestamp"])


def test_junit_drops_what_xml_cannot_hold(mixed):
    mixed.cases[0].reason += "\x00\x07\ufffe\ud800"
    text = junit(document(mixed))
    ElementTree.fromstring(text.encode())
    assert not re.search("[\x00-\x08\ufffe\ud800]", text)
    mixed.cases[0].reason = mixed.cases[0].reason.removesuffix("\x00\x07\ufffe\ud800")


# --- JSON ---------------------------------------------------------------------------------------------


def test_json_is_versioned_and_complete(mixed):
    read = json.loads(results(document(mixed)))
    assert read["version"] == VERSION
    assert [case["verdict"] for case in read["cases"]] == ["failed", "blocked", "error"]
    assert any(step["events"] for step in read["cases"][0]["steps"]), "each step keeps what came while it was taken"
    assert read["cases"][0]["steps"][-1]["seen"]
    assert read["cases"][0]["binding"] == {"caller": "11", "desk": "12"}


def test_the_same_seed_gives_the_same_json_but_for_wall_times():
    def stripped(seed: int) -> str:
        read = json.loads(results(document(run(plan_of(TALK + BLOCKED), seed=seed))))
        return json.dumps({key: value for key, value in read.items() if not key.endswith("_wall")})

    assert stripped(4) == stripped(4)
    assert stripped(4) != stripped(5)


# --- HTML ---------------------------------------------------------------------------------------------

VOID = {"meta", "br", "link", "img", "input", "hr", "path", "line"}


class Page(HTMLParser):
    """Checks nesting, and keeps what a reader and a browser would care about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.words.append(data)


def test_the_page_is_well_nested_and_stands_alone(mixed):
    page = Page(html(document(mixed)))
    assert page.open == []
    assert [tag for tag, _ in page.tags if tag in ("script", "link", "iframe", "img")] == []
    for _, attributes in page.tags:
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith("#"), "nothing is loaded from anywhere"
        assert not any(name.startswith("on") for name in attributes)
    assert "url(" not in html(document(mixed))
    assert "@import" not in html(document(mixed))


def test_hostile_names_stay_text(mixed):
    text = html(document(mixed))
    assert "<script" not in text
    assert "<b>it is" not in text
    assert "<this>" not in text
    assert "&lt;this&gt;" in text


def test_headings_landmarks_language_and_labels_are_there_for_a_screen_reader(mixed):
    page = Page(html(document(mixed)))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == tags.count("main") == tags.count("header") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert dict(page.tags[0][1])["lang"]
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(attributes.get("scope") for tag, attributes in page.tags if tag == "th")
    anchors = {str(attributes["href"])[1:] for tag, attributes in page.tags if tag == "a"}
    assert anchors <= set(ids)


def test_each_case_shows_its_steps_witness_binding_ladder_and_reason(mixed):
    page = Page(html(document(mixed)))
    words = " ".join(page.words)
    assert "one-way audio" in words
    assert "Seen instead" in words
    assert "observed" in words
    assert "caller 11" in words
    assert "no device for role 'nobody'" in words
    assert [attributes.get("aria-label") for tag, attributes in page.tags if tag == "svg"] == ["SIP ladder of C01"]


def test_each_step_has_its_evidence_with_its_moment(good):
    page = Page(html(document(good)))
    words = " ".join(" ".join(page.words).split())
    assert "Evidence," in words
    assert "INVITE sip:12 from 11" in words
    assert re.search(r"0\.200 call\.ringing call=c-0001", words)


def test_both_themes_and_print_are_styled(good):
    text = html(document(good))
    assert "prefers-color-scheme:dark" in text.replace(" ", "")
    assert "@media print" in text


def test_the_decision_record_is_shown_and_compared(good):
    assert "equal to what was computed before the call" in html(document(good))
    lying = run(plan_of(TALK), ToyBench("why lies"))
    assert "differs from what was computed before the call" in html(document(lying))


def test_the_other_world_stands_beside(good, mixed):
    beside = html(document(good), document(mixed))
    assert len(Page(beside).words) > len(Page(html(document(good))).words)
    assert "failed" in beside


def test_what_is_left_for_later_is_listed_escaped(good):
    assert "waits for issue 9 &lt;b&gt;" in html(document(good))


# --- console ------------------------------------------------------------------------------------------


def test_a_case_is_one_line_and_a_failure_says_what_was_seen(good, mixed):
    assert case_line(good.cases[0]).count("\n") == 0
    assert "✓ C01" in case_line(good.cases[0])
    failed = case_line(mixed.cases[0])
    assert "one-way audio" in failed
    assert "at line 16" in failed
    assert "seen: 11 <desk> heard nothing" in failed
    assert "blocked: no device" in case_line(mixed.cases[1])


def test_the_summary_counts_by_group_and_names_what_was_left_over(good, mixed):
    assert summary(document(good)) == "C Internal calls 1/1 ✓"
    assert "C Internal calls 0/1 ✗" in summary(document(mixed))
    numbered = document(good)
    (case,) = numbered["cases"]
    others = {**numbered, "cases": [{**case, "id": name} for name in ("CALL-01", "B01-tls", "C01@101")]}
    assert summary(others) == "B Registration 1/1 ✓   C Internal calls 1/1 ✓   Cases of its own 1/1 ✓"
    bench = ToyBench()
    bench.left["media"] = 1
    leaking = run(plan_of(TALK), bench)
    assert "media" in summary(document(leaking))
