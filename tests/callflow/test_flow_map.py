"""The map of call flows: what is wrong with a domain is found, all of it and nothing else."""

import pytest

from pbx.callflow.changes import next_changes
from pbx.callflow.findings import TITLES, findings
from pbx.callflow.flow_map import flow_map
from pbx.callflow.routing import Asked
from pbx.domain.directory import Directory
from tests.callflow.small_office import EVERYBODY, OUTSIDE, moment

PROMPTS = {"attendant-welcome", "attendant-closed"}


def clean() -> dict:
    """A domain with nothing wrong: two numbers, an attendant, a queue, Ana and Ben with a phone each."""
    return {
        "domain": {"name": "acme.lab", "caller_id": 14165550100, "emergency_address": "hq"},
        "addresses": [{"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 Example St",
                       "city": "Toronto", "region": "ON", "postal_code": "M5X 1A1"}],
        "time_frames": [{"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}}],
        "users": [{"extension": 101, "first_name": "Ana", "ring_s": 40}, {"extension": 102, "first_name": "Ben"}],
        "devices": [{"id": 101, "extension": 101, "password": "x"}, {"id": 102, "extension": 102, "password": "x"}],
        "attendants": [{"extension": 400, "name": "Main", "open_frames": ["office"], "closed": "night", "menus": [
            {"name": "day", "keys": {1: "user 101", 2: "queue 500", 3: "menu sales"}},
            {"name": "night", "greeting": "attendant-closed", "no_key": "mailbox 101"},
            {"name": "sales", "keys": {9: "menu day"}}]}],
        "queues": [{"extension": 500, "name": "Care", "agents": [{"extension": 102}], "overflow": "mailbox 102"}],
        "numbers": [{"number": 14165550100, "routes": [{"to": "attendant 400"}]},
                    {"number": 14165550101, "routes": [{"time_frame": "office", "to": "user 102"},
                                                       {"to": "mailbox 102"}]}],
    }  # fmt: skip


def found(document: dict, offline: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    seen = findings(Directory.model_validate(document), PROMPTS, offline)
    assert all(finding.sentence and finding.rule in TITLES for finding in seen)
    return [(finding.rule, finding.link) for finding in seen]


def no_treatment(office):
    office["numbers"].append({"number": 14165550109})
    return ("R02", "numbers/14165550109")


def hours_without_a_route(office):
    office["numbers"][1]["routes"].pop()
    return ("R01", "numbers/14165550101")


def a_menu_without_a_way_out(office):
    office["attendants"][0]["menus"][2] = {"name": "sales", "dial_by_extension": []}
    return ("R01", "attendants/400/menus/sales")


def a_user_nobody_can_ring(office):
    office["users"].append({"extension": 103, "first_name": "Chloé", "voicemail": False})
    return ("R01", "users/103")


def two_who_forward_to_each_other(office):
    office["users"][0]["rules"] = [{"forward_no_answer": "user 102"}]
    office["users"][1]["rules"] = [{"time_frame": "office", "forward_always": "user 101"}]
    return ("R03", "users/101")


def a_menu_that_opens_itself(office):
    office["attendants"][0]["menus"][2]["no_key"] = "menu sales"
    return ("R03", "attendants/400")


def a_queue_nothing_leads_to(office):
    office["queues"].append({"extension": 501, "name": "Lost", "agents": [{"extension": 101}]})
    return ("R04", "queues/501")


def an_attendant_that_only_leads_to_itself(office):
    office["attendants"].append({"extension": 401, "name": "Lost", "menus": [{"keys": {1: "attendant 401"}}]})
    return ("R04", "attendants/401")


def a_menu_nothing_opens(office):
    office["attendants"][0]["menus"].append({"name": "old"})
    return ("R04", "attendants/400/menus/old")


def a_user_without_a_phone(office):
    office["users"].append({"extension": 103, "first_name": "Chloé"})
    return ("R05", "users/103")


def a_greeting_that_is_gone(office):
    office["attendants"][0]["menus"][1]["greeting"] = "christmas"
    return ("R06", "attendants/400/menus/night")


def no_greeting(office):
    office["attendants"][0]["menus"][0]["greeting"] = ""
    return ("R06", "attendants/400/menus/day")


def a_phone_without_an_address(office):
    office["domain"]["emergency_address"] = office["domain"]["caller_id"] = None
    office["domain"] = {"name": "acme.lab"}
    office["users"][0]["emergency_address"] = "hq"
    return ("R07", "devices/102")


def an_outside_phone_that_rings_too_briefly(office):
    office["users"][1]["rules"] = [{"simultaneous_ring": ["<OwnDevices>", "external 14165550190"]}]
    return ("R08", "users/102/rules/0")


def a_message_that_is_gone(office):
    office["attendants"][0]["menus"][0]["keys"][4] = "message directions"
    return ("R06", "attendants/400/menus/day")


def an_intro_that_is_gone(office):
    office["attendants"][0]["intros"] = [{"prompt": "summer"}]
    return ("R06", "attendants/400")


def a_queue_without_agents(office):
    office["queues"][0]["agents"] = []
    return ("R09", "queues/500")


FAULTS = (
    no_treatment, hours_without_a_route, a_menu_without_a_way_out, a_user_nobody_can_ring,
    two_who_forward_to_each_other, a_menu_that_opens_itself, a_queue_nothing_leads_to,
    an_attendant_that_only_leads_to_itself, a_menu_nothing_opens, a_user_without_a_phone, a_greeting_that_is_gone,
    no_greeting, a_phone_without_an_address, an_outside_phone_that_rings_too_briefly, a_queue_without_agents,
    a_message_that_is_gone, an_intro_that_is_gone,
)  # fmt: skip
TOGETHER = (
    no_treatment, hours_without_a_route, two_who_forward_to_each_other, a_queue_nothing_leads_to, a_menu_nothing_opens,
    a_user_without_a_phone, a_greeting_that_is_gone, no_greeting, a_phone_without_an_address, a_queue_without_agents,
)  # fmt: skip


def test_a_domain_with_nothing_wrong_has_no_findings():
    assert found(clean()) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_and_nothing_else(fault):
    office = clean()
    expected = fault(office)
    assert found(office) == [expected]


def test_ten_faults_at_once_are_all_found_and_nothing_else():
    office = clean()
    assert len(TOGETHER) == 10
    assert sorted(fault(office) for fault in TOGETHER) == sorted(found(office))


def test_phones_that_are_not_registered_are_offline_unless_the_user_is_forwarded():
    office = clean()
    assert found(office, frozenset({"101"})) == [("R05", "users/101")]
    office["users"][0]["rules"] = [{"forward_offline": "user 102"}]
    assert found(office, frozenset({"101"})) == []


def test_a_circle_that_somebody_has_to_press_keys_for_is_no_loop():
    office = clean()
    office["attendants"][0]["menus"][2]["keys"][1] = "attendant 400"
    assert found(office) == []


def test_what_reaches_an_extension_is_told_from_each_number_with_the_reasons():
    paths = flow_map(Directory.model_validate(clean())).paths_to("102")
    assert [[(edge.why, edge.target) for edge in path] for path in paths] == [
        [("always", "attendant:400/day"), ("key 2", "queue:500"), ("agent 102", "device:102")],
        [("time frame office", "user:102")],
    ]


@pytest.mark.parametrize("agent", [{"number": 14165550190}, {"device": "102"}])
def test_an_agent_outside_or_by_one_device_is_an_agent_with_a_phone(agent):
    office = clean()
    office["queues"][0]["agents"] = [agent]
    assert found(office) == []
    label = f"external:{agent['number']}" if "number" in agent else "device:102"
    assert label in flow_map(Directory.model_validate(office)).reached


def test_a_queue_to_park_in_needs_neither_agents_nor_a_way_in():
    office = clean()
    office["queues"].append({"extension": 501, "name": "Cloakroom", "strategy": "call_park"})
    assert found(office) == []


def test_where_a_queue_sends_whom_it_refuses_is_reached():
    office = clean()
    office["queues"][0]["unavailable"] = "queue 501"
    office["queues"].append({"extension": 501, "name": "Second", "agents": [{"extension": 101}]})
    assert found(office) == []


def test_what_only_colleagues_are_sent_on_to_is_told_apart():
    office = clean()
    office["users"].append({"extension": 103, "first_name": "Chloé", "rules": [{"forward_always": "user 104"}]})
    office["users"].append({"extension": 104, "first_name": "Dan"})
    drawn = flow_map(Directory.model_validate(office))
    assert drawn.paths_to("104") == ()
    assert [(edge.source, edge.why) for edge in drawn.aside_from_numbers("104")] == [("user:103", "forward always")]


def test_what_nothing_reaches_has_no_path():
    assert flow_map(Directory.model_validate(clean())).paths_to("199") == ()


def test_the_next_change_is_when_the_call_goes_another_way():
    directory = Directory.model_validate(clean())
    calls = [Asked("14165550101", OUTSIDE), Asked("14165550100", OUTSIDE), Asked("14165550109", OUTSIDE)]
    direct, main, nobody = next_changes(directory, calls, EVERYBODY, moment("2026-11-27T17:00"))
    assert direct is not None
    assert (direct[0].wall, direct[1].record.outcome) == (moment("2026-11-27T18:00").wall, "mailbox:102")
    assert direct[0].mono == 1000 + 3600
    assert main is not None
    assert main[1].menu == "night"
    assert nobody is None


def test_a_change_of_frames_that_leads_nowhere_else_is_none():
    office = clean()
    office["numbers"][1]["routes"][1]["to"] = "user 102"
    directory = Directory.model_validate(office)
    call = Asked("14165550101", OUTSIDE)
    changes = next_changes(directory, [call], EVERYBODY, moment())
    assert changes == (None,)
