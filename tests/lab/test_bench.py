from __future__ import annotations

import json

import pytest

from lab.bench import LabBench
from lab.carrier import FAX_MACHINES
from lab.house import House
from lab.rehearsal import virtual_world
from lab.seeds.load import load_seed
from lab.world import World
from pbx.callflow.ports import Message, MessageSaved
from pbx.events import CallRouted
from test_plans.bench import Bench, BenchDevice, CannotDo
from tests.lab.plain_lab import Shelf, small_world


@pytest.fixture
def lab() -> tuple[World, Shelf, LabBench]:
    world, shelf = small_world()
    assert world.boot_all()
    world.run(0.5)
    house: House = world
    return world, shelf, LabBench(house)


def device(bench: Bench, id_: str) -> BenchDevice:
    return next(item for item in bench.devices() if item.id == id_)


def test_devices_come_in_a_fixed_order_with_what_a_plan_may_know(lab):
    world, _, bench = lab
    faxes = [number for number, habit in world.carrier.habits.items() if habit in FAX_MACHINES]
    assert [item.id for item in bench.devices()] == [
        "101", "102", "111", "112", "14165550148", "14165550149", *faxes, "browser-1", "browser-2",
    ]  # fmt: skip
    one = device(bench, "101")
    assert (one.extension, one.number, one.family, one.model) == ("101", "101", "yealink/t4x_t5x", "T54W")
    assert (one.label, one.mac, one.site, one.registered, one.idle, one.lamp) == (
        "101", "805ec0000101", "", True, True, False,
    )  # fmt: skip
    assert "101" in one.screen
    assert device(bench, "111").screen == ""
    assert "screen" not in device(bench, "111").capabilities
    outside = device(bench, "14165550148")
    assert (outside.family, outside.extension, outside.registered) == ("outside", "", True)
    assert outside.traits == {"a person"}
    assert bench.numbers()["busy"] == "14165550144"
    assert (bench.domain, bench.virtual) == ("small.lab", True)


def test_a_call_is_made_by_buttons_and_proved_by_ears(lab):
    world, _, bench = lab
    one, two = device(bench, "101"), device(bench, "102")
    predicted = bench.why(one, "102")
    one.do("dial", "102")
    world.run(1.0)
    assert two.hold_target == "Person 101 101"
    two.do("answer")
    world.run(2.0)
    assert [sound.sound for sound in one.heard()] == ["signature:102"]
    assert not one.idle
    routed = [stamped.event for stamped in bench.bus.since(0) if isinstance(stamped.event, CallRouted)]
    assert routed[0].record == predicted
    one.do("hold")
    world.run(1.0)
    one.do("resume")
    one.do("press", "5")
    world.run(1.0)
    two.do("hangup")
    world.run(2.0)
    assert one.idle
    assert set(bench.live().values()) == {0}


def test_why_from_outside_equals_the_record_of_the_call(lab):
    world, _, bench = lab
    outside = device(bench, "14165550148")
    predicted = bench.why(outside, "101")
    outside.do("dial", "101")
    world.run(1.0)
    routed = [stamped.event for stamped in bench.bus.since(0) if isinstance(stamped.event, CallRouted)]
    assert routed[0].record == predicted
    assert json.loads(predicted)["outcome"]


@pytest.mark.parametrize(
    ("who", "action", "words"),
    [
        ("101", "answer", "101 cannot answer while it is idle"),
        ("101", "fly", "101 has no way to fly"),
        ("14165550148", "hold", "14165550148 has no way to hold"),
        ("14165550148", "hangup", "is idle"),
    ],
)
def test_what_cannot_be_done_says_why(lab, who, action, words):
    _, _, bench = lab
    with pytest.raises(CannotDo, match=words):
        device(bench, who).do(action)


def test_power_and_reboot(lab):
    world, _, bench = lab
    one = device(bench, "101")
    bench.pbx("unplug", {"device": "101"})
    assert not one.registered
    with pytest.raises(CannotDo, match="not registered"):
        one.do("dial", "102")
    with pytest.raises(CannotDo, match="no configuration yet"):
        one.do("answer")
    bench.pbx("plug", {"device": "101"})
    world.run(3.0)
    assert one.registered
    one.do("reboot")
    assert not one.registered
    world.run(3.0)
    assert one.registered


def test_the_operator_resyncs_relabels_and_lets_in_again(lab):
    world, shelf, bench = lab
    asked = len(shelf.asked)
    bench.pbx("resync", {"device": "101"})
    world.run(1.0)
    assert len(shelf.asked) > asked
    bench.pbx("relabel", {"device": "101", "label": "Reception"})
    assert world.directory.devices_by_id["101"].label == "Reception"
    assert world.directory.revision == 2
    bench.pbx("provisioning_reopen", {"device": "101"})
    assert shelf.asked[-1] == "reopen 805ec0000101"
    bench.pbx("unplug", {"device": "101"})
    bench.pbx("restart", {})
    world.run(600.0)
    with pytest.raises(CannotDo, match="nowhere to send"):
        bench.pbx("resync", {"device": "101"})


def test_a_phone_that_is_reset_boots_as_from_its_box(lab):
    world, shelf, bench = lab
    one = device(bench, "101")
    asked = len(shelf.asked)
    one.do("reset")
    assert not one.registered
    world.run(5.0)
    assert one.registered
    assert len(shelf.asked) > asked


def test_today_is_a_holiday_when_the_operator_says_so():
    world = virtual_world(load_seed(), 1)
    bench = LabBench(world)

    def is_a_holiday() -> bool:
        return world.directory.frames_by_name["holidays"].covers(world.now.wall, world.directory.domain.time_zone)

    before = world.directory.frames_by_name["holidays"]
    bench.pbx("holiday", {"time_frame": "holidays", "state": "on"})
    assert is_a_holiday()
    bench.pbx("holiday", {"time_frame": "holidays", "state": "off"})
    assert not is_a_holiday()
    assert world.directory.frames_by_name["holidays"] == before
    with pytest.raises(CannotDo, match="no list of holidays but of kind days-of-week"):
        bench.pbx("holiday", {"time_frame": "lunch", "state": "on"})


@pytest.mark.parametrize(
    ("who", "outside", "callback", "address"),
    [
        ("101", "14165550101", "14165550100", "Floor 3"),
        ("104", "14165550100", "14165550111", "Basement, laboratory"),
        ("105", "14505550110", "14505550110", "Suite 12"),
        ("14165550142", "14165550142", "", ""),
    ],
)
def test_a_plan_knows_what_others_outside_and_the_emergency_desk_should_be_told(who, outside, callback, address):
    one = device(LabBench(virtual_world(load_seed(), 1)), who)
    assert (one.outside_number, one.emergency_number) == (outside, callback)
    assert address in one.emergency_address


def test_the_operator_empties_a_mailbox(lab):
    world, _, bench = lab
    world.history.submit(MessageSaved(Message("m1", "102", "new", "m1", 3.0, "101", "signature:101", 0.0)))
    assert bench.messages("102")[0]["heard"] == "signature:101"
    world.command_switch(lambda switch, now: switch.box_changed("102", now))
    world.run(1.0)
    assert device(bench, "102").lamp
    bench.pbx("empty_mailbox", {"box": "102"})
    world.run(1.0)
    assert bench.messages("102") == []
    assert not device(bench, "102").lamp


def test_the_operator_sets_do_not_disturb(lab):
    world, _, bench = lab
    bench.pbx("dnd", {"extension": "102", "state": "on"})
    device(bench, "101").do("dial", "102")
    world.run(1.0)
    assert device(bench, "102").idle
    with pytest.raises(CannotDo, match="on or off"):
        bench.pbx("dnd", {"extension": "102", "state": "maybe"})


@pytest.mark.parametrize(
    ("action", "arguments", "words"),
    [
        ("explode", {}, "has no explode"),
        ("relabel", {"device": "999", "label": "x"}, "there is no '999'"),
        ("rule", {"extension": "101", "index": "0", "state": "on"}, "has 0 rules"),
    ],
)
def test_orders_that_make_no_sense_are_refused(lab, action, arguments, words):
    _, _, bench = lab
    with pytest.raises(CannotDo, match=words):
        bench.pbx(action, arguments)
