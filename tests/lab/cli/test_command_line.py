"""The command line as a newcomer meets it: exit codes of console.md 5.3, and every error in four parts."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lab.cli import main
from lab.cli.inputs import switch_settings, the_settings
from lab.logs import configure
from lab.seeds.load import OFFICE
from pbx.switch.settings import SwitchSettings

USAGE, NO_START, BAD_INPUT, OUR_FAULT = 2, 3, 4, 70


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    out: str
    err: str

    def refused(self, code: int, *named: str) -> None:
        """It ended with `code`, in four parts, and names what matters."""
        assert self.code == code, self.err
        happened, *parts = [line for line in self.err.splitlines() if line[:11].strip()]
        assert happened.startswith("✗ ")
        assert [line.split()[0] for line in parts] == ["why", "to", "see"]
        for text in named:
            assert text in self.err
        assert "Traceback" not in self.err


Switchroom = Callable[..., Answer]


@pytest.fixture
def switchroom(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Iterator[Switchroom]:
    """Run the command in an empty folder of its own."""

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["switchroom", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        shown = capsys.readouterr()
        return Answer(int(ended.value.code or 0), shown.out, shown.err)

    monkeypatch.chdir(tmp_path)
    before = signal.getsignal(signal.SIGTERM)
    yield call
    signal.signal(signal.SIGTERM, before)
    configure()


def test_the_version_is_told(switchroom: Switchroom) -> None:
    assert switchroom("version").out.startswith("switchroom ")


@pytest.mark.parametrize(
    ("shell", "typed"),
    [
        ("bash", {"COMP_WORDS": "switchroom provision re", "COMP_CWORD": "2"}),
        ("zsh", {"_TYPER_COMPLETE_ARGS": "switchroom provision re"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "switchroom provision re", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)
def test_a_shell_is_told_how_to_ask_what_may_come_next(
    switchroom: Switchroom, monkeypatch: pytest.MonkeyPatch, shell: str, typed: dict[str, str]
) -> None:
    asks = f"_SWITCHROOM_COMPLETE=complete_{shell}"
    assert asks in switchroom("completion", shell).out
    for name, value in [asks.split("="), *typed.items()]:
        monkeypatch.setenv(name, value)
    answer = switchroom()
    assert answer.code == 0
    assert {"resync", "reveal"} <= set(re.findall(r"[a-z]+", answer.out))


def test_without_arguments_it_helps(switchroom: Switchroom) -> None:
    answer = switchroom()
    assert answer.code == USAGE
    assert "doctor" in answer.out + answer.err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["demmo"], "demo"),
        (["plan", "chek", "x"], "check"),
        (["up", "--port-bse", "9000"], "--port-base"),
        (["up", "--port-base", "many"], "--port-base"),
        (["up", "--port-base", "-5"], "listen.port_base"),
        (["up", "--port-base", "65500"], "65569"),
        (["up", "--listen", "0.0.0.0"], "listen.address"),
        (["up", "--set", "sip.challenge"], "="),
        (["up", "--set", "sip.chalenge=401"], "did you mean 'sip.challenge'"),
        (["run"], "plan"),
        (["run", "office"], "neither"),
        (["run", "office", "--virtual", "--against", "ready.json"], "both"),
        (["run", "office", "--virtual", "-k", "Z99"], "Z99"),
        (["run", "office", "--virtual", "--tag", "no-such"], "no-such"),
        (["run", "office", "--virtual", "--repeat", "0"], "0"),
        (["calls", "ls"], "--against"),
        (["why", ""], "empty"),
        (["why", "102", "--without", "1022"], "did you mean 102"),
        (["map", "--without", "1022"], "did you mean 102"),
        (["map", "--reaches", "999"], "nothing here is called 999"),
    ],
)
def test_wrong_usage_is_2_and_names_what_was_meant(switchroom: Switchroom, arguments: list[str], named: str) -> None:
    switchroom(*arguments).refused(USAGE, named)


BAD_FILES = {
    "broken": b"plan: 1\nid: x\n  bad: [\n",
    "binary": b"\xff\xfe\x00",
    "empty": b"",
    "list": b"- 1\n",
}


@pytest.mark.parametrize("kind", [*BAD_FILES, "missing", "folder"])
@pytest.mark.parametrize("command", ["plan check", "run --virtual", "why 911 --seed", "phone ls --seed", "up --seed",
                                     "calls ls --against",])  # fmt: skip
def test_a_file_that_cannot_be_used_is_4_and_named(
    switchroom: Switchroom, tmp_path: Path, command: str, kind: str
) -> None:
    path = tmp_path / f"{kind}.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind != "missing":
        path.write_bytes(BAD_FILES[kind])
    switchroom(*command.split(), path).refused(BAD_INPUT, path.name)


@pytest.mark.parametrize("command", ["plan check", "why 911 --seed"])
def test_broken_yaml_is_named_by_file_and_line(switchroom: Switchroom, tmp_path: Path, command: str) -> None:
    path = tmp_path / "broken.yaml"
    path.write_bytes(BAD_FILES["broken"])
    switchroom(*command.split(), path).refused(BAD_INPUT, f"{path}:3:")


def test_an_unknown_verb_of_a_plan_is_named_with_the_nearest(switchroom: Switchroom, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("plan: 1\nid: x\ncases:\n  - id: A\n    title: A\n    steps:\n      - mesure: audio\n")
    switchroom("plan", "check", path).refused(BAD_INPUT, f"{path}:7", "'mesure'", "did you mean 'measure'")


@pytest.mark.parametrize("text", ["{}", '{"console": 5}', '{"console": "somewhere"}'])
def test_a_ready_file_that_names_no_console_is_refused(switchroom: Switchroom, tmp_path: Path, text: str) -> None:
    path = tmp_path / "ready.json"
    path.write_text(text)
    switchroom("calls", "ls", "--against", path).refused(BAD_INPUT, "ready.json")


def test_a_switchroom_that_is_gone_is_3(switchroom: Switchroom, tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text('{"console": "http://127.0.0.1:1"}')
    switchroom("calls", "ls", "--against", path).refused(NO_START, "127.0.0.1")


@pytest.mark.parametrize("option", ["--json", "--junit", "--html"])
def test_a_document_that_cannot_be_written_is_refused_before_the_run(
    switchroom: Switchroom, tmp_path: Path, option: str
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "small.yaml").write_text("plan: 1\nid: x\ncases:\n  - {id: A, title: A, steps: [{note: nothing}]}\n")
    for path in ("file/below", "folder"):
        answer = switchroom("run", "small.yaml", "--virtual", option, path)
        answer.refused(NO_START, path)
        assert answer.out == ""


@pytest.mark.parametrize("option", ["--data", "--ready-file"])
def test_up_names_the_place_it_cannot_use(switchroom: Switchroom, tmp_path: Path, option: str) -> None:
    (tmp_path / "file").write_text("")
    switchroom("up", "--port-base", "0", option, "file/below").refused(NO_START, "file/below")


def test_up_names_an_address_that_is_not_of_this_machine(switchroom: Switchroom) -> None:
    switchroom("up", "--port-base", "0", "--listen", "192.0.2.1").refused(NO_START, "192.0.2.1", "--listen")


def test_a_moment_that_is_none_is_refused(switchroom: Switchroom) -> None:
    switchroom("why", "911", "--at", "tomorrow").refused(BAD_INPUT, "tomorrow")


@pytest.mark.parametrize("command", ["config show", "up", "demo", "phone ls", "why 911", "run office --virtual"])
def test_a_bad_settings_file_is_4_for_every_command_that_reads_it(
    switchroom: Switchroom, tmp_path: Path, command: str
) -> None:
    (tmp_path / "switchroom.toml").write_text("[lab]\nsead = 1\n")
    switchroom(*command.split()).refused(BAD_INPUT, "switchroom.toml", "did you mean 'lab.seed'")


def test_a_fault_of_ours_is_70_and_its_details_are_in_a_file(
    switchroom: Switchroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("shutil.which", lambda program: 1 // 0)
    answer = switchroom("doctor")
    answer.refused(OUR_FAULT, "ZeroDivisionError")
    (details,) = tmp_path.glob("switchroom-*.log")
    assert details.name in answer.err
    assert "Traceback" in details.read_text()


# --- what works -------------------------------------------------------------------------------------------


def test_config_show_tells_each_setting_and_its_origin(
    switchroom: Switchroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "switchroom.toml").write_text("[listen]\nport_base = 9000\n[log]\nlevel = 'error'\n")
    monkeypatch.setenv("SWITCHROOM_LISTEN__PORT_BASE", "9100")
    shown = switchroom("config", "show", "--set", "sip.challenge=401").out
    lines = {line.split(" = ")[0]: " ".join(line.split()) for line in shown.splitlines()}
    assert lines["sip.challenge"] == "sip.challenge = 401 from flag"
    assert lines["log.level"] == "log.level = error from file switchroom.toml"
    assert lines["sip.algorithms"] == "sip.algorithms = MD5 from default"
    assert lines["listen.port_base"] == (
        "listen.port_base = 9100 from environment SWITCHROOM_LISTEN__PORT_BASE (file switchroom.toml says 9000)"
    )
    listed = json.loads(switchroom("config", "show", "--json").out)
    assert {"name": "listen.port_base", "value": 9100}.items() <= next(
        s for s in listed if s["name"] == "listen.port_base"
    ).items()


def test_a_plan_of_the_house_is_found_by_its_name(switchroom: Switchroom) -> None:
    answer = switchroom("plan", "check", "office")
    assert answer.code == 0
    assert "office" in answer.out


def test_the_setting_lab_number_is_the_seed_of_chance(switchroom: Switchroom, tmp_path: Path) -> None:
    def seed_of(*flags: str) -> int:
        assert switchroom("run", "office", "--virtual", "-k", "A01", "--json", "r.json", *flags).code == 0
        return int(json.loads((tmp_path / "r.json").read_text())["seed"])

    assert seed_of() == 20261124
    assert seed_of("--number", "7") == 7


def test_the_setting_lab_seed_is_the_domain_that_is_loaded(switchroom: Switchroom, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(OFFICE.read_text("utf-8").replace("first_name: Ben\n", "first_name: Bea\n"), "utf-8")
    assert "Ben Okafor" in switchroom("phone", "ls").out
    (tmp_path / "switchroom.toml").write_text("[lab]\nseed = 'other.yaml'\n")
    assert "Bea Okafor" in switchroom("phone", "ls").out
    assert "Bea Okafor" in switchroom("why", "102").out


def test_settings_of_sip_reach_the_switch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    chosen = the_settings(
        {}, ["sip.challenge=401", "sip.algorithms=SHA-256", "sip.nonce_lifetime_s=9", "sip.max_calls=3"]
    )
    assert switch_settings(chosen) == SwitchSettings(
        challenge=401, algorithms=("SHA-256",), nonce_lifetime_s=9, max_calls=3
    )
    assert switch_settings(the_settings({})) == SwitchSettings()


def test_doctor_names_what_is_there_and_who_holds_a_port(
    switchroom: Switchroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.which", lambda program: None)
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        monkeypatch.setenv("SWITCHROOM_LISTEN__PORT_BASE", str(port))
        answer = switchroom("doctor")
    assert answer.code == 0, answer.out
    assert f"⚠ port {port} is held by pid {os.getpid()}" in answer.out
    assert "⚠ baresip not found" in answer.out
    assert "apt-get install baresip-core" in answer.out
    assert "(WAL)" in answer.out


def test_doctor_fails_where_something_needed_is_wrong(switchroom: Switchroom, tmp_path: Path) -> None:
    (tmp_path / "switchroom.toml").write_text("[lab]\nsead = 1\n")
    answer = switchroom("doctor")
    assert answer.code == 1
    assert "✗ settings: file switchroom.toml" in answer.out


def test_map_shows_where_numbers_lead_what_is_wrong_and_what_reaches_an_extension(switchroom):
    answer = switchroom("map", "--at", "2026-12-25 10:15")
    assert answer.code == 1
    assert "now → attendant:400/closed; from Sun 27 Dec 2026 00:00 → mailbox:101" in answer.out
    assert "✗ R02 14165550109 has no treatment" in answer.out
    assert "findings: 3" in answer.out
    reached = switchroom("map", "--reaches", "104")
    assert reached.code == 0
    assert "number:14165550102 ─always→ queue:500 ─agent 104→ device:104" in reached.out
    shown = json.loads(switchroom("map", "--json").out)
    assert {finding["rule"] for finding in shown["findings"]} == {"R02", "R04"}


def test_map_finds_the_ten_faults_planted_in_the_flawed_office_and_nothing_else(switchroom):
    flawed = OFFICE.with_name("faults.yaml")
    planted = re.findall(r"# planted: (R\d\d) (\S+)", flawed.read_text("utf-8"))
    answer = switchroom("map", "--seed", str(flawed))
    found = [line for line in answer.out.splitlines() if line.startswith("✗")]
    assert len(planted) == 10
    assert sorted((line.split()[1], line.split()[-1]) for line in found) == sorted(planted)
    assert answer.out.splitlines()[-1] == "findings: 10"
    assert answer.code == 1


def test_why_names_the_next_change(switchroom):
    answer = switchroom("why", "14165550107", "--from", "14165550142", "--at", "2026-12-25 10:15")
    assert answer.out.splitlines()[-1] == "next change   Sun 27 Dec 2026 00:00 → mailbox:101"
