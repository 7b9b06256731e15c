"""Snippets for DHCP servers: every family that asks DHCP is told by what it can be known by, and no token with it."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from provisioning_server import dhcp
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import Office
from tests.conftest import need
from tests.provisioning.provisioned import small_domain

FAMILIES = shipped_families()
HOST = "192.0.2.10"
AT = ServedAt(
    HOST, 5060, f"http://{HOST}:8601/p", secure_url=f"https://{HOST}:8602/p", tftp_url=f"tftp://{HOST}:8669"
)  # fmt: skip
OFFICE = Office(FAMILIES, Ledger(b""), AT)


def told(site: str = "", **settings: str) -> tuple[dict[str, dhcp.Told], list[str]]:
    """What families are told where `provisioning.protocols` of the domain or a site says so; and who is not."""
    said = {owner.replace("_", ":"): {"provisioning.protocols": value} for owner, value in settings.items()}
    urls = dhcp.reached(OFFICE, small_domain(settings=said), site)
    return {mark.tag: mark for mark in dhcp.told(FAMILIES, urls, HOST)}, dhcp.untold(FAMILIES, urls)


MARKS = list(told()[0].values())
BY_TAG = {mark.tag: mark for mark in MARKS}


def test_every_vendor_whose_phones_ask_dhcp_is_told():
    asking = {family.vendor for family in FAMILIES.by_id.values() if family.dhcp} - {"generic"}
    assert {tag.partition("-")[0] for tag in BY_TAG} == asking


@pytest.mark.parametrize(
    ("tag", "options"),
    [
        ("yealink-cp", ((160, "http://192.0.2.10:8601/p"),)),
        ("cisco-spa", ((160, "http://192.0.2.10:8601/p/spa$MA.cfg"),)),
        ("cisco-sep", ((66, "192.0.2.10"), (150, "192.0.2.10"))),
        ("poly", ((159, "http://192.0.2.10:8601/p/$MAC.xml"), (160, "http://192.0.2.10:8601/p"))),
        ("panasonic", ((160, "http://192.0.2.10:8601/p/Config{MAC}.cfg"),)),
    ],
)
def test_a_phone_is_told_in_the_option_it_looks_at_with_macros_it_expands(tag, options):
    assert BY_TAG[tag].options == options


def test_phones_known_by_their_mac_alone_are_not_those_known_by_a_class():
    assert set(BY_TAG["cisco"].but_not) == {"cisco-spa", "cisco-ata19x", "cisco-sep"}


@pytest.mark.parametrize(
    ("protocols", "base"),
    [
        ("https http", "https://192.0.2.10:8602/p"),
        ("tftp http", "http://192.0.2.10:8601/p"),
        ("tftp", "tftp://192.0.2.10:8669"),
    ],
)
def test_phones_are_told_to_come_by_what_the_policy_allows(protocols, base):
    found, _ = told(domain=protocols)
    assert found["yealink-cp"].options == ((160, base),)
    assert found["cisco-spa"].options == ((160, f"{base}/spa$MA.cfg"),)


def test_a_site_has_a_policy_of_its_own_and_a_family_that_cannot_keep_it_is_told_nothing():
    found, nothing = told(domain="tftp", site_Toronto="https", site="Toronto")
    assert found["cisco-spa"].options == ((160, "https://192.0.2.10:8602/p/spa$MA.cfg"),)
    assert nothing == ["cisco/sep"]
    assert "cisco-sep" not in found
    assert told(domain="tftp", site_Toronto="https")[1] == []


@pytest.mark.parametrize("kind", sorted(dhcp.KINDS))
def test_no_snippet_holds_a_token_and_each_names_every_family(kind):
    text = dhcp.KINDS[kind](MARKS)
    assert not re.search(r"[0-9a-f]{32}", text)
    assert [mark.tag for mark in MARKS if mark.tag not in text] == []


def test_the_snippet_of_kea_is_json_whose_classes_name_defined_options():
    whole = json.loads(dhcp.kea(MARKS))["Dhcp4"]
    defined = {one["name"] for one in whole["option-def"]} | {"tftp-server-name", "boot-file-name"}
    names = [one["name"] for one in whole["client-classes"]]
    assert {data["name"] for one in whole["client-classes"] for data in one["option-data"]} <= defined
    for at, one in enumerate(whole["client-classes"]):  # a class may speak only of those before it
        assert set(re.findall(r"member\('([^']+)'\)", one["test"])) <= set(names[:at])


def test_dnsmasq_accepts_its_snippet(tmp_path):
    dnsmasq = need("dnsmasq")
    file = tmp_path / "phones.conf"
    file.write_text(dhcp.dnsmasq(MARKS))
    said = subprocess.run([dnsmasq, "--test", f"--conf-file={file}"], capture_output=True, text=True, check=False)
    assert "syntax check OK" in said.stderr + said.stdout
