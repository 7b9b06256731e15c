"""Pages: what one says comes out of the phones of a group, and nothing of theirs goes back."""

from __future__ import annotations

import pytest

from pbx.events import CallRecordWritten, PageBegan, PageEnded, PageJoined
from pbx.media.sdp import parse_sdp
from tests.switch.town import Town, assert_at_rest, directory

FLOOR = {"extension": 600, "name": "Floor", "members": [101, 102, 103, 104], "longest_s": 30}


@pytest.fixture
def town():
    made = Town(directory(page_groups=[FLOOR], users={"104": {"do_not_disturb": False}}))
    yield made
    assert_at_rest(made)


def test_everybody_idle_hears_the_page_and_is_not_heard(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("600")
    town.run(0.1)
    for phone in (ben, cleo):
        assert phone.talk.session.request.get("Answer-Mode") == "Auto"
        assert parse_sdp(phone.talk.session.remote_sdp).direction == "sendonly"
        phone.answer()
    town.run(2.0)
    assert (ben.heard[-1], cleo.heard[-1]) == ("signature:101", "signature:101")
    assert "tone:beep" in ben.heard
    assert not [sound for sound in ana.heard if sound.startswith("signature")]
    assert "tone:beep" in ana.heard
    assert (town.last(PageBegan).group, town.last(PageBegan).called) == ("600", 2)
    assert len(town.seen(PageJoined)) == 2
    ana.hang_up()
    town.run(1.0)
    assert (ben.talk.state, cleo.talk.state) == ("over", "over")
    ended = town.last(PageEnded)
    assert (ended.reached, round(ended.seconds)) == (2, 2)
    assert town.last(CallRecordWritten).disposition == "ANSWERED"


def test_a_phone_that_comes_later_hears_the_rest(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("600")
    town.run(0.1)
    ben.answer()
    town.run(3.0)
    cleo.answer()
    town.run(1.5)
    assert cleo.heard[-1] == "signature:101"
    ana.hang_up()


def test_who_talks_is_left_out(town):
    ana, ben, cleo, dev = (town.phone(device) for device in ("101", "102", "103", "104"))
    ben.dial("103")
    town.run(0.5)
    cleo.answer()
    town.run(0.5)
    ana.dial("600")
    town.run(0.2)
    assert (len(cleo.talks), len(ben.talks), dev.talk.state) == (1, 1, "ringing")
    ana.hang_up()
    ben.hang_up()


def test_a_phone_that_does_not_answer_by_itself_is_let_be(town):
    ana, ben, cleo = town.phone("101"), town.phone("102"), town.phone("103")
    ana.dial("600")
    town.run(0.1)
    ben.answer()
    town.run(8.5)
    assert (ben.talk.state, cleo.talk.state, ana.talk.state) == ("up", "over", "up")
    ana.hang_up()


def test_a_page_that_reaches_nobody_ends(town):
    ana = town.phone("101")
    town.phone("102")
    ana.dial("600")
    town.run(10.0)
    assert ana.talk.state == "over"
    assert town.last(PageEnded).reached == 0


def test_where_nobody_is_there_a_page_is_not_begun(town):
    ana = town.phone("101")
    ana.dial("600")
    town.run(0.5)
    assert (ana.talk.status, town.seen(PageBegan)) == (480, [])


def test_a_page_ends_by_itself_after_its_longest_time(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("600")
    town.run(0.1)
    ben.answer()
    town.run(29.0)
    assert (ana.talk.state, ben.talk.state) == ("up", "up")
    town.run(2.0)
    assert (ana.talk.state, ben.talk.state) == ("over", "over")


def test_a_page_ends_when_nobody_listens_any_more(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("600")
    town.run(0.1)
    ben.answer()
    town.run(9.0)
    ben.hang_up()
    town.run(1.0)
    assert ana.talk.state == "over"


def test_a_paged_phone_cannot_make_itself_heard(town):
    ana, ben = town.phone("101"), town.phone("102")
    ana.dial("600")
    town.run(0.1)
    ben.answer()
    town.run(1.0)
    ben.reoffer("sendrecv")
    town.run(2.0)
    assert not [sound for sound in ana.heard if sound.startswith("signature")]
    assert ben.heard[-1] == "signature:101"
    ana.hang_up()


@pytest.mark.parametrize(
    ("group", "problem"),
    [
        ({**FLOOR, "members": [101, 199]}, "page group 600: member 199 is no user"),
        ({**FLOOR, "extension": 101}, "page group 101: the extension is already that of a user"),
        ({**FLOOR, "members": []}, "members"),
    ],
)
def test_a_group_that_cannot_be_is_refused(group, problem):
    with pytest.raises(ValueError, match=problem):
        directory(page_groups=[group])
