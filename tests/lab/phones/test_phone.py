from __future__ import annotations

import pytest

from lab.phones.calls import CallState, PhoneCall
from lab.phones.face import cards
from lab.phones.registration import Standing
from lab.world import World
from pbx.callflow.ports import Message, MessageSaved
from pbx.events import CallTransferred, DeviceUnregistered, DigitReceived, LampSent, LegFailed, SubscriptionChanged
from tests.lab.plain_lab import Shelf, small_world, yealink_file


@pytest.fixture
def lab() -> tuple[World, Shelf]:
    world, shelf = small_world()
    assert world.boot_all()
    world.run(0.5)
    return world, shelf


def dial(world: World, device: str, number: str) -> PhoneCall:
    line = world.line(device)
    call = world.press(world.phone(device), lambda: line.dial(number, world.clockwork.mono))
    assert isinstance(call, PhoneCall)
    return call


def press(world: World, device: str, name: str, *args: object) -> object:
    line = world.line(device)
    return world.press(world.phone(device), lambda: getattr(line, name)(*args, world.clockwork.mono))


def talk(world: World, caller: str = "101", called: str = "102") -> tuple[PhoneCall, PhoneCall]:
    one = dial(world, caller, called)
    assert world.run(3.0, lambda: world.line(called).call is not None)
    press(world, called, "answer")
    assert world.run(3.0, lambda: one.state is CallState.UP)
    world.run(1.5)
    two = world.line(called).call
    assert isinstance(two, PhoneCall)
    return one, two


def card(world: World, device: str):
    return next(card for card in cards(world.phone(device), world.now) if card.device == device)


def strip(world: World, device: str) -> dict[str, str]:
    return {part.name: part.result for part in world.phone(device).strip.parts}


def events(world: World, kind: type) -> list:
    return [stamped.event for stamped in world.bus.since(0) if isinstance(stamped.event, kind)]


def test_a_phone_boots_in_the_order_of_its_family_and_shows_its_extension(lab):
    world, shelf = lab
    own = [name for name in shelf.asked if "00010" in name]
    assert [name for name in own if "101" in name] == ["805ec0000101.boot", "805ec0000101.cfg"]
    assert shelf.asked.count("y000000000096.cfg") == 2
    shown = card(world, "101")
    assert (shown.state, shown.screen[1], shown.model, shown.mac) == ("idle", "101", "T54W", "805ec0000101")
    assert strip(world, "101") == dict.fromkeys(strip(world, "101"), "ok")
    assert shown.screen[0] == f"{world.now.wall:%a %H:%M}"


def test_each_state_of_a_boot_is_seen_on_the_way():
    world, _ = small_world()
    seen = []
    phone = world.phone("101")
    assert card(world, "101").state == "off"
    world.power(True, [phone])
    while not (phone.lines and phone.lines[0].registered):
        state = card(world, "101")
        note = (state.state, state.note)
        if note not in seen:
            seen.append(note)
        world.run(0.005)
    assert seen == [(("booting"), part) for part in ("link", "dhcp", "discover", "config", "register")]


def test_an_adapter_registers_both_ports_and_has_no_screen_of_its_own(lab):
    world, _ = lab
    assert world.phone("111") is world.phone("112")
    assert [line.account.user for line in world.phone("111").lines] == ["111", "112"]
    assert (card(world, "112").screen[0], card(world, "112").soft_keys) == ("FXS 2", ())
    one, two = talk(world, "111", "112")
    assert (one.hears, two.hears) == ("signature:112", "signature:111")


def test_two_phones_talk_hear_each_other_and_the_caller_hangs_up(lab):
    world, _ = lab
    one, two = talk(world)
    assert (one.hears, two.hears) == ("signature:102", "signature:101")
    assert (two.number, two.name) == ("101", "Person 101")
    assert card(world, "101").state == "in-call"
    assert card(world, "101").note == "00:01"
    assert card(world, "101").soft_keys == ("Transfer", "Hold", "End call")
    press(world, "101", "hang_up")
    world.run(1.0)
    assert (one.hung_up_by, two.hung_up_by, two.status) == ("us", "peer", 200)
    assert {name: count for name, count in world.live().items() if count} == {}


def test_a_ringing_phone_says_who_calls_and_may_refuse(lab):
    world, _ = lab
    one = dial(world, "101", "102")
    world.run(1.0)
    assert card(world, "102").state == "ringing"
    assert card(world, "102").screen[2] == "Person 101 101 calls"
    assert card(world, "101").screen[2] == "Calling 102"
    assert press(world, "102", "reject")
    world.run(1.0)
    assert world.line("102").call is None
    assert world.line("102").last_call.status == 486
    assert [(event.device, event.status) for event in events(world, LegFailed)] == [("102", 486)]
    assert one.state is not CallState.CALLING


def test_do_not_disturb_refuses_without_ringing(lab):
    world, _ = lab
    world.press(world.phone("102"), lambda: world.line("102").set_do_not_disturb(True))
    dial(world, "101", "102")
    world.run(1.0)
    assert world.line("102").calls == []
    assert card(world, "102").do_not_disturb
    assert card(world, "102").screen[2] == "Do not disturb"


def test_hold_lets_the_other_hear_music_and_resume_brings_the_voice_back(lab):
    world, _ = lab
    one, two = talk(world)
    assert press(world, "101", "hold")
    world.run(1.5)
    assert two.hears == "moh:default"
    assert card(world, "101").state == "held"
    assert not press(world, "101", "hold")
    assert press(world, "101", "resume")
    world.run(1.5)
    assert two.hears == "signature:101"
    assert not press(world, "101", "resume")
    assert one.state is CallState.UP


def test_a_blind_transfer_leaves_the_other_two_together(lab):
    world, _ = lab
    one, two = talk(world)
    assert press(world, "102", "transfer", "111")
    assert world.run(3.0, lambda: world.line("111").call is not None)
    press(world, "111", "answer")
    world.run(3.0)
    assert two.over
    assert " 200 " in two.transfer
    assert (one.hears, world.line("111").call.hears) == ("signature:111", "signature:101")
    assert len(events(world, CallTransferred)) == 1


def test_keys_are_heard_by_either_way_and_one_press_sent_both_ways_is_not_heard_twice(lab):
    world, _ = lab
    one, two = talk(world)
    press(world, "101", "press", "12#")
    world.run(2.0)
    assert [key.sound for key in two.keys] == ["1", "2", "#"]
    for device in ("101", "102"):
        line, phone = world.line(device), world.phone(device)
        world.press(phone, lambda line=line: line.press("9", world.clockwork.mono, by_info=True))
    world.run(1.0)
    pressed = [(event.device, event.digit, event.method) for event in events(world, DigitReceived)]
    assert pressed == [*(("101", digit, "rfc4733") for digit in "12#"), ("101", "9", "info"), ("102", "9", "info")]
    press(world, "101", "press", "5")
    world.press(world.phone("101"), lambda: world.line("101").press("5", world.clockwork.mono, by_info=True))
    world.run(1.0)
    assert [event.digit for event in events(world, DigitReceived)].count("5") == 1
    assert one.state is CallState.UP


def test_nothing_to_press_is_told_by_false(lab):
    world, _ = lab
    for button in ("answer", "reject", "hang_up", "hold", "resume", "conference"):
        assert press(world, "101", button) is False
    assert press(world, "101", "transfer", "102") is False
    assert press(world, "101", "press", "1") is False


def test_a_message_lights_the_lamp(lab):
    world, _ = lab
    message = Message("m1", "102", "new", "m1", 3.0, "101", "unknown", 0.0)
    world.history.submit(MessageSaved(message))
    world.command_switch(lambda switch, now: switch.box_changed("102", now))
    world.run(1.0)
    assert world.line("102").waiting.new == 1
    assert card(world, "102").message_lamp
    assert card(world, "102").screen[2] == "1 new message"
    assert events(world, LampSent)[-1].new == 1


def test_a_resync_that_changes_nothing_keeps_the_line_and_its_call(lab):
    world, _ = lab
    one, _ = talk(world)
    line = world.line("101")
    world.command_switch(lambda switch, now: switch.resync("101", now))
    world.run(2.0)
    assert world.phone("101").strip.parts[3].note == "unchanged", "this maker ignores what it has read before"
    assert world.phone("101").boots == 1
    assert world.line("101") is line
    assert one.state is CallState.UP


def test_a_resync_shows_the_new_label(lab):
    world, shelf = lab
    shelf.files["805ec0000101.cfg"] = yealink_file("101", label="Reception")
    world.command_switch(lambda switch, now: switch.resync("101", now))
    world.run(2.0)
    assert card(world, "101").screen[1] == "Reception"
    assert world.line("101").registered


def test_a_resync_may_ask_for_a_reboot(lab):
    world, _ = lab
    before = len(events(world, SubscriptionChanged))
    world.command_switch(lambda switch, now: switch.resync("101", now, event="check-sync;reboot=true"))
    world.run(0.3)
    assert world.phone("101").booting
    world.run(3.0)
    assert world.line("101").registered
    assert world.phone("101").boots == 2
    assert len(events(world, SubscriptionChanged)) > before


def test_an_account_that_goes_is_unregistered(lab):
    world, shelf = lab
    shelf.files["cfg000b82000111.xml"] = shelf.files["cfg000b82000111.xml"].replace(b"<P401>1</P401>", b"")
    world.command_switch(lambda switch, now: switch.resync("111", now))
    world.run(2.0)
    assert [line.account.user for line in world.phone("111").lines] == ["111"]
    assert [event.device for event in events(world, DeviceUnregistered)] == ["112"]


def test_a_missing_configuration_is_an_error_on_the_screen_until_it_is_there():
    world, shelf = small_world()
    kept = shelf.files.pop("805ec0000101.cfg")
    world.power(True)
    world.run(5.0)
    shown = card(world, "101")
    assert (shown.state, shown.note, shown.screen[1]) == ("fault", "Config 404", "Config 404")
    assert world.phone("101").error == "Config 404"
    shelf.files["805ec0000101.cfg"] = kept
    world.run(40.0)
    assert card(world, "101").state == "idle"


def test_a_wrong_password_is_a_fault_that_says_so():
    world, shelf = small_world()
    shelf.files["805ec0000101.cfg"] = yealink_file("101", password="wrong")
    world.power(True)
    world.run(5.0)
    assert world.line("101").standing is Standing.REFUSED
    shown = card(world, "101")
    assert (shown.state, shown.note, shown.screen[2]) == ("fault", "Register 403", "No service")


def test_pulling_the_plug_tells_nobody_and_power_brings_everything_back(lab):
    world, _ = lab
    talk(world)
    phone = world.phone("101")
    world.power(False, [phone])
    assert (card(world, "101").state, card(world, "101").screen) == ("off", ("", "", ""))
    assert events(world, DeviceUnregistered) == []
    world.power(True, [phone])
    world.run(3.0)
    assert world.line("101").registered


def test_registrations_are_refreshed_before_they_expire(lab):
    world, _ = lab
    world.run(600.0)
    assert world.all_registered()
    assert not [e for e in world.bus.since(0) if e.event.kind == "registration.expired"]


def test_a_phone_keeps_the_url_it_was_told_through_a_loss_of_power_until_it_is_reset():
    world, shelf = small_world()
    extra = (
        "static.auto_provision.server.url = http://10.0.0.2/p/steady/\nstatic.auto_provision.dhcp_option.enable = 0\n"
    )
    shelf.files["805ec0000101.cfg"] = yealink_file("101", extra=extra)
    assert world.boot_all()
    phone = world.phone("101")
    assert phone.kept_url == "http://10.0.0.2/p/steady/"
    world.power(False, [phone])
    world.power(True, [phone])
    world.run(0.65)
    assert phone._boot is not None
    assert phone._boot.url == "http://10.0.0.2/p/steady/"
    world.press(phone, lambda: phone.factory_reset(world.clockwork.mono))
    assert (phone.kept_url, phone.asks_dhcp) == ("", True)


def test_the_switch_restarts_and_phones_stay_reachable(lab):
    world, _ = lab
    world.restart_switch(2.0)
    world.run(2.5)
    one, two = talk(world)
    assert (one.hears, two.hears) == ("signature:102", "signature:101")


@pytest.mark.parametrize("number", range(6))
def test_phones_boot_call_and_leave_nothing_behind_on_a_bad_wire(number):
    from lab.wire import Impairment

    world, _ = small_world(number, Impairment(0.01, 0.02, loss=0.1, duplication=0.05))
    assert world.boot_all(120.0)
    one, two = talk(world)
    world.run(5.0)
    assert (one.hears, two.hears) == ("signature:102", "signature:101")
    press(world, "102", "hang_up")
    world.run(60.0)
    assert {name: count for name, count in world.live().items() if count} == {}
