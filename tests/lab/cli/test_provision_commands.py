"""`templates`, `provision` and `dhcp`: what a phone is given and why, without a running switchroom."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from lab.cli import provision, templates
from lab.errors import UserError
from lab.seeds.load import OFFICE
from provisioning_server.families import TEMPLATES


def test_the_shipped_families_are_well_and_a_broken_one_is_named_with_file_and_line(tmp_path):
    text, well = templates.check(None)
    assert well, text
    folder = tmp_path / "families"
    shutil.copytree(TEMPLATES / "generic", folder / "generic")
    shutil.copytree(TEMPLATES / "htek", folder / "htek")
    shutil.copy(TEMPLATES / "defaults.yaml", folder)
    table = folder / "htek/uc/cfg.xml.table"
    table.write_text(table.read_text() + "[box]\nP1 = network.ntpp\n")
    text, well = templates.check(folder)
    assert not well
    assert f"cfg.xml.table:{len(table.read_text().splitlines())}: network.ntpp is no setting" in text
    table.write_text(table.read_text().replace("network.ntpp", "network.ntp"))
    assert "unknown parameter P1" in templates.check(folder)[0]


def test_a_folder_without_families_is_refused(tmp_path):
    with pytest.raises(UserError, match="holds no phone families"):
        templates.check(tmp_path)


@pytest.mark.parametrize("mac", ["80:5E:C0:A1:01:01", "805ec0a10101", "101"])
def test_a_box_is_named_by_its_mac_in_any_spelling_or_by_a_device(mac):
    view = json.loads(provision.show(mac, None, as_json=True))
    assert (view["mac"], view["family"], view["fault"]) == ("805ec0a10101", "yealink/t4x_t5x", "")
    assert "805ec0a10101.cfg" in provision.show(mac, None, as_json=False)


@pytest.mark.parametrize(("mac", "said"), [("nobody", "is not a MAC"), ("805ec0a10199", "near: 805ec0a1")])
def test_a_box_that_is_not_there_is_named_with_those_near(mac, said):
    with pytest.raises(UserError) as told:
        provision.show(mac, None, as_json=False)
    assert said in told.value.text()


def test_why_names_formula_setting_and_layers():
    text = provision.why("101", "account.1.label", None, as_json=False)
    assert "= line.label   from " in text
    told = json.loads(provision.why("101", "lines.1.expires", None, as_json=True))
    assert [one["name"] for one in told] == ["account.1.sip_server.1.expires"]
    with pytest.raises(UserError, match="is about 'acount'") as missed:
        provision.why("101", "acount", None, as_json=False)
    assert "near: " in missed.value.text()


def test_a_fetched_file_hides_its_passwords_unless_they_are_asked_for():
    hidden, shown = (provision.fetch("101", "", None, reveal=reveal) for reveal in (False, True))
    assert "account.1.password = ***\n" in hidden
    assert "account.1.password = ***\n" not in shown
    assert provision.fetch("101", "Y000000000096.CFG", None, reveal=False).startswith("#!version")
    with pytest.raises(UserError, match=r"has no file 'x\.cfg'"):
        provision.fetch("101", "x.cfg", None, reveal=False)


def test_two_seeds_are_compared_file_by_file(tmp_path: Path):
    other = tmp_path / "other.yaml"
    other.write_text(OFFICE.read_text().replace("time_zone: America/Toronto", "time_zone: America/Winnipeg"))
    assert provision.diff("101", None, OFFICE) == ("", True)
    text, same = provision.diff("101", None, other)
    assert not same
    assert "-local_time.time_zone = -5\n+local_time.time_zone = -6" in text


def test_an_unknown_dhcp_server_is_refused_by_those_known():
    text, untold = provision.snippet("dnsmasq", "http://192.0.2.10:8601/p")
    assert '"http://192.0.2.10:8601/p"' in text
    assert untold == []
    assert '"https://phones.example/p"' in provision.snippet("dnsmasq", "https://phones.example/p")[0]
    with pytest.raises(UserError, match="there is no site 'Nowhere'"):
        provision.snippet("dnsmasq", "", site="Nowhere")
    with pytest.raises(UserError) as told:
        provision.snippet("dhcpcd", "")
    assert "dnsmasq, kea, isc, windows" in told.value.text()
