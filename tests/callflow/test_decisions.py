import json
import re
from dataclasses import FrozenInstanceError, asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pbx.callflow.decisions import Decision, DecisionRecord, Trail, explain
from pbx.callflow.routing import Asked, route
from tests.callflow.small_office import EVERYBODY, OUTSIDE, moment, office

words = st.text(max_size=12)
decisions = st.builds(Decision, words, words, words, st.sampled_from("✓✗·"), words, words)
records = st.builds(DecisionRecord, words, st.lists(decisions, max_size=5).map(tuple), words)


@given(records)
def test_a_record_comes_back_from_its_json(record):
    assert DecisionRecord.from_json(record.to_json()) == record


@given(records, records)
def test_equal_records_are_equal_text_and_no_others(one, other):
    assert (one.to_json() == other.to_json()) == (one == other)


@given(records)
def test_json_is_what_any_encoder_writes(record):
    values = asdict(record) | {"decisions": [decision._asdict() for decision in record.decisions]}
    assert record.to_json() == json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def test_json_is_canonical():
    record = DecisionRecord("101", (Decision("ring", "device 101", "", "✓", "rings at once"),), "user:101")
    assert record.to_json() == (
        '{"decisions":[{"because":"rings at once","link":"","rule":"device 101","saw":"","step":"ring","verdict":"✓"}],'
        '"outcome":"user:101","question":"101"}'
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "3", '{"decisions":[{}],"outcome":"","question":""}', '{"decisions":3}']
)
def test_what_is_no_record_is_refused(text):
    with pytest.raises(ValueError):
        DecisionRecord.from_json(text)


def test_a_trail_keeps_the_order_of_what_was_tried():
    trail = Trail()
    trail.failed("a", "1", "x", "no")
    trail.applied("a", "2", "y", "yes", "there")
    trail.open("a", "3", "z", "not reached")
    record = trail.record("?", "end")
    assert [(d.rule, d.verdict) for d in record.decisions] == [("1", "✗"), ("2", "✓"), ("3", "·")]
    with pytest.raises(FrozenInstanceError):
        record.outcome = "other"


def test_a_record_is_explained_in_numbered_steps_with_links_to_the_right():
    record = route(office(), Asked("+14165550100", OUTSIDE), EVERYBODY, moment("2026-12-25T10:00")).record
    title, blank, *lines = explain(record).splitlines()
    assert (title, blank) == ("+1 416 555 0100 from +1 416 555 0142  →  attendant:400/closed", "")
    texts = [re.split(" {2,}(?=[a-z]+/)", line) for line in lines]
    assert texts == [
        [" 1 number      ✓ 14165550100  Main — routed by time frame", "numbers/14165550100"],
        [" 2 time frame  ✓ christmas  2026-12-25 in America/Toronto — attendant:400/closed", "timeframes/christmas"],
        [
            "               · office     mon–fri 08:00–18:00 in America/Toronto — not reached; then attendant:400/main",
            "timeframes/office",
        ],
        ["               · *          always — not reached; then mailbox:101", "numbers/14165550100"],
        [" 3 attendant   ✓ 400 Main  answers", "attendants/400"],
        [" 4 menu        ✓ closed  attendant-closed — keys: none", "attendants/400/menus/closed"],
    ]
    assert len({len(line) - len(link) for line, (_, link) in zip(lines, texts, strict=True)}) == 1


def test_a_record_without_decisions_is_explained_too():
    assert explain(DecisionRecord("a", (), "b")) == "a  →  b\n"


def test_links_lead_to_the_objects():
    directory = office(rules=[{"time_frame": "lunch"}, {"forward_always": "queue 500"}])
    record = route(directory, Asked("101", caller_device="102"), EVERYBODY, moment()).record
    links = [decision.link for decision in record.decisions if decision.link]
    assert links == ["users/101", "users/101/rules/0", "users/101/rules/1", "users/101/rules/1", "users/101/rules/1",
                     "queues/500", "queues/500", "queues/500", "queues/500", "queues/500"]  # fmt: skip


def test_a_record_holds_no_secret_and_no_name_a_caller_chose():
    asked = Asked("14165550101", OUTSIDE, caller_name="<script>")
    assert "script" not in json.dumps(route(office(), asked, EVERYBODY, moment()).record.to_json())
