"""What a bench found: one table for people, one JSON for machines, and what has moved since the last accepted run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

NOISE = 0.2
"""CPU per unit is steady to a fifth on a machine that is shared (performance.md): less has not moved."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured several times; its floor is what the same traffic costs a loop that does nothing else."""

    name: str
    """Dotted, steady: what the JSON and the comparison know it by."""
    unit: str
    runs: tuple[float, ...]
    floor: tuple[float, ...] = ()
    """In the same unit, from the same run."""
    must: float | None = None
    more_is_better: bool = False
    steady: bool = True
    """False for what the machine's other load decides, such as wall-clock spacing: shown, never called moved."""

    @property
    def median(self) -> float:
        return median(self.runs)

    @property
    def ratio(self) -> float | None:
        """Times the floor, above 1 the worse."""
        if not self.floor or not self.median or not median(self.floor):
            return None
        ratio = self.median / median(self.floor)
        return 1 / ratio if self.more_is_better else ratio

    @property
    def reached(self) -> bool | None:
        if self.must is None:
            return None
        return self.median >= self.must if self.more_is_better else self.median <= self.must

    def document(self) -> dict[str, Any]:
        made: dict[str, Any] = {
            "unit": self.unit, "median": _short(self.median), "runs": [_short(run) for run in self.runs]
        }  # fmt: skip
        if self.floor:
            made |= {"floor": _short(median(self.floor)), "ratio": _short(self.ratio or 0.0)}
        if self.must is not None:
            made |= {"must": self.must, "reached": self.reached}
        return made


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as text, a line each."""
    width = max(len(figure.name) for figure in figures)
    lines = [f"{'':{width}} {'median':>9} {'least':>9} {'most':>9} {'floor':>9} {'× floor':>8} {'must':>8}  unit"]
    for figure in figures:
        ratio, floor = figure.ratio, median(figure.floor) if figure.floor else None
        mark = {True: "", False: "  not reached", None: ""}[figure.reached]
        lines.append(
            f"{figure.name:{width}} {_cell(figure.median):>9} {_cell(min(figure.runs)):>9} {_cell(max(figure.runs)):>9}"
            f" {_cell(floor):>9} {_cell(ratio):>8} {_cell(figure.must):>8}  {figure.unit}{mark}"
        )
    return "\n".join(lines)


def moved(figures: Sequence[Figure], last: dict[str, Any]) -> list[str]:
    """Return a sentence for every figure that differs from the last accepted run by more than noise.

    Where both have a floor the ratios are compared: the machine's own speed cancels out.
    """
    said = []
    for figure in figures:
        before = last.get(figure.name)
        if before is None:
            said.append(f"{figure.name}: new")
            continue
        if not figure.steady:
            continue
        was, now, unit = before["median"], figure.median, figure.unit
        more_is_better = figure.more_is_better
        if figure.ratio is not None and before.get("ratio"):
            was, now, unit, more_is_better = before["ratio"], figure.ratio, "× floor", False
        if was and abs(now / was - 1) > NOISE:
            word = "better" if (now > was) is more_is_better else "worse"
            said.append(f"{figure.name}: {word}, {_cell(was)} → {_cell(now)} {unit} ({now / was - 1:+.0%})")
    said += [f"{name}: gone" for name in last if name not in {figure.name for figure in figures}]
    return said


def write(path: Path, figures: Sequence[Figure], taken: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    document = {"taken": taken, "figures": {figure.name: figure.document() for figure in figures}}
    path.write_text(json.dumps(document, indent=1) + "\n")


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"
