"""`provision`: what a box is given and why, from a seed or a running switchroom; and its resync there."""

from __future__ import annotations

import difflib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lab.addresses import PROVISIONING, PROVISIONING_TLS, SIP, TFTP
from lab.cli import remote
from lab.cli.devices import asking
from lab.cli.inputs import the_seed, the_settings
from lab.errors import USAGE, UserError
from lab.provision_view import ProvisionView, dhcp_snippet, shown_in_words, why_in_words
from lab.shell import RealClock
from provisioning_server import dhcp
from provisioning_server.families import shipped_families
from provisioning_server.ledger import Ledger
from provisioning_server.overlay import ServedAt
from provisioning_server.respond import Office


def show(mac: str, seed: Path | None, against: Path | None = None, *, as_json: bool) -> str:
    view = remote.provision(against, mac) if against is not None else of_seed(seed).shown(mac)
    return json.dumps(view, ensure_ascii=False, indent=1) if as_json else shown_in_words(view)


def why(mac: str, parameter: str, seed: Path | None, against: Path | None = None, *, as_json: bool) -> str:
    """Explain each parameter of the box whose name, text or settings contain `parameter`; every one without it."""
    there = against is not None
    told: Any = remote.provision(against, mac, "why", about=parameter) if there else of_seed(seed).why(mac, parameter)
    return json.dumps(told, ensure_ascii=False, indent=1) if as_json else why_in_words(told)


def fetch(mac: str, name: str, seed: Path | None, against: Path | None = None, *, reveal: bool) -> str:
    """Return a file as the box would get it, its first own one without a name; secrets hidden unless revealed."""
    if against is None:
        return of_seed(seed).file(mac, name, reveal=reveal)
    return str(remote.provision(against, mac, "file", name=name, **asking(reveal, "reveal"))["text"])


def diff(mac: str, seed: Path | None, other: Path | None, against: Path | None = None) -> tuple[str, bool]:
    """Return how the box's files differ between a seed and another, or what runs; and whether they are the same."""
    if (other is None) == (against is None):
        raise UserError(
            "there is nothing to compare with", "neither or both of --with and --against were given",
            "name the other seed, or the running switchroom", "switchroom provision diff --help", USAGE,
        )  # fmt: skip
    one = of_seed(seed).files(mac)
    two: dict[str, str] = remote.provision(against, mac, "files") if other is None else of_seed(other).files(mac)
    lines: list[str] = []
    for name in dict.fromkeys([*one, *two]):
        before, after = one.get(name, "").splitlines(), two.get(name, "").splitlines()
        names = f"{seed or 'office'}: {name}", f"{other or against}: {name}"
        lines += difflib.unified_diff(before, after, *names, lineterm="")
    return "\n".join(lines), not lines


def snippet(
    kind: str, base_url: str, seed: Path | None = None, against: Path | None = None, site: str = ""
) -> tuple[str, list[str]]:
    """Return a snippet for a DHCP server, and the families that are told nothing.

    Phones are told what `provisioning.protocols` of the seed (or of a running switchroom), or of one of its sites,
    allows; `base_url` takes the place of the settings' own.
    """
    if kind not in dhcp.KINDS:
        raise UserError(
            f"there is no DHCP server {kind!r}", f"known are {', '.join(dhcp.KINDS)}", "name one of them",
            "switchroom dhcp --help", USAGE,
        )  # fmt: skip
    if against is not None:
        there = remote.get(against, "/api/v1/provisioning/dhcp", kind=kind, site=site)
        return there["text"], there["untold"]
    view = of_seed(seed)
    if base_url:
        view.office.at = _at(view.office.at, base_url.rstrip("/"))
    return dhcp_snippet(view, kind, site)


def _at(at: ServedAt, base: str) -> ServedAt:
    """All of it on the host of a URL; by its scheme at that URL."""
    url = urlsplit(base)
    host = url.hostname or ""
    own = f"[{host}]" if ":" in host else host
    secure = base if url.scheme == "https" else at.secure_url.replace(at.sip_host, own, 1)
    return replace(at, sip_host=host, base_url=base, secure_url=secure, tftp_url=f"tftp://{own}")


def of_seed(seed: Path | None) -> ProvisionView:
    """A seed's domain and the office that would serve it."""
    listen = the_settings({}).listen
    base = f"http://{listen.address}:{listen.port_base + PROVISIONING}/p"
    secure = f"https://{listen.address}:{listen.port_base + PROVISIONING_TLS}/p"
    tftp = f"tftp://{listen.address}:{listen.port_base + TFTP}"
    at = ServedAt(listen.address, listen.port_base + SIP, base, secure_url=secure, tftp_url=tftp)
    return ProvisionView(the_seed(seed).directory, Office(shipped_families(), Ledger(b""), at), RealClock().now())
