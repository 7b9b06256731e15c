"""Values for once: above every other layer, for one fetch or until a time, and gone by themselves."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pbx.events import OneShotTaken
from provisioning_server.inventory import Refused
from provisioning_server.ledger import GRACE_S
from provisioning_server.one_shot_desk import one_shot
from provisioning_server.reasons import reasons
from provisioning_server.respond import explain
from provisioning_server.served import ServedFiles
from tests.provisioning.provisioned import ATA, BARESIP, JSON, LINPHONE, POLY, YEALINK, Counter, served

LABEL = {"lines.1.label": "Test"}


def said(desk: Counter, mac: str, settings: dict[str, object], minutes: float | None = None):
    until = desk.now.wall + timedelta(minutes=minutes) if minutes is not None else None
    box = desk.directory.devices_by_mac[mac]
    one = one_shot(desk.office, desk.directory, box, settings, "Ana", desk.now, until=until)
    desk.office.one_shots.put(one)
    return one


def taken(answer) -> list[OneShotTaken]:
    return [event for event in answer.events if isinstance(event, OneShotTaken)]


def label(answer) -> bytes:
    return answer.body.partition(b"account.1.label = ")[2].partition(b"\n")[0]


def test_one_fetch_gets_it_and_the_next_does_not():
    desk = Counter()
    said(desk, YEALINK, LABEL)
    first = desk.own(YEALINK)
    assert label(first) == b"Test"
    assert served(first).reason.endswith("with the one-shot (Ana, for one fetch)")
    assert [(event.file, event.ended) for event in taken(first)] == [("{mac}.cfg", True)]
    desk.passes(11)
    after = desk.own(YEALINK)
    assert (label(after), taken(after)) == (b"101 User101 Roy", [])
    assert desk.office.one_shots.in_force(desk.now.wall) == []


def test_a_download_that_is_tried_again_at_once_is_the_same_fetch():
    desk = Counter()
    said(desk, YEALINK, LABEL)
    desk.own(YEALINK)
    desk.passes(5)
    assert label(desk.own(YEALINK)) == b"Test"


def test_looking_at_it_does_not_use_it_up():
    desk = Counter()
    said(desk, YEALINK, LABEL)
    steady = desk.steady(YEALINK)
    length = len(desk.ask(f"{YEALINK}.cfg", steady, method="HEAD").body)
    desk.ask(f"{YEALINK}.cfg", steady.replace(steady[0], "0" if steady[0] != "0" else "1"))
    desk.passes(60)
    whole = desk.ask(f"{YEALINK}.cfg", steady)
    assert (label(whole), len(whole.body)) == (b"Test", length)


def test_until_its_time_every_fetch_gets_it():
    desk = Counter()
    one = said(desk, YEALINK, LABEL, minutes=10)
    steady = desk.steady(YEALINK)
    for _ in range(3):
        assert label(desk.ask(f"{YEALINK}.cfg", steady)) == b"Test"
        desk.passes(190)
    desk.passes(60)
    assert label(desk.ask(f"{YEALINK}.cfg", steady)) == b"101 User101 Roy"
    assert desk.office.one_shots.forget_over(desk.now.wall) == [one]


def test_each_file_of_one_boot_carries_it_once():
    desk = Counter()
    one = said(desk, YEALINK, {"phonebook.title": "Drill", "lines.1.label": "Drill"})
    assert one.files == ("{mac}.cfg", "{mac}-phonebook.xml")
    assert not taken(desk.own(YEALINK))[0].ended
    desk.passes(60)
    book = desk.ask(f"{YEALINK}-phonebook.xml", desk.steady(YEALINK))
    assert b"<Title>Drill</Title>" in book.body
    assert taken(book)[0].ended


def test_what_a_boot_left_lying_is_not_for_the_next():
    desk = Counter()
    said(desk, YEALINK, {"phonebook.title": "Drill", "lines.1.label": "Drill"})
    desk.own(YEALINK)
    desk.passes(GRACE_S + 1)
    assert b"Drill" not in desk.ask(f"{YEALINK}-phonebook.xml", desk.steady(YEALINK)).body


def test_another_box_and_the_files_for_everybody_stay_as_they_are():
    desk = Counter()
    before = desk.own(ATA).body, desk.ask("y000000000066.cfg").body
    said(desk, YEALINK, LABEL)
    assert (desk.own(ATA).body, desk.ask("y000000000066.cfg").body) == before


@pytest.mark.parametrize("mac", [YEALINK, POLY, ATA, LINPHONE, JSON, BARESIP])
def test_every_family_takes_it_for_every_line(mac):
    desk = Counter()
    before = desk.own(mac).body
    said(desk, mac, {"lines.*.expires": 780})
    assert desk.own(mac).body != before
    desk.passes(60)
    assert desk.own(mac).body == before


def test_the_layer_is_named_where_a_value_is_explained():
    desk = Counter()
    said(desk, YEALINK, {"lines.1.label": "Test", "network.vlan.id": 7, "vendor.raw.static.network.lldp.enable": "x"})
    device = desk.directory.devices_by_id["101"]
    told = {one.name: one for one in explain(desk.office, desk.directory, device, desk.now)}
    assert told["network.vlan.id"].layer == "one-shot (Ana, for one fetch)"
    assert told["network.vlan.id"].stack[0] == ("defaults", 0)
    layers = {one.name: one.layer for one in reasons(desk.office, desk.directory, device, desk.now)}
    assert layers["account.1.label"] == "one-shot (Ana, for one fetch)"
    assert layers["static.network.lldp.enable"] == "one-shot (Ana, for one fetch)"
    assert layers["account.1.user_name"] == "device 101"


def test_a_box_that_holds_what_was_said_for_once_is_behind():
    desk, seen = Counter(), ServedFiles()

    def fetches() -> None:
        for event in desk.own(YEALINK).events:
            seen.take(event, desk.now.wall.timestamp())

    def behind() -> tuple[str, ...]:
        return seen.behind(desk.office, desk.directory, YEALINK, desk.now)

    fetches()
    assert behind() == ()
    said(desk, YEALINK, LABEL)
    assert behind() == (f"{YEALINK}.cfg",), "it has not fetched it yet"
    fetches()
    assert behind() == ()
    desk.passes(60)
    assert behind() == (f"{YEALINK}.cfg",), "it would get its own label again"
    fetches()
    assert behind() == ()


REFUSED = [
    ({}, None, "0 settings"),
    (LABEL, -1, "it is later"),
    ({"provisioning.open": True}, None, "says how a file is given"),
    ({"provisioning.encrypt": True}, None, "says how a file is given"),
    ({"lines.1.lable": "x"}, None, "writes lines.1.lable nowhere"),
    ({"lines.9.label": "x"}, None, "writes lines.9.label nowhere"),
    ({"vendor.raw.nonsense": "x"}, None, "nonsense"),
    ({"network.vlan.id": 5000}, None, "not a number from 0 to 4094"),
    ({"lines.1.label": "a\nb"}, None, "line break"),
    ({"lines.1.transport": "carrier pigeon"}, None, "is none of udp, tcp"),
]


@pytest.mark.parametrize(("settings", "minutes", "why"), REFUSED)
def test_what_cannot_be_is_refused_before_it_is_in_force(settings, minutes, why):
    desk = Counter()
    with pytest.raises(Refused) as no:
        said(desk, YEALINK, settings, minutes)
    assert why in no.value.why
    assert no.value.remedy
