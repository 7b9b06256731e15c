"""Whether a device is behind a NAT: seen by what it names, or said of it (`Device.nat`)."""

from __future__ import annotations

from typing import Any

import pytest

from pbx.media.sdp import offer
from tests.switch.town import Phone, Town, assert_at_rest, directory


def town_with(**said: Any) -> Town:
    of = directory()
    devices = (it.model_copy(update=said) if it.id == "101" else it for it in of.devices)
    return Town(of.replaced(devices=tuple(devices)))


def behind_a_nat(town: Town) -> Phone:
    """Ana's phone, which names an address that leads nowhere."""
    ana = town.phone("101", registered=False)
    ana.named_host = "192.168.7.7"
    ana.register()
    return ana


@pytest.mark.parametrize(("nat", "rung"), [("automatic", True), ("always", True), ("never", False)])
def test_a_phone_behind_a_nat_is_rung_where_it_registers_from_unless_it_is_said_to_be_behind_none(nat, rung):
    town = town_with(nat=nat)
    ana, ben = behind_a_nat(town), town.phone("102")
    ben.dial("101")
    town.run(1.0)
    assert bool(ana.talks) is rung
    ben.hang_up()
    town.run(40.0)
    assert_at_rest(town)


def heard_by_ben(town: Town, **elsewhere: Any) -> str:
    """What Ben hears of Ana, who names another address for her media than it comes from."""
    ana, ben = town.phone("101"), town.phone("102")
    address = ana.engine.open(f"{ana.name}/1")
    named = type(address)(**{"host": address.host, "port": address.port, **elsewhere})
    ana.dial("102", sdp=offer(named))
    town.run(0.5)
    ben.answer()
    town.run(2.0)
    heard = ben.heard[-1] if ben.heard else ""
    ben.hang_up()
    assert_at_rest(town)
    return heard


@pytest.mark.parametrize(
    ("nat", "another_host", "another_port"),
    [("automatic", "signature:101", ""), ("never", "", ""), ("always", "signature:101", "signature:101")],
)
def test_media_from_elsewhere_than_named_is_taken_as_far_as_a_nat_explains_it(nat, another_host, another_port):
    assert heard_by_ben(town_with(nat=nat), host="192.168.7.7") == another_host
    assert heard_by_ben(town_with(nat=nat), port=4000) == another_port
