"""`make bench`: every bench, one table, one JSON file, and what has moved since the last accepted run.

`python -m tests.bench [--accept]`; `--accept` makes this run the one that later runs are compared with.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    bench_api,
    bench_conference,
    bench_domain,
    bench_inventory,
    bench_media,
    bench_plans,
    bench_power_cut,
    bench_provisioning,
    bench_rendering,
    bench_signalling,
    bench_virtual,
)
from tests.bench.figures import Figure, moved, table, write
from tests.bench.machine import CORES

RESULT = Path("build/bench.json")
ACCEPTED = Path(__file__).with_name("accepted.json")
"""The last figures that were looked at and taken for right."""


def main() -> None:
    told = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    told.add_argument("--accept", action="store_true", help="keep this run's figures for later comparison")
    accept = told.parse_args().accept
    begun, figures = time.monotonic(), list[Figure]()
    benches = (
        bench_signalling,
        bench_provisioning,
        bench_rendering,
        bench_inventory,
        bench_api,
        bench_domain,
        bench_power_cut,
        bench_media,
        bench_conference,
        bench_virtual,
        bench_plans,
    )
    for bench in benches:
        print(f"{bench.__name__.rpartition('_')[2]} …", flush=True)
        figures += bench.figures()
    print(f"\n{table(figures)}\n")
    last = json.loads(ACCEPTED.read_text())["figures"] if ACCEPTED.exists() else {}
    for sentence in moved(figures, last) or ["nothing has moved since the last accepted run"]:
        print(sentence)
    taken = {
        "at": datetime.fromtimestamp(time.time(), UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": len(CORES),
        "load": round(os.getloadavg()[0], 1),
        "seconds": round(time.monotonic() - begun),
    }
    for path in [RESULT, *([ACCEPTED] if accept else [])]:
        write(path, figures, taken)
    print(f"\n{taken['seconds']} s on {len(CORES)} cores under load {taken['load']}; written to {RESULT}")


if __name__ == "__main__":
    main()
