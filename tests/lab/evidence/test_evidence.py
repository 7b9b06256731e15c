"""What a run in virtual time leaves beside its page: complete, readable by others, without a secret."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pytest

from lab.cli.run import Wanted, run_there_or_virtually
from lab.evidence.archive import brought
from lab.evidence.bundle import folder_of
from lab.seeds.load import load_seed
from lab.terms import Terms
from pbx.settings import load_settings
from test_plans.selection import Selection
from tests.conftest import need

CASES = frozenset({"A01", "C01", "I01"})


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """Three cases of the office, with their page and evidence."""
    folder = tmp_path_factory.mktemp("run")
    code = run_there_or_virtually(
        Path("office"), load_settings(folder)[0], True, None, lambda plan: Selection(cases=CASES),
        Wanted(folder / "results.json", html=folder / "report.html"), Terms("Ana Roy"),
    )  # fmt: skip
    assert code == 0
    return folder


def cases(run: Path) -> dict[str, dict]:
    return {case["id"]: case for case in json.loads((run / "results.json").read_text())["cases"]}


def test_every_piece_is_there_and_as_long_as_it_says(run):
    for case in cases(run).values():
        assert case["problems"] == []
        assert {one["kind"] for one in case["evidence"]} >= {"capture", "ladder", "screen"}
        for one in case["evidence"]:
            assert (run / one["path"]).stat().st_size == one["octets"]


def test_a_boot_keeps_the_files_it_was_served_and_a_message_its_mail(run):
    found = cases(run)
    served = [one["title"] for one in found["A01"]["evidence"] if one["kind"] == "config"]
    assert any(title.endswith(", as served") for title in served)
    mails = [one for one in found["I01"]["evidence"] if one["kind"] == "mail"]
    assert all("Subject:" in (run / one["path"]).read_text() for one in mails)


def test_the_capture_has_the_messages_of_the_trace_with_good_checksums_and_our_captions(run):
    command = [need("tshark"), "-r", str(run / "evidence" / "C01" / "capture.pcapng"), "-T", "fields"]
    command += [f for name in ("ip.checksum.status", "udp.checksum.status", "sip.CSeq", "frame.comment")
                for f in ("-e", name)]  # fmt: skip
    command += ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", "sip"]
    rows = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    ladder = [row for row in cases(run)["C01"]["ladder"] if row[6]]
    assert len(rows) == sum(row[5] for row in ladder) > 8
    for row in rows:
        ip, udp, _, comment = row.split("\t")
        assert ip == "1"
        assert udp in ("1", "")
        assert " → " in comment


def test_what_was_fetched_is_in_the_capture_of_a_boot(run):
    command = [need("tshark"), "-r", str(run / "evidence" / "A01" / "capture.pcapng"), "-Y", "http or tftp"]
    assert "GET" in subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_ladder_is_kept_as_svg_as_text_and_as_mermaid(run):
    folder = run / "evidence" / "C01"
    assert ElementTree.fromstring((folder / "ladder.svg").read_text()).tag.endswith("svg")
    assert "INVITE" in (folder / "ladder.txt").read_text()
    assert (folder / "ladder.mmd").read_text().startswith("sequenceDiagram")
    assert ElementTree.fromstring((folder / "screen-1.svg").read_text()).attrib["role"] == "img"


def test_no_password_and_no_token_is_in_any_of_it(run):
    directory = load_seed().directory
    secrets = [device.password.get_secret_value() for device in directory.devices]
    secrets += [device.token.get_secret_value() for device in directory.devices]
    for path in [*run.rglob("*.*")]:
        text = path.read_bytes().decode("latin-1")
        assert [secret for secret in secrets if secret and secret in text] == [], path


def test_two_cases_never_share_a_folder_and_none_leads_out_of_it():
    names = ["A01", "A/01", "A_01", "../x", "K01@103", "C01#2", "."]
    folders = [folder_of(name) for name in names]
    assert len(set(folders)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*", folder) for folder in folders)


def test_evidence_follows_its_page_and_what_is_gone_is_told(run, tmp_path):
    it = json.loads((run / "results.json").read_text())
    lost = next(one for one in it["cases"][0]["evidence"])
    lost["path"] = "evidence/A01/gone.txt"
    brought(it, tmp_path, run)
    told = [one["path"] for case in it["cases"] for one in case["evidence"]]
    assert len(told) > 10
    assert all((tmp_path / path).is_file() for path in told)
    assert "is not there any more" in it["cases"][0]["problems"][0]
