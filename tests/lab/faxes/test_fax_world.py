"""Fax accounts in virtual time: mail, tries, restarts, and what is told when a fax cannot be."""

from __future__ import annotations

from functools import partial

import pytest

from lab.faxes.paper import digests, sample
from lab.rehearsal import virtual_world
from lab.seeds.load import OFFICE, load_seed
from lab.wire import Impairment
from lab.world import CARRIER, SWITCH, World
from pbx.callflow.ports import FaxSaved
from pbx.domain.history import Fax
from pbx.events import (
    CallInvited,
    Event,
    FaxFailed,
    FaxQueued,
    FaxReceived,
    FaxSent,
    FaxTurned,
    LegInvited,
    MediaReport,
    SipResponse,
)
from pbx.media.engine import Capability, MediaAddress
from pbx.media.fax.sdp import offer_fax
from pbx.sip.uri import NameAddr

SEED = load_seed(OFFICE.with_name("fax.yaml"))
MACHINE, BUSY, NOBODY = "14165550156", "14165550144", "14165550145"


@pytest.fixture
def world() -> World:
    made = virtual_world(SEED, 1)
    assert made.boot_all()
    return made


def send(world: World, to: str, pages: int = 1, account: str = "office", sender: str = "ana@fax.lab") -> Fax:
    world.cabinet.put("fax-given", sample(pages, 3).tiff)
    given = world.command_switch(
        lambda switch, now: switch.send_fax(account, to, "fax-given", pages, now, sender=sender)
    )
    assert isinstance(given, Fax)
    return given


def come_in(world: World, to: str = "14165550122", pages: int = 2) -> None:
    world.machines_cabinet.put("put-in", sample(pages, 9).tiff)
    line = world.carrier.line(MACHINE)
    assert world.press_outside(lambda: line.fax(to, "put-in", pages, world.now.mono))


def told(world: World, kind: type[Event]) -> list[Event]:
    return [stamped.event for stamped in world.bus.since(0) if isinstance(stamped.event, kind)]


def seen(world: World, kind: type[Event]) -> bool:
    return bool(told(world, kind))


def test_what_comes_goes_by_mail_as_pdf_and_tiff_with_the_very_pages(world: World) -> None:
    come_in(world)
    assert world.run(60, lambda: bool(world.outbox.letters()))
    (caught,) = world.outbox.letters("office@fax.lab")
    assert caught.subject == f"Fax from {MACHINE}, 2 pages"
    kinds = [kind for _, kind, _ in caught.attachments]
    assert kinds == ["application/pdf", "image/tiff"]
    assert digests(caught.attachments[1][2]) == digests(sample(2, 9).tiff)
    assert caught.attachments[0][2].startswith(b"%PDF")
    world.run(5)
    assert {report.mos for report in told(world, MediaReport) if report.codec == "T38"} == {None}, "no sound, no MOS"


def test_an_account_gets_what_comes_in_the_form_it_wants_alone(world: World) -> None:
    for account, number, kind in (
        ("plain", "14165550123", "image/tiff"),
        ("archive", "14165550124", "application/pdf"),
    ):
        come_in(world, to=number, pages=1)
        address = f"{account}@fax.lab"
        assert world.run(60, lambda address=address: bool(world.outbox.letters(address)))
        (caught,) = world.outbox.letters(address)
        assert [found for _, found, _ in caught.attachments] == [kind]
        world.run(5)


def test_pages_arrive_though_the_wire_loses_datagrams() -> None:
    world = virtual_world(SEED, 4, Impairment(loss=0.05))
    assert world.boot_all(120)
    come_in(world)
    assert world.run(120, lambda: seen(world, FaxReceived))
    (fax,) = world.history.faxes()
    assert digests(world.cabinet.get(fax.document) or b"") == digests(sample(2, 9).tiff)


def test_a_busy_number_is_tried_again_after_a_while_and_then_given_up_and_the_sender_told(world: World) -> None:
    send(world, BUSY)
    assert world.run(10, lambda: len(told(world, FaxQueued)) == 2)
    again = told(world, FaxQueued)[-1]
    assert isinstance(again, FaxQueued)
    assert (again.tries, again.problem) == (1, "busy")
    assert not world.run(25, lambda: seen(world, FaxFailed)), "30 s are to pass first"
    assert world.run(10, lambda: bool(world.outbox.letters()))
    (fax,) = world.history.faxes()
    assert (fax.status, fax.tries, fax.problem) == ("failed", 2, "busy")
    assert world.outbox.letters("ana@fax.lab")[0].subject == f"Fax to +{BUSY} was not sent: busy"
    assert len(told(world, LegInvited)) == 2


def test_a_number_that_does_not_exist_is_not_tried_again(world: World) -> None:
    send(world, NOBODY)
    assert world.run(10, lambda: seen(world, FaxFailed))
    assert world.history.faxes()[0].problem == "there is no such number"


def test_a_fax_that_is_older_than_its_account_keeps_goes_when_another_is_over(world: World) -> None:
    for name, account in (("old", "office"), ("other", "archive")):
        gone = Fax(
            name, account, "in", "received", MACHINE, at=world.now.wall.timestamp() - 366 * 86_400, document=name
        )
        world.command_switch(lambda switch, now, fax=gone: switch.submit(FaxSaved(fax)))
    send(world, NOBODY)
    assert world.run(10, lambda: seen(world, FaxFailed))
    assert {fax.id for fax in world.history.faxes()} & {"old", "other"} == {"other"}


def test_a_person_who_answers_is_no_fax_machine(world: World) -> None:
    send(world, "14165550142")
    assert world.run(90, lambda: len(told(world, FaxQueued)) == 2)
    assert world.history.faxes()[0].problem == "Timed out waiting for initial communication"


def test_who_gave_a_fax_is_told_that_it_was_sent(world: World) -> None:
    send(world, MACHINE, 3)
    assert world.run(90, lambda: bool(world.outbox.letters()))
    (caught,) = world.outbox.letters("ana@fax.lab")
    assert caught.subject == f"Fax to +{MACHINE} was sent"
    assert "Pages sent: 3 of 3" in caught.text


def test_between_two_accounts_of_the_house_the_pages_are_handed_over_and_nobody_is_called(world: World) -> None:
    send(world, "14165550124")
    assert world.run(5, lambda: seen(world, FaxReceived))
    assert sorted((fax.account, fax.status, fax.document) for fax in world.history.faxes()) == [
        ("archive", "received", "fax-given"), ("office", "sent", "fax-given"),
    ]  # fmt: skip
    assert not seen(world, CallInvited)


def test_without_a_fax_engine_a_call_is_not_answered_and_nothing_is_sent_and_both_are_said(world: World) -> None:
    world.switch_engine.capabilities = frozenset(Capability) - {Capability.FAX}
    come_in(world)
    send(world, MACHINE)
    assert world.run(30, lambda: len(told(world, FaxFailed)) == 2)
    assert {event.problem for event in told(world, FaxFailed)} == {  # type: ignore[attr-defined]
        "fax engine unavailable: the media engine has no fax machines"
    }
    (call,) = world.carrier.line(MACHINE).calls
    assert world.run(5, lambda: call.over)
    assert call.status == 480


def test_who_hangs_up_in_the_middle_leaves_a_fax_that_failed(world: World) -> None:
    come_in(world)
    assert world.run(20, lambda: seen(world, FaxTurned))
    world.press_outside(lambda: world.carrier.line(MACHINE).hang_up(world.now.mono))
    assert world.run(10, lambda: seen(world, FaxFailed))
    (fax,) = world.history.faxes()
    assert (fax.status, fax.pages, fax.document) == ("failed", 0, "")
    world.run(40)
    assert {name: count for name, count in world.live().items() if count} == {}


def test_a_restart_in_the_middle_ends_what_came_in_and_sends_again_what_was_going_out(world: World) -> None:
    come_in(world)
    send(world, "14165550157")
    assert world.run(20, lambda: len([fax for fax in world.history.faxes() if fax.call]) == 2)
    world.run(2)
    world.restart_switch()
    assert world.run(120, lambda: seen(world, FaxSent))
    by_direction = {fax.direction: fax for fax in world.history.faxes()}
    assert (by_direction["in"].status, by_direction["in"].problem) == ("failed", "the switch was restarted")
    assert (by_direction["out"].status, by_direction["out"].tries) == ("sent", 2)


def test_a_caller_who_offers_t38_alone_has_it_at_once(world: World) -> None:
    stack, to = world.carrier._stack, f"sip:+14165550122@{world.directory.domain.name}"
    session = stack.invite(
        to, SWITCH, from_=NameAddr(f"sip:+{MACHINE}@{CARRIER.host}"), to=NameAddr(to),
        sdp=offer_fax(MediaAddress(CARRIER.host, 20_000)), now=world.now.mono,
    )  # fmt: skip
    world.clockwork.settle(world.carrier_node)
    assert world.run(5, lambda: session.remote_sdp is not None)
    assert b"m=image" in (session.remote_sdp or b"")
    assert world.run(120, lambda: seen(world, FaxFailed)), "nobody sends anything"
    assert world.history.faxes()[0].over == "T.38"


def test_nobody_but_a_fax_machine_takes_t38_alone(world: World) -> None:
    stack, hall = world.carrier._stack, f"sip:+14165550125@{world.directory.domain.name}"
    session = stack.invite(
        hall, SWITCH, from_=NameAddr(f"sip:+{MACHINE}@{CARRIER.host}"), to=NameAddr(hall),
        sdp=offer_fax(MediaAddress(CARRIER.host, 20_000)), now=world.now.mono,
    )  # fmt: skip
    world.clockwork.settle(world.carrier_node)
    assert world.run(30, lambda: session.over)
    assert session.remote_sdp is None


def test_two_machines_that_ask_for_t38_at_once_are_both_put_off_and_then_one_has_it(world: World) -> None:
    lab, hall = world.line("305"), world.line("304")
    world.machines_cabinet.put("put-in", sample(1, 9).tiff)
    assert world.press(world.phone("305"), lambda: lab.fax("14165550125", "put-in", 1, world.now.mono))
    assert world.run(5, lambda: all(one.call is not None and one.call.up_at is not None for one in (lab, hall)))
    for line, device in ((lab, "305"), (hall, "304")):
        call = line.call
        assert call is not None
        world.press(world.phone(device), partial(line.fax_sensed, call, world.now.mono))
    assert world.run(90, lambda: bool(hall.faxes and lab.faxes))
    assert [(seen.problem, seen.pages, seen.over) for seen in (*hall.faxes, *lab.faxes)] == [("", 1, "T.38")] * 2
    refused = [event for event in told(world, SipResponse) if event.status == 491]  # type: ignore[attr-defined]
    assert len(refused) >= 2
