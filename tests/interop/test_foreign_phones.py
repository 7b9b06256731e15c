"""baresip and linphone, configured only by what our server served them, as equals of our own phones.

Each plays a tone of its own from its first packet to its last; who hears whom is read from what the others recorded.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.conftest import need
from tests.interop import sipp
from tests.interop.conftest import SCRIPTED
from tests.interop.foreign import (
    TONES,
    BaresipPhone,
    ForeignPhone,
    booted_baresip,
    booted_linphone,
    wait_to_hear,
    wait_until,
)
from tests.interop.office import PATIENCE_S, Switchroom
from tests.interop.tones import share_of_tone

NUMBERS = {"101b": "101", "102b": "102", "107": "107"}
TONE = "t{10}"
"""A second of it."""
HELD = "s{8}"
"""Music, for most of a second."""
ECHO = "4165550195"


@pytest.fixture(scope="module")
def booted(switchroom: Switchroom, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ForeignPhone]]:
    need("baresip")
    need("linphonec")
    folder = tmp_path_factory.mktemp("phones")
    with ExitStack() as stack:
        yield {
            "101b": stack.enter_context(booted_baresip(switchroom, "101b", folder, "127.0.77.11")),
            "102b": stack.enter_context(booted_baresip(switchroom, "102b", folder, "127.0.77.12")),
            "107": stack.enter_context(booted_linphone(switchroom, "107", folder, "127.0.77.13")),
        }


@pytest.fixture
def phones(switchroom: Switchroom, booted: dict[str, ForeignPhone]) -> Iterator[dict[str, ForeignPhone]]:
    yield booted
    for phone in booted.values():
        phone.rest()
    switchroom.wait_until_idle()


def uri(switchroom: Switchroom, number: str) -> str:
    return f"sip:{number}@{switchroom.domain}"


def connect(switchroom: Switchroom, caller: ForeignPhone, called: ForeignPhone) -> None:
    caller.dial(uri(switchroom, NUMBERS[called.device]))
    called.wait_for_ringing()
    called.answer()
    called.wait_until_up()
    caller.wait_until_up()


PAIRS = [("101b", "102b"), ("102b", "101b"), ("107", "102b"), ("101b", "107")]


@pytest.mark.parametrize("who_hangs_up", ["caller", "called"])
@pytest.mark.parametrize(("calling", "called"), PAIRS)
def test_they_hear_each_other_and_either_hangs_up(switchroom, phones, calling, called, who_hangs_up):
    one, two = phones[calling], phones[called]
    before = switchroom.newest
    connect(switchroom, one, two)
    wait_to_hear(one, called, TONE, two)
    wait_to_hear(two, calling, TONE, one)
    first, second = (one, two) if who_hangs_up == "caller" else (two, one)
    first.hang_up()
    second.wait_until_over()
    record = switchroom.wait_for("cdr.written", after=before)
    assert (record["device"], record["disposition"], record["answered_by"]) == (calling, "ANSWERED", NUMBERS[called])


@pytest.mark.parametrize(("calling", "called", "holder"), [
    ("101b", "102b", "101b"),
    ("101b", "102b", "102b"),
    ("107", "102b", "107"),
    ("101b", "107", "107"),
    ("101b", "107", "101b"),
])  # fmt: skip
def test_who_is_held_hears_music_until_the_call_is_resumed(switchroom, phones, calling, called, holder):
    one, two = phones[calling], phones[called]
    holding, held = (one, two) if holder == calling else (two, one)
    before = switchroom.newest
    connect(switchroom, one, two)
    wait_to_hear(held, holder, TONE, holding)

    holding.hold()
    switchroom.wait_for("call.held", after=before, device=holder)
    wait_to_hear(held, holder, f"{TONE}.*{HELD}", holding)

    holding.resume()
    switchroom.wait_for("call.resumed", after=before, device=holder)
    wait_to_hear(held, holder, f"{TONE}.*{HELD}.*{TONE}", holding)
    one.hang_up()
    two.wait_until_over()


@pytest.mark.parametrize(("calling", "called"), [("101b", "102b"), ("107", "101b")])
def test_keys_lead_through_the_attendant(switchroom, phones, calling, called):
    """Key 3 is a menu; there, an extension may be dialled. Every key must come as a telephone-event."""
    caller, two = phones[calling], phones[called]
    before = switchroom.newest
    caller.dial(uri(switchroom, "400"))
    caller.wait_until_up()
    switchroom.wait_for("attendant.entered", after=before, menu="main")
    caller.press("3")
    entered = switchroom.wait_for("attendant.entered", after=before, menu="sales")
    caller.press(NUMBERS[called])
    two.wait_for_ringing()
    two.answer()
    two.wait_until_up()
    wait_to_hear(two, calling, TONE, caller)
    wait_to_hear(caller, called, TONE, two)
    keys = [event for event in switchroom.events() if event["event"] == "rtp.dtmf" and event["seq"] > before]
    assert [key["method"] for key in keys] == ["rfc4733"] * 4
    assert keys[0]["seq"] < entered["seq"] < keys[1]["seq"]
    caller.hang_up()
    two.wait_until_over()


def test_in_a_conference_each_of_three_hears_the_two_others(switchroom, phones):
    before = switchroom.newest
    for phone in phones.values():
        phone.dial(uri(switchroom, "600"))
        phone.wait_until_up()
    switchroom.wait_for("conference.joined", after=before, participants=3)

    def heard(phone: ForeignPhone) -> set[str]:
        recording = phone.recording()
        return {who for who in phones if recording is not None and share_of_tone(recording, TONES[who]) > 0.2}

    for phone in phones.values():
        others = set(phones) - {phone.device}
        wait_until(lambda: heard(phone) == others, f"{phone.device} hears {others}", *phones.values())  # noqa: B023
    first, *rest = phones.values()
    first.hang_up()
    switchroom.wait_for("conference.left", after=before, participants=2)
    for phone, other in (rest, reversed(rest)):
        wait_until(lambda: heard(phone) == {other.device}, f"{phone.device} hears {other.device}", *rest)  # noqa: B023
    for phone in rest:
        phone.hang_up()
    switchroom.wait_for("conference.ended", after=before)


@pytest.mark.parametrize("fetching", ["*55701", "701"])
def test_a_party_parked_by_a_transfer_hears_music_until_it_is_fetched(switchroom, phones, fetching):
    one, two = phones["101b"], phones["102b"]
    before = switchroom.newest
    connect(switchroom, one, two)
    wait_to_hear(one, "102b", TONE, two)
    two.phone.command("transfer", uri(switchroom, "701"))
    switchroom.wait_for("park.parked", after=before, slot="701", parker="102b")
    wait_to_hear(one, "102b", f"{TONE}.*{HELD}", two)
    two.rest()
    two.dial(uri(switchroom, fetching))
    two.wait_until_up()
    switchroom.wait_for("park.left", after=before, slot="701", outcome="fetched", by="102b")
    wait_to_hear(one, "102b", f"{HELD}.*{TONE}", two)
    wait_to_hear(two, "101b", TONE, one)
    one.hang_up()
    two.wait_until_over()


def test_a_ringing_call_is_picked_up_by_code(switchroom, phones):
    one, two, three = phones["101b"], phones["102b"], phones["107"]
    before = switchroom.newest
    three.dial(uri(switchroom, "102"))
    two.wait_for_ringing()
    one.dial(uri(switchroom, "*35102"))
    one.wait_until_up()
    picked = switchroom.wait_for("call.picked_up", after=before)
    assert (picked["device"], picked["rang"]) == ("101b", "102")
    wait_to_hear(one, "107", TONE, three)
    wait_to_hear(three, "101b", TONE, one)
    two.wait_until_over()
    one.hang_up()
    three.wait_until_over()


@pytest.mark.parametrize("called", ["102b", "107"])
def test_an_intercom_that_a_phone_does_not_answer_by_itself_rings_and_both_talk(switchroom, phones, called):
    """baresip 1.0 and linphone know none of the headers: they must do no harm."""
    one, two = phones["101b"], phones[called]
    before = switchroom.newest
    one.dial(uri(switchroom, f"99{NUMBERS[called]}"))
    two.wait_for_ringing()
    two.answer()
    switchroom.wait_for("intercom.opened", after=before, device=called)
    wait_to_hear(one, called, TONE, two)
    wait_to_hear(two, "101b", TONE, one)
    one.hang_up()
    two.wait_until_over()


def test_a_busy_lamp_is_told_of_a_call_from_ringing_to_its_end(switchroom, phones, tmp_path):
    """baresip 1.0 and linphone have no lamps of this kind: a scenario of sipp has one, and reads what it is told."""
    one, two = phones["101b"], phones["102b"]
    before = switchroom.newest
    with scripted(switchroom, tmp_path, "watch", "102") as lamp:
        switchroom.wait_for("blf.sent", after=before, device=SCRIPTED, extension="102", state="idle")
        one.dial(uri(switchroom, "102"))
        two.wait_for_ringing()
        switchroom.wait_for("blf.sent", after=before, device=SCRIPTED, extension="102", state="ringing")
        two.answer()
        two.wait_until_up()
        switchroom.wait_for("blf.sent", after=before, device=SCRIPTED, extension="102", state="in-use")
        one.hang_up()
        two.wait_until_over()
        assert lamp.wait(PATIENCE_S) == 0, (tmp_path / "output").read_text()[-3000:]


def test_an_intercom_is_answered_by_a_phone_that_does_so_when_it_is_asked_to(switchroom, phones, tmp_path):
    one = phones["101b"]
    before = switchroom.newest
    with scripted(switchroom, tmp_path, "register", "") as registering:
        assert registering.wait(PATIENCE_S) == 0
    with scripted(switchroom, tmp_path, "hands_free", "") as phone:
        one.dial(uri(switchroom, f"99{SCRIPTED}"))
        switchroom.wait_for("intercom.opened", after=before, device=SCRIPTED)
        wait_to_hear(one, "101b", TONE)  # it echoes
        one.hang_up()
        assert phone.wait(PATIENCE_S) == 0, (tmp_path / "output").read_text()[-3000:]


@contextmanager
def scripted(switchroom: Switchroom, folder: Path, scenario: str, whom: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a scenario of sipp as the telephone of a user; it ends by itself, and is ended at last."""
    need("sipp")
    user = sipp.Caller(SCRIPTED, f"interop-secret-{SCRIPTED}-xyz", whom, switchroom.domain)
    callers = sipp.write_callers(folder / f"{scenario}.csv", [user])
    command = sipp.command(
        scenario, f"127.0.0.1:{switchroom.sip_port}", "127.0.77.19", callers=callers, count=1, timeout_s=120, port=5060,
        media_port=16_000,
    )  # fmt: skip
    with (folder / "output").open("w") as output:
        process = subprocess.Popen([*command, "-rtp_echo"], cwd=folder, stdout=output, stderr=output)
        try:
            yield process
        finally:
            process.kill()
            process.wait(PATIENCE_S)


@pytest.mark.parametrize("calling", ["101b", "107"])
def test_611_is_answered_by_the_support_at_any_hour(switchroom, phones, calling):
    caller = phones[calling]
    before = switchroom.newest
    caller.dial(uri(switchroom, "611"))
    caller.wait_until_up()
    wait_to_hear(caller, calling, "s{10}")
    ticket = switchroom.wait_for("support.ticket_opened", after=before)
    assert ticket["extension"] == calling[:3]
    caller.hang_up()
    assert switchroom.wait_for("call.ended", after=before, call=ticket["call"])


@pytest.mark.parametrize("calling", ["101b", "107"])
def test_a_call_outside_carries_sound_there_and_back(switchroom, phones, calling):
    caller = phones[calling]
    caller.dial(uri(switchroom, ECHO))
    caller.wait_until_up()
    wait_to_hear(caller, calling, TONE)
    caller.hang_up()


def test_a_message_lights_the_lamp_is_heard_by_its_owner_and_its_deletion_puts_the_lamp_out(switchroom, phones):
    one, two = phones["101b"], phones["102b"]
    assert isinstance(two, BaresipPhone)
    before = switchroom.newest
    one.dial(uri(switchroom, "7102"))
    one.wait_until_up()
    wait_to_hear(one, "101b", "s{5}")  # the greeting
    switchroom.wait_for("rtp.playing", after=before, source="tone:beep")
    one.run_for(4.0)
    one.hang_up()
    left = switchroom.wait_for("voicemail.left", after=before, box="102")
    assert left["seconds"] >= 2.0
    wait_until(lambda: lamp(two) == ("yes", "1/0"), f"the lamp of 102b is lit, not {lamp(two)}", two)

    two.rest()
    two.dial(uri(switchroom, "5001"))
    two.wait_until_up()
    two.press("4102#")
    switchroom.wait_for("voicemail.opened", after=before, box="102")
    wait_to_hear(two, "101b", TONE)
    two.press("7")
    switchroom.wait_for("voicemail.deleted", after=before, box="102", message=left["message"])
    wait_until(lambda: lamp(two) == ("no", "0/0"), f"the lamp of 102b is out, not {lamp(two)}", two)
    two.hang_up()


def lamp(phone: BaresipPhone) -> tuple[str, str]:
    """Return what the newest NOTIFY said, as baresip prints it: (messages waiting, new/saved)."""
    log = (phone.phone.home / "baresip.log").read_text(errors="replace")
    waiting = log.rpartition("Messages-Waiting: ")[2].split()
    voice = log.rpartition("Voice-Message: ")[2].split()
    return (waiting[0] if waiting else "", voice[0] if voice else "")
