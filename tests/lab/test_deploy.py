"""What runs switchroom elsewhere, linted where no engine runs: unit, image and compose say what the program knows."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from lab.addresses import port_plan
from lab.cli.app import app
from lab.cli.doctor import LIBRARIES
from lab.service import DRAIN_S
from lab.watchdog import BEAT_S
from pbx.settings import PREFIX, load_settings

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"


def understood(arguments: list[str]) -> dict[str, Any]:
    """Read arguments as the command line does; a usage error where it does not know them."""
    command = typer.main.get_group(app).commands[arguments[0]]
    return command.make_context(arguments[0], arguments[1:]).params


# --- systemd ------------------------------------------------------------------------------------------------


@pytest.fixture
def service() -> dict[str, str]:
    unit = configparser.RawConfigParser(strict=True)
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(DEPLOY / "switchroom.service")
    return dict(unit["Service"])


def test_the_unit_starts_up_with_state_in_the_folder_systemd_makes(service: dict[str, str]) -> None:
    program, *arguments = shlex.split(service["ExecStart"])
    assert program.endswith("/.venv/bin/switchroom")
    assert understood(arguments)["data"] == Path("${STATE_DIRECTORY}")
    assert {"StateDirectory", "RuntimeDirectory", "ConfigurationDirectory"} <= set(service)


def test_the_unit_waits_for_ready_and_leaves_time_to_beat_and_to_drain(service: dict[str, str]) -> None:
    assert (service["Type"], service["NotifyAccess"], service["KillMode"]) == ("notify", "main", "mixed")
    assert float(service["WatchdogSec"]) > 20 * BEAT_S
    assert float(service["TimeoutStopSec"]) > DRAIN_S + 10


# --- the image ----------------------------------------------------------------------------------------------


@pytest.fixture
def instructions() -> list[tuple[str, str]]:
    lines = [line for line in (DEPLOY / "Dockerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)]


def told(instructions: list[tuple[str, str]], word: str) -> list[str]:
    return [rest for name, rest in instructions if name == word]


def test_the_image_is_of_named_releases_belongs_to_nobody_special_and_runs_the_demo(
    instructions: list[tuple[str, str]],
) -> None:
    assert all(re.match(r"python:3\.\d+-slim-\w+( AS \w+)?$", base) for base in told(instructions, "FROM"))
    assert int(told(instructions, "USER")[-1]) > 0
    assert json.loads(told(instructions, "ENTRYPOINT")[0]) == ["switchroom"]
    assert understood(json.loads(told(instructions, "CMD")[0]))["out"].is_relative_to(told(instructions, "VOLUME")[0])
    installed = next(run for run in told(instructions, "RUN") if "apt-get" in run)
    assert {package for _, package in LIBRARIES} <= set(installed.split())
    assert "/readyz" in told(instructions, "HEALTHCHECK")[0]


def test_the_image_holds_every_package_and_exposes_the_ports_of_the_plan(instructions: list[tuple[str, str]]) -> None:
    copied = {name for line in told(instructions, "COPY") for name in line.split()[:-1]}
    project = tomllib.loads((TOP / "pyproject.toml").read_text())
    assert set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]) <= copied
    assert all((TOP / name).exists() for name in copied)
    let_in = {line[1:] for line in (TOP / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == copied
    ports = port_plan(8600)
    tcp = {
        ports.console,
        ports.provisioning,
        ports.provisioning_tls,
        ports.provisioning_certified,
        ports.sip,
        ports.sips,
    }
    exposed = {f"{port}/tcp" for port in tcp} | {f"{port}/udp" for port in (ports.sip, ports.tftp)}
    assert set(told(instructions, "EXPOSE")[0].split()) == exposed


# --- compose ------------------------------------------------------------------------------------------------


def test_each_service_is_a_command_and_settings_the_program_knows(tmp_path: Path) -> None:
    file = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(file) - {"x-switchroom"} == {"name", "services", "volumes"}
    for service in file["services"].values():
        given = understood(service["command"])
        (volume,) = service["volumes"]
        name, folder = volume.split(":")
        assert name in file["volumes"]
        assert given["data"].is_relative_to(folder)
        said = {name: re.sub(r"\$\{SWITCHROOM_(\w+):\?[^}]+\}", _example, value)
                for name, value in service["environment"].items()}  # fmt: skip
        assert all(name.startswith(PREFIX) for name in said)
        settings, _ = load_settings(tmp_path, said)
        assert settings.console.password.get_secret_value()
        build = service["build"]
        assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()


def _example(variable: re.Match[str]) -> str:
    return {"PASSWORD": "a long word", "ADDRESS": "192.0.2.7"}[variable[1]]
