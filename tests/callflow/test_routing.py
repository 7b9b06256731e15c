import pytest

from pbx.callflow.routing import (
    Asked,
    CallerId,
    Presence,
    RingPlan,
    caller_id_for,
    destination_of_extension,
    emergency_location,
    music_of,
    resolve_attendant,
    resolve_queue,
    route,
)
from pbx.domain.destinations import ToEmergency, ToExternal, ToMailbox, ToSupport, ToUser, parse_destination
from pbx.domain.directory import Directory
from tests.callflow.small_office import EVERYBODY, OUTSIDE, moment, office

OFFICE = office()


def from_inside(dialled: str, device: str = "101") -> Asked:
    return Asked(dialled, caller_device=device)


def goes(asked: Asked, at: str = "2026-11-24T10:00", directory=OFFICE, presence=EVERYBODY) -> str:
    return route(directory, asked, presence, moment(at)).destination.label


def ends(asked: Asked, at: str = "2026-11-24T10:00", directory=OFFICE, presence=EVERYBODY) -> str:
    return route(directory, asked, presence, moment(at)).record.outcome


@pytest.mark.parametrize(
    ("dialled", "destination"),
    [
        ("102", "user:102"),
        ("500", "queue:500"),
        ("400", "attendant:400/main"),
        ("199", "hangup:not-found"),
        ("7102", "mailbox:102"),
        ("7103", "hangup:not-found"),
        ("7199", "hangup:not-found"),
        ("5000", "voicemail-login:"),
        ("5001", "voicemail-login:101"),
        ("5550190", "external:14165550190"),
        ("6135550190", "external:16135550190"),
        ("+16135550190", "external:16135550190"),
        ("14165550101", "user:102"),
        ("988", "service:988"),
        ("411", "service:411"),
        ("011442079460000", "hangup:forbidden"),
        ("19005550100", "hangup:forbidden"),
        ("*01", "hangup:not-found"),
        ("", "hangup:not-found"),
    ],
)
def test_what_is_dialled_inside_leads_somewhere(dialled, destination):
    assert goes(from_inside(dialled)) == destination


def test_seven_digits_are_completed_with_the_area_code_of_the_site():
    assert goes(from_inside("5550190", "102")) == "external:14505550190"


@pytest.mark.parametrize("device", ["101", "102", "103", "199", ""])
@pytest.mark.parametrize(("dialled", "code"), [("911", "911"), ("9911", "911"), ("933", "933")])
def test_emergency_is_reached_by_everybody_at_any_hour(device, dialled, code):
    for at in ("2026-11-24T10:00", "2026-12-25T03:00"):
        assert route(OFFICE, from_inside(dialled, device), Presence(), moment(at)).destination == ToEmergency(code=code)


def test_reading_back_is_a_switch_of_the_domain():
    directory = office(domain={"name": "acme.lab", "platform": {"read_back_933": False}})
    assert goes(from_inside("933"), directory=directory) == "hangup:not-found"
    assert goes(from_inside("911"), directory=directory) == "emergency:911"


@pytest.mark.parametrize("device", ["101", "103", "199"])
def test_support_is_reached_with_do_not_disturb_barring_and_out_of_hours(device):
    presence = Presence(do_not_disturb=frozenset({"101", "103"}))
    found = route(OFFICE, from_inside("611", device), presence, moment("2026-12-25T03:00"))
    assert found.destination == ToSupport()


@pytest.mark.parametrize("dialled", ["101", "500", "400", "7101", "5000", "16135550190", "988", "14165550199", ""])
def test_from_outside_nothing_but_our_numbers_leads_anywhere(dialled):
    assert goes(Asked(dialled, OUTSIDE)) == "hangup:not-found"


def test_a_barred_user_calls_nobody_outside_but_our_own_numbers():
    assert goes(from_inside("6135550190", "103")) == "hangup:forbidden"
    assert goes(from_inside("14165550101", "103")) == "user:102"
    assert goes(from_inside("101", "103")) == "user:101"


def test_an_unknown_device_calls_nobody_outside():
    assert goes(from_inside("6135550190", "199")) == "hangup:forbidden"


@pytest.mark.parametrize(
    ("at", "destination"),
    [
        ("2026-11-24T10:00", "attendant:400/main"),
        ("2026-11-24T07:59", "mailbox:101"),
        ("2026-11-24T18:00", "mailbox:101"),
        ("2026-12-25T10:00", "attendant:400/closed"),
    ],
)
def test_a_number_goes_by_the_first_time_frame_that_covers_the_moment(at, destination):
    assert goes(Asked("+14165550100", OUTSIDE), at) == destination


@pytest.mark.parametrize("dialled", ["4165550100", "14165550100", "+14165550100", "416-555-0100"])
def test_a_number_is_the_same_in_every_form(dialled):
    assert goes(Asked(dialled, OUTSIDE)) == "attendant:400/main"


def test_an_available_number_does_not_exist_and_one_out_of_its_hours_is_unavailable():
    assert goes(Asked("14165550109", OUTSIDE)) == "hangup:not-found"
    assert goes(Asked("14165550103", OUTSIDE)) == "hangup:unavailable"
    assert goes(Asked("14165550103", OUTSIDE), "2026-11-24T12:30") == "queue:500"


def test_the_record_goes_on_to_what_the_attendant_says_now():
    found = route(OFFICE, Asked("400", caller_device="102"), EVERYBODY, moment("2026-11-24T20:00"))
    assert (found.destination.label, found.menu) == ("attendant:400/main", "closed")
    assert found.record.outcome == "attendant:400/closed"


def test_the_record_goes_on_to_who_rings():
    found = route(OFFICE, from_inside("102"), EVERYBODY, moment())
    assert isinstance(found.ring, RingPlan)
    assert [ringing.target.label for ringing in found.ring.targets] == ["device:102"]


def test_a_queue_that_refuses_leads_on_to_its_overflow():
    assert ends(Asked("14165550104", OUTSIDE)) == "user:102"
    assert ends(Asked("14165550107", OUTSIDE)) == "hangup:unavailable"


def test_a_single_device_rings_if_it_is_registered():
    online = route(OFFICE, Asked("14165550105", OUTSIDE), EVERYBODY, moment()).record
    assert (online.outcome, online.decisions[-1].verdict) == ("device:101a", "✓")
    offline = route(OFFICE, Asked("14165550105", OUTSIDE), Presence(), moment()).record
    assert (offline.outcome, offline.decisions[-1].verdict) == ("device:101a", "✗")


@pytest.mark.parametrize(
    ("asked", "outcome"),
    [
        (Asked("14165550102", OUTSIDE), "external:14165550199"),
        (Asked("14165550106", OUTSIDE), "voicemail-login:"),
        (Asked("5001", caller_device="103"), "voicemail-login:"),
    ],
)
def test_what_needs_nobody_else_ends_there(asked, outcome):
    assert ends(asked) == outcome


def test_forwards_in_a_circle_end_as_a_loop():
    directory = office(
        rules=[{"forward_always": "user 104"}],
        users=[
            {"extension": 101, "first_name": "Ana", "rules": [{"forward_always": "user 102"}]},
            {"extension": 102, "first_name": "Ben", "rules": [{"forward_always": "user 101"}]},
            {"extension": 103, "first_name": "Chloé", "voicemail": False},
        ],
    )
    found = route(directory, from_inside("102", "103"), EVERYBODY, moment())
    assert (found.destination, found.record.outcome) == (ToUser(extension="102"), "hangup:loop")


def test_a_chain_of_forwards_longer_than_the_hop_limit_is_a_loop():
    chain = [
        {"extension": 101 + n, "first_name": "U", "rules": [{"forward_always": f"user {102 + n}"}]} for n in range(11)
    ]
    directory = office(users=[*chain, {"extension": 112, "first_name": "Z"}])
    assert ends(from_inside("101", "103"), directory=directory, presence=Presence()) == "hangup:loop"
    assert ends(from_inside("104", "103"), directory=directory, presence=Presence()) == "mailbox:112"


# --- who calls ----------------------------------------------------------------------------------------


def test_inside_the_callee_sees_the_extension_outside_the_most_specific_number():
    ana = from_inside("x", "101a")
    assert caller_id_for(OFFICE, ana, ToUser(extension="102")) == CallerId("101", "Ana Silva")
    outside = ToExternal(number="16135550190")
    assert caller_id_for(OFFICE, ana, outside) == CallerId("14165550100", "Ana Silva")
    assert caller_id_for(OFFICE, from_inside("x", "102"), outside) == CallerId("14505550110", "Ben")
    own = office(ana={"caller_id": 14165550121})
    assert caller_id_for(own, ana, outside).number == "14165550121"
    phone = office(devices=[{"id": "101", "extension": 101, "password": "x", "caller_id": 14165550131}], numbers=())
    assert caller_id_for(phone, from_inside("x", "101"), outside).number == "14165550131"


def test_a_trunk_carries_fifteen_plain_characters_of_a_name():
    assert caller_id_for(OFFICE, from_inside("x", "103"), ToSupport()).name == "Chloe Tremblay-"


def test_a_caller_from_outside_keeps_number_and_name_wherever_the_call_goes():
    asked = Asked("14165550102", "+14165550142", caller_name="Pat")
    assert route(OFFICE, asked, EVERYBODY, moment()).caller_id == CallerId("14165550142", "Pat")


def test_the_prefix_of_a_number_stands_before_name_or_number():
    asked = Asked("14165550101", OUTSIDE, caller_name="Pat")
    assert route(OFFICE, asked, EVERYBODY, moment()).caller_id == CallerId(OUTSIDE, "SALES: Pat")
    nameless = Asked("14165550101", OUTSIDE)
    assert route(OFFICE, nameless, EVERYBODY, moment()).caller_id == CallerId(OUTSIDE, f"SALES: {OUTSIDE}")


@pytest.mark.parametrize(
    ("dialled", "caller", "carriers_name", "shown"),
    [
        ("14165550101", "14165550142", "", "SALES: Pat Own"),  # leads to Ben, whose contact it is
        ("14165550105", "14165550142", "", "Pat Shared"),
        ("14165550105", "+14165550142", "PAT CALLER", "PAT CALLER"),
        ("14165550105", "14165550143", "", ""),
    ],
)
def test_a_caller_without_a_name_is_looked_up_among_the_contacts(dialled, caller, carriers_name, shown):
    contacts = [
        {"first_name": "Pat", "last_name": "Shared", "numbers": [14165550142]},
        {"first_name": "Pat", "last_name": "Own", "numbers": [14165550142], "owner": "102"},
    ]
    asked = Asked(dialled, caller, caller_name=carriers_name)
    assert route(office(contacts=contacts), asked, EVERYBODY, moment()).caller_id.name == shown


@pytest.mark.parametrize(
    ("ana", "domain", "shown"),
    [
        ({}, {}, "Ana Silva"),
        ({"caller_id_name": "Acme Sales"}, {}, "Acme Sales"),
        ({"first_name": "Ωμ", "last_name": ""}, {"caller_id_name": "Acme"}, "Acme"),
        ({"first_name": "Ωμ", "last_name": ""}, {}, ""),
    ],
)
def test_the_name_outside_is_the_users_as_set_as_spelt_or_the_domains(ana, domain, shown):
    directory = office(ana=ana, domain={"name": "acme.lab", **domain})
    assert caller_id_for(directory, from_inside("x", "101"), ToSupport()).name == shown


def test_an_extension_alone_tells_who_calls():
    asked = Asked("6135550190", caller_extension="102")
    assert route(OFFICE, asked, EVERYBODY, moment()).caller_id == CallerId("14505550110", "Ben")


# --- emergency locations ------------------------------------------------------------------------------


def located(device: str, **changes: object) -> tuple[str, str, str]:
    found = emergency_location(office(**changes), device)
    return found.level, found.callback, found.line


def test_the_most_specific_address_is_told():
    site = ("site", "14165550100", "1 Example St, Floor 3, Toronto ON M5X 1A1")
    assert located("101") == located("101a") == site
    laboratory = ("14165550111", "2 Example St, Toronto ON M5X 1A1")
    assert located("101", ana={"emergency_address": "lab"}) == ("user", *laboratory)
    phone = [{"id": "101", "extension": 101, "password": "x", "emergency_address": "lab"}]
    assert located("101", devices=phone, numbers=(), ana={"emergency_address": "hq"}) == ("device", *laboratory)
    domain = {"name": "acme.lab", "emergency_address": "lab"}
    assert located("102", domain=domain) == located("nobody", domain=domain) == ("domain", *laboratory)


def test_an_emergency_caller_id_is_as_good_as_the_address_it_belongs_to():
    assert located("101", ana={"emergency_caller_id": 14165550111})[:2] == ("user", "14165550111")


def test_without_an_address_the_desk_has_to_ask_and_calls_back_the_most_specific_number():
    assert located("102") == ("", "14505550110", "ECRC")
    assert located("103") == ("", "14165550100", "ECRC")
    assert located("103", domain={"name": "acme.lab"}) == ("", "", "ECRC")
    record = route(OFFICE, from_inside("911", "102"), EVERYBODY, moment()).record
    assert ("location", "✗") in [(decision.step, decision.verdict) for decision in record.decisions]


def test_the_emergency_desk_sees_the_callback_number():
    found = route(OFFICE, from_inside("911", "101"), EVERYBODY, moment())
    assert found.caller_id == CallerId("14165550100", "Ana Silva")
    assert "1 Example St, Floor 3" in found.record.decisions[-1].saw


# --- attendants, queues, music ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "wanted", "menu", "frame"),
    [
        ("2026-11-24T10:00", "main", "main", "office"),
        ("2026-12-25T10:00", "main", "main", "christmas"),
        ("2026-11-24T19:00", "main", "closed", ""),
        ("2026-11-24T10:00", "closed", "closed", ""),
        ("2026-11-24T19:00", "sales", "sales", ""),
    ],
)
def test_the_menu_follows_the_hours_unless_one_is_asked_for(at, wanted, menu, frame):
    entered = resolve_attendant(OFFICE, "400", wanted, moment(at))
    assert entered is not None
    assert (entered.menu.name, entered.time_frame) == (menu, frame)
    assert entered.record.outcome == f"attendant:400/{menu}"


def test_an_attendant_without_hours_is_always_in_its_first_menu():
    entered = resolve_attendant(OFFICE, "401", "main", moment("2026-11-24T03:00"))
    assert entered is not None
    assert entered.menu.name == "day"


def test_there_is_no_entry_to_what_does_not_exist():
    assert resolve_attendant(OFFICE, "499", "main", moment()) is None
    assert resolve_attendant(OFFICE, "400", "moon", moment()) is None
    assert resolve_queue(OFFICE, "599", EVERYBODY) is None


def test_a_queue_offers_agents_who_are_logged_in_and_registered_in_their_order():
    entry = resolve_queue(OFFICE, "500", Presence(frozenset({"101a", "102", "103"}), busy=frozenset({"102"})))
    assert entry is not None
    assert (entry.agents, entry.refused) == (("101", "102"), None)
    verdicts = {d.rule: (d.verdict, d.saw) for d in entry.record.decisions if d.step == "agent"}
    assert verdicts == {"101": ("✓", "registered, free"), "102": ("✗", "in a call"), "103": ("✗", "logged out")}


def test_an_agent_whose_phone_is_gone_counts_as_logged_out():
    entry = resolve_queue(OFFICE, "500", Presence(frozenset({"102"})))
    assert entry is not None
    assert entry.agents == ("102",)


def test_a_queue_that_wants_agents_refuses_when_none_is_there():
    entry = resolve_queue(OFFICE, "501", EVERYBODY)
    assert entry is not None
    assert entry.refused == ToUser(extension="102")
    assert entry.record.outcome == "user:102"


def test_music_is_the_queues_the_sites_then_the_domains():
    assert [music_of(OFFICE, extension) for extension in ("501", "500", "101", "400", "102", "999")] == [
        "harp", "jazz", "jazz", "jazz", "house", "house"]  # fmt: skip


def test_an_extension_is_a_user_a_queue_or_an_attendant():
    labels = [destination_of_extension(OFFICE, extension) for extension in ("101", "500", "400", "199")]
    assert labels == [parse_destination("user 101"), parse_destination("queue 500"), parse_destination("attendant 400"),
                      None]  # fmt: skip


def test_straight_to_voicemail_does_not_ring():
    assert route(OFFICE, from_inside("7101", "102"), EVERYBODY, moment()).destination == ToMailbox(extension="101")


@pytest.mark.parametrize(("caller", "leads"), [(OUTSIDE, "hangup:forbidden"), ("16135550199", "user:102")])
def test_a_number_that_screens_for_spam_refuses_whom_the_domain_lists(caller, leads):
    document = office().model_dump(mode="json")
    document["domain"]["spam_callers"] = [OUTSIDE]
    document["numbers"] = [{"number": "14165550188", "routes": [{"to": "spam-screening 102"}]}]
    found = route(Directory.model_validate(document), Asked("14165550188", caller), EVERYBODY, moment())
    assert found.destination.label == leads
    assert "spam screening" in [decision.rule for decision in found.record.decisions]


def test_a_number_may_lead_to_a_connection_which_is_the_trunk():
    document = office().model_dump(mode="json")
    document["numbers"] = [{"number": "14165550188", "routes": [{"to": "to-connection 14165550190"}]}]
    found = route(Directory.model_validate(document), Asked("14165550188", OUTSIDE), EVERYBODY, moment())
    assert found.destination.label == "external:14165550190"
