"""Answering rules: each condition fires alone, the first rule in force decides, what cannot ring does not."""

import pytest

from pbx.callflow.routing import Asked, Forward, Presence, RingPlan, UserRoute, resolve_user
from tests.callflow.small_office import EVERYBODY, OUTSIDE, moment, office

ALL = EVERYBODY.registered
FULL = {
    "forward_on_active": "queue 500",
    "forward_on_busy": "user 102",
    "forward_no_answer": "attendant 400",
    "forward_offline": "external 14165550190",
}
PLAIN = Asked("101", caller_device="102")
NO_MAILBOX = {"ana": {"voicemail": False}, "numbers": (), "queues": ()}
"""Changes to the office: Ana has no voicemail, and nothing leads there."""


def called(rules=(), asked=PLAIN, presence=EVERYBODY, at="2026-11-24T10:00", **changes) -> UserRoute:
    return resolve_user(office(rules=rules, **changes), "101", asked, presence, moment(at))


def sent(*args, **kwargs) -> tuple[str, str]:
    result = called(*args, **kwargs).result
    assert isinstance(result, Forward)
    return result.destination.label, result.why


def rung(*args, **kwargs) -> RingPlan:
    result = called(*args, **kwargs).result
    assert isinstance(result, RingPlan)
    return result


def targets(plan: RingPlan) -> list[tuple[str, float]]:
    return [(ringing.target.label, ringing.delay_s) for ringing in plan.targets]


def outcomes(plan: RingPlan) -> list[str]:
    return [plan.on_busy.label, plan.on_no_answer.label, plan.on_offline.label]


def test_without_rules_the_users_phones_ring_and_then_the_mailbox_takes_the_call():
    plan = rung()
    assert targets(plan) == [("device:101", 0), ("device:101a", 0)]
    assert plan.ring_s == 4
    assert outcomes(plan) == ["mailbox:101"] * 3


def test_without_voicemail_the_caller_is_told_how_it_ended():
    assert outcomes(rung(**NO_MAILBOX)) == ["hangup:busy", "hangup:no-answer", "hangup:unavailable"]


def test_only_registered_phones_ring():
    assert targets(rung(presence=Presence(frozenset({"101a", "102"})))) == [("device:101a", 0)]


def test_each_outcome_leads_where_its_rule_says():
    assert outcomes(rung([FULL])) == ["user:102", "attendant:400/main", "external:14165550190"]


@pytest.mark.parametrize(
    ("rule", "presence", "expected"),
    [
        ({"forward_always": "user 102", **FULL}, EVERYBODY, ("user:102", "always")),
        (FULL, Presence(ALL, busy=frozenset({"101"})), ("queue:500", "on active")),
        (FULL, Presence(), ("external:14165550190", "offline")),
        ({}, Presence(), ("mailbox:101", "offline")),
        ({"do_not_disturb": True, "forward_always": "user 102"}, EVERYBODY, ("mailbox:101", "do not disturb")),
        ({}, Presence(ALL, do_not_disturb=frozenset({"101"})), ("mailbox:101", "do not disturb")),
    ],
)
def test_each_condition_fires_alone(rule, presence, expected):
    assert sent([rule], presence=presence) == expected


def test_do_not_disturb_set_on_the_user_counts_too():
    assert sent(ana={"do_not_disturb": True}) == ("mailbox:101", "do not disturb")
    assert sent([{"do_not_disturb": True}], **NO_MAILBOX) == ("hangup:busy", "do not disturb")


def test_a_user_in_a_call_without_a_rule_for_it_rings_again():
    assert targets(rung(presence=Presence(ALL, busy=frozenset({"101"}))))


@pytest.mark.parametrize(
    ("entry", "asked"),
    [
        ("4165550142", Asked("101", "+14165550142")),
        ("102", PLAIN),
        ("anonymous", Asked("101", "")),
        ("unknown", Asked("101", "Anonymous")),
    ],
)
def test_the_block_list_comes_first_and_answers_busy(entry, asked):
    rule = {"block": ["16135550190", entry], "do_not_disturb": True}
    assert sent([rule], asked=asked) == ("hangup:busy", "blocked")


QUIET = {"do_not_disturb": True, "forward_on_dnd": "queue 500"}


def test_do_not_disturb_may_have_a_target_of_its_own():
    assert sent([QUIET]) == ("queue:500", "do not disturb")


@pytest.mark.parametrize("asked", [Asked("101", OUTSIDE), PLAIN, Asked("101", "")])
def test_who_is_allowed_rings_in_spite_of_do_not_disturb(asked):
    rule = {**QUIET, "allow": ["416 555 0142", "102", "anonymous"]}
    assert targets(rung([rule], asked=asked, presence=Presence(ALL, do_not_disturb=frozenset({"101"}))))
    assert sent([{**rule, "allow": ["16135550190"]}], asked=asked) == ("queue:500", "do not disturb")


def test_who_is_blocked_is_not_allowed():
    assert sent([{"allow": ["102"], "block": ["102"]}]) == ("hangup:busy", "blocked")


def test_a_record_says_where_a_rule_would_lead_at_its_own_time():
    rules = [
        {"time_frame": "lunch", "forward_always": "queue 500"},
        {"time_frame": "office", "simultaneous_ring": ["<OwnDevices>", "102"]},
        {"time_frame": "christmas", **QUIET},
        {},
    ]
    tried = {d.rule: d.because for d in called(rules).record.decisions if d.step == "answering rule"}
    assert tried == {
        "lunch": "does not cover this moment; then queue:500",
        "office": "in force",
        "christmas": "not reached; then do not disturb, queue:500",
        "*": "not reached; then rings own phones",
    }


@pytest.mark.parametrize("asked", [Asked("101", OUTSIDE), PLAIN, Asked("101", "")])
def test_who_is_not_listed_is_not_blocked(asked):
    assert targets(rung([{"block": ["16135550190"]}], asked=asked))


# --- which rule is in force ---------------------------------------------------------------------------


def test_the_first_rule_whose_frame_covers_the_moment_is_in_force():
    rules = [
        {"time_frame": "lunch", "forward_always": "queue 500"},
        {"time_frame": "office", "forward_always": "user 102"},
        {"forward_always": "mailbox 101"},
    ]
    assert sent(rules, at="2026-11-24T12:30")[0] == "queue:500"
    assert sent(rules, at="2026-11-24T13:00")[0] == "user:102"
    assert sent(rules, at="2026-11-24T20:00")[0] == "mailbox:101"


def test_a_private_time_frame_is_its_owners_alone_and_goes_before_one_that_is_shared():
    mine = {"name": "office", "owner": "101", "weekdays": {"sat": "10:00-11:00"}}
    shared = {"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}}
    rule = [{"time_frame": "office", "forward_always": "user 102"}]
    frames = {"time_frames": (mine, shared), "numbers": (), "attendants": (), "queues": ()}
    assert sent(rule, at="2026-11-28T10:30", **frames) == ("user:102", "always")
    assert targets(rung(rule, at="2026-11-24T10:00", **frames))
    with pytest.raises(ValueError, match="no time frame office that everybody shares"):
        office(time_frames=(mine,), attendants=(), queues=(),
               numbers=[{"number": 14165550100, "routes": [{"time_frame": "office", "to": "user 101"}]}])  # fmt: skip


def test_a_rule_switched_off_uncovers_the_next():
    rules = [{"time_frame": "office", "enabled": False, "forward_always": "user 102"}, {"forward_always": "queue 500"}]
    assert sent(rules)[0] == "queue:500"


def test_the_rule_for_always_comes_last_wherever_it_stands():
    rules = [{"forward_always": "queue 500"}, {"time_frame": "office", "forward_always": "user 102"}]
    assert sent(rules)[0] == "user:102"
    record = called(rules).record
    tried = [(d.rule, d.verdict, d.link) for d in record.decisions if d.step == "answering rule"]
    assert tried == [("office", "✓", "users/101/rules/1"), ("*", "·", "users/101/rules/0")]


def test_frames_are_read_in_the_users_zone():
    rules = [{"time_frame": "office", "forward_always": "user 102"}]
    assert sent(rules, at="2026-11-24T08:30")[0] == "user:102"
    assert rung(rules, at="2026-11-24T08:30", ana={"time_zone": "America/Vancouver"})


def test_no_rule_in_force_just_rings():
    assert outcomes(rung([{"time_frame": "lunch", **FULL}])) == ["mailbox:101"] * 3


# --- simultaneous ring --------------------------------------------------------------------------------

TOGETHER = [
    {"target": "own"},
    {"target": "device 102", "delay_s": 2},
    {"target": "external 14165550190", "delay_s": 3},
    {"target": "device 101a", "delay_s": 5},
]


def test_simultaneous_ring_names_targets_with_delays_each_once():
    plan = rung([{"simultaneous_ring": TOGETHER}], asked=Asked("101", OUTSIDE))
    assert targets(plan) == [
        ("device:101", 0),
        ("device:101a", 0),
        ("device:102", 2),
        ("external:14165550190", 3),
    ]


def test_another_users_phones_ring_without_that_users_rules():
    directory = [{"simultaneous_ring": ["<OwnDevices>", "102;delay=3"]}]
    assert targets(rung(directory, asked=Asked("101", OUTSIDE))) == [
        ("device:101", 0), ("device:101a", 0), ("device:102", 3)]  # fmt: skip


def test_unregistered_targets_are_left_out():
    plan = rung([{"simultaneous_ring": TOGETHER}], asked=Asked("101", OUTSIDE), presence=Presence(frozenset({"101"})))
    assert targets(plan) == [("device:101", 0), ("external:14165550190", 3)]


def test_without_own_phones_the_others_ring_unless_a_rule_says_offline():
    nobody = Presence(frozenset({"102"}))
    assert targets(rung([{"simultaneous_ring": TOGETHER}], asked=Asked("101", OUTSIDE), presence=nobody)) == [
        ("device:102", 2), ("external:14165550190", 3)]  # fmt: skip
    rule = {"simultaneous_ring": TOGETHER, "forward_offline": "user 102"}
    assert sent([rule], presence=nobody) == ("user:102", "offline")


def test_the_callers_own_phone_does_not_ring():
    assert targets(rung(asked=Asked("101", caller_device="101"))) == [("device:101a", 0)]


def test_who_calls_the_own_extension_from_the_only_phone_is_busy():
    presence = Presence(frozenset({"101"}))
    assert sent(asked=Asked("101", caller_device="101"), presence=presence) == ("mailbox:101", "busy")


def test_forward_when_busy_is_inert_with_simultaneous_ring():
    rule = {**FULL, "simultaneous_ring": TOGETHER}
    assert outcomes(rung([rule], asked=Asked("101", OUTSIDE)))[0] == "mailbox:101"


def test_forward_when_busy_can_be_inert_for_the_whole_domain():
    domain = {"name": "acme.lab", "preset": "n2p", "platform": {"email_required": False}}
    assert outcomes(rung([FULL], domain=domain)) == ["mailbox:101", "attendant:400/main", "external:14165550190"]


def test_no_ring_time_is_no_answer_at_once():
    assert sent([FULL], ana={"ring_s": 0}) == ("attendant:400/main", "no answer")


def test_a_user_barred_from_calling_outside_forwards_nobody_there():
    barred = {"dial_policy": "Internal"}
    outside = "external 14165550190"
    everything = dict.fromkeys(FULL, outside) | {"forward_always": outside, "simultaneous_ring": TOGETHER[:3]}
    plan = rung([everything], asked=Asked("101", OUTSIDE), ana=barred)
    assert targets(plan) == [("device:101", 0), ("device:101a", 0), ("device:102", 2)]
    assert outcomes(plan) == ["mailbox:101"] * 3
    assert sent([{"forward_offline": outside}], presence=Presence(), ana=barred) == ("mailbox:101", "offline")


def test_a_user_who_does_not_exist_is_not_found():
    found = resolve_user(office(), "199", PLAIN, EVERYBODY, moment())
    assert found.result == Forward(found.result.destination, "no such user")
    assert found.record.outcome == "hangup:not-found"


def test_the_record_ends_where_the_rules_do():
    assert called([{"forward_always": "queue 500"}]).record.outcome == "queue:500"
    record = called().record
    assert (record.question, record.outcome) == ("user 101 for 102", "user:101")
    assert [(d.rule, d.because) for d in record.decisions if d.verdict == "·"] == [
        ("busy", "mailbox:101"),
        ("no answer", "mailbox:101"),
    ]


def test_a_user_with_all_the_calls_it_may_have_is_busy():
    limited = {"ana": {"max_calls": 2}}
    assert sent([FULL], presence=Presence(ALL, full=frozenset({"101"})), **limited) == ("user:102", "busy")
    assert targets(rung(presence=Presence(ALL, full=frozenset({"102"})), **limited)) == [
        ("device:101", 0),
        ("device:101a", 0),
    ]
