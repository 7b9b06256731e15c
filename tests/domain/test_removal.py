"""Deleting: refused with the list of who still refers to it, or left dangling where the platform keeps such rows."""

from __future__ import annotations

from typing import get_args

import pytest

from pbx.callflow.findings import findings
from pbx.domain.directory import Directory
from pbx.domain.removal import Kind, Referenced, without

DOCUMENT = {
    "domain": {"name": "acme.lab", "emergency_address": "hq"},
    "addresses": [{"key": "hq", "callback": 14165550100, "caller_name": "Acme", "street": "1 St", "city": "Toronto",
                   "region": "ON", "postal_code": "M5X 1A1"}],
    "sites": [{"name": "Toronto"}, {"name": "Empty"}],
    "time_frames": [{"name": "office", "weekdays": {"mon-fri": "08:00-18:00"}}, {"name": "spare", "kind": "always"},
                    {"name": "own", "kind": "always", "owner": "101"}],
    "users": [
        {"extension": 101, "first_name": "Ana", "site": "Toronto", "rules": [{"time_frame": "own"}]},
        {"extension": 102, "first_name": "Ben", "rules": [
            {"time_frame": "office", "simultaneous_ring": ["<OwnDevices>", "101"]}, {"forward_no_answer": "user 101"}]},
        {"extension": 103, "first_name": "Chloé"},
    ],
    "devices": [{"id": "101", "extension": 101, "password": "x"}, {"id": "101a", "extension": 101, "password": "x"},
                {"id": "103", "extension": 103, "password": "x"}],
    "contacts": [{"first_name": "Pat", "owner": "101"}],
    "attendants": [{"extension": 400, "name": "Main", "menus": [{"keys": {1: "user 101", 2: "queue 500"}}]}],
    "queues": [{"extension": 500, "name": "Care", "agents": [{"extension": 101}, {"device": "101a"}],
                "overflow": "mailbox 101"}],
    "numbers": [{"number": 14165550100, "routes": [{"to": "attendant 400"}]}, {"number": 14165550101, "routes": [
        {"to": "user 101"}]}],
    "settings": {"user:101": {}, "user:103": {}},
}  # fmt: skip


def office(**domain: object) -> Directory:
    document = {**DOCUMENT, "domain": {**DOCUMENT["domain"], **domain}}
    # Nobody is agent twice: the device of another phone stands for a second person here.
    return Directory.model_validate({**document, "queues": [{**DOCUMENT["queues"][0], "agents": [{"extension": 101}]}]})


@pytest.mark.parametrize(
    ("kind", "name", "references"),
    [
        ("user", "101", (
            "user 102: simultaneous ring names user 101, which does not exist",
            "user 102, forward no answer: there is no user 101",
            "queue 500: agent 101 is no user",
            "number 14165550101: there is no user 101",
            "attendant 400, menu main key 1: there is no user 101",
            "queue 500, overflow: there is no mailbox 101: no such user",
        )),
        ("queue", "500", ("attendant 400, menu main key 2: there is no queue 500",)),
        ("attendant", "400", ("number 14165550100: there is no attendant 400",)),
        ("site", "Toronto", ("user 101: there is no site Toronto",)),
        ("time frame", "office", ("user 102: there is no time frame office",)),
        ("address", "hq", ("domain acme.lab: there is no emergency address hq",)),
    ],
)  # fmt: skip
def test_what_others_refer_to_is_not_deleted_and_they_are_named(kind, name, references):
    with pytest.raises(Referenced, match=f"{kind} {name} is still referred to: .*Change these first") as refused:
        without(office(), kind, name)
    assert refused.value.references == references


@pytest.mark.parametrize(
    ("kind", "name"),
    [("user", "103"), ("device", "101a"), ("number", "14165550101"), ("site", "Empty"), ("time frame", "spare")],
)
def test_what_nobody_refers_to_goes(kind, name):
    before = office()
    after = without(before, kind, name)
    assert after.revision == before.revision + 1
    with pytest.raises(ValueError, match=f"there is no {kind} {name}"):
        without(after, kind, name)


def test_a_user_takes_what_is_nobody_elses_along():
    gone = without(office(platform={"missing_references": "kept"}), "user", "101")
    assert [device.id for device in gone.devices] == ["103"]
    assert [frame.name for frame in gone.time_frames] == ["office", "spare"]
    assert (gone.contacts, list(gone.settings)) == ((), ["user:103"])


@pytest.mark.parametrize("preset", ["n2p", "oit"])
def test_where_the_platform_keeps_such_rows_the_audit_finds_them(preset):
    before = office(preset=preset, platform={"email_required": False})
    assert not [one for one in findings(before, {"attendant-welcome"}) if one.rule == "R10"]
    dangling = [one for one in findings(without(before, "user", "101"), {"attendant-welcome"}) if one.rule == "R10"]
    assert [(one.link, one.sentence.partition(":")[0]) for one in dangling] == [
        ("users/102", "user 102"),
        ("users/102", "user 102, forward no answer"),
        ("queues/500", "queue 500"),
        ("numbers/14165550101", "number 14165550101"),
        ("attendants/400", "attendant 400, menu main key 1"),
        ("queues/500", "queue 500, overflow"),
    ]


def test_a_site_or_time_frame_that_is_needed_is_refused_even_there():
    kept = office(platform={"missing_references": "kept"})
    for kind, name in (("site", "Toronto"), ("time frame", "office"), ("address", "hq")):
        with pytest.raises(Referenced):
            without(kept, kind, name)


REFERRED = {
    **DOCUMENT,
    "domain": {**DOCUMENT["domain"], "night_frame": "spare"},
    "sites": [*DOCUMENT["sites"], {"name": "Lab", "emergency_address": "hq"}],
    "users": [*DOCUMENT["users"],
              {"extension": 104, "first_name": "Dan", "mailbox": {"copy_to": [103]},
               "rules": [{"simultaneous_ring": ["101a"], "forward_always": "device 103", "forward_on_dnd": "page 650",
                          "forward_on_busy": "fax front", "forward_offline": "conference 600"}]}],
    "queues": [{"extension": 500, "name": "Care", "site": "Lab", "agents": [{"device": "101a"}],
                "unavailable": "attendant 400"}],
    "conferences": [{"extension": 600, "name": "Room", "owner": 102, "site": "Lab"}],
    "page_groups": [{"extension": 650, "name": "All", "members": [101, 103]}],
    "fax_accounts": [{"name": "front", "number": 14165550100}],
    "attendants": [{"extension": 400, "name": "Main", "open_frames": ["office"], "closed": "main", "menus": [
        {"keys": {1: "user 101", 2: "queue 500", 3: "toggle office"}}]}],
    "orders": [{"number": "o1", "ordered_on": "2026-11-01", "lines": [{"model": "T54W", "quantity": 1}]}],
    "shipments": [{"number": "s1", "order": "o1", "shipped_on": "2026-11-02"}],
    "hardware": [{"mac": "805ec0a10101", "family": "yealink/t4x_t5x", "model": "T54W", "shipment": "s1"}],
}  # fmt: skip
KEYS = {
    "users": ("user", "extension"), "devices": ("device", "id"), "numbers": ("number", "number"),
    "attendants": ("attendant", "extension"), "queues": ("queue", "extension"), "sites": ("site", "name"),
    "conferences": ("conference", "extension"), "page_groups": ("page group", "extension"),
    "time_frames": ("time frame", "name"), "addresses": ("address", "key"), "fax_accounts": ("fax account", "name"),
    "orders": ("order", "number"), "shipments": ("shipment", "number"), "hardware": ("hardware", "mac"),
}  # fmt: skip
"""Section of a domain → (kind, what names an object of it)."""
NAMELESS = {"contacts"}
"""They go with their owner."""


def test_every_section_of_a_domain_has_objects_that_can_be_deleted():
    sections = {name for name, field in Directory.model_fields.items() if str(field.annotation).startswith("tuple[")}
    assert sections == KEYS.keys() | NAMELESS
    assert sorted(kind for kind, _ in KEYS.values()) == sorted(get_args(Kind))


@pytest.mark.parametrize("section", KEYS)
def test_of_every_kind_what_is_referred_to_is_refused_and_whatever_goes_leaves_a_sound_domain(section):
    domain = Directory.model_validate(REFERRED)
    kind, key = KEYS[section]
    refused: list[tuple[str, str]] = []
    for item in getattr(domain, section):
        if getattr(item, "owner", "") and section == "time_frames":
            continue
        name = getattr(item, key)
        try:
            left = without(domain, kind, name)
        except Referenced as error:
            refused += [(name, reference) for reference in error.references]
        else:
            sound = Directory.model_validate(left.model_dump(mode="json", context={"secrets": True}))
            assert name not in [getattr(other, key) for other in getattr(sound, section)]
    assert all(name in reference for name, reference in refused)
    assert refused or section == "hardware", "nothing refers to a box of the inventory"
