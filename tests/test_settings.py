"""Settings: flags > environment > `switchroom.toml` > defaults, and each says where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.settings import BadSettings, Setting, load_settings


def setting(name: str, folder: Path, **layers: dict[str, object]) -> Setting:
    environment = {key: str(value) for key, value in layers.get("environment", {}).items()}
    _, listed = load_settings(folder, environment, layers.get("flags"))
    return next(found for found in listed if found.name == name)


def test_the_nearest_layer_wins_and_says_what_it_covers(tmp_path: Path) -> None:
    name = "listen.port_base"
    assert setting(name, tmp_path) == Setting(name, 8600, "default", "")
    (tmp_path / "switchroom.toml").write_text("[listen]\nport_base = 9000\n")
    assert setting(name, tmp_path) == Setting(name, 9000, "file switchroom.toml", "")
    variable = {"SWITCHROOM_LISTEN__PORT_BASE": "9100"}
    origin = "environment SWITCHROOM_LISTEN__PORT_BASE"
    assert setting(name, tmp_path, environment=variable) == Setting(
        name, 9100, origin, "file switchroom.toml says 9000"
    )
    flags = {name: 9200}
    found = setting(name, tmp_path, environment=variable, flags=flags)
    assert found == Setting(name, 9200, "flag", f"{origin} says 9100")


def test_a_flag_not_given_changes_nothing(tmp_path: Path) -> None:
    settings, _ = load_settings(tmp_path, {}, {"listen.port_base": None})
    assert settings.listen.port_base == 8600


def test_text_of_the_environment_becomes_what_the_setting_is(tmp_path: Path) -> None:
    environment = {
        "SWITCHROOM_SIP__ALGORITHMS": "MD5, SHA-256",
        "SWITCHROOM_SIP__CHALLENGE": "401",
        "SWITCHROOM_LAB__PHONES": "true",
        "SWITCHROOM_STORE__FOLDER": "",
    }
    settings, _ = load_settings(tmp_path, environment)
    assert settings.sip.algorithms == ("MD5", "SHA-256")
    assert settings.sip.challenge == 401
    assert settings.lab.phones is True
    assert settings.store.folder is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[listen]\nport_bse = 1\n", "did you mean 'listen.port_base'"),
        ("listen = 1\n", "no setting 'listen'"),
        ("[listen]\nport_base = 'x'\n", "listen.port_base"),
        ("[listen]\naddress = '0.0.0.0'\n", "phones are told this address"),
        ("[listen]\naddress = 'here'\n", "IPv4 address"),
        ("[sip]\nalgorithms = ['MD5', 'MD4']\n", "sip.algorithms"),
        ("[sip]\nalgorithms = []\n", "sip.algorithms"),
        ("[listen\n", "switchroom.toml"),
        ("[listen]\naddress = '\udcff'\n", "switchroom.toml"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "switchroom.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(BadSettings, match=named) as refused:
        load_settings(tmp_path, {})
    assert refused.value.origin == "file switchroom.toml"


def test_a_folder_in_the_file_s_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "switchroom.toml").mkdir()
    with pytest.raises(BadSettings, match=r"switchroom\.toml cannot be read"):
        load_settings(tmp_path, {})


@pytest.mark.parametrize("variable", ["SWITCHROOM_LISTEN__PORT_BASE", "SWITCHROOM_LISTEN_PORT", "SWITCHROOM_X"])
def test_an_environment_value_is_named_by_its_variable(tmp_path: Path, variable: str) -> None:
    with pytest.raises(BadSettings, match=variable):
        load_settings(tmp_path, {variable: "abc"})
