"""One phone of every family in one office in virtual time: each boots from what is served, boots again, and calls."""

from __future__ import annotations

import pytest

from lab.bench import LabBench
from lab.phones.families import FAMILIES
from lab.rehearsal import virtual_world
from lab.seeds.load import Seed
from lab.seeds.model import LabSeed
from lab.world import World
from pbx.events import ServerFault
from tests.lab.every_family import EXTENSION, NAMES, SHIPPED, every_family

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time


@pytest.fixture(scope="module")
def booted() -> World:
    world = virtual_world(Seed(every_family(), LabSeed()), 1)
    world.boot_all()
    world.run(0.5)
    return world


def test_every_shipped_family_has_a_firmware_in_the_lab_but_baresip_which_is_its_own():
    assert set(FAMILIES) == set(SHIPPED) - {"generic/baresip"}


@pytest.mark.parametrize("name", NAMES)
def test_a_phone_reads_its_account_from_what_the_server_wrote(booted, name):
    device = EXTENSION[name]
    phone = booted.phone(device)
    (line,) = phone.lines
    account = line.account
    assert all(line.registration.registered for line in phone.lines)
    assert (account.user, account.auth_user, account.domain) == (device, device, "acme.lab")
    assert (account.server_host, account.server_port) == ("10.0.0.1", 5060)
    assert account.password == ("" if account.ha1 else f"secret-of-{device}")
    assert (account.transport, account.expires_s) in (("udp", 120), ("udp", 3600))
    shown = "A'B<C>&D" if name == "panasonic/hdv" else "A'B(C)&D" if name == "linphone/desktop" else 'A"B<C>&D'
    assert shown in account.display_name + account.label or name == "algo/ip"


@pytest.mark.parametrize("name", [name for name in NAMES if name != NAMES[0]])
def test_a_phone_calls_and_is_heard(booted, name):
    devices = {device.id: device for device in LabBench(booted).devices()}
    caller, called = devices[EXTENSION[name]], devices[EXTENSION[NAMES[0]]]
    caller.do("dial", called.id)
    assert booted.run(3.0, lambda: not called.idle)
    called.do("answer")
    assert booted.run(2.0, lambda: bool(caller.heard) and bool(called.heard))
    caller.do("hangup")
    assert booted.run(2.0, lambda: caller.idle and called.idle)


def test_every_phone_boots_again_when_its_one_time_token_is_long_spent():
    world = virtual_world(Seed(every_family(), LabSeed()), 2)
    world.boot_all()
    world.run(300.0)
    for phone in world.phones:
        world.power(False, [phone])
        world.power(True, [phone])
    world.run(20.0)
    assert [
        phone.box.family for phone in world.phones if not all(line.registration.registered for line in phone.lines)
    ] == []
    assert [stamped.event for stamped in world.bus.since(0) if isinstance(stamped.event, ServerFault)] == []
