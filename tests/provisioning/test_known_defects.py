"""Defects of the best-known provisioning servers (provisioning.md 0.1): what each got wrong is right here."""

from __future__ import annotations

import re

import pytest

from lab.phones.family import expanded
from provisioning_server.clocks import clock
from provisioning_server.dhcp import told
from provisioning_server.families import shipped_families
from provisioning_server.identify import Claim, NoClaim, identify
from tests.provisioning.provisioned import POLY, WRONG, YEALINK, Counter, first, reason, small_domain, with_device

FAMILIES = shipped_families()
VENDORS = {family.vendor: family.ouis for family in FAMILIES.by_id.values()}


def recognised(agent: str) -> tuple[str, str | None, str | None]:
    family, match = FAMILIES.by_user_agent(agent)
    return family.id, match.groupdict().get("model"), match.groupdict().get("mac")


def test_1_prefixes_are_compared_as_they_are_written_so_that_fanvil_is_no_unknown_vendor():
    # FusionPBX: upper-case keys, lower-case MACs
    assert "0c383e" in VENDORS["fanvil"]
    assert all(re.fullmatch("[0-9a-f]{6}", oui) for ouis in VENDORS.values() for oui in ouis)
    marks = {mark.tag: mark for mark in told(FAMILIES, lambda family: "http://h/p", "h")}
    assert "0c383e" in marks["fanvil"].ouis


def test_2_unknown_known_disabled_wrong_token_and_wrong_file_are_answered_alike():
    # FusionPBX: 403 for an unknown MAC, 401 for a known one, 404 for a wrong network
    domain = with_device(small_domain(), "102", settings={"provisioning.open": False})
    desk = Counter(domain, window=True)
    answers = [
        desk.ask("805ec0ffffff.cfg"),
        desk.ask("805ec0ffffff.cfg", WRONG),
        desk.ask(f"{YEALINK}.cfg", WRONG),
        desk.ask(f"{POLY}-settings.cfg"),
        desk.ask(f"{YEALINK}.xml", first(YEALINK)),
        desk.ask("nothing.at.all"),
    ]
    told = {(answer.status, answer.body, answer.content_type, answer.etag, answer.last_modified) for answer in answers}
    assert told == {(404, b"404 Not Found\n", "text/plain; charset=utf-8", "", None)}


@pytest.mark.parametrize(
    ("agent", "mac"),
    [
        ("(compatible; snomD785-SIP 10.1.33.33 (Feb 25 2019 - 14:19:43) 00041396D9B4 SXM:0 UXM:0)", "00041396D9B4"),
        ("(compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767)", "000413741767"),
    ],
)  # fmt: skip
def test_3_snom_names_its_mac_wherever_it_stands(agent, mac):
    # FusionPBX: the eleventh word
    assert recognised(agent)[2] == mac


_PASSWORD = re.compile(r"passw(or)?d|pswd|\.pwd|_pass|authPassword|access_password", re.IGNORECASE)
_USER = re.compile(r"user_?(name|id)\b|auth_?(name|id)\b|\.user$|RegisterUser|AuthName|AUTHID", re.IGNORECASE)


@pytest.mark.parametrize("family", FAMILIES.by_id.values(), ids=FAMILIES.by_id)
def test_4_no_password_is_written_as_a_user_and_no_user_as_a_password(family):
    # FusionPBX, Algo 8301: prov.auth.pwd from the user name and the other way about
    for table in family.tables.values():
        for _, row in table.rows():
            if row.formula is None or not row.formula.names:
                continue
            is_password = row.secret
            for name in row.names:
                is_switch = name.endswith(".set")
                assert not (_PASSWORD.search(name) and not is_password and not is_switch), (name, row.formula.text)
                assert not (_USER.search(name) and is_password), (name, row.formula.text)


def test_5_a_parameter_that_stands_twice_in_a_block_does_not_load():
    # FusionPBX, Poly: the else branch writes server.1.port again; test_families has the refusal, with its line
    for family in FAMILIES.by_id.values():
        for table in family.tables.values():
            for block in table.blocks:
                names = [name for row in block.rows if row.formula for name in row.names]
                once = [name for name in names if name not in family.lint.allowed_duplicates]
                if not any(row.formula is None for row in block.rows):
                    assert len(once) == len(set(once)), table.path


@pytest.mark.parametrize(
    ("agent", "model"),
    [
        ("Cisco/SPA301-7.4.8a (0002FDFF2103)", "SPA301"),
        ("Cisco/SPA525G2-7.4.8a (0002FDFF2103)", "SPA525G2"),
        ("Fanvil X6 2.12.10.1 0c383e2cd710", "X6"),
        ("Fanvil X6U 2.12.10.1 0c383e2cd710", "X6U"),
        ("Fanvil X6U Pro 2.12.10.1 0c383e2cd710", "X6U Pro"),
    ],
)
def test_6_the_longest_model_wins(agent, model):
    assert recognised(agent)[1] == model


@pytest.mark.parametrize(
    ("agent", "family", "mac"),
    [
        ("Yealink SIP-T56A  58.80.0.25 001565f429a4", "yealink/t4x_t5x", "001565f429a4"),
        ("FileTransport PolyCCX-CCX_500-UA/8.0.2.3267 Type/Application", "poly/ccx", None),
    ],
)
def test_7_a_mac_without_colons_and_a_poly_that_is_no_polycom_are_known(agent, family, mac):
    assert recognised(agent)[::2] == (family, mac)


@pytest.mark.parametrize("agent", ["AVAYA/SIP12x0\x17/04.00.04.00", "Yealink \xff\xfe", "\udcff\x00", "x" * 70_000])
def test_8_bytes_that_are_no_ascii_in_a_user_agent_are_no_fault(agent):
    answer = Counter().ask("y000000000066.cfg", agent=agent)
    assert answer.status == 200


def test_9_a_prefix_names_no_vendor():
    # Gigaset ships phones with Snom's prefix: the User-Agent and the directory decide
    assert recognised("Gigaset N870 IP PRO/83.V2.11.0+build.a546b91;000413E0D605")[0] == "gigaset/nx70"
    domain = with_device(small_domain(), "101", mac="000413a10101")
    assert Counter(domain).ask("000413a10101.cfg", first(YEALINK)).status == 200


@pytest.mark.parametrize("name", ["y000000000066.cfg", "000000000000.cfg", "y000000000000.boot"])
def test_10_a_common_file_that_looks_like_a_mac_is_no_device(name):
    claim = identify(name, "", FAMILIES, small_domain())
    assert isinstance(claim, Claim)
    assert (claim.mac, claim.box) == ("", ())


@pytest.mark.parametrize(
    "name", ["$mac.cfg", "spa$PSN.cfg", "$(system.mac).cfg", "{mac}.xml", "[PHONE_MAC_ADDRESS].cfg"]
)
def test_11_a_macro_that_a_phone_has_not_expanded_is_refused_and_named(name):
    assert isinstance(identify(name, "", FAMILIES, small_domain()), NoClaim)
    assert "macro" in reason(Counter().ask(name))


@pytest.mark.parametrize(
    ("family", "text", "says"),
    [
        ("fanvil/x", "http://h/$mac.cfg", "http://h/0c383e2cd710.cfg"),
        ("cisco/spa", "/spa$MA.cfg", "/spa0c383e2cd710.cfg"),
        ("panasonic/hdv", "Config{MAC}.cfg", "Config0C383E2CD710.cfg"),
    ],
)
def test_11_the_phones_of_a_family_expand_its_macros(family, text, says):
    facts = {"mac": "0c383e2cd710", "MAC": "0C383E2CD710", "model": "X6", "part": "X6"}
    macros = {macro: facts[fact] for macro, fact in FAMILIES.by_id[family].macros.items()}
    assert expanded(text, macros) == says


def test_12_a_change_in_the_last_week_is_no_change_in_the_fourth():
    # wazo writes week 4 for Bucharest 2025-10-26; in 2027 the last Sunday is the fifth
    assert [clock("Europe/Bucharest", year).ends.week for year in (2025, 2026, 2027)] == [5, 5, 5]


# --- certificate of the lab's authority ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "written"),
    [
        ("yealink/t4x_t5x", "static.trusted_certificates.url = {}"),
        ("cisco/mpp", "<Custom_CA_Rule>{}</Custom_CA_Rule>"),
        ("mitel/sip", "sips trusted certificates: {}"),
        ("panasonic/hdv", 'CFG_ROOT_CERTIFICATE_PATH="{}"'),
    ],
)
def test_a_phone_that_can_is_told_whose_certificates_to_trust(family, written):
    model = next(iter(FAMILIES.by_id[family].models))
    desk = Counter(with_device(small_domain(), "101", family=family, model=model))
    files = [rule for rule in FAMILIES.by_id[family].files if rule.sensitive]
    name = FAMILIES.by_id[family].name_of(files[0], YEALINK, model)
    assert written.format("http") not in desk.ask(name, first(YEALINK)).body.decode()
    desk.office.at = type(desk.office.at)(
        "192.0.2.10", 5060, "http://192.0.2.10:8080/p", ca_url="http://192.0.2.10:8080/ca.pem"
    )
    desk.office.shelf.clear()
    assert written.format("http://192.0.2.10:8080/ca.pem") in desk.ask(name, first(YEALINK)).body.decode()
