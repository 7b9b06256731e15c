"""A phone that nothing tells where its server is finds it: by SIP multicast, else by its maker's redirect service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.world import World
from pbx.events import DiscoveryAnswered, DiscoveryRefused
from provisioning_server.redirects import shipped_redirects
from tests.lab.every_family import EXTENSION, NAMES, SHIPPED, every_family

ASKS_NETWORK = [name for name in NAMES if SHIPPED[name].pnp]
ASKS_MAKER = [name for name in NAMES if not SHIPPED[name].pnp and SHIPPED[name].redirect in shipped_redirects().by_host]
YEALINK, POLY, CISCO = EXTENSION["yealink/t4x_t5x"], EXTENSION["poly/vvx"], EXTENSION["cisco/mpp"]


def untold(*extensions: str) -> World:
    """A world in which these phones, and no others, are switched on, and told nothing."""
    world = virtual_world(Seed(every_family(), LabSeed(untold=extensions)), 3)
    world.power(True, [world.phone(extension) for extension in extensions])
    return world


def registered(world: World, *extensions: str) -> bool:
    return all(
        world.phone(extension).lines and all(line.registered for line in world.phone(extension).lines)
        for extension in extensions
    )


def said(world: World, kind: type, mac: str = "") -> list:
    found = [stamped.event for stamped in world.bus.since(0) if isinstance(stamped.event, kind)]
    return [event for event in found if not mac or event.mac == mac]


def without_pnp(world: World) -> None:
    """Nobody answers in the multicast group."""
    world.wire.mutate(lambda packet: None if packet.to.host == "224.0.1.75" else packet)


@pytest.fixture(scope="module")
def everybody() -> World:
    world = untold(*(EXTENSION[name] for name in (*ASKS_NETWORK, *ASKS_MAKER)))
    world.run(40.0)
    return world


@pytest.mark.parametrize("name", ASKS_NETWORK)
def test_a_family_that_asks_the_network_is_told_its_url_by_notify(everybody, name):
    mac = everybody.phone(EXTENSION[name]).box.mac
    assert registered(everybody, EXTENSION[name])
    (event,) = said(everybody, DiscoveryAnswered, mac)
    assert (event.how, event.device) == ("pnp", EXTENSION[name])
    assert name.partition("/")[0] in event.service


@pytest.mark.parametrize("name", ASKS_MAKER)
def test_a_family_that_asks_its_maker_is_sent_here(everybody, name):
    assert registered(everybody, EXTENSION[name])
    (event,) = said(everybody, DiscoveryAnswered, everybody.phone(EXTENSION[name]).box.mac)
    assert event.how == "redirect"


def test_every_maker_named_in_the_issue_has_a_personality_and_says_what_is_not_verified():
    by_vendor = shipped_redirects().by_vendor
    assert set(by_vendor) == {"yealink", "poly", "grandstream", "cisco", "snom", "fanvil", "gigaset"}
    for name, family in SHIPPED.items():
        if family.redirect and family.vendor in by_vendor:
            assert family.redirect in by_vendor[family.vendor].hosts, name
    assert {vendor for vendor, service in by_vendor.items() if service.verified} == set()


def test_where_nobody_answers_the_multicast_the_makers_are_asked():
    asking = [EXTENSION[name] for name in ASKS_NETWORK if SHIPPED[name].redirect]
    world = virtual_world(Seed(every_family(), LabSeed(untold=tuple(asking))), 4)
    without_pnp(world)
    world.power(True, [world.phone(extension) for extension in asking])
    assert world.run(40.0, lambda: registered(world, *asking))
    assert {event.how for event in said(world, DiscoveryAnswered)} == {"redirect"}


def test_a_stranger_gets_silence_from_the_network_and_404_from_the_maker():
    world = virtual_world(Seed(every_family(), LabSeed(untold=(YEALINK,))), 5)
    phone = world.phone(YEALINK)
    phone.box = replace(phone.box, mac="805ec0ffffff")
    world.power(True, [phone])
    assert world.run(40.0, lambda: bool(phone.error))
    assert phone.error == "No server"
    assert {event.reason for event in said(world, DiscoveryRefused)} == {"unknown MAC"}
    assert said(world, DiscoveryAnswered) == []


def test_a_box_whose_one_time_token_is_spent_is_told_nothing_until_it_is_let_in_again():
    world = untold(POLY)
    assert world.run(40.0, lambda: registered(world, POLY))
    phone = world.phone(POLY)
    world.run(300.0)
    world.press(phone, lambda: phone.factory_reset(world.now.mono))
    assert world.run(40.0, lambda: bool(phone.error))
    assert {event.reason for event in said(world, DiscoveryRefused)} == {"its one-time token has been used"}
    world.reopen_provisioning(phone.box.mac)
    assert world.run(60.0, lambda: registered(world, POLY))


def test_a_certificate_of_another_box_is_refused_by_the_maker():
    world = virtual_world(Seed(every_family(), LabSeed(untold=(POLY,))), 6)
    phone = world.phone(POLY)
    phone.box = replace(phone.box, certificate="64167fabcdef")
    world.power(True, [phone])
    assert world.run(40.0, lambda: bool(phone.error))
    (event,) = said(world, DiscoveryRefused)
    assert event.reason == "the certificate is that of 64167fabcdef"


def test_a_second_hand_box_is_sent_where_its_makers_books_say_and_the_operator_sees_it():
    world = virtual_world(Seed(every_family(), LabSeed(untold=(POLY,))), 7)
    phone = world.phone(POLY)
    world.provisioner.desk.elsewhere[phone.box.mac] = "https://provisioning.another.example/p"
    world.power(True, [phone])
    assert world.run(60.0, lambda: bool(phone.error))
    (event, *_) = said(world, DiscoveryAnswered)
    assert (event.device, event.reason) == ("", "it is bound to another server in its maker's books")
    assert not registered(world, POLY)
    del world.provisioner.desk.elsewhere[phone.box.mac]
    assert world.run(90.0, lambda: registered(world, POLY))


def test_while_the_makers_service_is_down_the_phone_says_so_and_tries_again():
    world = virtual_world(Seed(every_family(), LabSeed(untold=(POLY,))), 8)
    phone, desk = world.phone(POLY), world.provisioner.desk
    world.provisioner.desk = replace(desk, redirects=replace(desk.redirects, by_host={}))
    world.power(True, [phone])
    assert world.run(40.0, lambda: bool(phone.error))
    world.provisioner.desk = desk
    assert world.run(60.0, lambda: registered(world, POLY))


def test_an_activation_code_makes_the_box_that_brings_it_the_users():
    world = virtual_world(Seed(every_family(), LabSeed(untold=(CISCO,))), 9)
    taken = []

    def activate(code: str, mac: str, model: str) -> str:
        taken.append((code, mac, model))
        return "" if code == "1234567890123456" else "there is no such code"

    world.provisioner.desk.activate = activate
    phone = world.phone(CISCO)
    phone.box = replace(phone.box, activation_code="999")
    world.power(True, [phone])
    assert world.run(40.0, lambda: bool(phone.error))
    assert [event.reason for event in said(world, DiscoveryRefused)] == ["there is no such code"]
    phone.box = replace(phone.box, activation_code="1234567890123456")
    assert world.run(60.0, lambda: registered(world, CISCO))
    assert taken[-1] == ("1234567890123456", phone.box.mac, phone.box.model)
