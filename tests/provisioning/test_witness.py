"""Test automation: what a phone is told so that it can be driven, and what it says of itself."""

from __future__ import annotations

import aiohttp
import pytest

from pbx.events import AddressBanned, Event, PhoneSaid
from provisioning_server.app import ProvisioningService
from provisioning_server.ledger import Ledger
from tests.provisioning.provisioned import (
    AT,
    FAMILIES,
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    reason,
    small_domain,
    with_device,
)  # fmt: skip

SAID = f"{YEALINK}.said"


def config(**settings: object) -> str:
    return Counter(with_device(small_domain(), "101", settings=settings)).own(YEALINK).body.decode()


def test_a_phone_under_test_obeys_our_address_alone_and_asks_nobody():
    told = config(**{"remote_control.enabled": True})
    assert "features.action_uri.enable = 1\n" in told
    assert "features.action_uri_limit_ip = 192.0.2.10\n" in told
    assert "features.show_action_uri_option = 0\n" in told


@pytest.mark.parametrize(
    ("family", "model", "on", "off"),
    [
        (
            "fanvil/x", "X6U",
            "<EnabledActiveUri>1</EnabledActiveUri>\n<ActiveUriIP>192.0.2.10</ActiveUriIP>",
            "<EnabledActiveUri>0</EnabledActiveUri>\n<ActiveUriIP></ActiveUriIP>",
        ),
        (
            "grandstream/grp", "GRP2614",
            '<item name="remoteControl.enable">Yes</item>\n'
            '    <item name="remoteControl.confirmWindow.enable">No</item>\n'
            '    <item name="remoteControl.allowList">192.0.2.10</item>',
            '<item name="remoteControl.enable">No</item>',
        ),
        ("poly/vvx", "VVX450", 'apps.restapi.enabled="1"', 'apps.restapi.enabled="0"'),
        ("cisco/mpp", "6841", "<CISCO_XML_EXE_Enable>Yes<", "<CISCO_XML_EXE_Enable>No<"),
    ],
)  # fmt: skip
def test_what_lets_a_phone_be_driven_is_said_in_its_makers_words(family, model, on, off):
    known = FAMILIES.by_id[family]
    rule = next(rule for rule in known.files if rule.kind == "device")
    for enabled, written in ((True, on), (False, off)):
        settings = {"remote_control.enabled": enabled}
        domain = with_device(small_domain(), "101", family=family, model=model, settings=settings)
        answer = Counter(domain).ask(known.name_of(rule, YEALINK, model), first(YEALINK))
        assert written in answer.body.decode()


def test_a_phone_that_is_not_under_test_obeys_nobody():
    told = config()
    assert "features.action_uri.enable = 0\n" in told
    assert "features.show_action_uri_option = 1\n" in told
    assert "action_url.incoming_call = %NULL%\n" in told


@pytest.mark.parametrize(
    ("family", "model", "on", "off"),
    [
        ("yealink/t4x_t5x", "T46S", "features.intercom.allow = 1", "features.intercom.allow = 0"),
        ("poly/vvx", "VVX450", 'voIpProt.SIP.alertInfo.1.class="autoAnswer"', 'voIpProt.SIP.alertInfo.1.class=""'),
        ("grandstream/gxp", "GXP2135", "<P298>1</P298>", "<P298>0</P298>"),
        ("cisco/spa", "SPA504G", "<Auto_Answer_Page>Yes</Auto_Answer_Page>", "<Auto_Answer_Page>No</Auto_Answer_Page>"),
        ("mitel/sip", "6867i", "sip allow auto answer: 1", "sip allow auto answer: 0"),
    ],
)
def test_whether_a_phone_answers_by_itself_where_a_call_asks_for_it_is_said_in_its_makers_words(family, model, on, off):
    rule = next(rule for rule in FAMILIES.by_id[family].files if rule.kind == "device")
    for allowed, written in ((True, on), (False, off)):
        domain = with_device(
            small_domain(), "101", family=family, model=model, settings={"features.intercom.allow": allowed}
        )
        name = FAMILIES.by_id[family].name_of(rule, YEALINK, model)
        assert written in Counter(domain).ask(name, first(YEALINK)).body.decode()


def test_the_url_a_phone_is_given_for_its_events_is_heard():
    desk = Counter(with_device(small_domain(), "101", settings={"action_urls.enabled": True}))
    line = next(x for x in desk.own(YEALINK).body.decode().splitlines() if x.startswith("action_url.incoming_call"))
    path, _, query = line.rpartition(" = ")[2].partition("?")
    token, name = path.split("/")[-2:]
    spoken = query.replace("$call_id", "77").replace("$remote", "104")
    answer = desk.ask(name, token, query=spoken)
    assert (answer.status, answer.events) == (200, (PhoneSaid(YEALINK, "101", "ringing", "77", "104"),))


@pytest.mark.parametrize(
    ("name", "token", "why"),
    [(SAID, WRONG, "wrong token"), (SAID, "", "no token"), ("805ec0ffffff.said", WRONG, "unknown MAC")],
)
def test_nobody_speaks_in_the_name_of_a_phone(name, token, why):
    answer = Counter().ask(name, token, query="event=ringing")
    assert (answer.status, answer.body, reason(answer)) == (404, b"404 Not Found\n", why)


def test_guessing_at_it_is_guessing():
    desk = Counter()
    answers = [desk.ask(f"805ec0{n:06x}.said", WRONG) for n in range(desk.office.bans.limit)]
    assert [type(event) for event in answers[-1].events if isinstance(event, AddressBanned)] == [AddressBanned]


@pytest.mark.parametrize(
    ("query", "what", "remote"),
    [
        ("event=ringing&remote=%0a%1b[31m104", "ringing", "31m104"),
        ("event=" + "x" * 500, "x" * 80, ""),
        ("&".join(f"a{n}=b" for n in range(1000)), "", ""),
        ("%ff=%fe", "", ""),
    ],
)
def test_of_a_query_only_words_are_taken(query, what, remote):
    (event,) = Counter().ask(SAID, first(YEALINK), query=query).events
    assert (event.what, event.remote) == (what, remote)


@pytest.mark.realtime
@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<PolycomIPPhone><IncomingCallEvent><CallingPartyNumber>104</CallingPartyNumber></IncomingCallEvent></PolycomIPPhone>",
         "ringing"),
        (b'<PolycomIPPhone><CallStateChangeEvent CallState="Connected"/></PolycomIPPhone>', "connected"),
        (b'<PolycomIPPhone><CallStateChangeEvent CallState="Hold"/></PolycomIPPhone>', "Hold"),
        (b"<PolycomIPPhone><NetworkUpEvent/></PolycomIPPhone>", "NetworkUpEvent"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]><x><y>&a;</y></x>", ""),
        (b"\xff no xml", ""),
    ],
)  # fmt: skip
async def test_a_notification_in_a_makers_xml_is_an_event(body, what):
    domain, events = small_domain(), list[Event]()
    service = ProvisioningService(
        FAMILIES, lambda: domain, at=AT, ledger=Ledger(b"x"), publish=events.append, now=lambda: Counter().now
    )
    (host, port), _ = await service.start("127.0.0.1", 0, 0)
    try:
        async with aiohttp.ClientSession() as session:
            answer = await session.post(f"http://{host}:{port}/p/{first(POLY)}/{POLY}.said", data=body)
            assert answer.status == 200
    finally:
        await service.close()
    assert [(e.mac, e.device, e.what) for e in events if isinstance(e, PhoneSaid)] == [(POLY, "102", what)]
