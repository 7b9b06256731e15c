"""Emergency addresses: civic address and the callback number that belongs to it (domain-features 3)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from pbx.domain.base import E164, Model

_POST_BOX = re.compile(
    r"\b(?:p\.?\s?o\.?\s?box|post office box|c\.?p\.?\s?\d+|case postale|bo[iî]te postale)\b", re.IGNORECASE
)


def _is_a_place(street: str) -> str:
    if _POST_BOX.search(street):
        raise ValueError(f"{street!r} is a post box, where no ambulance can go; give number and street")
    return street


Street = Annotated[str, AfterValidator(_is_a_place)]


class EmergencyAddress(Model):
    key: str
    callback: E164
    """Rung back by the emergency desk, and no other location's: providers know a place by its number."""
    caller_name: str
    street: Street
    city: str
    region: str
    postal_code: str
    location: str = ""
    """Floor, suite, room."""

    @property
    def line(self) -> str:
        inside = f", {self.location}" if self.location else ""
        return f"{self.street}{inside}, {self.city} {self.region} {self.postal_code}"
