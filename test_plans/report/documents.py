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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = html(it, other) if name == REPORT else FORMS[name](it)
            path.write_bytes(text.encode("utf-8", "replace"))
        except OSError as error:
            path.unlink(missing_ok=True)  # half a report is none
            problem = f"{path.name}: {error.strerror or error}"
    return problem
