"""Prometheus' text format 0.0.4: metrics are declared once, count, and are written out.

A metric holds a bounded number of label sets, whatever strangers send: those beyond it are counted as `other`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import inf

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MOST_SETS = 200
OTHER = "other"


class Metric:
    """A counter or gauge: a number for each set of label values."""

    def __init__(self, kind: str, name: str, told: str, labels: Sequence[str] = ()) -> None:
        """`kind` is `counter` or `gauge`, `told` says in a sentence what is counted."""
        self.kind, self.name, self.told = kind, name, told
        self.labels = tuple(labels)
        self._values: dict[tuple[str, ...], float] = {} if self.labels else {(): 0.0}

    def add(self, *values: str, by: float = 1.0) -> None:
        known = self._values
        if values in known:
            known[values] += by
        else:
            key = values if len(known) < MOST_SETS else (OTHER,) * len(values)
            known[key] = known.get(key, 0.0) + by

    def replace(self, values: Iterable[tuple[tuple[str, ...], float]]) -> None:
        """Say anew what all of it is."""
        self._values = dict(values)

    def samples(self) -> Iterator[str]:
        for values, number in sorted(self._values.items()):
            yield _sample(self.name, self.labels, values, number)


class Histogram:
    """How often something was at most each of `bounds`, its sum and how often it was at all."""

    kind = "histogram"

    def __init__(self, name: str, told: str, bounds: Sequence[float]) -> None:
        self.name, self.told = name, told
        self.labels: tuple[str, ...] = ()
        self._bounds = (*bounds, inf)
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0

    def observe(self, number: float) -> None:
        self._counts[next(at for at, bound in enumerate(self._bounds) if number <= bound)] += 1
        self._sum += number

    def samples(self) -> Iterator[str]:
        totals = list(accumulate(self._counts))
        for bound, total in zip(self._bounds, totals, strict=True):
            yield _sample(f"{self.name}_bucket", ("le",), (_number(bound),), total)
        yield _sample(f"{self.name}_sum", (), (), self._sum)
        yield _sample(f"{self.name}_count", (), (), totals[-1])


def text(metrics: Iterable[Metric | Histogram]) -> str:
    """Return the document a scraper reads."""
    lines = []
    for metric in metrics:
        lines += [f"# HELP {metric.name} {_escaped(metric.told)}", f"# TYPE {metric.name} {metric.kind}"]
        lines += metric.samples()
    return "\n".join(lines) + "\n"


def _sample(name: str, labels: Sequence[str], values: Sequence[str], number: float) -> str:
    told = ",".join(f'{label}="{_quoted(value)}"' for label, value in zip(labels, values, strict=True))
    return f"{name}{{{told}}} {_number(number)}" if told else f"{name} {_number(number)}"


def _number(number: float) -> str:
    if number == inf:
        return "+Inf"
    return str(int(number)) if number == int(number) else repr(float(number))


def _escaped(told: str) -> str:
    return told.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(value: str) -> str:
    """A label's value; octets that were no text are replaced, or the document could not be written."""
    return _escaped(value).replace('"', r"\"").encode("utf-8", "replace").decode()
