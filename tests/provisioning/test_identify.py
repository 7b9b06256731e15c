from __future__ import annotations

import pytest

from provisioning_server.identify import Claim, NoClaim, identify, split_path
from tests.provisioning.provisioned import ATA, FAMILIES, POLY, WRONG, YEALINK, small_domain, with_device

DOMAIN = small_domain()
TOKEN = "0123456789abcdef0123456789abcdef"


def seen(path: str, agent: str = "") -> Claim | NoClaim:
    return identify(path, agent, FAMILIES, DOMAIN)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        (f"/p/{TOKEN}/x.cfg", (TOKEN, "x.cfg")),
        (f"{TOKEN}/x.cfg", (TOKEN, "x.cfg")),
        ("/p/x.cfg", ("", "x.cfg")),
        ("/x.cfg", ("", "x.cfg")),
        ("\\x.cfg", ("", "x.cfg")),
        ("Communicator\\x.cfg", ("", "Communicator/x.cfg")),
        ("./x.cfg", ("", "x.cfg")),
        ("//p//x.cfg", ("", "x.cfg")),
        (f"/p/{TOKEN.upper()}/x.cfg", ("", f"{TOKEN.upper()}/x.cfg")),
        (f"/p/{TOKEN}", (TOKEN, "")),
        ("", ("", "")),
    ],
)
def test_a_path_is_a_token_and_a_name(path, parts):
    assert split_path(path) == parts


@pytest.mark.parametrize(
    ("name", "family", "rule", "model"),
    [
        (f"{YEALINK}.cfg", "yealink/t4x_t5x", "{mac}.cfg", "T46S"),
        (f"{YEALINK.upper()}.CFG", "yealink/t4x_t5x", "{mac}.cfg", "T46S"),
        (f"{YEALINK}.boot", "yealink/t4x_t5x", "{mac}.boot", "T46S"),
        # two families have a file of this pattern: the device decides
        (f"{POLY}.cfg", "poly/vvx", "{mac}.cfg", "VVX450"),
        (f"cfg{ATA}.xml", "grandstream/ht8xx", "cfg{mac}.xml", "HT802"),
    ],
)
def test_a_name_with_a_mac_is_of_the_devices_family(name, family, rule, model):
    claim = seen(name)
    assert isinstance(claim, Claim)
    assert (claim.family.id, claim.rule.name, claim.model, claim.doubt) == (family, rule, model, "")
    assert claim.box


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("000000000000.cfg", "000000000000.cfg"),
        ("000000000000-directory.xml", "000000000000-directory.xml"),
        ("y000000000000.boot", "y000000000000.boot"),
        ("y000000000066.cfg", "y{model_id}.cfg"),
        ("site.cfg", "site.cfg"),
        ("CFG.XML", "cfg.xml"),
    ],
)
def test_common_names_are_no_macs(name, rule):
    claim = seen(name)
    assert isinstance(claim, Claim)
    assert (claim.rule.name, claim.mac, claim.box) == (rule, "", ())


@pytest.mark.parametrize("name", ["000000000000.boot", "cfg000000000000.xml", "000000000000.json"])
def test_a_mac_of_zeros_is_nobodys(name):
    assert isinstance(seen(name), NoClaim)


def test_both_ports_of_an_adapter_are_one_box():
    claim = seen(f"cfg{ATA}.xml")
    assert isinstance(claim, Claim)
    assert [device.id for device in claim.box] == ["111", "112"]


@pytest.mark.parametrize(
    ("name", "doubt"), [("805ec0ffffff.cfg", "unknown MAC"), (f"cfg{YEALINK}.xml", "the device is of another family")]
)
def test_a_file_of_nobody_says_why(name, doubt):
    claim = seen(name)
    assert isinstance(claim, Claim)
    assert (claim.box, claim.doubt) == ((), doubt)


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("", "no usable file name"),
        (f"/p/{WRONG}/", "no usable file name"),
        ("a" * 256, "no usable file name"),
        ("a\0.cfg", "no usable file name"),
        ("../../etc/passwd", "climbs"),
        ("x/../y.cfg", "climbs"),
        ("..\\..\\boot.ini", "climbs"),
        ("$mac.cfg", "macro"),
        ("$MAC.boot", "macro"),
        ("spa$PSN.cfg", "macro"),
        ("$(system.mac).cfg", "macro"),
        ("{mac}.cfg", "macro"),
        ("[PHONE_MAC_ADDRESS]-settings.cfg", "macro"),
        ("favicon.ico", "no family"),
        ("805ec0000101.cfg.bak", "no family"),
        ("x805ec0000101.cfg", "no family"),
        ("805ec000010.cfg", "no family"),
        ("y000000000023.cfg", "no model"),
    ],
)
def test_a_name_that_is_none_of_ours_says_why(path, why):
    found = seen(path)
    assert isinstance(found, NoClaim)
    assert why in found.reason


def test_the_user_agent_names_mac_and_model_where_the_file_does_not():
    agent = "Yealink SIP-T46S 66.86.0.15 80:5e:c0:00:01:01"
    claim = seen("y000000000000.boot", agent)
    assert isinstance(claim, Claim)
    assert (claim.mac, claim.model) == (YEALINK, "T46S")
    nobody = seen("favicon.ico", agent)
    assert nobody.mac == YEALINK


@pytest.mark.parametrize(
    ("agent", "doubt"),
    [
        ("Yealink SIP-T46S 66.86.0.15 80:5e:c0:00:01:01", ""),
        ("curl/8", ""),
        ("Yealink SIP-T46S 66.86.0.15 80:5e:c0:99:99:99", "the User-Agent names 805ec0999999"),
        ("FileTransport PolycomVVX-VVX_450-UA/6.4.0.1234", "the User-Agent is that of poly/vvx"),
    ],
)
def test_a_user_agent_that_does_not_fit_is_a_doubt_and_no_refusal(agent, doubt):
    claim = seen(f"{YEALINK}.cfg", agent)
    assert isinstance(claim, Claim)
    assert claim.doubt == doubt
    assert claim.box


def test_the_maker_of_the_network_chip_is_not_the_maker_of_the_phone():
    # Gigaset desk phones bear Snom's OUI: here only the directory says what a device is
    claim = identify("000413000101.cfg", "", FAMILIES, with_device(DOMAIN, "101", mac="000413000101"))
    assert isinstance(claim, Claim)
    assert (claim.family.id, [device.id for device in claim.box]) == ("yealink/t4x_t5x", ["101"])
