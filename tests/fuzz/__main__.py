"""Fuzz one target with coverage: `python -m tests.fuzz TARGET [CORPUS] [libFuzzer's options]`.

Needs atheris, which has wheels for Linux on x86-64 and a few versions of Python only, and so is not in the lock:
`.venv/bin/python -m pip install --require-hashes -r tests/fuzz/requirements.txt`. What it finds is written to
`crash-…` here: mend the fault, give the file a telling name and put it into the target's folder of
`tests/fuzz/corpus`, where pytest tries it from then on.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["pbx"]):
    from tests.fuzz.targets import TARGETS


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"name one of {', '.join(TARGETS)}")
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


main()
