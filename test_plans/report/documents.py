"""The forms a run's document is written in, each by its file name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from test_plans.report.document import Document, results
from test_plans.report.html import html
from test_plans.report.junit import junit
from test_plans.report.markdown import markdown

REPORT = "report.html"
FORMS: Mapping[str, Callable[[Document], str]] = {
    "results.json": results, "junit.xml": junit, REPORT: html, "summary.md": markdown,
}  # fmt: skip


def write(it: Document, to: Mapping[str, Path], other: Document | None = None) -> str:
    """Write forms by name; return why some of it could not be written, empty when all was.

    `other` is the same plan in the other world, which stands beside it in the page.
    """
    problem = ""
    for name, path in to.items():
        text = html(it, other) if name == REPORT else FORMS[name](it)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _put(path, text.encode("utf-8", "replace"))
        except OSError as error:
            problem = f"{path}: {error.strerror or error}"
    return problem


def _put(path: Path, octets: bytes) -> None:
    """Whole or not at all: half a report is none, and the one that was there stays. What is no file is written into."""
    if path.exists() and not path.is_file():
        path.write_bytes(octets)
        return
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(octets)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
