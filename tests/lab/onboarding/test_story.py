"""A packet's whole story in virtual time: phones are plugged in, the plan passes, the audit is ten of ten, live."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import pytest

from lab.cli.onboarding import told
from lab.errors import UserError
from lab.onboarding.desk import NoCase, OnboardingDesk, Opened
from lab.onboarding.reading import NORTHSIDE
from lab.onboarding.rehearsal import Story, begins_by_default
from tests.lab.onboarding.story import ADMIN, PACKET

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time


@cache
def the_story():
    """Two weeks of four phones: ten seconds of a core, and so for the soak."""
    story = Story(PACKET, begins_by_default(PACKET, date(2026, 11, 2)))
    return story, list(story.tell())


@pytest.mark.soak
def test_nothing_stands_in_the_way():
    story, lines = the_story()
    assert [line.what for line in lines if not line.good] == []
    assert story.case.done("live")


@pytest.mark.soak
def test_every_phone_shows_its_extension_when_it_is_plugged_in():
    _, lines = the_story()
    shown = next(line.detail for line in lines if line.what.endswith("are plugged in"))
    assert [words.partition(" shows ")[2] for words in sorted(shown)] == [
        "204 Sami Koski", "201 Nadia Roy", "202 Quentin Adler", "203 Rosa Lima",
    ]  # fmt: skip


@pytest.mark.soak
def test_each_stage_s_mail_is_in_the_outbox_of_partner_and_client():
    story, _ = the_story()
    letters = story.outbox.letters()
    assert [caught.subject.partition(": ")[2] for caught in letters] == [
        "welcome, and what we need", "onboarding complete", "training session", "10DLC brand registered",
        "10DLC campaign submitted", "hardware shipped", "welcome",
        "port submitted", "port date confirmed (FOC)", "numbers are here", "you are live",
    ]  # fmt: skip
    assert {caught.to for caught in letters} == {(PACKET.partner.email, ADMIN)}


@pytest.mark.soak
def test_the_audit_of_the_day_is_ten_of_ten_and_the_lent_number_is_gone():
    story, lines = the_story()
    assert any(line.what == "day of port: 10 of 10 lines" for line in lines)
    directory = story.directory(PACKET.domain)
    assert directory is not None
    assert directory.domain.caller_id == PACKET.main_number
    assert not {*PACKET.temporary} & {*directory.numbers_by_digits}


def test_a_packet_without_a_card_stops_before_the_domain(tmp_path):
    path = tmp_path / "packet.yaml"
    path.write_text(NORTHSIDE.read_text().replace("card_or_ach: true", "card_or_ach: false"))
    text, live = told(path, "2026-11-02 09:00", 1, mails=False, as_json=False)
    assert not live
    assert "✗ order complete has to wait" in text
    assert "client: no card or ACH authorisation is on file" in text
    document = json.loads(told(path, "", 1, mails=False, as_json=True)[0])
    assert (document["live"], document["order"]["Domain"]) == (False, PACKET.domain)


@pytest.mark.parametrize(
    ("path", "begins", "words"),
    [(Path("nowhere.yaml"), "", "was not loaded"), (NORTHSIDE, "soon", "'soon' is no moment")],
)
def test_what_cannot_be_read_is_told_in_four_parts(path, begins, words):
    with pytest.raises(UserError) as error:
        told(path, begins, 1, mails=False, as_json=False)
    assert words in error.value.text()


def test_a_case_is_opened_once_and_asked_for_by_its_domain():
    story = Story(PACKET, begins_by_default(PACKET, date(2026, 11, 2)))
    desk = OnboardingDesk(story)
    desk.open(PACKET)
    with pytest.raises(Opened):
        desk.open(PACKET)
    with pytest.raises(NoCase, match=r"open cases: northside\.lab"):
        desk.case("nobody.lab")


def test_the_desk_reminds_once_and_asks_about_each_bad_line_on_the_day():
    story = Story(PACKET, begins_by_default(PACKET, date(2026, 11, 2)))
    desk = OnboardingDesk(story)
    desk.open(PACKET)
    story._pass(timedelta(hours=49))
    desk.tick()
    desk.tick()
    assert [caught.subject for caught in story.outbox.letters()][1:] == [f"{PACKET.company}: forms returned"]
