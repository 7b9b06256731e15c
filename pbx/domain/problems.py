"""What is wrong with the objects of a domain: where, and in one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]
"""Where in the directory: `("users", 3, "rules", 0)`."""


@dataclass(frozen=True, slots=True)
class Problem:
    path: Path
    sentence: str
    dangling: bool = False
    """A call would be sent to what is not there; the platform leaves such rows behind when something is deleted."""


class Inconsistent(ValueError):
    """The objects of a directory contradict each other; `problems` says where."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(problem.sentence for problem in problems))
