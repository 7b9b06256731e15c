"""`snapshot`: what a data folder holds as a file, and the file as what a data folder holds."""

from __future__ import annotations

from pathlib import Path

from lab.cli.inputs import the_settings
from lab.cli.outputs import look_at
from lab.errors import BAD_INPUT, NO_START, USAGE, UserError
from lab.shell import RealClock
from lab.snapshots import BadSnapshot, Manifest, read, restore, save
from pbx.store.database import CannotOpen


def save_snapshot(out: Path, data: Path | None) -> str:
    folder = _folder(data)
    look_at([out])
    try:
        manifest = save(folder, out, RealClock().now().wall)
    except BadSnapshot as error:
        raise UserError(
            "nothing was saved", str(error), "name the folder that `up --data` uses", "docs/running.md", BAD_INPUT
        ) from None
    except OSError as error:
        raise UserError(
            "nothing was saved", f"{error.filename or out}: {error.strerror}", "is there room, and may you read it?",
            "docs/running.md", NO_START,
        ) from None  # fmt: skip
    return f"{out}: {_told(manifest)}; whoever has the file can read every password in it"


def restore_snapshot(file: Path, data: Path | None) -> str:
    folder = _folder(data)
    try:
        restored = restore(file, folder, RealClock().now().wall)
    except BadSnapshot as error:
        raise UserError(
            "nothing was restored", str(error), "name a file that `switchroom snapshot save` wrote", "docs/running.md",
            BAD_INPUT,
        ) from None  # fmt: skip
    except CannotOpen as error:
        raise UserError(
            "nothing was restored", str(error), "stop that switchroom first", "docs/running.md", NO_START
        ) from None
    except OSError as error:
        raise UserError(
            "nothing was restored", f"{error.filename or file}: {error.strerror}", "is it there, and may you use it?",
            "docs/running.md", BAD_INPUT,
        ) from None  # fmt: skip
    before = f"; what was there is in {restored.aside}" if restored.aside is not None else ""
    return f"{folder}: {_told(restored.manifest)}{before}"


def show_snapshot(file: Path) -> str:
    try:
        return f"{file}: {_told(read(file))}"
    except BadSnapshot as error:
        why = str(error)
    except OSError as error:
        why = f"{file}: {error.strerror}"
    raise UserError(
        "there is no snapshot", why, "name a file that `switchroom snapshot save` wrote", "docs/running.md", BAD_INPUT
    )


def _folder(data: Path | None) -> Path:
    folder = the_settings({"store.folder": data}).store.folder
    if folder is None:
        raise UserError(
            "no data folder is named", "without one nothing outlives `up`", "say --data, or set store.folder",
            "docs/running.md", USAGE,
        )  # fmt: skip
    return folder


def _told(manifest: Manifest) -> str:
    octets = sum(kept.octets for kept in manifest.files.values())
    return (
        f"as of {manifest.taken}, switchroom {manifest.switchroom}, {len(manifest.files)} files, {octets / 1e6:.1f} MB"
    )
