"""Native fax: accounts that receive for numbers and send by mail (domain-features 5.6)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from pbx.domain.base import E164, Model, Slug
from pbx.domain.tenancy import MailAddresses, mail_addresses

FaxFormat = Literal["pdf", "tiff", "pdf and tiff"]

Station = Annotated[str, StringConstraints(pattern=r"^[0-9+ ]{0,20}$")]
"""What a machine calls itself (T.30 CSI and TSI): digits, plus and blanks, 20 at most."""


class FaxAccount(Model):
    """Numbers lead to it by the treatment `fax <name>`; a number that does leads nowhere else."""

    name: Slug
    number: E164 | None = None
    """Shown to who is faxed; None: the first number that leads here, else the domain's."""
    email: MailAddresses = ""
    """Who gets what arrives."""
    senders: MailAddresses = ""
    """Who may send by mail to `NUMBER@fax.<domain>`; empty: who gets what arrives."""
    attach: FaxFormat = "pdf and tiff"
    station: Station = ""
    """Empty: the number shown."""
    error_correction: bool = True
    """ECM (T.30 annex A)."""
    t38: bool = True
    """Offer T.38 when the far end turns out to be a fax machine; what the far end offers is taken anyway."""
    max_numbers: int = Field(default=0, ge=0)
    """How many numbers may lead here; 0 for no limit."""
    tries: int = Field(default=3, ge=1, le=20)
    """How often a fax is sent whose far end is busy, does not answer or fails."""
    retry_after_s: float = Field(default=300.0, ge=1, le=86_400)
    history_days: int = Field(default=365, ge=1)
    """A fax that is older goes, pages and all."""

    @property
    def emails(self) -> tuple[str, ...]:
        return mail_addresses(self.email)

    def may_send(self, address: str) -> bool:
        return address.casefold() in map(str.casefold, mail_addresses(self.senders or self.email))
