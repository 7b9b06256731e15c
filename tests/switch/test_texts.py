"""MESSAGE: a text reaches every phone of an extension, and its sender learns whether (RFC 3428)."""

from __future__ import annotations

import pytest

from pbx.events import MessageRelayed
from pbx.switch.texts import MAX_TEXT

HELLO = "héllo".encode()


def relayed(town):
    event = town.last(MessageRelayed)
    return event.device, event.to, event.taken_by, event.status, event.octets


def test_a_text_reaches_every_phone_of_the_extension_unchanged(town):
    one, two, ben = town.phone("101"), town.phone("101a"), town.phone("102")
    kind = "text/plain;charset=utf-8"
    assert ben.request("MESSAGE", to="101", body=HELLO, kind=kind).status == 200
    for phone in (one, two):
        (text,) = phone.texts
        assert (text.body, text.get("Content-Type")) == (HELLO, kind)
        assert text.from_.user == "102"
        assert text.from_.display == "Ben"
    event = relayed(town)
    assert event[:2] == ("102", "101")
    assert event[2] in ("101", "101a")
    assert event[3:] == (200, len(HELLO))
    assert len(town.seen(MessageRelayed)) == 1


def test_a_device_may_be_written_to_alone_and_cpim_passes(town):
    one, two, ben = town.phone("101"), town.phone("101a"), town.phone("102")
    assert ben.request("MESSAGE", to="101a", body=b"x", kind="message/cpim").status == 200
    assert (len(one.texts), len(two.texts)) == (0, 1)


def test_one_phone_that_takes_it_is_enough(town):
    one, two, ben = town.phone("101"), town.phone("101a"), town.phone("102")
    one.takes_texts = 488
    assert ben.request("MESSAGE", to="101", body=b"x", kind="text/plain").status == 200
    assert relayed(town)[2] == two.name


@pytest.mark.parametrize(("to", "status"), [("999", 404), ("104", 480)])
def test_who_is_not_there_gets_nothing_and_the_sender_is_told(town, to, status):
    ben = town.phone("102")
    assert ben.request("MESSAGE", to=to, body=b"x", kind="text/plain").status == status


def test_a_refusal_of_all_phones_is_passed_on(town):
    one, ben = town.phone("101"), town.phone("102")
    one.takes_texts = 488
    assert ben.request("MESSAGE", to="101", body=b"x", kind="text/plain").status == 488


def test_a_phone_that_says_nothing_is_not_there(town):
    one, ben = town.phone("101"), town.phone("102")
    town.unplug(one)
    ben.request("MESSAGE", to="101", body=b"x", kind="text/plain")
    town.run(25.0)
    assert ben.responses[-1].status == 480
    assert relayed(town)[2:4] == ("", 480)


@pytest.mark.parametrize(
    ("body", "kind", "status"), [(b"x" * (MAX_TEXT + 1), "text/plain", 513), (b"<p>", "text/html", 415)]
)
def test_what_is_too_long_or_no_text_goes_nowhere(town, body, kind, status):
    one, ben = town.phone("101"), town.phone("102")
    assert ben.request("MESSAGE", to="101", body=body, kind=kind).status == status
    assert one.texts == []


def test_strangers_write_to_nobody(town):
    one = town.phone("101")
    stranger = town.phone("199", registered=False)
    assert stranger.request("MESSAGE", to="101", body=b"x", kind="text/plain").status == 403
    assert one.texts == []
