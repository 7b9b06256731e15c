"""A run line by line (JSON lines): whoever reads them after a crash has all that was over by then.

The first line tells the run and its cases, then one a case as it is over, the last one the end. What lacks its last
line was interrupted: what was over stands, what had begun is an error, the rest was not begun.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from test_plans.report.document import INTERRUPTED, VERSION, Document, case_document, end, head
from test_plans.verdicts import ERROR, SKIPPED, CaseResult, RunResult

KILLED = "the runner ended in the middle of it: killed, or its machine stopped"
NOT_BEGUN = "not begun: the run was interrupted"


class Journal:
    """Tells a run as it goes; `say` takes one line without its end."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def begin(self, result: RunResult) -> None:
        cases = [{"id": case.case, "title": case.title, "severity": case.severity} for case in result.cases]
        self._line("run", {**head(result), "cases": cases})

    def told(self, result: CaseResult, what: str, left_s: float | None = None) -> None:
        """Take the progress of a runner; `left_s` is how long the run may still take."""
        if what == "started":
            self._line("started", {"id": result.case, "attempt": result.attempts})
        elif what == "done":
            self._line("case", {"case": case_document(result), "left_s": left_s})

    def end(self, result: RunResult) -> None:
        self._line("end", end(result))

    def _line(self, kind: str, content: Mapping[str, Any]) -> None:
        self._say(_written(kind, content))


def recalled(lines: Iterable[str]) -> Document:
    """Return the document of a journal; ValueError when it is none. A last line that is torn is left out."""
    whole = [read for line in lines if (read := _read(line)) is not None]
    if not whole or whole[0].get("line") != "run":
        raise ValueError("its first line tells no run")
    first = {key: value for key, value in whole[0].items() if key not in ("line", "cases", "resumed")}
    if first.get("version") != VERSION:
        raise ValueError(f"it is of version {first.get('version')!r}; this program reads {VERSION}")
    found = {str(read["case"]["id"]): read["case"] for read in whole if read.get("line") == "case"}
    begun = {str(read["id"]) for read in whole if read.get("line") == "started"}
    cases = [found.get(case["id"]) or _missing(case, case["id"] in begun) for case in whole[0]["cases"]]
    last = next((read for read in whole if read.get("line") == "end"), None)
    if last is None:
        last = _no_end(cases)
    it = {**first, **{key: value for key, value in last.items() if key != "line"}, "cases": cases}
    return _joined(whole[0]["resumed"], it) if "resumed" in whole[0] else it


def _no_end(cases: Iterable[Document]) -> Document:
    return {
        "state": INTERRUPTED, "interrupted": "its journal has no end: the runner was killed",
        "seconds": round(sum(case["seconds"] for case in cases), 3), "ended_wall": "", "leaks": {}, "devices": {},
    }  # fmt: skip


def _joined(earlier: Document, it: Document) -> Document:
    """A run that was resumed has the time and the devices of both its parts."""
    devices = {**earlier["devices"], **it["devices"]}
    seconds = round(earlier["seconds"] + it["seconds"], 3)
    return {
        **it, "seconds": seconds, "devices": devices, "began_wall": earlier["began_wall"],
        "started_lab": earlier["started_lab"],
    }  # fmt: skip


def read_any(text: str) -> Document:
    """Return the document of a JSON report or of a journal; ValueError when it is neither."""
    read = _read(text)
    if read is None or "line" in read:
        return recalled(text.splitlines())
    if not isinstance(read.get("cases"), list):
        raise ValueError("it has no cases with their verdicts")
    if read.get("version") != VERSION:
        raise ValueError(f"it is of version {read.get('version')!r}; this program reads {VERSION}")
    return read


def over(it: Document) -> frozenset[str]:
    """Return the cases that came to a verdict of their own."""
    return frozenset(case["id"] for case in it["cases"] if case["over"])


def opening(line: str, earlier: Document | None) -> list[str]:
    """Return the first lines of a journal: its own, and of a run that is resumed what was over before.

    `line` is what the new run says of itself.
    """
    if earlier is None:
        return [line]
    said = json.loads(line)
    new = {case["id"] for case in said["cases"]}
    kept = [case for case in earlier["cases"] if case["over"] and case["id"] not in new]
    told = {case["id"]: {name: case[name] for name in ("id", "title", "severity")} for case in earlier["cases"]}
    said["cases"] = list({**told, **{case["id"]: case for case in said["cases"]}}.values())
    said["resumed"] = {name: earlier[name] for name in ("seconds", "began_wall", "started_lab", "devices")}
    return [_written("run", said), *(_written("case", {"case": case, "left_s": None}) for case in kept)]


def _read(line: str) -> dict[str, Any] | None:
    try:
        read = json.loads(line)
    except ValueError:
        return None
    return read if isinstance(read, dict) else None


def _missing(case: Mapping[str, Any], begun: bool) -> Document:
    result = CaseResult(
        case["id"], case["title"], case["severity"], ERROR if begun else SKIPPED, KILLED if begun else NOT_BEGUN
    )
    result.over = False
    return case_document(result)


def _written(kind: str, content: Mapping[str, Any]) -> str:
    return json.dumps({"line": kind, **content}, ensure_ascii=False, sort_keys=True)
