"""The card for setting a phone up by hand: what a person types in when nothing tells the phone where its server is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pbx.domain.devices import Device
from pbx.domain.directory import Directory
from provisioning_server.overlay import Scalar, layers, line_values
from provisioning_server.respond import Office, base_url, config_url, tftp_name

HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class CardLine:
    port: int
    extension: str
    facts: tuple[tuple[str, str], ...]
    """What the phone's pages call it in general, and what to type."""


@dataclass(frozen=True, slots=True)
class Card:
    mac: str
    title: str
    model: str
    url: str
    """Where the phone finds everything by itself; without its token unless the card is to show secrets."""
    tftp: str
    """The file to ask for by TFTP."""
    lines: tuple[CardLine, ...]


def card(office: Office, directory: Directory, box: Sequence[Device], *, secrets: bool) -> Card:
    """Return the card of a box whose family is known; `secrets` shows passwords and the one-time URL."""
    first = box[0]
    family = office.families.by_id[first.family]
    url = (
        config_url(office, directory, first)
        if secrets
        else f"{base_url(office, directory, family, (first,))}/{HIDDEN}/"
    )
    lines = tuple(_line(office, directory, device, secrets=secrets) for device in box)
    return Card(first.mac or "", family.title, first.model, url, tftp_name(office, first), lines)


def _line(office: Office, directory: Directory, device: Device, *, secrets: bool) -> CardLine:
    stack = layers(office.families, office.families.by_id[device.family], directory, office.at, device=device)
    told: dict[str, Scalar] = {
        name.removeprefix(f"lines.{device.port}."): value.value
        for name, value in line_values(stack, device.port).items()
    }
    facts = {
        "display name": told.get("display_name", ""),
        "user name": device.id,
        "authentication name": told.get("auth_user", device.id),
        "password": device.password.get_secret_value() if secrets else HIDDEN,
        "SIP domain": told.get("domain", ""),
        "outbound proxy": f"{told.get('server.host', '')}:{told.get('server.port', '')}",
        "transport": told.get("transport", ""),
        "registration expires (s)": told.get("expires", ""),
        "codecs": told.get("codecs", ""),
        "encryption (SRTP)": told.get("srtp", ""),
        "voicemail number": told.get("voicemail", ""),
    }
    return CardLine(device.port, device.extension, tuple((name, str(value)) for name, value in facts.items()))


def text_of(card: Card) -> str:
    """The card as text for a printer or a terminal."""
    lines = [f"{card.title}  {card.model}  MAC {card.mac}", "", "Let the phone fetch everything:", f"  {card.url}",
             f"  or TFTP file {card.tftp}", "", "Or type in by hand:"]  # fmt: skip
    for line in card.lines:
        lines += ["", f"  Line {line.port}: {line.extension}"]
        lines += [f"    {name:<26}{value}" for name, value in line.facts if value]
    return "\n".join(lines) + "\n"
