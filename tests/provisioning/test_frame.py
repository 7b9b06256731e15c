"""What every family can say: inherited manifests, shared common files, firmware ranges, groups, raw parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from provisioning_server.families import BrokenFamily, load_families
from provisioning_server.identify import Claim, identify
from provisioning_server.respond import explain, unused
from tests.provisioning.provisioned import (
    ATA,
    LINPHONE,
    POLY,
    YEALINK,
    Counter,
    first,
    reason,
    small_domain,
    small_shelf,
    with_device,
)

AGENT = "Yealink SIP-T46S {} 805ec0000101"


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """The shipped templates, and a family that inherits from Yealink's T4x."""
    folder = small_shelf(tmp_path / "device_templates")
    heir = folder / "yealink/x9"
    heir.mkdir()
    manifest = {
        "family": "x9", "vendor": "yealink", "title": "an heir", "type": "deskphone", "inherits": "yealink/t4x_t5x",
        "user_agents": [{"regex": r"Yealink SIP-X9 (?P<version>[\d.]+)", "examples": ["Yealink SIP-X9 1.2.3.4"]}],
    }  # fmt: skip
    (heir / "family.yaml").write_text(yaml.safe_dump(manifest))
    (heir / "models.yaml").write_text('X9: {model_id: "990", lines: 2}\n')
    return folder


def test_an_heir_has_the_files_and_parameters_of_its_forebear_and_its_own_models(shelf):
    families = load_families(shelf)
    heir, forebear = families.by_id["yealink/x9"], families.by_id["yealink/t4x_t5x"]
    assert [rule.name for rule in heir.files] == [rule.name for rule in forebear.files]
    assert heir.parameters == forebear.parameters
    assert list(heir.models) == ["X9"]
    assert families.by_user_agent("Yealink SIP-X9 1.2.3.4")[0] is heir


@pytest.mark.parametrize(
    ("name", "agent", "family", "model"),
    [
        ("y000000000990.cfg", "", "yealink/x9", "X9"),
        ("y000000000066.cfg", "", "yealink/t4x_t5x", "T46S"),
        ("y000000000000.boot", "Yealink SIP-X9 1.2.3.4", "yealink/x9", ""),
        ("y000000000000.boot", AGENT.format("66.86.0.15"), "yealink/t4x_t5x", "T46S"),
    ],
)
def test_a_common_file_of_two_families_is_told_by_model_or_by_who_asks(shelf, name, agent, family, model):
    claim = identify(f"/p/{name}", agent, load_families(shelf), small_domain())
    assert isinstance(claim, Claim)
    assert (claim.family.id, claim.model) == (family, model)


def test_a_family_that_inherits_in_a_circle_is_refused(shelf):
    path = shelf / "yealink/t4x_t5x/family.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"inherits": "yealink/x9"}))
    with pytest.raises(BrokenFamily, match="inherits from itself"):
        load_families(shelf)


@pytest.mark.parametrize(
    ("version", "vlan"), [("66.85.9.9", b"%NULL%"), ("66.86.0.15", b"7"), ("66.86.0.100", b"7"), ("67.0", b"%NULL%")]
)
def test_a_range_of_firmware_has_a_layer_of_its_own(shelf, version, vlan):
    path = shelf / "yealink/t4x_t5x/family.yaml"
    said = [{"since": "66.86", "before": "67", "settings": {"network.vlan.id": 7}}]
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | {"firmware": said}))
    desk = Counter()
    desk.office.families = load_families(shelf)
    body = desk.ask(f"{YEALINK}.cfg", first(YEALINK), agent=AGENT.format(version)).body
    assert b"internet_port_vid = " + vlan + b"\n" in body


def test_a_group_stands_between_site_and_user():
    domain = small_domain()
    users = tuple(
        user.model_copy(update={"department": "Sales"}) if user.extension == "101" else user for user in domain.users
    )
    said = {"site:Toronto": {"network.vlan.id": 2}, "group:Sales": {"network.vlan.id": 3}}
    desk = Counter(domain.replaced(users=users).replaced(settings=said))
    told = {
        one.name: one for one in explain(desk.office, desk.directory, desk.directory.devices_by_id["101"], desk.now)
    }
    assert told["network.vlan.id"].stack == (("defaults", 0), ("site Toronto", 2), ("group Sales", 3))


# --- vendor.raw ------------------------------------------------------------------------------------------


def own_file(mac: str, **settings: object) -> Counter:
    domain = small_domain()
    return Counter(with_device(domain, domain.devices_by_mac[mac][0].id, settings=settings))


@pytest.mark.parametrize(
    ("mac", "name", "written"),
    [
        (YEALINK, "account.1.label", b"account.1.label = a<&b\n"),
        (POLY, "reg.1.label", b'reg.1.label="a&lt;&amp;b"'),
        (ATA, "P3", b"<P3>a&lt;&amp;b</P3>"),
    ],
)
def test_a_raw_parameter_is_written_over_what_the_table_says(mac, name, written):
    desk = own_file(mac, **{f"vendor.raw.{name}": "a<&b"})
    body = desk.own(mac).body
    assert written in body
    assert body.count(written.partition(b"a<" if mac == YEALINK else b"a&lt;")[0]) == 1
    device = desk.directory.devices_by_mac[mac][0]
    assert unused(desk.office, desk.directory, device, desk.now) == []


@pytest.mark.parametrize("name", ["account.1.colour", "x = 1\naccount.1.label", ""])
def test_a_raw_parameter_that_the_family_does_not_know_is_refused_by_name(name):
    answer = own_file(YEALINK, **{f"vendor.raw.{name}": "x"}).own(YEALINK)
    assert answer.status == 404
    assert "has no parameter of that name" in reason(answer)


def test_a_raw_parameter_of_a_family_written_by_templates_is_reported_as_unused():
    desk = own_file(LINPHONE, **{"vendor.raw.sip/dscp": 1})
    device = desk.directory.devices_by_mac[LINPHONE][0]
    assert unused(desk.office, desk.directory, device, desk.now) == ["vendor.raw.sip/dscp"]


# --- encrypted media -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mac", "srtp", "written"),
    [
        (YEALINK, "opportunistic", b"account.1.srtp_encryption = 1\n"),
        (YEALINK, "yes", b"account.1.srtp_encryption = 2\n"),
        (YEALINK, "no", b"account.1.srtp_encryption = 0\n"),
        (POLY, "yes", b'sec.srtp.require="1"'),
    ],
)
def test_the_devices_policy_of_encryption_reaches_the_phone(mac, srtp, written):
    domain = small_domain()
    desk = Counter(with_device(domain, domain.devices_by_mac[mac][0].id, srtp=srtp))
    assert written in desk.own(mac).body


def test_a_phone_that_cannot_encrypt_but_must_is_told_to_the_operator():
    answer = Counter(with_device(small_domain(), "109", srtp="yes")).own("02a6c4000109")
    assert "cannot encrypt media" in reason(answer)
