"""The command line. Commands import what they need when they run, so that `--help` answers at once."""

from __future__ import annotations

import sys

EXIT_CODES = (
    "Exit codes: 0 all passed, 1 a check failed, 2 wrong usage, 3 could not start, 4 input not valid, "
    "5 incomplete (blocked), 6 timed out, 70 our own fault, 130 interrupted."
)


def main() -> None:
    """Run `switchroom`; an error becomes four parts on stderr and its exit code, never a traceback."""
    import signal

    from typer.exceptions import Abort, TyperException

    from lab.cli.app import app
    from lab.cli.usage import usage_error
    from lab.errors import INTERRUPTED, OUR_FAULT, UserError

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: what was opened is closed
    try:
        sys.exit(app(standalone_mode=False))
    except UserError as error:
        print(error.text(), file=sys.stderr)
        sys.exit(error.exit_code)
    except TyperException as error:
        if not error.format_message():  # no arguments: the help stands there already
            sys.exit(error.exit_code)
        wrong = usage_error(error)
        print(wrong.text(), file=sys.stderr)
        sys.exit(wrong.exit_code)
    except (KeyboardInterrupt, Abort):
        sys.exit(INTERRUPTED)
    except Exception as fault:  # noqa: BLE001 - the last boundary before the shell
        import tempfile
        import traceback

        with tempfile.NamedTemporaryFile("w", prefix="switchroom-", suffix=".log", delete=False) as details:
            traceback.print_exc(file=details)
        happened = UserError(
            f"switchroom failed: {type(fault).__name__}: {fault}",
            f"a fault of ours; what is known stands in {details.name}",
            "report it with that file",
            "README, exit codes",
            OUR_FAULT,
        )
        print(happened.text(), file=sys.stderr)
        sys.exit(happened.exit_code)
