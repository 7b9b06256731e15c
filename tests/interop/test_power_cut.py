"""Acknowledged means durable: `switchroom up` is killed the moment it has said so, and knows it after its restart."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from pbx.sip.sip_events import Cancelled, InviteReceived, Progress, Rejected
from tests.interop.handset import Handset
from tests.interop.office import PATIENCE_S, Switchroom, seed_with

DEVICES = [
    {"id": f"{extension}{letter}", "extension": extension, "password": f"power-cut-{extension}{letter}-xyz"}
    for extension in (101, 102)
    for letter in "klmno"
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    seed_with(tmp_path / "seed.yaml", DEVICES)
    return tmp_path


def first(folder: Path) -> Switchroom:
    return Switchroom(folder, folder / "seed.yaml")


def again(folder: Path, before: Switchroom) -> Switchroom:
    """Start on the data that is there, without a seed, at the same addresses."""
    return Switchroom(folder, None, base=before.base)


def calls(switchroom: Switchroom) -> list[dict[str, Any]]:
    with urlopen(switchroom.ready["console"] + "/api/v1/calls", timeout=PATIENCE_S) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def test_a_phone_that_was_answered_200_is_known_and_rung_after_a_power_cut(folder):
    with first(folder) as running:
        called = Handset(running, "102k")
        (contact,) = called.register(3600).all("Contact")
        running.kill()
    with called, again(folder, running) as later, Handset(later, "101k") as caller:
        assert [known.partition(";")[0] for known in called.bindings()] == [contact.partition(";")[0]]
        calling = caller.dial("102")
        caller.wait_for(Progress)
        rung = called.wait_for(InviteReceived)
        assert rung.session.request.from_.user == "101"
        calling.cancel(time.monotonic())
        caller.wait_for(Rejected)


def test_a_message_and_calls_survive_a_power_cut(folder):
    with first(folder) as running, Handset(running, "101k") as caller, Handset(running, "102k") as owner:
        assert "Voice-Message: 0/0" in owner.lamp()
        session, media = caller.call("7102")
        while not any(e["event"] == "rtp.playing" and e["source"] == "tone:beep" for e in running.events()):
            caller.speak(media, 0.2)  # the greeting does not mind
        caller.speak(media, 3.0)
        owner.call("400")
        running.wait_for("attendant.entered")
        caller.hang_up(session)
        assert "Voice-Message: 1/0" in owner.next_notify()
        running.kill()  # what the turn would have logged goes with it; what it said on the wire does not
    (recording,) = (folder / "data" / "recordings").glob("*.wav")
    assert recording.stat().st_size > 2.0 * 8000
    with again(folder, running) as later, Handset(later, "102k") as owner:
        body = owner.lamp()
        assert ("Messages-Waiting: yes" in body, "Voice-Message: 1/0" in body) == (True, True)
        records = {call["dialled"]: call for call in calls(later)}
        assert set(records) == {"400", "7102"}
        assert (records["7102"]["result"], records["7102"]["path"]) == ("VOICEMAIL", ["mailbox:102"])
        cut = records["400"]
        assert (cut["result"], cut["live"], cut["path"][-1]) == ("SERVER RESTART", False, "server-restart")
        with urlopen(f"{later.ready['console']}/calls/{cut['call']}", timeout=PATIENCE_S) as page:
            assert "only its record is kept" in page.read().decode()


def cut_and_watched(folder: Path, rounds: int) -> None:
    """Round by round a phone registers and watches another; the power goes the moment it has its 200 and NOTIFY.

    After each restart the subscription goes on by itself: the phone is told the present state in the dialog it had,
    and what happens then.
    """
    running = first(folder)
    try:
        for number in range(rounds):
            with Handset(running, DEVICES[number % 5]["id"]) as watcher, ExitStack() as phones:
                watcher.register(3600)
                assert "<dialog " not in watcher.watch("dialog", "102")
                running.kill()
                running = again(folder, running)
                assert "<dialog " not in watcher.next_notify()
                called = phones.enter_context(Handset(running, "102k"))
                caller = phones.enter_context(Handset(running, "101o"))
                called.register(60)
                calling = caller.dial("102")
                caller.wait_for(Progress)
                rung = called.wait_for(InviteReceived)
                assert isinstance(rung, InviteReceived)
                called.ring(rung.session)
                assert "<state>early</state>" in watcher.next_notify()
                calling.cancel(time.monotonic())
                caller.wait_for(Rejected)
                called.wait_for(Cancelled)
    finally:
        running.kill()


def test_what_a_phone_watches_goes_on_after_a_power_cut(folder):
    cut_and_watched(folder, 1)


@pytest.mark.soak
def test_fifty_power_cuts_and_no_subscription_lost(folder):
    cut_and_watched(folder, 50)


@pytest.mark.soak
def test_ten_registrations_ten_power_cuts(folder):
    """One device after another registers, the power goes the moment its 200 is here; all must still be known."""
    running = first(folder)
    contacts: dict[str, str] = {}
    with ExitStack() as phones:
        try:
            asking: dict[str, Handset] = {}
            for device in [device["id"] for device in DEVICES]:
                asking[device] = phones.enter_context(Handset(running, device))
                contacts[device] = asking[device].register(3600).all("Contact")[0].partition(";")[0]
                running.kill()
                running = again(folder, running)
                known = {name: [c.partition(";")[0] for c in asking[name].bindings()] for name in contacts}
                assert known == {name: [contact] for name, contact in contacts.items()}
        finally:
            running.kill()
