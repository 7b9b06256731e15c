"""Where faxes are handed in: by mail to `NUMBER@fax.<domain>`, by the API, by the command line.

What is wrong with one is said to who hands it in, before anything is kept: an SMTP server's refusal reaches the sender
by the sender's own mail server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Protocol
from uuid import uuid4

from lab.faxes.cabinet import Cabinet
from lab.faxes.paper import BadDocument, Document, to_fax_together
from pbx.clock import Moment
from pbx.domain.dialplan import Means, read_dialled
from pbx.domain.directory import Directory
from pbx.domain.faxes import FaxAccount
from pbx.domain.history import Fax
from pbx.switch.switch import Switch

_KINDS = ("application/pdf", "image/tiff")
_NAMES = (".pdf", ".tif", ".tiff")


class NotTaken(Exception):
    """A fax that cannot be sent; the text says why."""


@dataclass(frozen=True, slots=True)
class Order:
    account: str
    number: str
    document: Document
    sender: str = ""


class Desk(Protocol):
    directory: Directory

    @property
    def cabinet(self) -> Cabinet: ...

    def command_switch(self, command: Callable[[Switch, Moment], object]) -> object: ...


def fax_host(directory: Directory) -> str:
    """Return the host part of the addresses that are fax numbers."""
    return f"fax.{directory.domain.name}"


def is_fax_address(directory: Directory, address: str) -> bool:
    return address.rpartition("@")[2].casefold() == fax_host(directory)


def orders_of(directory: Directory, letter: EmailMessage, sender: str, to: Sequence[str]) -> list[Order]:
    """Return the faxes that mail from an envelope's sender asks for; NotTaken. It blocks while pages are made."""
    account = next((one for one in directory.fax_accounts if sender and one.may_send(sender)), None)
    if account is None:
        raise NotTaken(f"{sender or 'nobody'} may send faxes for no account of {directory.domain.name}")
    numbers = [number_of(directory, address.rpartition("@")[0]) for address in to]
    document = made(_attached(letter))
    return [Order(account.name, number, document, sender) for number in numbers]


def account_named(directory: Directory, name: str) -> FaxAccount:
    """Return the account of a name, or the only one there is; NotTaken."""
    names = ", ".join(account.name for account in directory.fax_accounts) or "none"
    if not name and len(directory.fax_accounts) == 1:
        return directory.fax_accounts[0]
    found = directory.fax_accounts_by_name.get(name)
    if found is None:
        raise NotTaken(
            f"there is no fax account {name!r}; there are: {names}" if name else f"say which account: {names}"
        )
    return found


def number_of(directory: Directory, text: str) -> str:
    """Return a telephone number as the switch dials it; NotTaken for what is none, such as 911."""
    read = read_dialled(text, directory.domain.area_code)
    if read.means not in (Means.NUMBER, Means.INTERNATIONAL):
        raise NotTaken(f"{text!r} is no number a fax can be sent to: write it as 14165550156, or with + from abroad")
    return read.digits


def made(parts: Sequence[tuple[str, bytes]]) -> Document:
    """Return the pages of files; NotTaken says which is wrong, and why."""
    try:
        return to_fax_together(parts)
    except BadDocument as error:
        raise NotTaken(str(error)) from None


async def hand_in(desk: Desk, order: Order) -> Fax:
    """Keep the pages and owe the fax; NotTaken when they cannot be kept, or the account has gone meanwhile."""
    name = f"fax-{uuid4().hex[:16]}"
    try:
        await asyncio.to_thread(desk.cabinet.put, name, order.document.tiff)
        fax = desk.command_switch(
            lambda switch, now: switch.send_fax(
                order.account, order.number, name, order.document.pages, now, sender=order.sender
            )
        )
    except (OSError, ValueError) as error:
        raise NotTaken(f"the fax could not be kept: {error}") from None
    assert isinstance(fax, Fax)
    return fax


def _attached(letter: EmailMessage) -> list[tuple[str, bytes]]:
    found = []
    for part in letter.walk():
        name = part.get_filename() or ""
        if part.get_content_type() in _KINDS or name.lower().endswith(_NAMES):
            octets = part.get_payload(decode=True)
            found.append((name or part.get_content_type(), octets if isinstance(octets, bytes) else b""))
    if not found:
        raise NotTaken("no PDF or TIFF is attached")
    return found
