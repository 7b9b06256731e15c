"""A login instead of a token in the URL: the MAC and the token, asked of everybody who is refused, known or not."""

from __future__ import annotations

import base64

import aiohttp
import pytest

from pbx.events import ConfigRefused
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from provisioning_server.login import CHALLENGE
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    OWN_FILE,
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    served,
    small_domain,
    with_device,
)

ASKING = small_domain(settings={"domain": {"provisioning.login": True}})
OWN = OWN_FILE[YEALINK]


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("user", [YEALINK, "80:5E:C0:00:01:01"])
def test_the_mac_and_the_token_open_what_the_token_in_a_url_opens(user):
    desk = Counter(ASKING)
    by_first = desk.ask(OWN, authorization=basic(user, first(YEALINK)))
    by_steady = desk.ask(OWN, authorization=basic(user, desk.steady(YEALINK)))
    assert (by_first.status, by_steady.status) == (200, 200)
    assert served(by_steady).reason.endswith("opened by the steady token")
    assert desk.ask(OWN, authorization=basic(user, first(YEALINK))).status == 401, "once is once"


WRONG_LOGINS = {
    "none": "",
    "wrong token": basic(YEALINK, WRONG),
    "the user is another box": basic(POLY, first(YEALINK)),
    "the user is nobody": basic("admin", first(YEALINK)),
    "no password": basic(YEALINK, ""),
    "no base64": "Basic ???",
    "no text": "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
    "another scheme": f"Bearer {first(YEALINK)}",
}


@pytest.mark.parametrize("authorization", WRONG_LOGINS.values(), ids=WRONG_LOGINS)
@pytest.mark.parametrize("name", [OWN, "805ec0ffffff.cfg", "nobody-knows.xml", "phonebook.xml"])
def test_whatever_is_refused_is_asked_for_a_login_in_the_same_words(name, authorization):
    answer = Counter(ASKING).ask(name, authorization=authorization)
    assert (answer.status, answer.body, answer.etag) == (401, b"401 Unauthorized\n", "")
    assert [event.status for event in answer.events if isinstance(event, ConfigRefused)] == [401]


def test_who_is_known_is_told_what_is_not_there():
    desk = Counter(ASKING)
    mine = basic(YEALINK, desk.steady(YEALINK))
    assert desk.ask("nobody-knows.xml", authorization=mine).status == 404
    assert desk.ask(OWN_FILE[POLY], authorization=mine).status == 404


def test_a_file_named_by_no_mac_is_written_for_the_box_of_the_login_alone():
    desk = Counter(with_device(ASKING, "101", family="grandstream/gxp", model="GXP2135"))
    assert desk.ask("phonebook.xml", authorization=basic(YEALINK, desk.steady(YEALINK))).status == 200
    assert desk.ask("phonebook.xml", authorization=basic(POLY, desk.steady(YEALINK))).status == 401


def test_first_requests_without_a_login_are_no_guesses_and_wrong_logins_are():
    desk = Counter(ASKING)
    names = [f"805ec0{number:06x}.cfg" for number in range(2 * desk.office.bans.limit)]
    for name in names:
        desk.ask(name)
    assert desk.office.bans.in_force(desk.now.mono) == []
    for name in names:
        desk.ask(name, authorization=basic(name[:12], WRONG))
    assert len(desk.office.bans.in_force(desk.now.mono)) == 1
    mine = desk.ask(OWN, authorization=basic(YEALINK, desk.steady(YEALINK)))
    assert mine.status == 200, "what a login opens is served all the same"


def test_tftp_knows_no_login_and_without_the_setting_nobody_is_asked():
    assert Counter(ASKING).ask(OWN, protocol="tftp").status == 404
    assert Counter().ask(OWN, authorization=basic(YEALINK, first(YEALINK))).status == 404


@pytest.mark.realtime
async def test_a_client_answers_the_challenge():
    service = ProvisioningService(
        FAMILIES, lambda: ASKING, at=AT, ledger=Ledger(b"x"), publish=lambda event: None, now=lambda: Counter().now
    )
    (host, port), _ = await service.start("127.0.0.1", 0, 0)
    try:
        async with aiohttp.ClientSession() as session:
            url = f"http://{host}:{port}/p/{OWN}"
            async with session.get(url) as refused:
                assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, CHALLENGE)
            async with session.get(url, headers={"Authorization": basic(YEALINK, first(YEALINK))}) as answer:
                assert b"secret-of-101" in await answer.read()
    finally:
        await service.close()
