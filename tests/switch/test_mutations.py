"""Spoilt SIP and SDP by the thousand, from strangers, the carrier and the phones' own addresses, while people talk."""

from __future__ import annotations

import gc
from pathlib import Path
from random import Random

import pytest

from pbx.domain.registrations import Peer
from pbx.events import ServerFault
from pbx.media.engine import MediaAddress
from pbx.media.sdp import offer
from tests.switch.mutations import spoilt
from tests.switch.town import CARRIER_HOST, SWITCH, Phone, Town, directory

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

STRANGER = "10.0.7.7"
PAGE = 4096


def said_to_the_switch(town: Town, ana: Phone, ben: Phone, cleo: Phone) -> list[bytes]:
    """Real messages of every kind: a day in town, as the switch heard it; none of a call that is still up."""
    heard: list[bytes] = []
    put = town._put
    town._put = lambda source, to, data: (heard.append(data) if to == SWITCH else None, put(source, to, data))[1]
    for phone in (ana, ben, cleo):
        phone.register()
    ana.subscribe()
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(1.0)
    ana.reoffer("sendonly")
    ana.reoffer("sendrecv")
    ana.info("5")
    ben.refer("sip:103@acme.lab")
    cleo.answer()
    town.run(1.0)
    ana.hang_up()
    ana.request("OPTIONS")
    ana.request("MESSAGE", Content_Type="text/plain")
    town.carrier.dial("14165550101")
    town.run(6.0)
    town.carrier.hang_up()
    ana.dial("102")
    ana.hang_up()
    town.run(40.0)
    town._put = put
    return [data for data in heard if data.strip()]


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def shoot(seed: int, count: int) -> None:
    """Spoilt messages at a switch with a call up; then nothing is left of them and the call is as it was.

    Memory is compared between the first half, which fills the rings that keep the newest events, and the second.
    """
    chance = Random(seed)
    town = Town(directory())
    ana, ben, cleo = (town.phone(device) for device in ("101", "102", "103"))
    corpus = said_to_the_switch(town, ana, ben, cleo)
    ana.dial("102")
    town.run(0.5)
    ben.answer()
    town.run(2.0)
    before, talks = town.switch.live(), (ana.talk, ben.talk)
    sources = [Peer("udp", host, 5060) for host in (STRANGER, STRANGER, CARRIER_HOST, ana.host, ben.host)]
    used = []
    for _ in range(2):
        for number in range(count // 2):
            town.mono += 0.0005
            town.switch.receive(spoilt(chance, chance.choice(corpus), corpus), chance.choice(sources), town.now)
            if number % 100 == 99:
                town.run(0.05)
        town.run(150.0)
        assert town.switch.live() == before
        gc.collect()
        used.append(resident_bytes())
    assert used[1] - used[0] < 16 * 1024 * 1024
    assert town.seen(ServerFault) == []
    assert [talk.state for talk in talks] == ["up", "up"]
    ana.talks.append(talks[0])  # a spoilt INVITE of the carrier may have rung her since
    ana.heard.clear()
    ana.reoffer("sendonly")
    ana.reoffer("sendrecv")
    town.run(1.0)
    assert ana.heard[-1] == "signature:102"
    ana.hang_up()
    town.run(40.0)
    assert [talk.state for talk in talks] == ["over", "over"]
    assert {name: left for name, left in town.switch.live().items() if left} == {}


def test_no_spoilt_message_is_a_fault_a_leak_or_the_end_of_a_call():
    shoot(20261126, 20_000)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(50))
def test_a_million_spoilt_messages(seed):
    shoot(seed, 20_000)


def test_the_same_seed_spoils_the_same_way():
    message = offer(MediaAddress("10.0.0.1", 4000))
    once, again = (spoilt(chance, message, [message]) for chance in (Random(7), Random(7)))
    assert once == again
    assert once != message
