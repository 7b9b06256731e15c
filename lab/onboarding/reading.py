"""Read a packet: YAML text → forms, every error with its file and line."""

from __future__ import annotations

from pathlib import Path

from lab.onboarding.packet import Packet
from lab.seeds.located import located, read_file
from pbx.domain.seed import read_model

NORTHSIDE = Path(__file__).parent / "packets" / "northside.yaml"
_REFERENCE = "lab/onboarding/packets/northside.yaml is a complete example"


def load_packet(path: Path) -> Packet:
    """Return the packet in a file; SeedError when it cannot be read or used."""
    return read_packet(read_file(path, "packet", _REFERENCE), str(path))


def read_packet(text: str, name: str = "packet") -> Packet:
    """Return the packet of YAML `text`; SeedError names `name` and the line of every problem."""
    with located(text, name, "begin with `company:` and `domain:`", "packet", _REFERENCE) as document:
        return read_model(Packet, document)
