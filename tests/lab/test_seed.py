from collections import Counter
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab import carrier
from lab.seeds.load import OFFICE, SeedError, load_seed, read_seed
from lab.seeds.model import Habit
from pbx.callflow.routing import Asked, Forward, Presence, RingPlan, emergency_location, resolve_user, route
from pbx.clock import Moment

SEED = load_seed()
DIRECTORY, LAB = SEED.directory, SEED.lab
EVERYBODY = Presence(frozenset(DIRECTORY.devices_by_id))
CALLER = "14165550142"

HOURS = ["2026-11-24T10:00", "2026-11-24T03:00", "2026-11-28T12:30", "2026-12-25T12:00", "2031-07-01T23:59"]
"""What a plan relies on must not depend on when it runs."""


def at(text: str) -> Moment:
    return Moment(0.0, datetime.fromisoformat(f"{text}-05:00").astimezone(UTC))


def test_the_office_has_two_sites_twelve_users_and_a_phone_each():
    assert [site.name for site in DIRECTORY.sites] == ["Toronto", "Laval"]
    assert [user.extension for user in DIRECTORY.users] == [str(n) for n in range(101, 113)]
    assert [device.id for device in DIRECTORY.devices] == [user.extension for user in DIRECTORY.users]
    assert len({site.music for site in DIRECTORY.sites}) == 2


def test_every_family_is_there_and_the_adapter_has_two_ports():
    families = Counter(device.family for device in DIRECTORY.devices)
    assert families == {"yealink/t4x_t5x": 4, "poly/vvx": 2, "linphone/desktop": 2, "generic/json": 2,
                        "grandstream/ht8xx": 2}  # fmt: skip
    assert [(d.id, d.port) for d in DIRECTORY.devices_by_mac["000b82ab0111"]] == [("111", 1), ("112", 2)]
    assert len(DIRECTORY.devices_by_mac) == 11
    assert {device.transport for device in DIRECTORY.devices} == {"udp", "tcp"}


def test_secrets_are_long_and_each_phones_own():
    passwords = [device.password.get_secret_value() for device in DIRECTORY.devices]
    assert len(set(passwords)) == 12
    assert min(map(len, passwords)) >= 20
    tokens = {device.mac: device.token.get_secret_value() for device in DIRECTORY.devices}
    assert len(set(tokens.values())) == len(tokens)
    assert min(map(len, tokens.values())) >= 20


def test_virtual_time_begins_on_a_tuesday_morning_in_toronto():
    assert SEED.start.isoformat() == "2026-11-24T10:00:00-05:00"
    assert SEED.start.strftime("%A") == "Tuesday"


def test_the_outside_world_has_one_number_of_each_habit():
    habits = {outside.number: outside.habit for outside in LAB.carrier}
    assert habits["14165550142"] == "a person"
    assert [habits[f"141655501{n}"] for n in (90, 91, 92, 93, 94, 95, 99)] == [
        "answers", "rings out", "busy", "does not exist", "plays a tone", "echoes", "answers"]  # fmt: skip


def test_the_habits_are_those_the_carrier_knows():
    assert set(get_args(Habit)) <= {habit.value for habit in carrier.Habit}


@pytest.mark.parametrize("hour", HOURS)
def test_quiet_users_ring_and_then_take_a_message_at_any_hour(hour):
    assert LAB.who("quiet") == ("101", "102", "103", "104", "105", "106", "107", "109", "110")
    for extension in LAB.who("quiet"):
        plan = resolve_user(DIRECTORY, extension, Asked(extension, CALLER), EVERYBODY, at(hour)).result
        assert isinstance(plan, RingPlan)
        assert [ringing.target.label for ringing in plan.targets] == [f"device:{extension}"]
        assert plan.ring_s == 4
        assert {plan.on_busy.label, plan.on_no_answer.label, plan.on_offline.label} == {f"mailbox:{extension}"}


@pytest.mark.parametrize("hour", HOURS)
def test_the_other_users_show_one_rule_each_at_any_hour(hour):
    def sent(extension: str, presence: Presence = EVERYBODY) -> tuple[str, str]:
        result = resolve_user(DIRECTORY, extension, Asked(extension, CALLER), presence, at(hour)).result
        assert isinstance(result, Forward)
        return result.destination.label, result.why

    assert LAB.who("do-not-disturb") == ("108",)
    assert sent("108") == ("mailbox:108", "do not disturb")
    assert LAB.who("forwards-always") == ("112",)
    assert sent("112") == ("user:106", "always")
    assert sent("111", Presence(EVERYBODY.registered, busy=frozenset({"111"}))) == ("mailbox:103", "on active")
    assert sent("111", Presence(frozenset({"112"}))) == ("user:105", "offline")
    plan = resolve_user(DIRECTORY, "111", Asked("111", CALLER), EVERYBODY, at(hour)).result
    assert isinstance(plan, RingPlan)
    assert [(r.target.label, r.delay_s) for r in plan.targets] == [("device:111", 0), ("device:112", 1)]
    assert plan.on_no_answer.label == "user:104"


def test_a_rule_switched_off_uncovers_the_next():
    user = DIRECTORY.users_by_extension["112"]
    off = user.model_copy(update={"rules": (user.rules[0].model_copy(update={"enabled": False}), *user.rules[1:])})
    changed = DIRECTORY.replaced(users=tuple(off if u.extension == "112" else u for u in DIRECTORY.users))
    result = resolve_user(changed, "112", Asked("112", CALLER), EVERYBODY, at(HOURS[0])).result
    assert isinstance(result, Forward)
    assert result.destination.label == "mailbox:101"


@pytest.mark.parametrize("hour", HOURS)
@pytest.mark.parametrize(
    ("dialled", "outcome"),
    [
        ("14165550100", "attendant:400/main"),
        ("14165550101", "user:101"),
        ("14165550102", "queue:500"),
        ("14165550103", "mailbox:103"),
        ("14165550104", "external:14165550199"),
        ("14165550105", "attendant:402/closed"),
        ("14165550106", "attendant:401/main"),
        ("14165550108", "user:102"),
        ("14165550109", "hangup:not-found"),
        ("14165550112", "device:109"),
        ("14505550110", "user:105"),
    ],
)
def test_numbers_lead_where_a_plan_expects_at_any_hour(dialled, outcome, hour):
    assert route(DIRECTORY, Asked(dialled, CALLER), EVERYBODY, at(hour)).record.outcome == outcome


@pytest.mark.parametrize(
    ("hour", "outcome"),
    [
        ("2026-11-24T10:00", "attendant:400/main"),
        ("2026-11-24T12:30", "queue:500"),
        ("2026-11-24T18:00", "mailbox:101"),
        ("2026-11-28T10:00", "mailbox:101"),
        ("2026-12-25T10:00", "attendant:400/closed"),
    ],
)
def test_one_number_follows_the_clock(hour, outcome):
    assert route(DIRECTORY, Asked("14165550107", CALLER), EVERYBODY, at(hour)).record.outcome == outcome


def test_queues_that_take_nobody_or_lose_patience_lead_on():
    refused = route(DIRECTORY, Asked("503", caller_device="101"), EVERYBODY, at(HOURS[0])).record
    assert refused.outcome == "mailbox:101"
    waits = DIRECTORY.queues_by_extension["504"]
    assert (waits.max_wait_s, waits.overflow.label) == (3, "user:102")
    assert {queue.extension: queue.strategy for queue in DIRECTORY.queues if queue.extension in ("500", "501", "502")} \
        == {"500": "ring_all", "501": "round_robin", "502": "linear_hunt"}  # fmt: skip


@pytest.mark.parametrize("device", sorted(DIRECTORY.devices_by_id))
def test_every_phone_has_an_emergency_location_whose_callback_is_one_of_our_numbers(device):
    location = emergency_location(DIRECTORY, device)
    assert location.level in ("user", "site")
    assert location.callback in DIRECTORY.numbers_by_digits
    assert location.callback == {"104": "14165550111"}.get(device, location.callback)


def test_barred_phones_reach_support_and_emergency_and_nobody_outside():
    assert LAB.who("barred") == ("112",)
    labels = [route(DIRECTORY, Asked(n, caller_device="112"), EVERYBODY, at(HOURS[0])).destination.label
              for n in ("611", "911", "933", "14165550190")]  # fmt: skip
    assert labels == ["support", "emergency:911", "emergency:933", "hangup:forbidden"]


# --- errors -------------------------------------------------------------------------------------------

BEGIN = "domain:\n  name: acme.lab\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x.yaml:1: it is no mapping"),
        ("- 1\n- 2\n", "x.yaml:1: it is no mapping"),
        ("a: [1,\n", "x.yaml:2: "),
        ("a: 1\n\tb: 2\n", "x.yaml:2: "),
        ("a: 1\na: 2\n", "x.yaml:2: a is given twice"),
        ("a: &x 1\nb: *x\n", "x.yaml:2: aliases"),
        ("? [1]\n: 2\n", "x.yaml:1: a key must be a word"),
        ("a: " + "[" * 40 + "]" * 40, "x.yaml:1: it is nested too deeply"),
        ("\x00", "unacceptable character"),
        (f"{BEGIN}users:\n", "x.yaml:3: users is empty"),
        (f"{BEGIN}usres: []\n", "x.yaml:3: usres is no field here; did you mean users?"),
        (f"{BEGIN}  zzz: 1\n", "x.yaml:3: domain, zzz is no field here\n"),
        (f"{BEGIN}users: 3\n", "x.yaml:3: users must be a list"),
        (f"{BEGIN}users:\n  - 3\n", "x.yaml:4: users 1 must be a mapping"),
        (f"{BEGIN}users:\n  - first_name: X\n", "x.yaml:4: users 1, extension is missing"),
        (f"{BEGIN}users:\n  - extension: 9\n    first_name: X\n",
         "x.yaml:4: users 1, extension is 9: an extension has 3 to 5 digits"),
        (f"{BEGIN}users:\n  - first_name: X\n    extension: 911\n", "x.yaml:5: user 911: 911 is reserved"),
        (f"{BEGIN}numbers:\n  - number: 14165550100\n    routes:\n      - to: moon 1\n",
         "x.yaml:6: numbers 1, routes 1, to is wrong: 'moon 1' is no destination"),
        (f"{BEGIN}numbers:\n  - number: 14165550100\n    routes:\n      - to: user 101\n",
         "x.yaml:6: number 14165550100: there is no user 101"),
        (f"{BEGIN}lab:\n  start: noon\n", "x.yaml:4: lab: start is wrong"),
        (f"{BEGIN}lab:\n  carrier:\n    - number: 14165550190\n      habit: sings\n",
         "x.yaml:6: lab: carrier 1, habit"),
        (f"{BEGIN}numbers:\n  - number: 14165550190\nlab:\n  carrier:\n    - {{number: 14165550190, habit: busy}}\n",
         "x.yaml:7: 14165550190 is a number of the domain"),
        (f"{BEGIN}lab:\n  carrier:\n    - {{number: 14165550190, habit: busy}}\n"
         "    - {number: 14165550190, habit: busy}\n", "x.yaml:6: outside number 14165550190 exists twice"),
        (f"{BEGIN}lab:\n  traits:\n    101: [quiet]\n", "x.yaml:5: traits of 101: there is no such user"),
        (f"{BEGIN}lab:\n  tftp: [101]\n", "x.yaml:4: tftp names 101, who has no device"),
    ],
)  # fmt: skip
def test_an_error_names_file_and_line(text, told):
    with pytest.raises(SeedError) as caught:
        read_seed(text, "x.yaml")
    error = caught.value
    assert told in f"{error.why}\n"
    assert all((error.happened, error.why, error.remedy, error.reference))
    assert str(error).count("\n") >= 3


def test_many_problems_are_told_together_but_not_without_end():
    text = BEGIN + "users:\n" + "  - extension: 9\n" * 20
    with pytest.raises(SeedError, match="40 problems") as caught:
        read_seed(text)
    assert caught.value.why.endswith("and 28 more")


def test_plain_words_are_what_they_look_like_and_times_stay_times():
    text = (
        f"{BEGIN}  platform: {{read_back_933: false}}\n"
        "users:\n  - {extension: 101, first_name: 'true', last_name: \"7\", ring_s: 4}\n"
        "queues:\n  - {extension: 500, name: Q, agent_ring_s: 1.5}\n"
        "time_frames:\n  - {name: late, weekdays: {sat: 18:00-23:00}}\n"
        "settings:\n  domain: {volume: 3, tone: on, loud: true}\n"
    )
    directory = read_seed(text).directory
    assert directory.domain.platform.read_back_933 is False
    assert (directory.users[0].first_name, directory.users[0].last_name, directory.users[0].ring_s) == ("true", "7", 4)
    assert directory.queues[0].agent_ring_s == 1.5
    assert directory.time_frames[0].text == "sat 18:00–23:00"
    assert directory.settings["domain"] == {"volume": 3, "tone": "on", "loud": True}


@given(st.text(max_size=60))
def test_any_text_is_a_seed_or_a_clear_error(text):
    with pytest.raises(SeedError):
        read_seed(text)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 12000), st.sampled_from(["", ":", "-", "]", "{", "9", "\n", "&a ", "é"]))
def test_the_office_with_a_slip_of_the_pen_loads_or_tells(place, slip):
    text = OFFICE.read_text(encoding="utf-8")
    place %= len(text)
    told = ""
    try:
        read_seed(text[:place] + slip + text[place + 1 :], "office.yaml")
    except SeedError as error:
        told = error.why + error.happened
    assert not told or "office.yaml" in told


def test_a_file_that_cannot_be_read_says_so(tmp_path):
    with pytest.raises(SeedError, match="No such file"):
        load_seed(tmp_path / "none.yaml")
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"domain: \xff\xfe")
    with pytest.raises(SeedError, match="not UTF-8"):
        load_seed(bad)
    huge = tmp_path / "huge.yaml"
    huge.write_bytes(b"#" * 4_000_001)
    with pytest.raises(SeedError, match="larger than"):
        load_seed(huge)
