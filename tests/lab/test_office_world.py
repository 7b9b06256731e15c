"""The office of the seed, booted from what provisioning serves, in virtual time."""

from __future__ import annotations

import pytest

from lab.bench import LabBench
from lab.inventory import stations
from lab.phones.face import cards
from lab.provisioner import VirtualProvisioner, virtual_office
from lab.rehearsal import MemoryKeeper
from lab.seeds.load import load_seed
from lab.wire import Impairment
from lab.world import SWITCH, World
from pbx.events import ConfigServed, ServerFault
from pbx.sip.digest import hexdigest

SEED = load_seed()


def office(number: int = 1, impairment: Impairment | None = None) -> World:
    def provisioner(world: World) -> VirtualProvisioner:
        kept = virtual_office(SWITCH, "10.0.0.2", b"0123456789abcdef")
        return VirtualProvisioner(kept, lambda: world.directory, world.publish, "tftp://10.0.0.2/")

    return World(
        SEED,
        number=number,
        keeper=MemoryKeeper(),
        provisioner=provisioner,
        seconds_of=lambda name: 2.0,
        impairment=impairment,
    )


@pytest.fixture(scope="module")
def booted() -> World:
    world = office()
    assert world.boot_all()
    world.run(0.5)
    return world


def test_every_phone_of_the_office_shows_its_extension_from_what_was_served(booted):
    shown = {card.device: card for phone in booted.phones for card in cards(phone, booted.now)}
    assert sorted(shown) == [str(extension) for extension in range(101, 113)]
    for device, card in shown.items():
        assert device in card.screen[1]
        assert card.state == "idle"
        assert [part.result for part in card.boot] == ["ok"] * 6
    assert [event for event in booted.bus.since(0) if isinstance(event.event, ServerFault)] == []


def test_the_passwords_and_names_reach_the_phones_as_the_directory_has_them(booted):
    for phone in booted.phones:
        for line in phone.lines:
            device = booted.directory.devices_by_id[line.account.user]
            user = booted.directory.users_by_extension[device.extension]
            password = device.password.get_secret_value()
            assert line.account.password == ("" if line.account.ha1 else password)
            assert line.account.ha1 in ("", hexdigest("MD5", device.id, booted.directory.domain.name, password))
            assert line.account.transport == device.transport
            assert line.account.domain in (booted.directory.domain.name, SWITCH.host)
            assert user.first_name in line.account.display_name or device.label in line.account.display_name
            assert line.account.voicemail == "5001"


def test_the_sensitive_file_is_fetched_by_tftp_where_the_lab_says_so_and_by_http_elsewhere(booted):
    served = [stamped.event for stamped in booted.bus.since(0) if isinstance(stamped.event, ConfigServed)]
    by_protocol: dict[str, set[str]] = {}
    for event in served:
        if event.sensitive:
            by_protocol.setdefault(event.protocol, set()).add(event.mac)
    tftp = {station.mac for station in stations(SEED.directory, tftp=SEED.lab.tftp) if station.told == "tftp"}
    assert by_protocol["tftp"] == tftp
    assert len(by_protocol["http"] | by_protocol["tftp"]) == len(booted.phones)


def test_every_phone_keeps_a_steady_url_that_works_after_its_first_token_is_closed():
    world = office()
    world.boot_all()
    world.run(300.0)
    for phone in world.phones:
        assert phone.kept_url
    for device in ("101", "102", "103", "107", "109", "111"):
        phone = world.phone(device)
        world.power(False, [phone])
        world.power(True, [phone])
    world.run(5.0)
    assert world.all_registered()


def test_a_relabelled_phone_shows_its_new_label_after_a_resync(booted):
    world = office()
    world.boot_all()
    bench = LabBench(world)
    bench.pbx("relabel", {"device": "101", "label": "101 Front desk"})
    bench.pbx("resync", {"device": "101"})
    world.run(2.0)
    assert "101 Front desk" in next(item for item in bench.devices() if item.id == "101").screen


def story(number: int) -> list[str]:
    world = office(number, Impairment(0.004, 0.004, loss=0.05, duplication=0.02))
    world.boot_all(120.0)
    bench = LabBench(world)
    devices = {device.id: device for device in bench.devices()}
    for caller, called in (("101", "102"), ("109", "111")):
        devices[caller].do("dial", called)
        world.run(2.0)
        if not devices[called].idle:
            devices[called].do("answer")
        world.run(3.0)
        devices[caller].do("hangup")
        world.run(2.0)
    world.run(40.0)
    assert {name: count for name, count in world.live().items() if count} == {}
    return [f"{stamped.seq} {stamped.at.wall.isoformat()} {stamped.event!r}" for stamped in world.bus.since(0)]


def test_the_same_seed_gives_the_same_run_to_the_last_byte_and_another_seed_another():
    first = story(7)
    assert first == story(7)
    assert first != story(8)


@pytest.mark.parametrize("number", range(20, 26))
def test_a_bad_wire_neither_crashes_nor_leaks_nor_hangs(number):
    assert len(story(number)) > 100
