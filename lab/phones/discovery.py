"""How a phone finds its server, in its maker's order: DHCP, what its flash keeps, what somebody typed in, SIP PnP, and
the maker's redirect service. A generator like a boot: it yields what to ask for and returns the URL.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from lab.phones.by_manifest import agent_of
from lab.phones.family import BootFailed, Box, Family, Fetch, Fetched
from provisioning_server.families import shipped_families
from provisioning_server.redirects import shipped_redirects

PNP = "pnp"
"""The protocol of a `Fetch` that is a SUBSCRIBE to everybody; its answer's body is the URL."""


def find_server(
    family: Family, box: Box, dhcp: Mapping[int, str], kept_url: str = "", *, asks_dhcp: bool = True
) -> Generator[Fetch, Fetched, str]:
    """Return the provisioning URL; BootFailed when nobody names one.

    Without `asks_dhcp` the phone looks at DHCP only while its flash names no server: a one-time URL that DHCP still
    gives is spent after the first boot.
    """
    if kept_url and not asks_dhcp:
        return _with_scheme(kept_url)
    for option in family.dhcp_options:
        if value := dhcp.get(option, "").strip():
            return _with_scheme(value)
    if kept_url:
        return _with_scheme(kept_url)
    if box.typed_url:
        return box.typed_url
    manifest = shipped_families().by_id.get(family.name)
    if manifest is not None and manifest.pnp:
        answer = yield Fetch(f"{PNP}:", "")
        if answer.ok:
            return _with_scheme(answer.body.decode("utf-8", "replace").strip())
    service = shipped_redirects().by_host.get(manifest.redirect) if manifest is not None else None
    if manifest is None or service is None:
        raise BootFailed("No server", "neither DHCP nor the network nor the user named a provisioning server")
    asked = service.question(_facts(box), box.activation_code)
    certificate = box.certificate or box.mac if service.certificate else ""
    answer = yield Fetch(
        f"https://{manifest.redirect}{asked}", agent_of(manifest, box), certificate=certificate, follow=False
    )
    url = answer.location or (family.server_in(answer.body, service.title) if answer.ok else "")
    if not url:
        raise BootFailed("No server", f"{service.title} answered {answer.status or 'nothing'}")
    return _with_scheme(url)


def _facts(box: Box) -> dict[str, str]:
    serial = f"LAB{box.mac_upper[4:]}"
    return {
        "mac": box.mac, "MAC": box.mac_upper, "model": box.model, "serial": serial, "version": box.firmware,
    }  # fmt: skip


def _with_scheme(value: str) -> str:
    """A bare host in option 66 means TFTP: that is what the option was made for (RFC 2132 §9.4)."""
    return value if "://" in value else f"tftp://{value}"
