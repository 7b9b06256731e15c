"""Write the reference pages that are made from the code: docs/metrics.md and docs/tolerances.md.

A test compares them with what this would write: run it after changing a metric or a tolerance.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lab.metrics import Metrics
from lab.seeds.load import load_seed
from lab.service import Lab
from pbx.sip.tolerances import Tolerance

DOCS = Path(__file__).parents[1] / "docs"


def pages() -> dict[str, str]:
    """Return the text of every page by file name."""
    return {"metrics.md": metrics_page(), "tolerances.md": tolerances_page()}


def metrics_page() -> str:
    rows = [
        f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.told} |"
        for metric in Metrics(Lab(load_seed())).all()
    ]
    return "\n".join([
        "# Metrics", "",
        "`GET /metrics` on the console's port, in Prometheus' text format. Written by `tools/reference.py`.", "",
        "| Name | Kind | Labels | What it tells |", "|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def tolerances_page() -> str:
    rows = [f"| `{one.name.lower()}` | {one.value} | {one.law} | {one.instead} |" for one in Tolerance]
    return "\n".join([
        "# Tolerances", "",
        "What handsets do wrong and Switchroom forgives. Each is on by default and counted in the metric",
        "`switchroom_handset_faults_tolerated_total` under its fault; `sip.strict` names those that are not to be",
        "forgiven, e.g. `--set sip.strict=ack_to_tag,date_zone`. Written by `tools/reference.py`.", "",
        "| Name | Fault | What the law says | When it is not forgiven |", "|---|---|---|---|", *rows, "",
    ])  # fmt: skip


def main() -> int:
    for name, page in pages().items():
        (DOCS / name).write_text(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
