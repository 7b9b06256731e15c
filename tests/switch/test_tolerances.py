"""Each fault of a handset is forgiven and counted by default, and refused where the operator is strict."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cli.inputs import switch_settings
from lab.errors import UserError
from pbx.events import CallUp
from pbx.settings import load_settings
from pbx.sip.framing import Framer
from pbx.sip.tolerances import Tolerance, Tolerances
from pbx.switch.settings import SwitchSettings
from tests.switch.test_replacing import dialog_of
from tests.switch.test_strangers import Stranger
from tests.switch.town import Phone, Town, directory


def town(*strict: Tolerance) -> Town:
    return Town(directory(), settings=SwitchSettings(strict=frozenset(strict)))


def forgiven(here: Town) -> dict[Tolerance, int]:
    return dict(here.switch.stack.tolerances.forgiven)


def spoil_acks_of(phone: Phone, here: Town) -> None:
    put = here._put

    def spoilt(source, to, data):
        if source.host == phone.host and data.startswith(b"ACK "):
            head, to_, rest = data.partition(b"\r\nTo:")
            data = head + to_ + rest.replace(b";tag=", b";tag=madeup", 1)
        put(source, to, data)

    here._put = spoilt


@pytest.mark.parametrize(
    ("strict", "lasts", "counted"), [((), True, {Tolerance.ACK_TO_TAG: 1}), ((Tolerance.ACK_TO_TAG,), False, {})]
)
def test_an_ack_with_a_wrong_to_tag(strict, lasts, counted):
    here = town(*strict)
    ana, ben = here.phone("101"), here.phone("102")
    spoil_acks_of(ana, here)
    ana.dial("102")
    here.run(0.5)
    ben.answer()
    here.run(40.0)
    assert (here.switch.live()["calls"] == 1, forgiven(here)) == (lasts, counted)


@pytest.mark.parametrize(
    ("strict", "status", "counted"), [((), 407, {Tolerance.DATE_ZONE: 1}), ((Tolerance.DATE_ZONE,), 400, {})]
)
def test_a_date_in_a_zone_of_its_own(strict, status, counted):
    here = town(*strict)
    answer = Stranger(here).ask("REGISTER", "101", "Date: Fri, 01 Jan 2027 16:00:00 EST")
    assert (answer.status, forgiven(here)) == (status, counted)


@pytest.mark.parametrize(
    ("strict", "broken", "counted"), [((), False, {Tolerance.NO_LENGTH: 1}), ((Tolerance.NO_LENGTH,), True, {})]
)
def test_no_content_length_on_a_stream(strict, broken, counted):
    tolerances = Tolerances(strict)
    framer = Framer(tolerances)
    assert framer.feed(b"OPTIONS sip:x SIP/2.0\r\n\r\n") == [b"OPTIONS sip:x SIP/2.0\r\n\r\n"]
    assert (framer.broken, tolerances.forgiven) == (broken, counted)


@pytest.mark.parametrize(
    ("strict", "status", "counted"), [((), 200, {Tolerance.OTHER_HEADER: 1}), ((Tolerance.OTHER_HEADER,), 407, {})]
)
def test_credentials_in_the_header_of_the_other_challenge(strict, status, counted):
    here = town(*strict)
    stranger = Stranger(here)
    proof = stranger.proved(stranger.challenge(), "101", "x").removeprefix("Proxy-")
    assert proof.startswith("Authorization: ")
    assert (stranger.ask("REGISTER", "101", proof).status, forgiven(here)) == (status, counted)


@pytest.mark.parametrize(
    ("strict", "status", "counted"), [((), 200, {Tolerance.REPLACES_TAGS: 1}), ((Tolerance.REPLACES_TAGS,), 481, {})]
)
def test_a_replaces_with_its_tags_the_other_way_round(strict, status, counted):
    here = town(*strict)
    ana, ben, cleo = (here.phone(device) for device in ("101", "102", "103"))
    ana.dial("102")
    here.run(0.5)
    ben.answer()
    here.run(0.5)
    call_id, to_tag, from_tag = dialog_of(ben).split(";")
    turned = f"{call_id};from-{to_tag.removeprefix('to-')};to-{from_tag.removeprefix('from-')}"
    cleo.dial("102", headers=[("Replaces", turned)])
    here.run(0.5)
    assert (cleo.talk.status, forgiven(here)) == (status, counted)
    assert [event.device for event in here.seen(CallUp)].count("103") == (status == 200)


def test_the_setting_names_what_is_not_forgiven(tmp_path):
    def strict(text: str) -> frozenset[Tolerance]:
        return switch_settings(load_settings(tmp_path, {}, {"sip.strict": text})[0]).strict

    assert strict("") == frozenset()
    assert strict("date_zone, ack_to_tag") == {Tolerance.DATE_ZONE, Tolerance.ACK_TO_TAG}
    with pytest.raises(UserError) as refused:
        strict("everything")
    assert "everything" in refused.value.why
    assert "ack_to_tag" in refused.value.remedy


def test_every_tolerance_is_tried_here():
    tried = Path(__file__).read_text()
    assert [one.name for one in Tolerance if f"{{Tolerance.{one.name}: 1}}" not in tried] == []
