"""Firmware as a roll-out: which image a phone is told of, given what it runs, what is wanted, and who is in.

An operator says `firmware.target` for a domain, site, group or device, and with `firmware.share` how many of a hundred
phones begin; a phone that is in stays in when the share grows. Where an image cannot be put on what the phone runs, it
is told of the newest that can, and of the next one when it comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from provisioning_server.manifest import version_numbers

PREFIX = "fw/"
"""Where images lie below the base URL; they hold no secret, and need no token."""


@dataclass(frozen=True, slots=True)
class Image:
    family: str
    version: str
    path: Path
    models: tuple[str, ...] = ()
    """Empty: every model of the family."""
    needs: str = ""
    """The oldest version it can be put on; empty: any, and a phone of which nothing is known."""

    @property
    def name(self) -> str:
        """As it is asked for."""
        return f"{PREFIX}{self.family}/{self.version}/{self.path.name}"


def is_in(mac: str, target: str, share: int) -> bool:
    """Whether a phone is among the first `share` of a hundred for that version: drawn by lot, once."""
    drawn = int.from_bytes(hashlib.sha256(f"{target} {mac}".encode()).digest()[:4], "big") % 100
    return drawn < share


def next_step(images: Iterable[Image], family: str, model: str, running: str, target: str) -> Image | None:
    """Return the newest image up to `target` that can be put on what runs (empty: unknown); None for none."""
    wanted, now = version_numbers(target), version_numbers(running)
    fit = [
        image
        for image in images
        if image.family == family
        and (not image.models or model in image.models)
        and version_numbers(image.version) <= wanted
        and (not image.needs or (now and version_numbers(image.needs) <= now))
    ]
    return max(fit, key=lambda image: version_numbers(image.version), default=None)
