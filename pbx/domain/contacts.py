"""Contacts: people outside, by name, of the domain or of one user."""

from __future__ import annotations

from pydantic import Field

from pbx.domain.base import Model, OutsideNumber
from pbx.domain.tenancy import MailAddresses


class Contact(Model):
    first_name: str = Field(min_length=1)
    last_name: str = ""
    numbers: tuple[OutsideNumber, ...] = ()
    email: MailAddresses = ""
    owner: str = ""
    """Extension of the user whose contact it is; empty for one that everybody shares."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
