"""Emergency addresses: civic address and the callback number that belongs to it (domain-features 3)."""

from __future__ import annotations

from pbx.domain.base import E164, Model


class EmergencyAddress(Model):
    key: str
    callback: E164
    caller_name: str
    street: str
    city: str
    region: str
    postal_code: str
    location: str = ""
    """Floor, suite, room."""

    @property
    def line(self) -> str:
        inside = f", {self.location}" if self.location else ""
        return f"{self.street}{inside}, {self.city} {self.region} {self.postal_code}"
