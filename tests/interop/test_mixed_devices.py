"""The deployment plan as a lab engineer runs it, by the command line, on mixed devices: simulated phones, pyVoIP, two
baresips and two linphones booted by what is served. Each case has the verdict it has in virtual time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from lab.rehearsal import rehearse
from lab.seeds.load import OFFICE, load_seed
from test_plans.plan import SHIPPED, Case, load_plan
from test_plans.runner import VERBS
from tests.conftest import need
from tests.interop.office import ROOT, Switchroom

SEED = OFFICE.with_name("deployment.yaml")
SOFTPHONES = ("231", "232", "233", "234")
LIMIT_S = 15 * 60
SWITCHROOM = [sys.executable, "-c", "from lab.cli import main; main()"]


def in_time(case: Case) -> bool:
    return "long" not in case.tags


@contextmanager
def softphone(device: str, folder: Path) -> Iterator[None]:
    """`switchroom softphone`, once it says that it is registered."""
    command = [
        *SWITCHROOM,
        "softphone",
        device,
        "--against",
        str(folder / "ready.json"),
        "--home",
        str(folder / device),
    ]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert "is registered" in process.stdout.readline(), f"{device} did not start"
            yield
        finally:
            process.terminate()
        assert process.wait(30) == 0


@pytest.mark.soak
@pytest.mark.realtime
def test_mixed_devices_have_the_verdicts_of_virtual_time(tmp_path: Path) -> None:
    need("baresip")
    need("linphonec")
    with ExitStack() as stack:
        stack.enter_context(Switchroom(tmp_path, SEED, "--phones"))
        for device in SOFTPHONES:
            stack.enter_context(softphone(device, tmp_path))
        command = [
            *SWITCHROOM, "run", "deployment", "--without", "long", "--against", str(tmp_path / "ready.json"), "--json",
            str(tmp_path / "results.json"),
        ]  # fmt: skip
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=2 * LIMIT_S, check=False)
        took = time.monotonic() - began
    assert (tmp_path / "results.json").exists(), done.stderr[-3000:]
    cases = json.loads((tmp_path / "results.json").read_text())["cases"]
    assert took < LIMIT_S, done.stdout[-2000:]
    result = rehearse(load_plan(SHIPPED / "deployment.yaml", VERBS), load_seed(SEED), only=in_time)
    virtual = {case.case: case.verdict for case in result.cases}
    different = {
        case["id"]: (case["verdict"], virtual.get(case["id"]), case["reason"])
        for case in cases
        # What there is in one world alone is blocked in the other: packets with an IP header, say. A case of each
        # telephone is there for telephones that are here alone, too.
        if "blocked" not in (case["verdict"], virtual.get(case["id"]))
        and case["verdict"] != virtual.get(case["id"], "passed")
    }
    assert different == {}
    blocked = {case["id"]: case["reason"] for case in cases if case["verdict"] == "blocked"}
    known = ("too much to do", "a crowd here would run on the switch's own core")
    assert [why for why in blocked.values() if not any(words in why for words in known)] == [], blocked
    took_part = Counter(device for case in cases for device in set(case["binding"].values()))
    assert all(took_part[device] >= 10 for device in (*SOFTPHONES, "109", "110", "101")), took_part
