"""Lines that are bad on purpose: per link and direction, from one seed, with counters, in virtual and in real time."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from lab.api.faults import FaultsApi
from lab.cli.faults import ways
from lab.errors import UserError
from lab.faults import EVERYBODY, line_of, minutes, read, said
from lab.lab_settings import LabSettings
from lab.network.presets import names, network
from lab.phones.boot import BootPace
from lab.real_lines import RealLines
from lab.rehearsal import booted_world
from lab.rough_line import RoughLine
from lab.seeds.load import load_seed
from lab.service import Lab
from lab.wire import Impairment, Wire, WireCounts
from lab.world import World
from pbx.events import FaultBegan, FaultEnded
from pbx.sip.address import Peer

SEED = load_seed()
A, B = Peer("udp", "10.0.0.1", 5060), Peer("udp", "10.0.0.2", 5060)
LOSSY = Impairment(loss=0.5)


# --- the wire -----------------------------------------------------------------------------------------


def test_a_way_counts_what_became_of_its_datagrams():
    wire = Wire(7)
    wire.impair(LOSSY, source=A.host)
    for _ in range(400):
        wire.send(A, B, b"x", 0.0)
    counts = wire.counts_of(A.host, "*")
    assert counts.sent == counts.lost + counts.delivered == 400
    assert 150 < counts.lost < 250
    assert wire.counts_of("*", A.host) == WireCounts()


def test_the_next_two_of_a_method_are_lost_and_no_other():
    wire = Wire(7)
    wire.drop_next(2, b"INVITE ", source=A.host)
    for first in (b"OPTIONS sip:x", b"INVITE sip:1", b"INVITE sip:2", b"INVITE sip:3"):
        wire.send(A, B, first, 0.0)
        wire.send(B, A, first, 0.0)
    arrived = [packet for _ in range(8) if (packet := wire.take_due(1.0)) is not None]
    assert sorted(p.data for p in arrived if p.to == B) == [b"INVITE sip:3", b"OPTIONS sip:x"]
    assert len([p for p in arrived if p.to == A]) == 4


# --- what is asked for --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({}, Impairment()),
        ({"loss": "3", "delay_ms": 40}, Impairment(delay_s=0.04, loss=0.03)),
        ({"jitter_ms": 15, "duplication": 1, "kbit_s": 800}, Impairment(jitter_s=0.015, duplication=0.01, kbit_s=800)),
    ],
)
def test_figures_are_read(told, line):
    assert read(told) == line


@pytest.mark.parametrize(
    ("told", "complaint"),
    [({"los": 3}, "no 'los'"), ({"loss": 101}, "loss cannot be 101"), ({"loss": "much"}, "cannot be 'much'"),
     ({"delay_ms": -1}, "cannot be -1")],
)  # fmt: skip
def test_what_is_no_figure_is_told_by_name(told, complaint):
    with pytest.raises(UserError, match=complaint):
        read(told)


def test_minutes_are_whole_and_above_nothing():
    assert minutes("5") == 300
    for wrong in ("0", "-1", "soon"):
        with pytest.raises(UserError, match="minutes"):
            minutes(wrong)


def test_figures_on_the_command_line_are_for_one_way_or_both():
    assert ways(["loss=3", "to.delay_ms=40"]) == {
        "to_provider": {"loss": "3", "delay_ms": "40"}, "from_provider": {"loss": "3"},
    }  # fmt: skip
    for wrong in ("loss", "up.loss=3", "speed=3"):
        with pytest.raises(UserError, match="no figure"):
            ways([wrong])


def test_every_preset_is_a_line_in_words():
    assert all(said(way) for name in names() for way in line_of(network(name)))
    assert line_of(network("provider-down"))[0].loss == 1.0


# --- in virtual time ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def booted() -> World:
    return booted_world(SEED)


@pytest.fixture
def world(booted: World):
    yield booted
    booted.faults.clear()


def told(world: World, kind: type) -> list:
    return [stamped.event for stamped in world.bus.since(0) if type(stamped.event) is kind]


def lost(world: World, device: str) -> tuple[bool, bool]:
    """Whether all is lost that the phone sends, and that is sent to it."""
    line = world.phone(device)
    host = world._phone_nodes[line].host
    return world.wire.impairment(host, "10.0.0.1").loss == 1.0, world.wire.impairment("10.0.0.1", host).loss == 1.0


def test_the_narrowest_link_that_has_a_fault_holds(world: World):
    world.faults.put(EVERYBODY, Impairment(loss=1.0), Impairment())
    assert (lost(world, "101"), lost(world, "105")) == ((True, False), (True, False))
    world.faults.put("site Laval", Impairment(), Impairment(loss=1.0))
    world.faults.put("phone 106", Impairment(), Impairment())
    assert [lost(world, device) for device in ("101", "105", "106")] == [(True, False), (False, True), (False, False)]
    world.faults.clear("site Laval")
    assert lost(world, "105") == (True, False)


def test_a_fault_ends_when_its_time_is_over_and_both_are_events(world: World):
    world.faults.preset("phone 101", "lte", for_s=60.0)
    world.run(59.0)
    (active,) = world.faults.active
    assert (active.link, active.preset) == ("phone 101", "lte")
    world.run(2.0)
    assert world.faults.active == ()
    assert told(world, FaultBegan)[-1] == FaultBegan("phone 101", "lte", "lte", 60.0)
    assert told(world, FaultEnded)[-1] == FaultEnded("phone 101", "its time was over")


def test_a_fault_that_was_put_anew_is_not_ended_by_the_former_ones_time(world: World):
    world.faults.preset("phone 101", "lte", for_s=60.0)
    world.faults.preset("phone 101", "satellite")
    world.run(120.0)
    assert [fault.preset for fault in world.faults.active] == ["satellite"]


def test_counters_are_of_the_link_and_each_direction(world: World):
    world.faults.put("phone 101", Impairment(loss=1.0), Impairment())
    world.press(world.phone("101"), lambda: world.line("101").registration.ask(world.now.mono))
    world.run(3.0)
    (view,) = [view for view in world.faults.report() if view.link == "phone 101"]
    assert view.counts["to_provider"].sent == view.counts["to_provider"].lost > 0
    assert world.faults.report()[0] == view, "what is bad stands first"


@pytest.mark.parametrize("link", ["phone 999", "site Nowhere", "", "everyone"])
def test_a_link_there_is_not_is_told_with_those_there_are(world: World, link: str):
    with pytest.raises(UserError, match=f"no link '{link}'") as refused:
        world.faults.preset(link, "lte")
    assert "everybody, site Laval" in refused.value.remedy


def test_the_phones_of_a_site_are_reachable_at_once_behind_another_network(world: World):
    world.networks.put("Laval", network("good-lan"))
    world.run(2.0)
    assert world.switch.binding("105").peer.host.startswith("203.0.113.")
    world.networks.put("Laval", None)
    world.run(2.0)
    assert world.switch.binding("105").peer.host.startswith("10.0.1.")


# --- the API ------------------------------------------------------------------------------------------


@pytest.fixture
async def api(aiohttp_client, world: World):
    app = web.Application()
    FaultsApi(lambda: world.faults).route(app)
    return await aiohttp_client(app)


async def test_faults_are_listed_begun_and_ended_over_the_api(api, world: World):
    begun = await api.post("/api/v1/faults/phone%20101", json={"to_provider": {"loss": 3}, "minutes": 5})
    assert (begun.status, (await begun.json())["what"]) == (200, "to provider: 3 % lost")
    listed = await (await api.get("/api/v1/faults")).json()
    first = listed["links"][0]
    assert (first["link"], first["to_provider"]["loss"], round(first["ends_in_s"])) == ("phone 101", 0.03, 300)
    assert listed["presets"] == names()
    assert (await (await api.delete("/api/v1/faults")).json()) == {"ended": ["phone 101"]}
    assert world.faults.active == ()


@pytest.mark.parametrize(
    ("path", "body", "complaint"),
    [
        ("phone%20101", {"preset": "3g"}, "no network is called '3g'"),
        ("phone%20101", {"to_provider": 3}, "this is no line"),
        ("phone%20101", {"minutes": -1}, "no number of minutes"),
        ("nowhere", {"preset": "lte"}, "no link 'nowhere'"),
        ("phone%20101/drop", {"count": 0}, "cannot be dropped"),
        ("phone%20101/drop", {"method": "PING"}, "cannot be dropped"),
        ("phone%20101/drop", {"direction": "up"}, "no direction"),
    ],
)
async def test_what_cannot_be_is_refused_in_four_parts(api, path, body, complaint):
    answer = await api.post(f"/api/v1/faults/{path}", json=body)
    error = (await answer.json())["error"]
    assert (answer.status, complaint in error["happened"]) == (400, True), error
    assert (await api.post("/api/v1/faults/everybody", data=b"{")).status == 400


# --- in real time -------------------------------------------------------------------------------------


async def test_a_rough_line_delays_and_loses_what_passes_and_nothing_once_it_is_good():
    sent: list[bytes] = []
    came: list[bytes] = []
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    def into(data: bytes, source: Peer) -> None:
        came.append(data)
        done.set()

    line = RoughLine(3, loop.time, lambda data, to: sent.append(data), into)
    line.impair((Impairment(loss=1.0), Impairment(delay_s=0.05)))
    begun = loop.time()
    line.send(b"lost", A)
    line.receive(b"late", A)
    async with asyncio.timeout(10):
        await done.wait()
    assert loop.time() - begun >= 0.05
    assert (sent, came, line.counts[0].lost) == ([], [b"late"], 1)
    line.impair(None)
    assert not line.bad
    line.close()


@pytest.mark.realtime
async def test_phones_on_sockets_feel_a_fault_in_sip_and_in_voice():
    """101 is cut off towards the provider in mid-call: nothing of it is heard any more, and it is counted."""
    lab = Lab(SEED, LabSettings(pyvoip=False, pace=BootPace(0.02, 0.02, 0.02)))
    await lab.start()
    try:
        assert await lab.boot_phones(60)
        phones = {phone.extensions[0].device: phone for phone in lab.phones}
        one, two = phones["101"], phones["102"]
        lab.press(one, lambda: one.lines[0].dial("102", lab.now.mono))
        assert await lab.until(lambda: bool(two.lines[0].live_calls), 20)
        lab.press(two, lambda: two.lines[0].answer(lab.now.mono))
        assert await lab.until(lambda: any(s.sound == "signature:101" for s in two.lines[0].ears), 20)
        lab.faults.put("phone 101", Impairment(loss=1.0), Impairment())

        def counted() -> WireCounts:
            return next(view for view in lab.faults.report() if view.link == "phone 101").counts["to_provider"]

        assert await lab.until(lambda: counted().lost > 20, 20)
        assert counted().delivered == 0
        lab.faults.clear()
        lab.press(one, lambda: one.lines[0].hang_up(lab.now.mono))
        assert await lab.until(lambda: not two.lines[0].live_calls, 20)
        lab.faults.drop("phone 101", "to_provider", 2, "INVITE")
        lab.press(one, lambda: one.lines[0].dial("102", lab.now.mono))
        assert await lab.until(lambda: bool(two.lines[0].live_calls), 30), "the third INVITE arrives"
    finally:
        await lab.close()


def test_a_lab_without_phones_has_no_lines():
    assert RealLines(None, None).lines() == []
