"""Read a seed: YAML text → directory and lab section, every error with its file and line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.seeds.located import SeedError as SeedError
from lab.seeds.located import located, read_file
from lab.seeds.model import LabSeed
from pbx.domain.directory import Directory
from pbx.domain.problems import Problem
from pbx.domain.seed import BadSeed, read_directory, read_model

OFFICE = Path(__file__).with_name("office.yaml")


@dataclass(frozen=True, slots=True)
class Seed:
    directory: Directory
    lab: LabSeed

    @property
    def start(self) -> datetime:
        """Aware wall time at which virtual time begins."""
        return self.lab.start.replace(tzinfo=ZoneInfo(self.directory.domain.time_zone))


def load_seed(path: Path = OFFICE) -> Seed:
    """Return the seed in a file; SeedError when it cannot be read or used."""
    return read_seed(read_file(path), str(path))


def read_seed(text: str, name: str = "seed") -> Seed:
    """Return the seed of YAML `text`; SeedError names `name` and the line of every problem."""
    with located(text, name, "begin with `domain:`, then sites, users, devices and so on") as document:
        directory = read_directory({key: value for key, value in document.items() if key != "lab"})
        return Seed(directory, _lab(document.get("lab", {}), directory))


def _lab(document: object, directory: Directory) -> LabSeed:
    try:
        lab = read_model(LabSeed, document)
    except BadSeed as error:
        raise BadSeed([Problem(("lab", *p.path), f"lab: {p.sentence}") for p in error.problems]) from error
    found = list(_lab_problems(lab, directory))
    if found:
        raise BadSeed(found)
    return lab


def _lab_problems(lab: LabSeed, directory: Directory) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, outside in enumerate(lab.carrier):
        if outside.number in directory.numbers_by_digits:
            yield Problem(("lab", "carrier", place), f"{outside.number} is a number of the domain, not outside it")
        if outside.number in seen:
            yield Problem(("lab", "carrier", place), f"outside number {outside.number} exists twice")
        seen.add(outside.number)
    for extension in lab.traits:
        if extension not in directory.users_by_extension:
            yield Problem(("lab", "traits", extension), f"traits of {extension}: there is no such user")
    for field, extensions in (("tftp", lab.tftp), ("untold", lab.untold)):
        for extension in extensions:
            if extension not in directory.devices_by_extension:
                yield Problem(("lab", field), f"{field} names {extension}, who has no device")
