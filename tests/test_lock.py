"""The lock file names each extra that a locked package asks for.

pip (here 23.2) does not let `coverage==7.17.4` stand for a wanted `coverage[toml]`: on the day a newer coverage is
published it reaches for that one, finds no hash and installs nothing. `uv pip compile --universal --no-strip-extras
--generate-hashes --all-extras` writes the lock so.
"""

from importlib.metadata import requires
from pathlib import Path

from packaging.requirements import Requirement


def _here(requirement: Requirement) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def test_every_extra_a_locked_package_asks_for_is_locked() -> None:
    lines = Path("requirements.lock").read_text().splitlines()
    pinned = [Requirement(line.rstrip(" \\")) for line in lines if line and line[0].isalpha()]
    locked = {pin.name: pin.extras for pin in pinned if _here(pin)}
    asked = [Requirement(line) for line in requires("switchroom") or ()]
    asked += [wish for name in locked for wish in map(Requirement, requires(name) or ()) if _here(wish)]
    with_extras = [wish for wish in asked if wish.extras and wish.name in locked]
    assert "coverage" in {wish.name for wish in with_extras}, "the packages' own metadata was read"
    assert [str(wish) for wish in with_extras if not wish.extras <= locked[wish.name]] == []
