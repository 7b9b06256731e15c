"""Whom a phone finds in its directory: the people of the domain, then contacts, shared ones and its own."""

from __future__ import annotations

from typing import NamedTuple

from pbx.domain.devices import Device
from pbx.domain.directory import Directory


class Person(NamedTuple):
    name: str
    first_name: str
    last_name: str
    numbers: tuple[str, ...]


def people(directory: Directory, box: tuple[Device, ...]) -> tuple[Person, ...]:
    """Return them by name; a contact without a number is nobody a phone can call."""
    owners = {"", *(device.extension for device in box)}
    users = [Person(u.name, u.first_name, u.last_name, (u.extension,)) for u in directory.people()]
    known = [contact for contact in directory.contacts if contact.owner in owners and contact.numbers]
    contacts = [Person(c.name, c.first_name, c.last_name, tuple(c.numbers)) for c in known]
    return (*users, *sorted(contacts, key=lambda one: one.name.casefold()))
