"""Contacts: shared by the domain, or of one user; `unique-id` is made when one is created."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from pbx.api.answers import ACCEPTED, Answer
from pbx.api.asked import Asked
from pbx.api.collection import Collection, with_kept
from pbx.api.forms import NUMBER, TEXT, Form
from pbx.api.shapes import Shape, changed, kept, made, ours, told
from pbx.domain.contacts import Contact
from pbx.domain.directory import Directory
from pbx.ownership import contact_thing

DOMAIN, USER = "/domains/{domain}/contacts", "/domains/{domain}/users/{user}/contacts"
NUMBERS = ("phonenumber-work", "phonenumber-cell", "phonenumber-home", "phonenumber-fax")
_INSIDE = Form({}, lambda value: value, lambda value: None)


def id_of(contact: Contact) -> str:
    return blake2b(f"{contact.owner}|{contact.name}|{contact.numbers}".encode(), digest_size=8).hexdigest()


SHAPE = Shape("Contact", (
    told("unique-id", TEXT, lambda around, contact: id_of(contact)),
    ours("name-first-name", TEXT, "first_name", required=True),
    kept("name-middle-name", TEXT, ""),
    ours("name-last-name", TEXT, "last_name"),
    ours("email", TEXT, "email"),
    kept("company", TEXT, ""),
    *(kept(name, TEXT, "") for name in NUMBERS),
    kept("tags", TEXT, ""),
    kept("created-datetime", TEXT, ""),
    ours("numbers", _INSIDE, "numbers"),
))  # fmt: skip


def _prepared(asked: Asked) -> Mapping[str, Any]:
    """Their numbers by kind are numbers of ours, those that are any."""
    body = {name: value for name, value in asked.body.items() if name not in ("numbers", "created-datetime")}
    found = []
    for name in NUMBERS:
        try:
            number = NUMBER.read(body.get(name))
        except ValueError:
            continue
        if number is not None and number not in found and len(number) == 11:
            found.append(number)
    if any(name in body for name in NUMBERS):
        body["numbers"] = tuple(found)
    if asked.method == "POST":
        body.setdefault("name-first-name", body.get("company") or "")
    return body


def _shared(asked: Asked, directory: Directory) -> Iterable[Contact]:
    return (contact for contact in directory.contacts if not contact.owner)


def _own(asked: Asked, directory: Directory) -> Iterator[Contact]:
    yield from (contact for contact in directory.contacts if contact.owner == asked.user.extension)
    if asked.query.get("includeDomain") == "yes":
        yield from _shared(asked, directory)


class Contacts(Collection):
    """What tells one from another is all of it, so that a change gives it another id."""

    def filed(self, item: Any) -> str:
        return f"contact:{id_of(item)}"

    async def create(self, asked: Asked) -> Answer:
        written = self.shape.read(self.prepared(asked), new=True)
        owner = asked.path.get("user", "")
        if owner:
            _ = asked.user
        contact = made(Contact, {"owner": owner}, written.values, self.shape)

        def edit(directory: Directory) -> Directory:
            asked.require("create", contact_thing(directory, contact))
            new = directory.replaced(contacts=(*directory.contacts, contact))
            born = {"created-datetime": f"{asked.now.wall:%Y-%m-%d %H:%M:%S}"}
            return with_kept(new, self.filed(contact), {**written.kept, **born})

        directory = await asked.edit(edit, f"contact {contact.name}")
        return Answer(200, self.tell((asked, directory), contact))

    async def read(self, asked: Asked) -> Answer:
        """The platform answers one shared contact as a list, one of a user as it is."""
        answer = await super().read(asked)
        return answer if "user" in asked.path else replace(answer, body=[answer.body])

    async def change(self, asked: Asked) -> Answer:
        written = self.shape.read(self.prepared(asked), new=False)
        after: list[Contact] = []

        def edit(directory: Directory) -> Directory:
            contact = self.one(asked, directory)
            asked.require("edit", contact_thing(directory, contact))
            new = changed(contact, written.values, self.shape)
            after.append(new)
            contacts = tuple(new if one is contact else one for one in directory.contacts)
            fields = {**directory.kept.get(self.filed(contact), {}), **written.kept}
            left = directory.with_kept(self.filed(contact), {}).replaced(contacts=contacts)
            return with_kept(left, self.filed(new), fields)

        directory = await asked.edit(edit, "contact")
        return Answer(200, self.tell((asked, directory), after[-1])) if "user" not in asked.path else ACCEPTED

    async def delete(self, asked: Asked) -> Answer:
        def edit(directory: Directory) -> Directory:
            contact = self.one(asked, directory)
            asked.require("delete", contact_thing(directory, contact))
            left = tuple(one for one in directory.contacts if one is not contact)
            return directory.replaced(contacts=left).with_kept(self.filed(contact), {})

        await asked.edit(edit, "contact")
        return ACCEPTED


def _by_id(items: Any) -> Any:
    return lambda asked, directory, name: next((one for one in items(asked, directory) if id_of(one) == name), None)


SHARED = Contacts(
    noun="contact", right="shared contact", shape=SHAPE, model=Contact, section="contacts", key="name",
    named="name-first-name", under=DOMAIN, parameter="contact_id", items=_shared, thing=contact_thing,
    removed_as=None, prepared=_prepared, find=_by_id(_shared),
)  # fmt: skip
OWN = replace(SHARED, right="contact", under=USER, items=_own, find=_by_id(_own))

ROUTES = (*SHARED.routes(), *OWN.routes())
