"""What routing never does, for any directory, caller, state and moment."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.callflow.routing import (
    MAX_HOPS,
    Asked,
    Presence,
    RingPlan,
    destination_of_extension,
    resolve_attendant,
    resolve_queue,
    resolve_user,
    route,
)
from pbx.clock import Moment
from pbx.domain.destinations import Cause, HangUp, ToDevice, ToEmergency, ToExternal, ToSupport
from pbx.domain.directory import Directory
from tests.callflow.small_office import later

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

USERS = ("101", "102", "103", "104")
QUEUES = ("500", "501")
FRAMES = ("*", "office", "night", "ever", "feast")

forwards = st.none() | st.sampled_from(
    (*(f"user {user}" for user in USERS), *(f"mailbox {user}" for user in USERS), "queue 500", "queue 501",
     "attendant 400", "attendant 400/closed", "external 14165550190", "hangup busy", "support", "device 101",
     "external +442079460000", "service 211", "park 701", "to-user-notify-of-recording 102",
     "to-callqueue-announce-expected-wait-time 500",
     # What nobody has: left behind by a deletion, where the platform keeps such rows.
     "user 109", "mailbox 109", "queue 509", "attendant 409", "device 109a")
)  # fmt: skip
rules = st.fixed_dictionaries(
    {
        "time_frame": st.sampled_from(FRAMES),
        "enabled": st.booleans(),
        "do_not_disturb": st.booleans(),
        "forward_always": forwards,
        "forward_on_active": forwards,
        "forward_on_busy": forwards,
        "forward_no_answer": forwards,
        "forward_offline": forwards,
        "forward_on_dnd": forwards,
        "forward_on_spam": forwards,
        "call_screening": st.booleans(),
        "simultaneous_ring": st.lists(
            st.fixed_dictionaries(
                {
                    "target": st.sampled_from(("own", "user 103", "user 109", "device 102", "external 14165550190")),
                    "delay_s": st.integers(0, 9),
                    "confirm": st.booleans(),
                }
            ),
            max_size=3,
        ),
        "allow": st.lists(st.sampled_from(("14165550142", "101", "anonymous")), max_size=2),
        "block": st.lists(st.sampled_from(("14165550142", "101", "anonymous")), max_size=2),
    }
)
each_frame_once = st.lists(rules, max_size=3, unique_by=lambda rule: rule["time_frame"])
users = st.tuples(
    *(
        st.fixed_dictionaries(
            {
                "extension": st.just(extension),
                "first_name": st.just("U"),
                "dial_policy": st.sampled_from(("", "Internal", "Local", "Unrestricted")),
                "do_not_disturb": st.booleans(),
                "ring_s": st.sampled_from((0, 4)),
                "rules": each_frame_once,
            }
        )
        for extension in USERS
    )
)
agents = st.lists(
    st.fixed_dictionaries({"extension": st.sampled_from((*USERS, "109")), "available": st.booleans()}),
    max_size=3,
    unique_by=lambda agent: agent["extension"],
)
queues = st.tuples(
    *(
        st.fixed_dictionaries(
            {"extension": st.just(extension), "name": st.just("Q"), "agents": agents,
             "require_agents": st.booleans(), "overflow": forwards}
        )
        for extension in QUEUES
    )
)  # fmt: skip
routes = st.lists(
    st.fixed_dictionaries({"time_frame": st.sampled_from(FRAMES), "to": forwards.filter(bool)}),
    max_size=3,
    unique_by=lambda route: route["time_frame"],
)


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    return Directory.model_validate(
        {
            "domain": {"name": "acme.lab", "platform": {
                "missing_references": "kept",
                "emergency_flow": draw(st.sampled_from(("direct", "operator"))),
                "read_back_933": draw(st.booleans()),
                "busy_forwarding": draw(st.sampled_from(("platform", "inert")))}},
            "time_frames": [
                {"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}},
                {"name": "night", "weekdays": {"mon-sun": "22:00-06:00"}},
                {"name": "ever", "kind": "always"},
                {"name": "feast", "kind": "holiday", "dates": ["2026-11-24"]},
            ],
            "users": draw(users),
            "devices": [{"id": user, "extension": user, "password": "x"} for user in USERS],
            "attendants": [{"extension": 400, "name": "A", "closed": "closed", "open_frames": ["office"],
                            "menus": [{"name": "main"}, {"name": "closed"}]}],
            "queues": draw(queues),
            "numbers": [{"number": 14165550100, "routes": draw(routes), "caller_id_prefix": draw(
                st.sampled_from(("", "X:")))}],
        }
    )  # fmt: skip


NOWHERE = HangUp(cause=Cause.NOT_FOUND)
ENDS = {"user", "device", "mailbox", "voicemail-login", "queue", "attendant", "external", "support", "service", "park",
        "emergency", "feature", "hangup"}  # fmt: skip
"""Routing is total: any caller, dialling anything, at any moment, comes to one of these within the hop limit."""

some_users = st.frozensets(st.sampled_from(USERS))
presences = st.builds(Presence, registered=some_users, busy=some_users, do_not_disturb=some_users)
dialled = st.sampled_from(
    (*USERS, *QUEUES, "400", "911", "9911", "933", "611", "988", "411", "5000", "5001", "7101", "14165550100",
     "5550190", "16135550190", "199")
) | st.text(max_size=12)  # fmt: skip
callers = st.sampled_from(USERS).map(lambda user: ("", user)) | st.sampled_from(
    (("14165550142", ""), ("+14165550142", ""), ("", ""), ("", "stranger"), ("\ud800", ""))
)
questions = st.builds(
    lambda text, caller: Asked(text, caller_number=caller[0], caller_device=caller[1]), dialled, callers
)
moments = st.integers(0, 14 * 24 * 60).map(
    lambda minutes: Moment(0.0, datetime(2026, 11, 20, tzinfo=UTC) + timedelta(minutes=minutes))
)


@settings(max_examples=60, deadline=None)
@given(directories(), questions, presences, moments)
def test_routing_answers_everything_in_one_way_and_its_record_is_canonical(directory, asked, presence, at):
    found = route(directory, asked, presence, at)
    again = route(directory, asked, presence, at)
    assert found == again
    text = found.record.to_json()
    assert text == json.dumps(json.loads(text), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    text.encode()
    assert found.record.decisions


@settings(max_examples=40, deadline=None)
@given(
    directories(),
    st.sampled_from(("911", "9911", "9-1-1", "933", "611")),
    callers,
    presences,
    moments,
)
def test_emergency_and_support_go_to_their_desks_and_nowhere_else(directory, text, caller, presence, at):
    found = route(directory, Asked(text, caller_number=caller[0], caller_device=caller[1]), presence, at)
    match text:
        case "611":
            assert found.destination == ToSupport()
        case "933" if not directory.domain.platform.read_back_933:
            assert found.destination == HangUp(cause=Cause.NOT_FOUND)
        case _:
            assert found.destination == ToEmergency(code="933" if text == "933" else "911")
    assert found.record.outcome == found.destination.label


@settings(max_examples=40, deadline=None)
@given(directories(), questions.filter(lambda asked: asked.outside), presences, moments)
def test_nobody_outside_calls_out_through_the_office_by_dialling(directory, asked, presence, at):
    found = route(directory, asked, presence, at)
    configured = {choice.to for number in directory.numbers for choice in number.routes}
    if isinstance(found.destination, ToExternal):
        assert found.destination in configured


@settings(max_examples=40, deadline=None)
@given(directories(), st.sampled_from(USERS), questions, presences, moments)
def test_a_ring_plan_rings_registered_phones_once_each_never_the_callers_own(directory, user, asked, presence, at):
    result = resolve_user(directory, user, asked, presence, at).result
    if not isinstance(result, RingPlan):
        return
    devices = [ringing.target.device for ringing in result.targets if isinstance(ringing.target, ToDevice)]
    assert result.targets
    assert len(set(devices)) == len(devices)
    assert set(devices) <= presence.registered - {asked.caller_device}
    if directory.users_by_extension[user].dial_policy == "Internal":
        everywhere = [ringing.target for ringing in result.targets] + [result.on_busy, result.on_no_answer]
        assert not any(isinstance(place, ToExternal) for place in [*everywhere, result.on_offline])


@settings(max_examples=40, deadline=None)
@given(directories(), questions, presences, moments)
def test_the_record_ends_where_walking_the_stops_one_by_one_ends(directory, asked, presence, at):
    """`route` follows forwards in one go; a call resolves stop by stop. Both must come to the same place."""
    found = route(directory, asked, presence, at)
    destination = found.destination
    for _ in range(MAX_HOPS):
        word, _, name = destination.label.partition(":")
        if word == "user":
            stop = resolve_user(directory, name, asked, presence, at).result
            if isinstance(stop, RingPlan):
                assert found.ring == stop
                break
            destination = stop.destination
        elif word == "queue":
            entry = resolve_queue(directory, name, presence)
            if entry is not None and entry.refused is None:
                break
            destination = entry.refused if entry and entry.refused else NOWHERE
        elif (word == "mailbox" and name not in directory.users_by_extension) or (
            word == "attendant" and resolve_attendant(directory, *name.split("/"), at) is None
        ):
            destination = NOWHERE
        else:
            break
    else:
        destination = HangUp(cause=Cause.LOOP)
    if word == "attendant":
        entered = resolve_attendant(directory, *name.split("/"), at)
        assert entered is not None
        assert found.menu == entered.menu.name
        assert found.record.outcome == entered.record.outcome
    else:
        assert found.record.outcome == destination.label
    assert found.record.outcome.partition(":")[0] in ENDS
    assert not isinstance(destination, HangUp) or destination.cause.status >= 400


@settings(max_examples=25, deadline=None)
@given(directories(), questions, presences, moments, st.integers(1, 59))
def test_the_record_does_not_change_within_a_minute(directory, asked, presence, at, seconds):
    asked_now = route(directory, asked, presence, at).record.to_json()
    assert route(directory, asked, presence, later(at, seconds)).record.to_json() == asked_now


@settings(max_examples=25, deadline=None)
@given(directories(), st.sampled_from((*USERS, *QUEUES, "400", "911", "611", "999")))
def test_an_extension_never_is_a_service(directory, extension):
    found = destination_of_extension(directory, extension)
    assert (found is None) == (extension in ("911", "611", "999"))


@pytest.mark.soak
@settings(max_examples=1000, deadline=None)
@given(directories(), st.lists(st.tuples(questions, presences, moments), min_size=10, max_size=10))
def test_ten_thousand_calls_come_to_an_end_or_a_stated_refusal_within_the_hop_limit(directory, calls):
    """Ten calls in each of a thousand offices: making up an office takes far longer than asking it."""
    for asked, presence, at in calls:
        for shown in (
            test_routing_answers_everything_in_one_way_and_its_record_is_canonical,
            test_the_record_ends_where_walking_the_stops_one_by_one_ends,
        ):
            shown.hypothesis.inner_test(directory, asked, presence, at)
