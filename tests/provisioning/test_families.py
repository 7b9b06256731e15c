from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from provisioning_server.families import BrokenFamily, load_families, load_sound, shipped_families
from tests.provisioning.provisioned import small_domain, small_shelf


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A copy of the shipped templates to break."""
    return small_shelf(tmp_path / "device_templates")


def rewrite(path: Path, **changes: object) -> None:
    told = yaml.load(path.read_text(), yaml.CSafeLoader) | changes
    path.write_text(yaml.dump(told, Dumper=yaml.CSafeDumper))


def test_the_shipped_families_load():
    families = shipped_families()
    assert families.broken == ()
    assert set(families.by_id) > {device.family for device in small_domain().devices}
    for family in families.by_id.values():
        assert family.files
        assert family.boot
        assert family.parameters


@pytest.mark.parametrize(
    ("agent", "family", "model", "mac"),
    [
        ("Yealink SIP-T46G 28.72.0.1 00:15:65:4a:a9:37", "yealink/t4x_t5x", "T46G", "00:15:65:4a:a9:37"),
        ("Yealink SIP-T56A  58.80.0.25 001565f429a4", "yealink/t4x_t5x", "T56A", "001565f429a4"),
        ("Yealink SIP-T46S 66.86.0.15 805ec0123456", "yealink/t4x_t5x", "T46S", "805ec0123456"),
        ("yealink SIP-T48U 109.86.0.10 80:5e:c0:00:00:01", "yealink/t4x_t5x", "T48U", "80:5e:c0:00:00:01"),
        ("Yealink-T46G 28.71.0.81 28.1.0.128.0.0.0", "yealink/t4x_t5x", "T46G", None),
        ("FileTransport PolyVVX-VVX_250-UA/6.4.0 (SN:64167F010203)", "poly/vvx", None, "64167F010203"),
        ("Grandstream Model HW HT802V2 V1.0A SW 1.0.5.4 DevId ec74d763e419", "grandstream/ht8xx", "HT802",
         "ec74d763e419"),
        ("Grandstream Model HW GXP2135 SW 1.0.7.97 DevId 000b828aa872", "grandstream/gxp", "GXP2135", "000b828aa872"),
        ("Yealink SIP-T38G  38.70.0.125 00:15:65:11:22:33", "yealink/t2x_t3x", "T38G", "00:15:65:11:22:33"),
        ("W52P 25.30.0.2 00:15:65:11:22:34", "yealink/dect", "W52P", "00:15:65:11:22:34"),
        ("FileTransport PolyCCX-CCX_600-UA/8.0.2.3267 (SN:482567b5313f) Type/Application", "poly/ccx", None,
         "482567b5313f"),
        ("Fanvil X6U Pro 0.0.10 0c383e2cd782", "fanvil/x", "X6U Pro", "0c383e2cd782"),
        ("Mozilla/4.0 (compatible; snomD785-SIP 10.1.33.33 2010.12-00004-g9ba52f5 000413922D24 SXM:0 UXM:0)",
         "snom/d", "D785", "000413922D24"),
        ("Mozilla/4.0 (compatible; snom710-SIP 8.7.5.35 1.1.5-IFX-05.01.12 000413741767", "snom/d", "710",
         "000413741767"),
        ("Mozilla/4.0 (compatible; snom710-SIP 8.7.3.19 1.1.5-IFX-05.01.12)", "snom/d", "710", None),
        ("Aastra6731i MAC:00-08-5D-23-74-29 V:3.2.0.70-SIP", "mitel/sip", "6731i", "00-08-5D-23-74-29"),
        ("Cisco/SPA508G-7.4.8a (0002FDFF2103)(CBT141400UK)", "cisco/spa", "SPA508G", "0002FDFF2103"),
        ("Cisco/SPA525G-7.4.7 (CBT141900G7)", "cisco/spa", "SPA525G", None),
        ("Cisco-CP-7832-3PCC/11.0.1 (00562b043615)", "cisco/mpp", "7832", "00562b043615"),
        ("Panasonic_KX-UT113/01.133 (0080f0c8c381)", "panasonic/hdv", "KX-UT113", "0080f0c8c381"),
        ("Htek UC903 2.0.4.2 00:1f:c1:1c:22:a9", "htek/uc", "UC903", "00:1f:c1:1c:22:a9"),
        ("AUDC-IPPhone/2.2.8.61 (440HDG-Rev0; 00908F602AAC)", "audiocodes/400hd", "440HDG", "00908F602AAC"),
        ("LinphoneAndroid/6.0 (Pixel) LinphoneSDK/5.4", "linphone/desktop", None, None),
    ],
)  # fmt: skip
def test_real_user_agents_name_family_model_and_mac(agent, family, model, mac):
    found, match = shipped_families().by_user_agent(agent)
    groups = match.groupdict()
    assert (found.id, groups.get("model"), groups.get("mac")) == (family, model, mac)


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "Wget/1.11.3",
        "AVAYA/SIP12x0\x17/04.00.04.00",
        "FileTransport PolycomSoundPointIP-SPIP_550-UA/3.2.3.1734",
        "Mozilla/4.0 (compatible; Snom M900 05.20.0001 000413b60680)",
        "Gigaset N720 DM PRO/70.089.00.000.000;7C2F80CA21E4",
    ],
)
def test_other_makers_phones_are_not_taken_for_ours(agent):
    assert shipped_families().by_user_agent(agent) is None


def test_model_numbers_of_common_files_are_unique_and_of_twelve_digits():
    yealink = shipped_families().by_id["yealink/t4x_t5x"]
    assert yealink.model_of_id("000000000096") == "T54W"
    assert yealink.model_of_id("000000000107") == "T43U"
    assert yealink.model_of_id("000000000023") == ""


@pytest.mark.parametrize("model", ["T54W", "T46S"])
def test_a_models_lines_go_before_the_familys(model):
    yealink = shipped_families().by_id["yealink/t4x_t5x"]
    assert yealink.lines_of(model) == yealink.models[model].lines
    assert yealink.lines_of("T99Z") == yealink.capabilities.lines


# --- what is refused, with the file named ----------------------------------------------------------------


def broken(shelf: Path, match: str) -> None:
    with pytest.raises(BrokenFamily, match=match):
        load_families(shelf)


def test_an_example_that_its_own_regex_misses_is_refused(shelf):
    agents = [{"regex": "Nokia", "examples": ["Siemens"]}]
    rewrite(shelf / "poly/vvx/family.yaml", user_agents=agents)
    broken(shelf, "poly/vvx: example 'Siemens' is not matched")


def test_a_regex_without_an_example_is_refused(shelf):
    rewrite(shelf / "poly/vvx/family.yaml", user_agents=[{"regex": "Nokia", "examples": []}])
    broken(shelf, r"poly/vvx/family.yaml:\d+: user_agents.0.examples")


def test_a_counter_example_that_matches_is_refused(shelf):
    rewrite(
        shelf / "poly/vvx/family.yaml", user_agents=[{"regex": "No", "examples": ["No"], "counter_examples": ["Non"]}]
    )
    broken(shelf, "counter-example 'Non' is matched")


def test_two_families_with_equal_right_to_an_example_are_refused(shelf):
    agents = [{"regex": r"LinphoneAndroid/6.0", "examples": ["LinphoneAndroid/6.0 (Pixel) LinphoneSDK/5.4"]}]
    rewrite(shelf / "poly/vvx/family.yaml", user_agents=agents)
    broken(shelf, "both claim|recognised as")


def test_the_longer_match_wins(shelf):
    agents = [{"regex": r"LinphoneAndroid/6.0 \(Pixel\)", "examples": ["LinphoneAndroid/6.0 (Pixel)"]}]
    rewrite(shelf / "poly/vvx/family.yaml", user_agents=agents)
    # now Linphone's own example is claimed by the longer match of another: refused, naming both
    broken(shelf, "linphone/desktop: example .* is recognised as poly/vvx")


@pytest.mark.parametrize("oui", ["0021A0", "00a8a", "00:15:65"])
def test_an_oui_that_could_never_match_is_refused(shelf, oui):
    # FusionPBX compares lower-case MACs with upper-case keys; Tancredi has one of eleven digits
    rewrite(shelf / "poly/vendor.yaml", ouis=[oui])
    broken(shelf, r"poly/vendor.yaml:\d+: ouis.0")


def test_an_unknown_field_is_refused(shelf):
    path = shelf / "poly/vvx/family.yaml"
    path.write_text(path.read_text().replace("macros:", "colour: red\nmacros:"))
    at = path.read_text().splitlines().index("colour: red") + 1
    broken(shelf, f"poly/vvx/family.yaml:{at}: colour: Extra inputs")


def test_a_fault_deep_in_a_manifest_is_told_with_its_own_line(shelf):
    path = shelf / "poly/vvx/family.yaml"
    path.write_text(path.read_text().replace("kind: common", "kind: commmon"))
    at = next(n for n, line in enumerate(path.read_text().splitlines(), start=1) if "commmon" in line)
    broken(shelf, rf"poly/vvx/family.yaml:{at}: files.\d.kind: Input should be")


@pytest.mark.parametrize("name", ["family.yaml", "models.yaml", "settings.cfg.table", "master.cfg.j2"])
def test_a_file_that_is_no_text_disables_its_family_alone(shelf, name):
    (shelf / "poly/vvx" / name).write_bytes(b"\xff\xfe\x00")
    families = load_sound(shelf)
    assert "poly/vvx" not in families.by_id
    assert "yealink/t4x_t5x" in families.by_id
    assert len(families.broken) == 1
    assert name in families.broken[0]


def test_a_template_that_jinja_does_not_understand_is_refused_with_its_line(shelf):
    (shelf / "poly/vvx/master.cfg.j2").write_text("<a>\n{% if x %}\n</a>\n{% endfor %}\n")
    broken(shelf, r"master.cfg.j2:4: .*endfor")


def test_a_missing_template_is_refused(shelf):
    (shelf / "poly/vvx/site.cfg.table").unlink()
    broken(shelf, "template site.cfg.table does not exist")


def test_a_missing_vendor_file_is_refused(shelf):
    (shelf / "poly/vendor.yaml").unlink()
    broken(shelf, "poly/vendor.yaml: does not exist")


def test_broken_yaml_is_refused_with_file_and_line(shelf):
    (shelf / "poly/vvx/models.yaml").write_text("VVX450:\n  lines: [1\n")
    broken(shelf, r"models.yaml: (.|\n)*line 3")


def test_yaml_that_is_no_mapping_is_refused(shelf):
    (shelf / "defaults.yaml").write_text("- a\n")
    broken(shelf, "defaults.yaml: not a mapping")


@pytest.mark.parametrize(("said", "reason"), [(12, "VVX450: not a mapping"), ({"colour": "red"}, "colour")])
def test_a_model_that_says_nonsense_is_refused(shelf, said, reason):
    rewrite(shelf / "poly/vvx/models.yaml", VVX450=said)
    broken(shelf, rf"poly/vvx/models.yaml(:\d+)?: {reason}")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("P30 = network.ntpp", "network.ntpp is no setting"),
        ("P30 = line.label", r"line.label means nothing in a \[box\] block"),
        ("P30 = key.label", r"key.label means nothing in a \[box\] block"),
        ("P30 = open('/etc/passwd')", "there is no conversion 'open'"),
        ("P30 = [x for x in network.ntp]", "is none of names, numbers"),
        ("P30 = network.ntp.__class__.mro()", "is none of names, numbers"),
        ("P30 = network.ntp ** 9", "operator Pow"),
        ("P30 = network.ntp if", "is no expression"),
        ("P30 network.ntp", "is no `name = formula`"),
        ("P246 = 1\nP246 = 2", "P246 stands in line 3 already"),
        ("[row]", "section 'row' is none of"),
    ],
)
def test_a_table_that_is_not_sound_is_refused_with_file_line_and_key(shelf, line, reason):
    table = shelf / "grandstream/ht8xx/cfgmac.xml.table"
    table.write_text(f"# a table\n[box]\n{line}\n")
    at = 2 + len(line.splitlines())
    broken(shelf, f"cfgmac.xml.table:{at}: .*{reason}")


def test_a_table_begins_with_a_section(shelf):
    (shelf / "grandstream/ht8xx/cfgmac.xml.table").write_text("P30 = network.ntp\n")
    broken(shelf, "cfgmac.xml.table:1: a table begins with")


def test_a_folder_that_says_it_is_another_family_is_refused(shelf):
    shutil.copytree(shelf / "poly/vvx", shelf / "poly/edge")
    broken(shelf, "poly/edge/family.yaml: says it is poly/vvx")


def test_a_common_name_of_two_families_is_refused(shelf):
    path = shelf / "grandstream/ht8xx/family.yaml"
    files = yaml.safe_load(path.read_text())["files"]
    rewrite(path, files=[files[0], files[1] | {"name": "SITE.cfg"}])
    broken(shelf, "both have the common file")


def test_a_file_listed_twice_is_refused(shelf):
    path = shelf / "grandstream/ht8xx/family.yaml"
    files = yaml.safe_load(path.read_text())["files"]
    rewrite(path, files=[*files, files[1]])
    broken(shelf, "cfg.xml is listed twice")


def test_a_common_file_cannot_be_sensitive(shelf):
    path = shelf / "grandstream/ht8xx/family.yaml"
    files = yaml.safe_load(path.read_text())["files"]
    rewrite(path, files=[files[0], files[1] | {"sensitive": True}])
    broken(shelf, "names no device and cannot be sensitive")


def test_a_parameter_that_is_no_regular_expression_is_refused(shelf):
    (shelf / "poly/vvx/params.txt").write_text("reg\\.(\n")
    broken(shelf, "params.txt: .* is no regular expression")


def test_an_empty_folder_is_refused(tmp_path):
    broken(tmp_path, "there is no <vendor>/<family>/family.yaml")


def test_a_broken_family_disables_itself_and_its_heirs_alone(shelf):
    (shelf / "poly/vvx/settings.cfg.table").write_text("[box]\nreg.1.address = network.ntpp\n")
    rewrite(shelf / "grandstream/ht8xx/family.yaml", colour="red")
    families = load_sound(shelf)
    assert set(families.by_id) == {"generic/json", "linphone/desktop", "yealink/t4x_t5x"}
    assert sorted(problem.rpartition("/")[2].partition(":")[0] for problem in families.broken) == [
        "family.yaml", "settings.cfg.table",
    ]  # fmt: skip


def test_an_example_whose_mac_its_regex_does_not_find_is_refused(shelf):
    agents = [{"regex": r"Nokia (?P<mac>[0-9A-F]{12})?", "examples": ["Nokia 00:15:65:4a:a9:37"]}]
    rewrite(shelf / "poly/vvx/family.yaml", user_agents=agents)
    broken(shelf, "shows a MAC that its regex does not find")
