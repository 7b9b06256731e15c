from __future__ import annotations

import time
from dataclasses import replace
from email.utils import format_datetime
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.events import ConfigRefused, ConfigRequested
from provisioning_server.families import Families
from provisioning_server.ledger import GRACE_S
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest, config_url, respond, tftp_name
from tests.provisioning.provisioned import (
    AT,
    ATA,
    BARESIP,
    FAMILIES,
    JSON,
    LINPHONE,
    OWN_FILE,
    POLY,
    WRONG,
    YEALINK,
    Counter,
    first,
    reason,
    served,
    small_domain,
    with_device,
)

MACS = sorted(OWN_FILE)


@pytest.mark.parametrize("mac", MACS)
def test_the_one_time_token_gets_the_file_with_the_password(mac):
    desk = Counter()
    answer = desk.own(mac)
    assert answer.status == 200
    event = served(answer)
    assert (event.mac, event.sensitive, event.size, event.file_kind) == (mac, True, len(answer.body), "device")
    assert event.device == desk.directory.devices_by_mac[mac][0].id
    assert isinstance(answer.events[0], ConfigRequested)
    if mac != LINPHONE:  # who gets a hash instead
        assert f"secret-of-{event.device}".encode() in answer.body


# --- refusals --------------------------------------------------------------------------------------------

REFUSALS = {
    "unknown MAC": (lambda desk: desk.ask("805ec0ffffff.cfg", WRONG), "unknown MAC"),
    "unknown MAC without a token": (lambda desk: desk.ask("805ec0ffffff.cfg"), "unknown MAC"),
    "wrong token": (lambda desk: desk.own(YEALINK, WRONG), "wrong token"),
    "no token": (lambda desk: desk.own(YEALINK, ""), "no token"),
    "another device's token": (lambda desk: desk.own(YEALINK, first(POLY)), "wrong token"),
    "another device's steady token": (lambda desk: desk.own(YEALINK, desk.steady(POLY)), "wrong token"),
    "another family's file": (
        lambda desk: desk.ask(f"cfg{YEALINK}.xml", first(YEALINK)), "the device is of another family",
    ),
    "boot file without a token": (lambda desk: desk.ask(f"{YEALINK}.boot"), "no token"),
    "master file of an unknown MAC": (lambda desk: desk.ask("64167fffffff.cfg"), "unknown MAC"),
    "directory of a known MAC": (lambda desk: desk.ask(f"{POLY}-directory.xml"), "no token"),
    "no such file": (lambda desk: desk.ask("index.html"), "no family has a file of that name"),
    "no name": (lambda desk: desk.ask(""), "no usable file name"),
    "unexpanded macro": (lambda desk: desk.ask("$mac.cfg"), "the phone has not expanded a macro in the name"),
    "climbing": (lambda desk: desk.ask("../../etc/passwd"), "the name climbs out of its folder"),
    "common file with a wrong token": (lambda desk: desk.ask("site.cfg", WRONG), "wrong token"),
    "TFTP without a window": (lambda desk: desk.ask(OWN_FILE[ATA], protocol="tftp"), "no token"),
}  # fmt: skip


def spent_desk() -> Counter:
    desk = Counter()
    desk.own(YEALINK)
    desk.passes(GRACE_S + 1)
    return desk


@pytest.mark.parametrize("case", REFUSALS)
def test_every_refusal_is_the_same_to_the_peer_and_says_why_to_the_operator(case):
    ask, why = REFUSALS[case]
    answer = ask(Counter())
    assert (answer.status, answer.body, answer.content_type, answer.etag, answer.last_modified) == (
        404, b"404 Not Found\n", "text/plain; charset=utf-8", "", None,
    )  # fmt: skip
    assert reason(answer) == why == answer.why


def test_a_spent_token_is_refused_like_everything_else():
    answer = spent_desk().own(YEALINK)
    other = Counter().ask("index.html")
    assert (answer.status, answer.body, answer.content_type) == (other.status, other.body, other.content_type)
    assert reason(answer) == "the one-time token has been used"


@pytest.mark.parametrize("name", ["site.cfg", "y000000000066.cfg"])
def test_a_spent_token_opens_no_common_file_either(name):
    assert reason(spent_desk().ask(name, first(YEALINK))) == "the one-time token has been used"


def test_an_unknown_mac_costs_the_same_work_as_a_known_one():
    desk = Counter()
    desk.office.bans.limit = 10**9

    def cost(mac: str) -> float:
        begun = time.perf_counter()
        desk.ask(f"{mac}.cfg", WRONG)
        return time.perf_counter() - begun

    pairs = [(cost(YEALINK), cost("805ec0ffffff")) for _ in range(400)]
    known, unknown = median(pair[0] for pair in pairs), median(pair[1] for pair in pairs)
    assert 0.5 < known / unknown < 2.0


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("name", [f"{POLY}-boot.log", f"{YEALINK}.cfg", "805ec0ffffff.cfg", "64167fffffff-boot.log"])
def test_uploads_are_refused_alike_for_known_and_unknown_devices(method, name):
    for token in ("", WRONG, first(POLY)):
        answer = Counter().ask(name, token, method=method)
        assert (answer.status, answer.body, answer.sent) == (405, b"405 Method Not Allowed\n", None)


# --- tokens and windows ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mac", MACS)
def test_the_configuration_carries_the_url_that_works_for_ever(mac):
    desk = Counter()
    body = desk.own(mac).body.decode()
    if mac != BARESIP:  # has no setting for it: its bootstrap keeps the URL
        assert f"192.0.2.10:8080/p/{desk.steady(mac)}" in body
    desk.passes(1e7)
    assert desk.own(mac, desk.steady(mac)).status == 200


def test_using_the_steady_token_kills_the_first_at_once():
    desk = Counter()
    assert desk.own(YEALINK).status == 200
    assert desk.ask("y000000000066.cfg", desk.steady(YEALINK)).status == 200
    assert reason(desk.own(YEALINK)) == "the one-time token has been used"


def test_fetching_files_without_a_password_does_not_begin_the_end_of_the_token():
    desk = Counter()
    desk.ask(f"{YEALINK}.boot", first(YEALINK))
    desk.passes(GRACE_S * 10)
    assert desk.own(YEALINK).status == 200


def test_a_look_at_the_headers_does_not_either():
    desk = Counter()
    answer = desk.ask(OWN_FILE[YEALINK], first(YEALINK), method="HEAD")
    assert (answer.status, len(answer.events)) == (200, 1)
    desk.passes(GRACE_S * 10)
    assert desk.own(YEALINK).status == 200


def test_an_open_window_lets_a_phone_boot_once_by_tftp():
    desk = Counter(window=True)
    for name in ("y000000000000.boot", f"{YEALINK}.boot", "y000000000066.cfg", OWN_FILE[YEALINK]):
        assert desk.ask(name, protocol="tftp").status == 200
    desk.passes(GRACE_S + 1)
    answer = desk.ask(OWN_FILE[YEALINK], protocol="tftp")
    assert reason(answer) == "no token, and the window of this device is closed"
    # what tells nothing of a device stays open
    assert desk.ask("y000000000000.boot", protocol="tftp").status == 200
    desk.office.ledger.reopen(YEALINK)
    assert desk.ask(OWN_FILE[YEALINK], protocol="tftp").status == 200


@pytest.mark.parametrize("owner", ["domain", "site:Toronto", "user:101"])
def test_a_window_may_be_opened_by_setting(owner):
    desk = Counter(small_domain(settings={owner: {"provisioning.open": True}}))
    assert desk.own(YEALINK, "").status == 200


def test_a_window_of_one_device_is_no_window_of_another():
    desk = Counter(with_device(small_domain(), "101", settings={"provisioning.open": True}))
    assert desk.own(YEALINK, "").status == 200
    assert reason(desk.own(POLY, "")) == "no token"


def test_a_device_may_stay_closed_where_the_lab_is_open():
    desk = Counter(with_device(small_domain(), "101", settings={"provisioning.open": False}), window=True)
    assert reason(desk.own(YEALINK, "")) == "no token"
    assert desk.own(POLY, "").status == 200


def test_the_misses_of_an_ordinary_boot_are_no_guesses():
    desk = Counter(window=True)
    for _ in range(30):
        desk.ask(f"cfg{ATA}")
        desk.ask(f"{POLY}-phone.cfg")
    assert desk.own(POLY, "").status == 200


# --- common files ----------------------------------------------------------------------------------------

COMMON = [
    "y000000000000.boot", "y000000000066.cfg", "000000000000.cfg", "site.cfg", "cfg.xml", "000000000000-directory.xml",
]  # fmt: skip


@pytest.mark.parametrize("name", COMMON)
@pytest.mark.parametrize("token", ["", first(YEALINK)])
def test_common_files_are_for_everybody_and_hold_no_secret(name, token):
    answer = Counter().ask(name, token)
    assert answer.status == 200
    assert b"secret-of" not in answer.body
    assert not served(answer).sensitive


def test_a_token_names_the_device_that_asks_for_a_common_file():
    desk = Counter()
    event = served(desk.ask("site.cfg", first(POLY)))
    assert (event.mac, event.device) == (POLY, "102")
    assert served(desk.ask("site.cfg", desk.steady(POLY))).mac == POLY


def test_a_boot_file_names_the_common_file_of_the_phones_model():
    desk = Counter()
    agent = "Yealink SIP-T46S 66.86.0.15 80:5e:c0:00:01:01"
    assert b'"y000000000066.cfg"' in desk.ask(f"{YEALINK}.boot", first(YEALINK)).body
    assert b'"y000000000066.cfg"' in desk.ask("y000000000000.boot", agent=agent).body
    assert b'include:config "y' not in desk.ask("y000000000000.boot").body


# --- what HTTP adds --------------------------------------------------------------------------------------


def test_an_unchanged_file_is_not_sent_again():
    desk = Counter()
    etag = desk.own(YEALINK).etag
    again = desk.ask(OWN_FILE[YEALINK], desk.steady(YEALINK), if_none_match=etag)
    assert (again.status, again.body, again.etag) == (304, b"", etag)
    assert served(again).sha256 in etag


@pytest.mark.parametrize(
    ("header", "status"),
    [("W/{}", 304), ('"x", {}', 304), ("*", 304), ('"x"', 200), ("", 200)],
)
def test_if_none_match_is_a_list(header, status):
    desk = Counter()
    etag = desk.own(YEALINK).etag
    assert desk.ask(OWN_FILE[YEALINK], first(YEALINK), if_none_match=header.format(etag)).status == status


def test_if_modified_since_counts_only_alone():
    desk = Counter()
    since = desk.own(YEALINK).last_modified
    assert since == desk.now.wall
    said = format_datetime(since, usegmt=True)
    ask = lambda **headers: desk.ask(OWN_FILE[YEALINK], first(YEALINK), **headers).status  # noqa: E731
    assert ask(if_modified_since=said) == 304
    assert ask(if_modified_since=said, if_none_match='"x"') == 200
    assert ask(if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT") == 200
    assert ask(if_modified_since="yesterday") == 200


def test_an_unchanged_configuration_is_rendered_once():
    desk = Counter()
    desk.own(YEALINK)
    runs = desk.office.shelf.rendered
    desk.own(YEALINK)
    desk.directory = desk.directory.replaced()  # a new snapshot in which nothing of the phone is new
    desk.passes(60)
    again = desk.own(YEALINK)
    assert desk.office.shelf.rendered == runs
    assert again.last_modified == desk.now.later(-60).wall


def test_a_changed_configuration_is_rendered_again():
    desk = Counter()
    before = desk.own(YEALINK)
    desk.directory = with_device(desk.directory, "101", label="Front desk")
    desk.passes(60)
    after = desk.own(YEALINK)
    assert b"Front desk" in after.body
    assert after.etag != before.etag
    assert after.last_modified == desk.now.wall


def test_another_address_of_the_switch_reaches_the_phones():
    desk = Counter()
    desk.own(YEALINK)
    desk.office.at = ServedAt("192.0.2.99", 5061, AT.base_url)
    desk.office.shelf.clear()
    assert b"outbound_proxy.1.address = 192.0.2.99\n" in desk.own(YEALINK).body


def test_a_new_year_brings_its_own_rules():
    desk = Counter(small_domain(domain={"name": "acme.lab", "time_zone": "Africa/Casablanca"}))
    before = desk.own(YEALINK).body
    desk.passes(366 * 86400)
    assert desk.own(YEALINK, desk.steady(YEALINK)).body != before


# --- addresses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mac", "rest"),
    [(YEALINK, ""), (POLY, ""), (ATA, ""), (LINPHONE, f"{LINPHONE}.xml"), (JSON, ""), (BARESIP, f"baresip/{BARESIP}/")],
)
def test_the_url_to_hand_out_holds_the_one_time_token(mac, rest):
    desk = Counter()
    device = desk.directory.devices_by_mac[mac][0]
    assert config_url(desk.office, desk.directory, device) == f"http://192.0.2.10:8080/p/{first(mac)}/{rest}"
    assert tftp_name(desk.office, device) == OWN_FILE[mac]


def test_without_a_token_the_url_is_the_plain_one():
    desk = Counter(with_device(small_domain(), "101", token=""))
    assert config_url(desk.office, desk.directory, desk.directory.devices_by_id["101"]) == "http://192.0.2.10:8080/p/"


SECURE = "https://192.0.2.10:8081/p"


@pytest.mark.parametrize(
    ("domain", "user", "told", "served_by"),
    [
        (None, None, "http", {"http", "https", "tftp"}),
        ("http https", None, "http", {"http", "https"}),
        ("https http", None, "https", {"http", "https"}),
        ("tftp https", None, "https", {"https", "tftp"}),
        ("tftp", None, "tftp", {"tftp"}),
        ("http", "https", "https", {"https"}),
        ("https", "!unset", "http", {"http", "https", "tftp"}),
    ],
)
def test_urls_name_the_first_protocol_that_the_layers_allow_and_others_are_refused(domain, user, told, served_by):
    said = {"domain": domain, "user:101": user}
    desk = Counter(small_domain(settings={k: {"provisioning.protocols": v} for k, v in said.items() if v}))
    desk.office.at = replace(AT, secure_url=SECURE, tftp_url="tftp://192.0.2.10")
    base = {"http": AT.base_url, "https": SECURE, "tftp": "tftp://192.0.2.10"}[told]
    assert config_url(desk.office, desk.directory, desk.directory.devices_by_mac[YEALINK][0]).startswith(base)
    answers = {
        protocol: respond(
            ConfigRequest(protocol, f"/p/{first(YEALINK)}/{OWN_FILE[YEALINK]}", "192.0.2.50:1"), desk.office,
            desk.directory, desk.now,
        )
        for protocol in ("http", "https", "tftp")
    }  # fmt: skip
    assert {protocol for protocol, answer in answers.items() if answer.status == 200} == served_by
    assert f"static.auto_provision.server.url = {base}/".encode() in answers[told].body


def test_a_family_can_want_https_of_itself_and_without_a_listener_for_it_http_is_told():
    desk = Counter()
    family = FAMILIES.by_id["yealink/t4x_t5x"].model_copy(update={"settings": {"provisioning.protocols": "https http"}})
    desk.office.families = Families(FAMILIES.by_id | {family.id: family}, FAMILIES.defaults)
    device = desk.directory.devices_by_mac[YEALINK][0]
    assert config_url(desk.office, desk.directory, device).startswith(AT.base_url)
    desk.office.at = replace(AT, secure_url=SECURE)
    desk.office.shelf.clear()
    assert config_url(desk.office, desk.directory, device).startswith(SECURE)
    poly = desk.directory.devices_by_mac[POLY][0]
    assert config_url(desk.office, desk.directory, poly).startswith(AT.base_url)


# --- what the operator is told -----------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["/p/{}/x.cfg", "/{}/x.cfg", "/q/{}/x.cfg", "/p/p/{}", "/x.cfg/{}", "/p/{}"])
def test_no_token_enters_an_event(place):
    for token in (first(YEALINK), first(YEALINK).upper()):
        answer = Counter().ask(place.format(token).removeprefix("/p/"))
        assert token not in str(answer.events)


def test_no_password_enters_an_event_or_the_reason():
    answer = Counter().own(YEALINK)
    assert "secret-of" not in str(answer.events) + answer.why


def test_what_cannot_be_printed_does_not_enter_an_event():
    answer = Counter().ask("a\x1b[31m\r\nb\ud800", agent="AVAYA/SIP12x0\x17/04 \udcff")
    asked = answer.events[0]
    assert (asked.path, asked.user_agent) == ("a?[31m??b?", "AVAYA/SIP12x0?/04 ?")


def test_a_user_agent_that_does_not_fit_is_in_the_reason():
    answer = Counter().ask(OWN_FILE[YEALINK], first(YEALINK), agent="FileTransport PolycomVVX-VVX_450-UA/6.4.0.1234")
    assert (
        answer.why
        == served(answer).reason
        == ("{mac}.cfg of yealink/t4x_t5x, opened by the one-time token; the User-Agent is that of poly/vvx")
    )


SOME_DESK = Counter(window=True)


@settings(deadline=None, max_examples=60)  # of a machine that is shared; test_strangers asks 2,000 times
@given(
    path=st.text(max_size=120) | st.sampled_from(sorted(OWN_FILE.values())),
    agent=st.text(max_size=60),
    method=st.sampled_from(["GET", "HEAD", "PUT"]),
    header=st.text(max_size=40),
)
def test_nothing_a_peer_sends_raises_and_everything_is_an_event(path, agent, method, header):
    answer = SOME_DESK.ask(path, agent=agent, method=method, if_none_match=header, if_modified_since=header)
    assert answer.status in (200, 304, 404, 405)
    assert isinstance(answer.events[0], ConfigRequested)
    if answer.status >= 400:
        assert isinstance(answer.events[1], ConfigRefused)
        assert answer.events[1].reason
