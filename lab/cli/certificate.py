"""`provision certificate`: what a maker would have put into a phone, for the lab's own."""

from __future__ import annotations

import os
from pathlib import Path

from lab.certificates import Certificates
from lab.cli.inputs import the_settings
from lab.cli.outputs import look_at
from lab.errors import BAD_INPUT, USAGE, UserError
from lab.shell import RealClock
from pbx.domain.devices import normal_mac

_HELP = "docs/provisioning.md"


def make(mac: str, out: Path) -> str:
    """Write certificate and key; return what was done."""
    try:
        name = normal_mac(mac)
    except ValueError as error:
        raise UserError("no certificate is made", str(error), "give the phone's MAC", _HELP, USAGE) from None
    settings = the_settings({})
    if settings.store.folder is None:
        raise UserError(
            "no certificate is made", "the lab has no folder of its own, and so no authority that outlives it",
            "set store.folder, as `up --data` does", _HELP, BAD_INPUT,
        )  # fmt: skip
    look_at([out])
    now = RealClock().now().wall
    certificates = Certificates(settings.store.folder / "tls", ["localhost"], now)  # a name every lab has
    made = certificates.phone_certificate(name, now)
    with os.fdopen(os.open(out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(made)
    return f"{out}: certificate and key of {name.upper()}, signed by {certificates.ca_file}"
