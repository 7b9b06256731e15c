"""Settings: flags > environment > `switchroom.toml` > defaults, and each says where it comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pbx.settings import BadSettings, load_settings


def origin(name: str, folder: Path, **layers: dict[str, object]) -> tuple[object, str]:
    environment = {key: str(value) for key, value in layers.get("environment", {}).items()}
    _, listed = load_settings(folder, environment, layers.get("flags"))
    return next((setting.value, setting.origin) for setting in listed if setting.name == name)


def test_the_nearest_layer_wins(tmp_path: Path) -> None:
    assert origin("listen.port_base", tmp_path) == (8600, "default")
    (tmp_path / "switchroom.toml").write_text("[listen]\nport_base = 9000\n")
    assert origin("listen.port_base", tmp_path) == (9000, "file switchroom.toml")
    variable = {"SWITCHROOM_LISTEN__PORT_BASE": "9100"}
    assert origin("listen.port_base", tmp_path, environment=variable)[0] == "9100"
    assert origin("listen.port_base", tmp_path, environment=variable, flags={"listen.port_base": 9200}) == (
        9200,
        "flag",
    )


def test_a_flag_not_given_changes_nothing(tmp_path: Path) -> None:
    settings, _ = load_settings(tmp_path, {}, {"listen.port_base": None})
    assert settings.listen.port_base == 8600


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[listen]\nport = 1\n", "listen.port"),
        ("[listen]\nport_base = 'x'\n", "listen.port_base"),
        ("[listen\n", "switchroom.toml"),
    ],
)
def test_what_is_not_understood_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "switchroom.toml").write_text(text)
    with pytest.raises(BadSettings, match=named):
        load_settings(tmp_path, {})


def test_an_environment_value_is_named_by_its_variable(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="SWITCHROOM_LISTEN__PORT_BASE"):
        load_settings(tmp_path, {"SWITCHROOM_LISTEN__PORT_BASE": "abc"})
