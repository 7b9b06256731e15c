"""Every target over its corpus and over seeded octets; with coverage, where atheris is installed, in `make soak`."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz.targets import TARGETS
from tests.switch.mutations import spoilt

pytestmark = pytest.mark.no_cover  # what runs here is covered elsewhere; measuring doubles the time

ROOT = Path(__file__).parents[2]
CORPUS = {name: sorted((Path(__file__).parent / "corpus" / name).iterdir()) for name in TARGETS}
SECONDS = 120
"""Of each target under atheris."""


@pytest.mark.parametrize("path", [path for paths in CORPUS.values() for path in paths], ids=lambda p: p.name)
def test_what_is_kept_is_no_finding_any_more(path):
    TARGETS[path.parent.name](path.read_bytes())


def shoot(name: str, seed: int, count: int) -> None:
    chance, corpus = Random(seed), [path.read_bytes() for path in CORPUS[name]]
    for number in range(count):
        random = chance.randbytes(chance.randrange(1, 60))
        data = random if name == "dialog" and number % 2 else spoilt(chance, chance.choice(corpus), corpus)
        try:
            TARGETS[name](data)
        except Exception as found:
            raise AssertionError(f"{name}: shot {number} of seed {seed} is a finding: {data!r}") from found


@pytest.mark.parametrize(
    ("name", "count"), [("parser", 1500), ("sdp", 3000), ("digest", 3000), ("dialog", 150), ("fax", 3000)]
)
def test_seeded_octets_find_nothing(name, count):
    shoot(name, 20261126, count)


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("seed", range(10))
def test_many_more_seeded_octets_find_nothing(name, seed):
    shoot(name, seed, 2_000 if name == "dialog" else 20_000)


@pytest.mark.soak
@pytest.mark.parametrize("name", TARGETS)
def test_coverage_finds_nothing(name, tmp_path):
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("no atheris for this machine and Python (tests/fuzz/requirements.txt)")
    new, kept = tmp_path / "new", CORPUS[name][0].parent
    new.mkdir()
    command = [sys.executable, "-m", "tests.fuzz", name, str(new), str(kept), f"-max_total_time={SECONDS}"]
    options = ["-max_len=2000", "-timeout=20", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [*command, *options], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS + 120, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
