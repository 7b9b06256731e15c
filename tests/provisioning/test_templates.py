"""What the families write: golden files, lint, and nothing that a name could smuggle in."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from defusedxml.ElementTree import fromstring
from hypothesis import given, settings
from hypothesis import strategies as st

from pbx.sip.digest import Credentials, DigestServer, Verdict, answer_challenge
from provisioning_server import golden
from provisioning_server.lint import problems
from tests.provisioning.provisioned import (
    ATA,
    BARESIP,
    FAMILIES,
    JSON,
    LINPHONE,
    OWN_FILE,
    POLY,
    YEALINK,
    Counter,
    first,
    served,
    small_domain,
    with_device,
)

CASES = list(golden.cases(FAMILIES))
XML = [POLY, ATA, LINPHONE]
TEXT = [YEALINK, BARESIP]
AWKWARD = "A\"B<C>&D'E;F,G=H%I\\J{{K}}é"


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family.id} {case.stem}" for family, case in CASES])
def test_golden_files(family, case):
    for name, body in golden.rendered(FAMILIES, family, case).items():
        kept = case.with_suffix("") / name
        said = golden.stated(family, body).decode()
        assert said == kept.read_text(encoding="utf-8"), f"{name}: see `python -m provisioning_server.golden`"


def test_every_family_has_a_golden_case_of_one_line_and_one_of_a_full_device():
    lines: dict[str, set[int]] = {}
    for family, case in CASES:
        told = yaml.safe_load(case.read_text(encoding="utf-8"))["devices"]
        lines.setdefault(family.id, set()).add(len(told))
        if len(told) > 1 or family.capabilities.lines == 1:
            lines[family.id].add(99 if any(one.get("settings") for one in told) else 0)
    for family in FAMILIES.by_id.values():
        assert {1, 99} <= lines[family.id] or family.vendor == "generic", family.id


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family.id} {case.stem}" for family, case in CASES])
def test_no_golden_file_is_left_over(family, case):
    rendered = golden.rendered(FAMILIES, family, case)
    kept = {str(path.relative_to(case.with_suffix(""))) for path in case.with_suffix("").rglob("*") if path.is_file()}
    assert kept == set(rendered)


@pytest.mark.parametrize(("family", "case"), CASES, ids=[f"{family.id} {case.stem}" for family, case in CASES])
def test_what_is_written_passes_the_familys_lint(family, case):
    for name, body in golden.rendered(FAMILIES, family, case).items():
        rule = next(rule for rule in family.files if rule.pattern.match(name))
        assert problems(family, rule, body) == [], name


def test_a_golden_file_leaves_out_what_nobody_has_seen():
    ata = FAMILIES.by_id["grandstream/ht8xx"]
    assert ata.unverified == ("P733",)
    assert golden.stated(ata, b"<P73>1</P73>\n<P733>5001</P733>\n<P7330>1</P7330>\n") == (
        b"<P73>1</P73>\n<P7330>1</P7330>\n"
    )


def test_the_golden_script_finds_a_difference(tmp_path, monkeypatch, capsys):
    family, case = CASES[0]
    copy = tmp_path / "golden" / case.name
    copy.parent.mkdir()
    copy.write_bytes(case.read_bytes())
    moved = family.model_copy(update={"folder": family.folder})
    monkeypatch.setattr(golden, "cases", lambda families: [(moved, copy)])
    monkeypatch.setattr(golden, "load_families", lambda: FAMILIES)
    monkeypatch.setattr(type(copy), "relative_to", lambda self, other: self)
    assert golden.main([]) == 1
    assert golden.main(["--update"]) == 0
    assert golden.main([]) == 0
    assert "differs" in capsys.readouterr().out


# --- lint finds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "body", "said"),
    [
        ("yealink/t4x_t5x", b"#!version:1.0.0.1\noverwrite_mode = 1\noverwrite_mode = 0\n", "overwrite_mode stands 2"),
        ("yealink/t4x_t5x", b"#!version:1.0.0.1\naccount.1.colour = red\n", "unknown parameter account.1.colour"),
        ("yealink/t4x_t5x", b"account.1.enable = 1\n", "the first line is not #!version:1.0.0.1"),
        ("yealink/t4x_t5x", b"", "the first line is not #!version:1.0.0.1"),
        ("yealink/t4x_t5x", b"#!version:1.0.0.1\nenable\n", "no `name = value`: 'enable'"),
        ("yealink/t4x_t5x", b"#!version:1.0.0.1\naccount.1.label = {{ x }}\n", "template text left: {{"),
        ("yealink/t4x_t5x", b"#!version:1.0.0.1\naccount.1.label = \xff\n", "not UTF-8 at byte 36"),
        ("poly/vvx", b"<a reg.1.address='x'><b reg.1.address='y'/></a>", "reg.1.address stands 2 times"),
        ("poly/vvx", b"<a reg.1.server.3.port='1'/>", "unknown parameter reg.1.server.3.port"),
        ("poly/vvx", b"<a", "not XML"),
        ("poly/vvx", b'<!DOCTYPE a [<!ENTITY x "y">]><a reg.1.label="&x;"/>', "not XML"),
        ("grandstream/ht8xx", b"<gs_provision><config><P1/></config></gs_provision>", "unknown parameter P1"),
        ("grandstream/ht8xx", b"<other/>", "not a <gs_provision>"),
        ("linphone/desktop", b"<config/>", "not an lpconfig <config>"),
        ("generic/json", b"{", "not JSON"),
        ("generic/json", b'{"mac": 1, "mac": 2}', "a name stands twice among ['mac', 'mac']"),
        ("generic/json", b'{"lines": [{"colour": 1}]}', "unknown parameter lines.colour"),
        ("generic/baresip", b'"a" <sip:a@b\n', "no account"),
        ("generic/baresip", b'"a" <sip:a@b>;regint=1;colour=2;outbound="sip:x;colour=3"\n', "unknown parameter colour"),
        ("generic/baresip", b"rtp_tos 4\n", "no name and value"),
    ],
)  # fmt: skip
def test_lint_finds(family, body, said):
    found = FAMILIES.by_id[family]
    assert any(said in problem for problem in problems(found, found.files[0], body))


# --- injection -------------------------------------------------------------------------------------------


def desk_named(name: str, mac: str) -> Counter:
    domain = small_domain()
    device = domain.devices_by_mac[mac][0].id
    return Counter(with_device(domain, device, settings={"lines.1.display_name": name, "lines.1.label": name}))


@pytest.mark.parametrize("mac", sorted(OWN_FILE))
@pytest.mark.parametrize(
    "smuggled",
    ["x\naccount.1.password = stolen", "x\r\naccount.1.password = stolen", "x\x00y", "x\x85y", "x\u2028y", "x\x0by"],
)
def test_a_line_break_in_a_name_gives_no_setting(mac, smuggled):
    answer = desk_named(smuggled, mac).own(mac)
    if mac == JSON:  # where every character can be written, and means itself
        assert json.loads(answer.body)["lines"][0]["display_name"] == smuggled
    else:
        assert answer.status == 404
        assert answer.events[-1].kind == "server.error"


@pytest.mark.parametrize("mac", XML)
def test_markup_in_a_name_and_in_a_password_stays_text(mac):
    plain = tags(desk_named("x", mac).own(mac).body)
    domain = small_domain()
    device = domain.devices_by_mac[mac][0].id
    named = {"lines.1.display_name": AWKWARD, "lines.1.label": AWKWARD}
    body = Counter(with_device(domain, device, password=AWKWARD, settings=named)).own(mac).body
    assert tags(body) == plain
    texts = [*fromstring(body).itertext(), *(v for element in fromstring(body).iter() for v in element.attrib.values())]
    if mac != LINPHONE:
        assert sum(text == AWKWARD for text in texts) >= 2


def test_awkward_names_are_read_back_as_they_are_from_text():
    body = desk_named(AWKWARD, YEALINK).own(YEALINK).body.decode()
    assert f"account.1.display_name = {AWKWARD}\n" in body
    assert body.count("\n") == desk_named("x", YEALINK).own(YEALINK).body.count(b"\n")


def test_an_account_of_baresip_stays_one_account():
    body = desk_named('x" <sip:evil@evil>;auth_pass=y', BARESIP).own(BARESIP).body.decode()
    assert body.startswith('"x\' (sip:evil@evil);auth_pass=y" <sip:113@acme.lab;transport=udp>;auth_user=113;')


@pytest.mark.parametrize("password", ['a";b', "a;b", "a,b", "a<b", "a b", "a\tb"])
def test_a_password_that_would_end_a_field_of_baresip_is_refused(password):
    desk = Counter(with_device(small_domain(), "113", password=password))
    assert desk.own(BARESIP).status == 404


def tags(body: bytes) -> list[tuple[str, tuple[str, ...]]]:
    return [(element.tag, tuple(element.attrib)) for element in fromstring(body).iter()]


@settings(max_examples=60, deadline=None)
@given(name=st.text(max_size=40), mac=st.sampled_from(sorted(OWN_FILE)))
def test_any_name_gives_a_sound_file_or_none(name, mac):
    desk = desk_named(name, mac)
    answer = desk.own(mac)
    if answer.status == 404:
        assert answer.events[-1].kind == "server.error"
        return
    family = FAMILIES.by_id[served(answer).family]
    rule = next(rule for rule in family.files if rule.sensitive)
    assert [p for p in problems(family, rule, answer.body) if "template text" not in p] == []


# --- each family, what matters ----------------------------------------------------------------------------


def test_the_hash_linphone_gets_opens_the_switch_and_nothing_else():
    body = Counter().own(LINPHONE).body.decode()
    ha1 = re.search(r'name="ha1" overwrite="true">([0-9a-f]{32})<', body)[1]
    assert "secret-of-107" not in body
    server = DigestServer("acme.lab", lambda n: "0" * n)
    challenges = server.challenge(0.0)
    answer = answer_challenge(challenges, Credentials("107", "", ha1), "REGISTER", "sip:acme.lab", "c")
    assert server.verify(answer, "REGISTER", "secret-of-107", 0.0) is Verdict.OK
    # the hash answers MD5 alone: it can compute nothing else
    only_sha = [text for text in challenges if "SHA-256" in text]
    assert answer_challenge(only_sha, Credentials("107", "", ha1), "REGISTER", "sip:acme.lab", "c") is None


def test_lines_without_a_device_are_switched_off_so_that_old_accounts_go():
    text = Counter().own(YEALINK).body.decode()
    assert [f"account.{n}.enable = {1 if n == 1 else 0}\n" in text for n in range(1, 17)] == [True] * 16
    assert "account.2.password = %NULL%\n" in text
    poly = Counter().own(POLY).body.decode()
    assert 'reg.12.auth.password=""' in poly


def test_remote_control_is_off_unless_it_is_asked_for_and_then_for_our_address_or_those_named():
    def control(**settings: object) -> list[str]:
        domain = small_domain(settings={"domain": settings})
        return re.findall(r"features.action_uri\S* = (\S+)", Counter(domain).own(YEALINK).body.decode())

    assert control() == ["0", "%NULL%"]
    assert control(**{"remote_control.enabled": True}) == ["1", "192.0.2.10"]
    assert control(**{"remote_control.enabled": True, "remote_control.allow": "192.0.2.77"}) == ["1", "192.0.2.77"]


@pytest.mark.parametrize(
    ("mac", "setting", "value", "before", "after"),
    [
        (YEALINK, "provisioning.pnp_enabled", True, "pnp_enable = 0", "pnp_enable = 1"),
        (YEALINK, "provisioning.dhcp_enabled", True, "dhcp_option.enable = 0", "dhcp_option.enable = 1"),
        (POLY, "provisioning.dhcp_enabled", True, 'UseOpt="Static"', 'UseOpt="CustomAndDefault"'),
        (ATA, "provisioning.dhcp_enabled", True, "<P145>0<", "<P145>1<"),
        (YEALINK, "network.lldp", False, "lldp.enable = 1", "lldp.enable = 0"),
        (YEALINK, "network.vlan.id", 7, "internet_port_vid = %NULL%", "internet_port_vid = 7"),
        (YEALINK, "network.dscp.rtp", 34, "audiotos = 46", "audiotos = 34"),
        (YEALINK, "security.web_enabled", True, "https_enable = 0", "https_enable = 1"),
        (YEALINK, "lines.*.dtmf", "info", "dtmf.type = 1", "dtmf.type = 2"),
        (YEALINK, "lines.*.codecs", "PCMA", "codec.pcmu.enable = 1", "codec.pcmu.enable = 0"),
        (YEALINK, "lines.*.voicemail", "5002", "number.1 = 5001", "number.1 = 5002"),
        (YEALINK, "lines.*.mwi_subscribe", False, "subscribe_mwi = 1", "subscribe_mwi = 0"),
        (YEALINK, "lines.1.enabled", False, "account.1.enable = 1", "account.1.enable = 0"),
        (YEALINK, "network.ntp", "192.0.2.77", "ntp_server1 = 192.0.2.10", "ntp_server1 = 192.0.2.77"),
        (POLY, "remote_control.enabled", True, 'restapi.enabled="0"', 'restapi.enabled="1"'),
        (POLY, "security.web_enabled", True, 'httpd.cfg.enabled="0"', 'httpd.cfg.enabled="1"'),
        (POLY, "lines.*.dtmf", "info", 'dtmfViaSignaling.rfc2976="0"', 'dtmfViaSignaling.rfc2976="1"'),
        (POLY, "lines.*.codecs", "PCMA", 'G711_Mu="1"', 'G711_Mu="0"'),
        (POLY, "time.zone", "Asia/Kolkata", 'gmtOffset="-18000"', 'gmtOffset="19800"'),
        (ATA, "lines.1.dtmf", "inband", "<P850>101<", "<P850>100<"),
        (ATA, "lines.*.mwi_subscribe", False, "<P99>1<", "<P99>0<"),
        (ATA, "network.dscp.sip", 24, "<P5046>26<", "<P5046>24<"),
        (LINPHONE, "lines.*.dtmf", "info", 'use_info" overwrite="true">0', 'use_info" overwrite="true">1'),
        (LINPHONE, "network.dscp.sip", 24, '"dscp" overwrite="true">26', '"dscp" overwrite="true">24'),
        (LINPHONE, "network.dscp.rtp", 34, 'audio_dscp" overwrite="true">46', 'audio_dscp" overwrite="true">34'),
        (LINPHONE, "lines.*.mwi_subscribe", False, ">sip:107@acme.lab</entry>", "<nothing>"),
        (JSON, "lines.*.dtmf", "info", '"dtmf": "rfc4733"', '"dtmf": "info"'),
        (JSON, "time.zone", "Asia/Tokyo", "America/Toronto", "Asia/Tokyo"),
        (BARESIP, "lines.*.dtmf", "info", "dtmfmode=rtpevent", "dtmfmode=info"),
        (BARESIP, "lines.*.mwi_subscribe", False, "mwi=yes", "mwi=no"),
    ],
)
def test_a_setting_changes_what_is_written(mac, setting, value, before, after):
    def text(settings: dict[str, object]) -> str:
        domain = small_domain()
        device = domain.devices_by_mac[mac][0].id
        return Counter(with_device(domain, device, settings=settings)).own(mac).body.decode()

    assert before in text({})
    changed = text({setting: value})
    assert before not in changed
    if after != "<nothing>":
        assert after in changed


@pytest.mark.parametrize("mac", sorted(OWN_FILE))
def test_the_same_input_gives_the_same_bytes(mac):
    assert Counter().own(mac).body == Counter().own(mac).body


def test_no_name_stands_in_a_common_file_and_in_a_phones_own():
    desk = Counter()
    keys = lambda body: set(re.findall(r"^(\S+) =", body.decode(), re.MULTILINE))  # noqa: E731
    assert not keys(desk.ask("y000000000066.cfg").body) & keys(desk.own(YEALINK).body)
    attributes = lambda body: {name for element in fromstring(body).iter() for name in element.attrib}  # noqa: E731
    assert not attributes(desk.ask("site.cfg").body) & attributes(desk.own(POLY).body)


def test_an_adapter_whose_own_file_is_refused_keeps_its_accounts_and_its_server():
    common = Counter().ask("cfg.xml").body
    assert [element.tag for element in fromstring(common).find("config")] == ["P30"]


def test_baresip_gets_its_three_files():
    desk = Counter()
    for name in ("config", "accounts", "contacts"):
        assert desk.ask(f"baresip/{BARESIP}/{name}", first(BARESIP)).status == 200
