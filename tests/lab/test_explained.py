"""Every setting of a device explains itself: its layer, what it overrides, and whether the files hold it."""

from __future__ import annotations

import pytest
import yaml

from lab.cli.phone import phone, phones
from lab.errors import BAD_INPUT, UserError
from lab.seeds.load import OFFICE


@pytest.fixture
def seed(tmp_path):
    """The office, with one thing said at every layer below the device, an unknown name and a family that is none."""
    document = yaml.safe_load(OFFICE.read_text())
    document["settings"] = {
        "domain": {"lines.*.expires": 300},
        "site:Toronto": {"lines.*.expires": 240},
        "user:101": {"lines.*.expires": 180, "colour": "red"},
    }
    document["devices"][1]["family"] = "acme/rotary"
    path = tmp_path / "seed.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True))
    return path


def line_of(text: str, name: str) -> list[str]:
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{name} "))
    rest = [line.strip() for line in lines[at + 1 :]]
    return [lines[at].split("= ")[1], *rest[: next(n for n, line in enumerate(rest) if not line.startswith("over "))]]


def test_a_setting_names_its_layer_and_those_below(seed):
    told = phone("101", seed, None, as_json=False)
    assert line_of(told, "lines.1.expires") == [
        "180   from user 101",
        "over 240 of site Toronto",
        "over 300 of domain",
        "over 120 of defaults",
    ]
    assert line_of(told, "lines.1.user") == ['"101"   from device 101']
    assert "✗ colour is set, but yealink/t4x_t5x writes it nowhere" in told
    assert told.splitlines()[1:5] == [
        "file  805ec0a10101.boot",
        "file  y000000000000.boot",
        "file  y000000000096.cfg",
        "file  805ec0a10101.cfg",
    ]


def test_what_a_family_has_no_word_for_is_said_not_to_be_in_its_files(seed):
    assert line_of(phone("111", seed, None, as_json=False), "network.lldp") == [
        "true   from defaults   (not in its files)"
    ]
    assert line_of(phone("111", seed, None, as_json=False), "network.vlan.id") == ["0   from defaults"]


def test_files_that_cannot_be_written_say_why(seed):
    document = yaml.safe_load(seed.read_text())
    document["settings"]["user:101"]["network.vlan.id"] = 5000
    seed.write_text(yaml.safe_dump(document))
    told = phone("101", seed, None, as_json=False)
    assert "✗ its files cannot be written: network.vlan.id = 5000 (user 101) is not a number from 0 to 4094" in told


def test_the_second_port_of_an_adapter_is_explained_by_its_own_line(seed):
    assert line_of(phone("112", seed, None, as_json=False), "lines.2.display_name") == [
        '"Waiting room"   from user 112'
    ]


@pytest.mark.parametrize(
    ("name", "said"), [("11x", "there is no device '11x'"), ("102", "device '102' is not provisioned")]
)
def test_what_cannot_be_shown_is_an_error_in_four_parts(seed, name, said):
    with pytest.raises(UserError, match=said) as raised:
        phone(name, seed, None, as_json=False)
    error = raised.value
    assert error.exit_code == BAD_INPUT
    assert all((error.why, error.remedy, error.reference))


def test_the_list_names_every_device(seed):
    assert "112    Waiting room" in phones(seed, as_json=False)
    assert '"name": "Ana Silva"' in phones(seed, as_json=True)
