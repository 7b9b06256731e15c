"""Prompts of the domain: given by a file, recorded by a telephone that is rung, heard by callers."""

from __future__ import annotations

from pbx.domain.kept import KeptPrompt
from pbx.events import CallRecordWritten, PromptKept, PromptMissing
from pbx.media.virtual import Kept
from tests.switch.town import Town, assert_at_rest, directory


def kept(name="attendant-welcome", recording="ours"):
    return KeptPrompt("", name, recording, 2.0, "upload")


def heard_at_the_attendant(town, ana=None):
    ana = ana or town.phone("101")
    ana.dial("400")
    town.run(2.5)
    ana.hang_up()
    town.run(1.0)
    assert_at_rest(town)
    return ana.heard


def test_callers_hear_the_domain_s_own_prompt_instead_of_the_one_that_ships():
    town = Town(directory())
    town.engine._recordings["ours"] = Kept(2.0, "signature:voice")
    town.switch.keep_prompt(kept(), town.now)
    assert town.last(PromptKept).name == "attendant-welcome"
    ana = town.phone("101")
    assert heard_at_the_attendant(town, ana)[0] == "signature:voice"
    town.switch.remove_prompt("", "attendant-welcome", town.now)
    ana.heard.clear()
    assert heard_at_the_attendant(town, ana)[0] == "prompt:attendant-welcome"


def test_a_prompt_that_is_gone_or_never_was_is_told_and_the_caller_is_helped_on():
    town = Town(directory())
    town.switch.keep_prompt(kept(recording="nowhere"), town.now)
    assert heard_at_the_attendant(town)[0] == "prompt:attendant-no-greeting"
    assert town.last(PromptMissing).recording == "nowhere"
    menus = [{"name": "main", "greeting": "spring-sale", "keys": {1: "user 101"}}]
    town = Town(directory(attendants=[{"extension": 400, "name": "Main", "menus": menus}], numbers=[]))
    assert heard_at_the_attendant(town)[0] == "prompt:attendant-no-greeting"
    assert town.last(PromptMissing).recording == "spring-sale"


def test_a_telephone_is_rung_and_records_a_prompt():
    town = Town(directory())
    ben = town.phone("102")
    call = town.switch.record_prompt("102", "", "welcome", town.now)
    town.run(1.0)
    assert ben.talk.state == "ringing"
    ben.answer()
    town.run(1.8)
    assert ben.heard[-1] == "tone:beep"
    town.run(3.0)
    ben.press("#1")
    town.run(4.0)
    assert ben.talk.state == "over"
    (prompt,) = town.history.prompts("").values()
    assert (prompt.name, prompt.origin) == ("welcome", "call")
    assert 2.0 < prompt.seconds < 4.0
    assert (town.last(PromptKept).call, town.last(CallRecordWritten).disposition) == (call, "ANSWERED")
    assert_at_rest(town)


def test_who_does_not_answer_has_recorded_nothing():
    town = Town(directory())
    town.phone("102")
    assert town.switch.record_prompt("102", "", "welcome", town.now)
    town.run(40.0)
    assert town.history.prompts("") == {}
    assert_at_rest(town)


def test_nobody_is_rung_who_has_no_phone():
    town = Town(directory())
    assert town.switch.record_prompt("104", "", "welcome", town.now) == ""
    assert town.switch.record_prompt("999", "", "welcome", town.now) == ""
    assert_at_rest(town)
