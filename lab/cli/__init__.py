"""The command line. Commands import what they need when they run, so that `--help` answers at once."""

from __future__ import annotations

import sys

EXIT_CODES = (
    "Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 could not start, 4 input not valid, "
    "5 incomplete (blocked), 6 timed out, 70 our own fault, 130 interrupted."
)


def main() -> None:
    """Run `switchroom`; an error becomes four parts on stderr and its exit code, never a traceback."""
    from lab.cli.app import app
    from lab.errors import INTERRUPTED, OUR_FAULT, UserError

    try:
        app()
    except UserError as error:
        print(error.text(), file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as fault:  # noqa: BLE001 - the last boundary before the shell
        import tempfile
        import traceback

        with tempfile.NamedTemporaryFile("w", prefix="switchroom-", suffix=".log", delete=False) as details:
            traceback.print_exc(file=details)
        print(f"✗ switchroom failed: {type(fault).__name__}: {fault}\n  details  {details.name}", file=sys.stderr)
        sys.exit(OUR_FAULT)
