"""One domain in which all is well, and every way to spoil it: each problem is one sentence naming the object."""

import copy

import pytest
from pydantic import ValidationError

from pbx.domain.consistency import problems
from pbx.domain.destinations import ToEmergency
from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent


def sound() -> dict:
    return {
        "domain": {"name": "acme.lab", "emergency_address": "hq", "emergency_caller_id": 14165550100},
        "sites": [{"name": "Toronto"}],
        "addresses": [
            {"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 St", "city": "Toronto",
             "region": "ON", "postal_code": "M5X"}
        ],
        "time_frames": [{"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}}],
        "users": [
            {"extension": 101, "first_name": "Ana", "site": "Toronto",
             "rules": [
                 {"time_frame": "office", "forward_always": "queue 500",
                  "simultaneous_ring": [{"target": "own"}, {"target": "device 102"},
                                        {"target": "external 14165550190"}]},
                 {"forward_no_answer": "mailbox 101", "forward_offline": "external 14165550190"}]},
            {"extension": 102, "first_name": "Ben", "voicemail": False},
        ],
        "devices": [
            {"id": "101", "extension": 101, "password": "x", "mac": "000b82000001", "family": "ata"},
            {"id": "102", "extension": 102, "password": "x", "mac": "000b82000001", "port": 2, "family": "ata"},
        ],
        "attendants": [
            {"extension": 400, "name": "Main", "site": "Toronto", "closed": "closed", "open_frames": ["office"],
             "menus": [{"name": "main", "keys": {1: "user 101", 2: "menu closed", 3: "voicemail-login 101"}},
                       {"name": "closed", "no_key": "voicemail-login"}]}
        ],
        "queues": [{"extension": 500, "name": "Care", "site": "Toronto", "agents": [{"extension": 101}],
                    "overflow": "device 101"}],
        "conferences": [{"extension": 600, "name": "Monday", "site": "Toronto", "owner": 101}],
        "numbers": [{"number": 14165550100, "site": "Toronto",
                     "routes": [{"time_frame": "office", "to": "attendant 400/closed"}, {"to": "support"}]}],
        "settings": {"domain": {}, "site:Toronto": {}, "user:101": {}},
    }  # fmt: skip


def test_a_sound_domain_has_no_problems():
    assert problems(Directory.model_validate(sound())) == []


def spoil(path: str, value: object) -> dict:
    """Set what `path` names (dots, numbers for list places, `+` appends) in a copy of the sound domain."""
    document = copy.deepcopy(sound())
    *way, last = path.split(".")
    place: object = document
    for step in way:
        place = place[int(step)] if isinstance(place, list) else place[step]
    if last == "+":
        place.append(value)
    elif isinstance(place, list):
        place[int(last)] = value
    else:
        place[last] = value
    return document


USER = {"first_name": "X"}
CASES = [
    ("users.+", {"extension": 911, **USER}, "user 911: 911 is reserved"),
    ("users.+", {"extension": 9911, **USER}, "user 9911: 9911 is reserved"),
    ("users.+", {"extension": 701, **USER}, "user 701: 701 is reserved"),
    ("users.+", {"extension": 7101, **USER}, "user 7101: 7101 is reserved"),
    ("attendants.0.extension", 611, "attendant 611: 611 is reserved"),
    ("queues.0.extension", 5000, "queue 5000: 5000 is reserved"),
    ("users.+", {"extension": 500, **USER}, "queue 500: the extension is already that of a user"),
    ("users.+", {"extension": 101, **USER}, "user 101: the extension is already that of a user"),
    ("time_frames.+", {"name": "office", "kind": "always"}, "time frame office exists twice"),
    ("time_frames.+", {"name": "own", "kind": "always", "owner": "199"}, "there is no user 199 to own it"),
    ("contacts", [{"first_name": "Pat", "owner": "199"}], "contact Pat: there is no user 199 to own it"),
    ("sites.+", {"name": "Toronto"}, "site Toronto exists twice"),
    ("devices.+", {"id": "101", "extension": 101, "password": "x"}, "device 101 exists twice"),
    ("numbers.+", {"number": 14165550100}, "number 14165550100 exists twice"),
    ("users.1.site", "Laval", "user 102: there is no site Laval"),
    ("numbers.0.site", "Laval", "number 14165550100: there is no site Laval"),
    ("attendants.0.site", "Laval", "attendant 400: there is no site Laval"),
    ("queues.0.site", "Laval", "queue 500: there is no site Laval"),
    ("domain.emergency_address", "nowhere", "domain acme.lab: there is no emergency address nowhere"),
    ("sites.0.emergency_address", "nowhere", "site Toronto: there is no emergency address nowhere"),
    ("users.0.emergency_address", "nowhere", "user 101: there is no emergency address nowhere"),
    ("devices.0.emergency_address", "nowhere", "device 101: there is no emergency address nowhere"),
    ("domain.emergency_caller_id", 14165550199, "14165550199 is not the callback number 14165550100 of hq"),
    (
        "addresses.+",
        {
            "key": "shop",
            "callback": 14165550100,
            "caller_name": "Acme",
            "street": "2 St",
            "city": "Toronto",
            "region": "ON",
            "postal_code": "M5X",
        },
        "emergency address shop: 14165550100 is the number of hq; give each its own",
    ),
    ("devices.0.extension", 103, "device 101: there is no user 103"),
    ("devices.0.id", "103", "device 103: the id is the extension 101 and a suffix"),
    ("devices.1.port", 1, "device 102: MAC 000b82000001 port 1 is that of 101"),
    ("devices.1.family", "phone", "device 102: 000b82000001 is a phone here and a ata at 101"),
    ("users.0.rules.1.time_frame", "office", "user 101: two answering rules for time frame office"),
    ("users.0.rules.0.time_frame", "noon", "user 101: there is no time frame noon"),
    ("users.0.rules.0.simultaneous_ring.1.target", "device 199", "simultaneous ring names device 199"),
    ("users.0.rules.0.simultaneous_ring.1.target", "user 199", "simultaneous ring names user 199"),
    ("users.0.rules.0.forward_always", "user 199", "user 101, forward always: there is no user 199"),
    ("users.0.rules.0.forward_on_active", "queue 599", "user 101, forward on active: there is no queue 599"),
    ("users.0.rules.0.forward_on_busy", "attendant 499", "user 101, forward on busy: there is no attendant 499"),
    ("users.0.rules.1.forward_no_answer", "mailbox 199", "there is no mailbox 199: no such user"),
    ("users.0.rules.1.forward_offline", "mailbox 102", "user 102 has no mailbox"),
    ("numbers.0.routes.0.time_frame", "*", "number 14165550100: two routes for time frame *"),
    ("numbers.0.routes.0.time_frame", "noon", "number 14165550100: there is no time frame noon"),
    ("numbers.0.routes.0.to", "attendant 400/moon", "number 14165550100: attendant 400 has no menu moon"),
    ("numbers.0.routes.0.to", "device 199", "number 14165550100: there is no device 199"),
    ("numbers.0.routes.0.to", {"to": "emergency", "code": "911"}, "emergency is dialled by a person"),
    ("attendants.0.closed", "moon", "attendant 400: there is no menu moon"),
    ("attendants.0.open_frames", ["noon"], "attendant 400: there is no time frame noon"),
    ("attendants.0.menus.1.name", "main", "attendant 400: menu main exists twice"),
    ("attendants.0.menus.0.keys", {5: "menu moon"}, "attendant 400, menu main key 5: there is no menu moon"),
    ("attendants.0.menus.0.keys", {5: "user 199"}, "attendant 400, menu main key 5: there is no user 199"),
    ("attendants.0.menus.0.no_key", "user 199", "menu main no key: there is no user 199"),
    ("attendants.0.menus.0.unassigned_key", "voicemail-login 199", "unassigned key: there is no mailbox 199"),
    ("queues.0.agents.+", {"extension": 199}, "queue 500: agent 199 is no user"),
    ("queues.0.agents.+", {"extension": 101}, "queue 500: agent 101 is listed twice"),
    ("queues.0.overflow", "user 199", "queue 500, overflow: there is no user 199"),
    ("conferences.0.extension", 500, "conference 500: the extension is already that of a queue"),
    ("conferences.0.extension", 5000, "conference 5000: 5000 is reserved"),
    ("conferences.0.site", "Laval", "conference 600: there is no site Laval"),
    ("conferences.0.owner", 199, "conference 600: there is no user 199 to own it"),
    ("queues.0.overflow", "conference 699", "queue 500, overflow: there is no conference 699"),
    ("settings", {"site:Laval": {}}, "settings of site:Laval"),
    ("settings", {"moon": {}}, "settings of moon"),
]


@pytest.mark.parametrize(("path", "value", "sentence"), CASES, ids=[case[2][:50] for case in CASES])
def test_a_contradiction_is_named(path, value, sentence):
    with pytest.raises(ValidationError) as caught:
        Directory.model_validate(spoil(path, value))
    cause = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(cause, Inconsistent)
    assert any(sentence in problem.sentence for problem in cause.problems)
    assert all(problem.path for problem in cause.problems)


def test_every_problem_is_told_at_once():
    document = spoil("users.1.site", "Laval")
    document["queues"][0]["overflow"] = "user 199"
    with pytest.raises(ValidationError, match=r"no site Laval; queue 500, overflow: there is no user 199"):
        Directory.model_validate(document)


def test_the_place_of_a_problem_leads_to_the_object():
    with pytest.raises(ValidationError) as caught:
        Directory.model_validate(spoil("numbers.0.routes.1.to", "user 199"))
    assert caught.value.errors()[0]["ctx"]["error"].problems[0].path == ("numbers", 0, "routes", 1, "to")


def test_emergency_is_nobodys_destination():
    document = spoil("queues.0.overflow", ToEmergency(code="911"))
    with pytest.raises(ValidationError, match="never configured"):
        Directory.model_validate(document)


@pytest.mark.parametrize(
    "street", ["PO Box 12", "P.O. Box 7, Main St", "Case postale 5", "C.P. 400", "boîte postale 3"]
)
def test_a_post_box_is_no_place_for_an_ambulance(street):
    with pytest.raises(ValidationError, match="is a post box"):
        Directory.model_validate(spoil("addresses.0.street", street))


@pytest.mark.parametrize("street", ["12 Postboxer Lane", "400 Rue CP", "1 Boxwood Ave"])
def test_a_street_that_only_sounds_like_a_post_box_is_one(street):
    assert problems(Directory.model_validate(spoil("addresses.0.street", street))) == []
