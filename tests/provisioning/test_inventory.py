"""Assign, release, swap, retire: who has which box, and what each refusal says."""

from __future__ import annotations

from datetime import date
from itertools import count

import pytest

from pbx.domain.hardware import HardwareOrder, OrderLine, Shipment
from provisioning_server.card import card, text_of
from provisioning_server.inventory import Draft, Refused, Wish
from provisioning_server.purchasing import arrived, ordered, shipped, states
from tests.provisioning.provisioned import ATA, FAMILIES, POLY, YEALINK, Counter, small_domain

NEW, ELSEWHERE = "805ec0000777", "805ec0000888"
_number = count(1)


def fresh(characters: int) -> str:
    return f"{next(_number):0{characters}x}"


def draft(directory=None, **foreign: str) -> Draft:
    return Draft(directory or small_domain(), FAMILIES, {ELSEWHERE: "birch.lab", **foreign}, fresh)


def secret(device) -> str:
    return device.password.get_secret_value()


def test_a_box_is_given_to_a_user_with_a_password_and_a_token_of_its_own():
    plan = draft()
    made = plan.assign("80:5E:C0:00:07:77", "101", model="sip-t46s", wish=Wish(transport="tcp", label="Door"))
    after = plan.directory()
    assert (made.id, made.mac, made.port, made.family, made.model) == ("101a", NEW, 1, "yealink/t4x_t5x", "T46S")
    assert (made.transport, made.label) == ("tcp", "Door")
    assert (len(secret(made)), len(made.token.get_secret_value())) == (24, 32)
    assert after.devices_by_mac[NEW] == (made,)
    assert after.standing_of(NEW) == "assigned"
    assert plan.new_credentials == {NEW}


def test_further_users_take_further_lines_and_ports_of_a_box_and_share_its_token():
    plan = draft()
    first = plan.assign(NEW, "101", model="HT802")
    second = plan.assign(NEW, "102")
    assert (first.port, second.port, second.family) == (1, 2, "grandstream/ht8xx")
    assert first.token == second.token
    with pytest.raises(Refused, match="all of its 2 lines are taken") as full:
        plan.assign(NEW, "107")
    assert full.value.remedy == "take another box"
    assert [one.id for one in plan.directory().devices_by_mac[NEW]] == ["101a", "102a"]


def test_a_line_is_named_and_what_is_said_again_changes_what_is_there():
    plan = draft()
    first = plan.assign(NEW, "101", model="T46S", wish=Wish(port=3, settings={"network.vlan.id": 20}))
    again = plan.assign(NEW, "101", wish=Wish(label="Front", settings={"network.lldp": False}))
    assert (again.id, again.port, again.label) == (first.id, 3, "Front")
    assert again.settings == {"network.vlan.id": 20, "network.lldp": False}
    assert secret(again) == secret(first)


@pytest.mark.parametrize(
    ("mac", "extension", "told", "why", "remedy"),
    [
        (NEW, "150", {"model": "T46S"}, "there is no user 150", "did you mean"),
        (NEW, "101", {}, "nobody knows what box it is", "name its model"),
        (NEW, "101", {"model": "T64S"}, "no family has it", "near: "),
        (NEW, "101", {"model": "8841"}, "cisco/mpp", "name the family too"),
        (NEW, "101", {"family": "yealink/t4x"}, "no folder", "did you mean yealink/t4x_t5x?"),
        (ELSEWHERE, "101", {"model": "T46S"}, "it belongs to domain birch.lab", "release it there first"),
        (YEALINK, "102", {"wish": Wish(port=1)}, "its line 1 is 101's", "name another line, or release it first"),
        (YEALINK, "102", {"wish": Wish(port=17)}, "has no line 17", "name a line from 1 to 16"),
        (YEALINK, "102", {"model": "VVX450"}, "it is in use as a yealink/t4x_t5x", "leave the model out"),
        (NEW, "101", {"model": "HT802", "wish": Wish(transport="sctp")}, "does not speak sctp", "one of udp"),
        (NEW, "101", {"model": "T46S", "wish": Wish(settings={"vendor.raw.P47": "x"})}, "no parameter P47", "params"),
        ("805ec00001", "101", {}, "12 hex digits", "as on the label"),
        ("01005e000001", "101", {"model": "T46S"}, "group address", "label"),
    ],
)
def test_what_cannot_be_is_refused_with_why_and_what_to_do_and_changes_nothing(mac, extension, told, why, remedy):
    plan, before = draft(), small_domain()
    with pytest.raises(Refused) as no:
        plan.assign(mac, extension, **told)
    assert why in no.value.why
    assert remedy in no.value.remedy
    assert plan.directory().devices == before.devices


def test_a_box_of_another_sites_people_is_asked_about_with_what_it_is_there():
    users = [user.model_dump() for user in small_domain().users]
    at_laval = [user | {"site": "Laval"} if user["extension"] == "102" else user for user in users]
    before = small_domain(users=at_laval, sites=[{"name": "Toronto"}, {"name": "Laval"}])
    plan = draft(before)
    with pytest.raises(Refused) as no:
        plan.assign(POLY, "101")
    assert no.value.why == "it is a VVX450 at Laval: line 1 is 102's (User102 Roy)"
    assert "across_sites" in no.value.remedy
    assert plan.directory().devices == before.devices
    assert plan.assign(POLY, "101", wish=Wish(across_sites=True)).port == 2
    assert plan.assign(POLY, "101", wish=Wish(label="Front")).port == 2, "what it has already is not asked again"
    assert plan.assign(YEALINK, "107").port == 2, "of the own site's people"


def test_a_released_box_lies_in_stock_and_its_settings_wait_for_the_next_one():
    plan = draft()
    made = plan.assign(NEW, "101", model="T46S", wish=Wish(label="Front", settings={"network.vlan.id": 20}))
    assert plan.release(NEW) == (made.id,)
    after = plan.directory()
    left = after.devices_by_id[made.id]
    assert (left.mac, left.family, left.label, left.settings) == (None, "", "Front", {"network.vlan.id": 20})
    assert secret(left) != secret(made), "the box that is gone may not register any more"
    assert (after.standing_of(NEW), after.hardware_by_mac[NEW].model) == ("in stock", "T46S")
    again = draft(after).assign("64167f000999", "101", model="VVX450")
    assert (again.id, again.label, again.settings) == (made.id, "Front", {"network.vlan.id": 20})


def test_another_box_takes_the_place_of_one_with_lines_and_settings_and_new_secrets():
    before = small_domain()
    plan = draft(before)
    swapped = plan.swap(ATA, NEW, model="T46S")
    after = plan.directory()
    assert swapped.devices == ("111", "112")
    assert [(d.id, d.port, d.model) for d in after.devices_by_mac[NEW]] == [("111", 1, "T46S"), ("112", 2, "T46S")]
    assert ATA not in after.devices_by_mac
    assert after.standing_of(ATA) == "in stock"
    assert secret(after.devices_by_id["111"]) != secret(before.devices_by_id["111"])
    assert plan.new_credentials == {ATA, NEW}


def test_a_swap_to_another_maker_drops_what_only_the_old_one_knows_and_says_so():
    plan = draft()
    plan.assign(
        YEALINK, "101", wish=Wish(settings={"vendor.raw.static.network.lldp.enable": "0", "network.vlan.id": 5})
    )
    swapped = plan.swap(YEALINK, NEW, model="VVX450")
    assert swapped.dropped == ("vendor.raw.static.network.lldp.enable",)
    assert plan.directory().devices_by_id["101"].settings == {"network.vlan.id": 5}


def test_a_swap_to_the_same_kind_needs_no_model_and_keeps_everything():
    plan = draft()
    plan.swap(YEALINK, NEW)
    assert plan.directory().devices_by_id["101"].model == "T46S"


@pytest.mark.parametrize(
    ("old", "new", "model", "why"),
    [
        (NEW, YEALINK, "", "no device has it"),
        (YEALINK, POLY, "", f"{POLY} is in use as 102"),
        (ATA, NEW, "HT801", "line 2 is in use"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(old, new, model, why):
    with pytest.raises(Refused) as no:
        draft().swap(old, new, model=model)
    assert why in no.value.why


def test_a_retired_box_is_given_to_nobody_until_it_is_taken_in_again():
    plan = draft()
    plan.retire(YEALINK)
    assert plan.directory().standing_of(YEALINK) == "retired"
    with pytest.raises(Refused, match="it is retired"):
        plan.assign(YEALINK, "101")
    plan.stock(YEALINK)
    assert plan.assign(YEALINK, "101").model == "T46S"
    with pytest.raises(Refused, match="nobody has written it down"):
        plan.retire(NEW)


def test_an_order_is_filled_by_shipments_whose_boxes_are_on_their_way_until_they_arrive():
    order = HardwareOrder(number="77", ordered_on=date(2026, 11, 2), lines=(OrderLine(model="t46s", quantity=2),))
    domain = ordered(small_domain(), FAMILIES, order)
    assert domain.orders[0].lines[0].family == "yealink/t4x_t5x"
    shipment = Shipment(number="1Z-9", order="77", shipped_on=date(2026, 11, 9))
    domain = shipped(domain, FAMILIES, {}, fresh, shipment, [(NEW, "")])
    assert (domain.standing_of(NEW), domain.hardware_by_mac[NEW].model) == ("on its way", "T46S")
    (state,) = states(domain)
    assert (state.ordered, state.on_the_way, state.arrived, state.open) == (2, 1, 0, 1)
    domain = arrived(domain, "1Z-9", date(2026, 11, 12))
    assert (domain.standing_of(NEW), states(domain)[0].arrived) == ("in stock", 1)
    assert draft(domain).assign(NEW, "101").model == "T46S"


def test_what_does_not_fit_an_order_is_refused():
    order = HardwareOrder(number="77", ordered_on=date(2026, 11, 2), lines=(OrderLine(model="T46S", quantity=1),))
    domain = ordered(small_domain(), FAMILIES, order)
    shipment = Shipment(number="1Z-9", order="77", shipped_on=date(2026, 11, 9))
    for boxes, why in (
        ([(NEW, ""), (ELSEWHERE, "")], "not for (as many) T46S"),
        ([(NEW, "VVX450")], "not for (as many) VVX450"),
    ):
        with pytest.raises(Refused) as no:
            shipped(domain, FAMILIES, {}, fresh, shipment, boxes)
        assert why in no.value.why
    for wrong, why in (
        (lambda: ordered(domain, FAMILIES, order), "there is one of that number"),
        (lambda: arrived(domain, "1Z-9", date(2026, 11, 9)), "nobody has written it down"),
        (lambda: shipped(domain, FAMILIES, {}, fresh, shipment.model_copy(update={"order": "78"}), []), "no order"),
    ):
        with pytest.raises(Refused, match=why):
            wrong()


def test_the_card_says_what_to_type_and_shows_secrets_only_when_asked():
    counter = Counter()
    box = counter.directory.devices_by_mac[ATA]
    hidden = text_of(card(counter.office, counter.directory, box, secrets=False))
    shown = text_of(card(counter.office, counter.directory, box, secrets=True))
    for text in ("Line 1: 111", "Line 2: 112", "SIP domain                acme.lab", "192.0.2.10:5060"):
        assert text in hidden
    assert "secret-of-111" not in hidden
    assert "secret-of-111" in shown
    token = box[0].token.get_secret_value()
    assert token not in hidden
    assert token in shown
