"""Golden files: what each family writes for known input, kept beside its templates.

`python -m provisioning_server.golden` compares; `--update` writes what is rendered now. A case is `golden/<case>.yaml`
(a small directory, as its models read it, with `year`), its files are in `golden/<case>/`. Lines with a parameter that
is marked unverified in `params.txt` are left out: a golden file states only what somebody has seen.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml

from pbx.clock import Moment
from pbx.domain.directory import Directory
from provisioning_server.coverage import doubts
from provisioning_server.families import Families, load_families
from provisioning_server.ledger import Ledger
from provisioning_server.manifest import Family
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import ConfigRequest, Office, file_names, respond

AT = ServedAt("192.0.2.10", 5060, "http://192.0.2.10:8080/p", "192.0.2.11")


def cases(families: Families) -> Iterator[tuple[Family, Path]]:
    """Yield every case with its family."""
    for family in families.by_id.values():
        for case in sorted((family.folder / "golden").glob("*.yaml")):
            yield family, case


def rendered(families: Families, family: Family, case: Path) -> dict[str, bytes]:
    """Return the family's files for the case's first device, by the name they are asked for."""
    data = yaml.safe_load(case.read_text(encoding="utf-8"))
    year = data.pop("year")
    directory = Directory.model_validate(data)
    device = directory.devices[0]
    office = Office(families, Ledger(b"golden"), AT)
    now = Moment(0.0, january(year))
    found = {}
    for name in file_names(office, device):
        path = f"/p/{device.token.get_secret_value()}/{name}"
        answer = respond(ConfigRequest("http", path, "192.0.2.50:1"), office, directory, now)
        if answer.status != 200:
            raise RuntimeError(f"{case}: {name} is refused: {answer.why}")
        found[name] = answer.body
    return found


def january(year: int) -> datetime:
    """The moment at which golden files are asked for."""
    return datetime(year, 1, 15, tzinfo=UTC)


def stated(family: Family, body: bytes) -> bytes:
    """Leave out the lines with unverified parameters."""
    doubted = doubts(family)
    return b"".join(line for line in body.splitlines(keepends=True) if not any(d.search(line) for d in doubted))


def main(arguments: list[str]) -> int:
    families = load_families()
    differing = 0
    for family, case in cases(families):
        for name, body in rendered(families, family, case).items():
            kept = case.with_suffix("") / name
            body = stated(family, body)
            if kept.exists() and kept.read_bytes() == body:
                continue
            differing += 1
            if "--update" in arguments:
                kept.parent.mkdir(parents=True, exist_ok=True)
                kept.write_bytes(body)
            print(f"{'written' if '--update' in arguments else 'differs'}: {kept.relative_to(family.folder)}")
    return 0 if "--update" in arguments or not differing else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
