"""The customer's pages: lists and forms of the portal under `/d/{domain}`, each asked of the table and of the thing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

from lab.portal.fields import Field, Shown, changed_item, read, reasons, tag_of, text_of, value_of, written
from lab.portal.gate import ACTOR
from lab.portal.room import SHOWN, Room, first_row, user_tabs
from lab.portal.sections import FRAMES, SECTIONS, SITES, USERS, Section
from lab.portal.sight import Sight
from pbx.access import (
    SCOPES,
    USER_FIELDS,
    Actor,
    Kind,
    Thing,
    appointable,
    may,
    may_appoint,
    may_some,
    reaches_all,
    within,
)
from pbx.domain.directory import Directory
from pbx.domain.problems import Inconsistent
from pbx.domain.removal import without
from pbx.domain.sites import assign_and_overwrite, assign_site
from pbx.domain.tenancy import Site, User
from pbx.ownership import domain_thing, people_thing, site_thing, user_thing


@dataclass(slots=True)
class Pages:
    room: Room
    invite: Callable[[web.Request, Directory, User], Awaitable[str]]
    """Mails a welcome link (a reset to who has a password); returns to whom, empty when there is no address."""

    def route(self, app: web.Application) -> None:
        get, post = app.router.add_get, app.router.add_post
        for section in SECTIONS:
            get(f"/d/{{domain}}/{section.path}", self._bound(self._list, section))
            get(f"/d/{{domain}}/{section.path}/{{key}}", self._bound(self._thing, section))
            post(f"/d/{{domain}}/{section.path}/{{key}}", self._bound(self._edit, section))
        post("/d/{domain}/users", self._add_user)
        post("/d/{domain}/sites", self._add_site)
        post("/d/{domain}/sites-feature", self._enable_sites)
        post("/d/{domain}/site-assignment", self._assign)
        post("/d/{domain}/users/{key}/invite", self._invite)
        post("/d/{domain}/users/{key}/delete", self._delete_user)

    @staticmethod
    def _bound(
        handler: Callable[[web.Request, Section], Awaitable[web.Response]], section: Section
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def answer(request: web.Request) -> web.Response:
            return await handler(request, section)

        return answer

    # --- lists ----------------------------------------------------------------------------------------

    async def _list(self, request: web.Request, section: Section) -> web.Response:
        return self._listed(request, section)

    def _listed(self, request: web.Request, section: Section, status: int = 200, **more: object) -> web.Response:
        directory, actor = self.room.directory(request), request[ACTOR]
        sight = Sight(self.room.house, directory)
        words = request.query.get("q", "").casefold().split()
        site = request.query.get("site", "")
        found = [
            item
            for item in self._within(actor, section, directory)
            if (not words or _has(_words(item), words)) and (not site or getattr(item, "site", "") == site)
        ]
        total, first = len(found), first_row(request, len(found))
        columns = [name for name in section.columns if name != "Site" or directory.sites]
        rows = [[section.columns[name](sight, item) for name in columns] for item in found[first : first + SHOWN]]
        domain, reseller = directory.domain.name, directory.reseller.name
        enables = section is SITES and bool(may_some(actor, "edit", "sites feature", domain, reseller))
        creates = (
            section in (USERS, SITES)
            and (section is USERS or directory.domain.sites_enabled)
            and bool(may_some(actor, "create", section.kind, domain, reseller))
        )
        assigns = section is USERS and bool(may_some(actor, "edit", "site assignment", domain, reseller))
        shown = {"wrong": "", "said": request.query.get("said", ""), **more}
        return self.room.page(
            request, "portal/list.html", status=status, room=section.path, domain=domain, section=section,
            columns=columns, rows=rows, total=total, first=first, most=SHOWN, creates=creates,
            enables=enables, enabled=directory.domain.sites_enabled,
            assigns=assigns and bool(directory.sites), sites=tuple(directory.sites_by_name), site=site,
            scopes=appointable(actor.roles, actor.scope) if creates else (), every=len(section.all(directory)), **shown,
        )  # fmt: skip

    @staticmethod
    def _within(actor: Actor, section: Section, directory: Directory) -> Sequence[Any]:
        """What of a section its reader may open."""
        items, domain, reseller = section.all(directory), directory.domain.name, directory.reseller.name
        if section is not FRAMES and reaches_all(actor, "view", section.kind, domain, reseller):
            return items
        seen = _sees(actor)
        return [item for item in items if seen(section.thing(directory, item))]

    # --- one thing and its form -----------------------------------------------------------------------

    async def _thing(self, request: web.Request, section: Section) -> web.Response:
        directory, item = self.room.found(request, section)
        self.room.gate.must(request, "view", self._main(section, directory, item))
        return self._shown(request, section, directory, item)

    def _shown(
        self, request: web.Request, section: Section, directory: Directory, item: Any, *, status: int = 200,
        texts: Mapping[str, str] | None = None, wrong: Mapping[str, str] | None = None, **more: object,
    ) -> web.Response:  # fmt: skip
        fields = self._fields(request[ACTOR], section, directory, item)
        tag = tag_of(fields, directory, item)
        texts, wrong = texts or {}, wrong or {}
        shown = [
            Shown(
                field,
                texts.get(field.name, text_of(field, value_of(directory, item, field))),
                _choices(field, directory, item),
                wrong.get(field.name, ""),
            )
            for field in fields
        ]
        sight = Sight(self.room.house, directory)
        facts = {name: cell(sight, item) for name, cell in section.columns.items() if self._tells(request, name)}
        context = {"conflict": None, "whole": wrong.get("", ""), "said": request.query.get("said", ""), **more}
        answer = self.room.page(
            request, "portal/thing.html", status=status, room=section.path, domain=directory.domain.name,
            section=section, key=getattr(item, section.key), fields=shown, tag=tag, facts=facts,
            name=_name(item, section), tabs=user_tabs(request, directory, item) if section is USERS else (),
            **self._of_user(request, section, directory, item), **context,
        )  # fmt: skip
        answer.headers["ETag"] = f'"{tag}"'
        return answer

    async def _edit(self, request: web.Request, section: Section) -> web.Response:
        form = await self.room.form(request)
        directory, item = self.room.found(request, section)
        self.room.gate.must(request, "view", self._main(section, directory, item))
        fields = self._fields(request[ACTOR], section, directory, item)
        texts = written(fields, directory, item, form)
        if not fields:
            self.room.gate.must(request, "edit", self._main(section, directory, item))
        unknown = form.keys() - {field.name for field in fields} - {"tag", "shown"}
        for name in sorted(unknown & {field.name for field in section.fields}):
            self._must_edit(request, section, directory, item, name)
        tag = str(form.get("tag", "")) or request.headers.get("If-Match", "").strip('"')
        if tag != tag_of(fields, directory, item):
            return self._conflict(request, section, directory, item, texts)
        values, wrong = read(fields, item, texts)
        values |= self._appointed(request, directory, item, form)
        new, more = (None, {}) if wrong else changed_item(item, values)
        if new is None:
            return self._shown(request, section, directory, item, status=422, texts=texts, wrong=wrong | more)
        kept = self._kept(section, directory, item, new)
        if not isinstance(kept, Directory):
            return self._shown(request, section, directory, item, status=422, texts=texts, wrong=kept)
        if new != item:
            thing = self._main(section, directory, item)
            await self.room.ledger.keep(request, kept, thing, "edit", item, new)
        raise web.HTTPSeeOther(_back(request, section, getattr(new, section.key)))

    def _appointed(
        self, request: web.Request, directory: Directory, item: Any, form: Mapping[str, object]
    ) -> dict[str, object]:
        """The scope that is asked for, when it is another than there is and than the page showed, and may be given."""
        scope = next((one for one in SCOPES if one == form.get("scope")), None)
        if not isinstance(item, User) or scope is None or scope in (item.scope, form.get("scope_was")):
            return {}
        thing = user_thing(directory, item.extension, "scope")
        self.room.gate.check(may_appoint(request[ACTOR], thing, item.scope, scope))
        return {"scope": scope}

    @staticmethod
    def _kept(section: Section, directory: Directory, item: Any, new: Any) -> Directory | Mapping[str, str]:
        try:
            if isinstance(new, User):
                return directory.with_user(new)
            items = tuple(new if one is item else one for one in section.all(directory))
            return directory.replaced(**{section.items: items})
        except (ValidationError, Inconsistent) as error:
            return {"": "; ".join(reasons(error).values())}

    def _conflict(
        self, request: web.Request, section: Section, directory: Directory, item: Any, texts: Mapping[str, str]
    ) -> web.Response:
        """Somebody has changed it since: yours beside theirs, and the last word is who sends it again."""
        fields = {field.name: field for field in section.fields}
        pairs = [
            (fields[name].label, text, text_of(fields[name], value_of(directory, item, fields[name])))
            for name, text in texts.items()
        ]
        name = str(getattr(item, section.key))
        newest = next((one for one in self.room.ledger.store().audit() if one.domain == directory.domain.name
                       and one.name == name), None)  # fmt: skip
        who = f"{newest.actor}" if newest is not None else "somebody"
        return self._shown(request, section, directory, item, status=412, texts=texts, conflict=(who, pairs))

    def _fields(self, actor: Actor, section: Section, directory: Directory, item: Any) -> tuple[Field, ...]:
        """Those this reader may change: a control that is not theirs is absent."""
        return tuple(
            field for field in section.fields if may(actor, "edit", self._of_field(section, directory, item, field))
        )

    def _must_edit(self, request: web.Request, section: Section, directory: Directory, item: Any, name: str) -> None:
        field = next(field for field in section.fields if field.name == name)
        self.room.gate.must(request, "edit", self._of_field(section, directory, item, field))

    @staticmethod
    def _of_field(section: Section, directory: Directory, item: Any, field: Field) -> Thing:
        if isinstance(item, User):
            return user_thing(directory, item.extension, USER_FIELDS.get(field.name, "profile"))
        thing = section.thing(directory, item)
        return thing if field.kind is None else domain_thing(directory, field.kind, thing.name)

    @staticmethod
    def _main(section: Section, directory: Directory, item: Any) -> Thing:
        """What the page is about: of a user, the profile."""
        return (
            user_thing(directory, item.extension, "profile")
            if isinstance(item, User)
            else section.thing(directory, item)
        )

    def _tells(self, request: web.Request, column: str) -> bool:
        """A user's own page says what the list of users says, to those who have that list."""
        actor = request[ACTOR]
        lists = may_some(actor, "view", "user", request.match_info["domain"], actor.reseller)
        return column in ("Now goes to", "Phones") or bool(lists)

    def _of_user(self, request: web.Request, section: Section, directory: Directory, item: Any) -> dict[str, object]:
        """What may be done to a user beside the form."""
        found: dict[str, object] = {"scopes": (), "scope": "", "deletes": False, "invites": False, "views_as": False}
        if not isinstance(item, User):
            return found
        actor = request[ACTOR]
        thing = user_thing(directory, item.extension, "scope")
        if may(actor, "edit", thing):
            found["scopes"] = [
                one for one in appointable(actor.roles, actor.scope) if may_appoint(actor, thing, item.scope, one)
            ]
            found["scope"] = item.scope
        found["deletes"] = bool(may(actor, "delete", user_thing(directory, item.extension, "user")))
        found["invites"] = bool(may(actor, "edit", user_thing(directory, item.extension, "account")))
        found["views_as"] = bool(may(actor, "create", user_thing(directory, item.extension, "view as")))
        return found

    # --- users and sites ------------------------------------------------------------------------------

    async def _add_user(self, request: web.Request) -> web.Response:
        form, directory = await self.room.form(request), self.room.directory(request)
        values = {
            name: str(form.get(name, "")).strip() for name in ("extension", "first_name", "last_name", "email", "scope")
        }
        values["scope"] = values["scope"] or "Basic User"
        site = request[ACTOR].site if request[ACTOR].scope == "Site Manager" else ""
        try:
            user = User.model_validate({**values, "site": site})
            thing = people_thing(directory, (), "user", user.extension)
            placed = Thing(thing.kind, thing.domain, thing.reseller, thing.name, sites=frozenset({site} - {""}))
            self.room.gate.must(request, "create", placed)
            self.room.gate.check(may_appoint(request[ACTOR], _as(placed, "scope"), "Basic User", user.scope))
            kept = directory.replaced(users=(*directory.users, user))
        except (ValidationError, Inconsistent) as error:
            wrong = "; ".join(
                f"{name.replace('_', ' ')}: {why}" if name else why for name, why in reasons(error).items()
            )
            return self._listed(request, USERS, 422, wrong=wrong)
        await self.room.ledger.keep(request, kept, placed, "create", None, user)
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/users/{user.extension}")

    async def _delete_user(self, request: web.Request) -> web.Response:
        await self.room.form(request)
        directory, user = self.room.found(request, USERS)
        thing = user_thing(directory, user.extension, "user")
        self.room.gate.must(request, "delete", thing)
        try:
            left = without(directory, "user", user.extension)
        except ValueError as error:
            return self._shown(request, USERS, directory, user, status=409, wrong={"": str(error)})
        await self.room.ledger.keep(request, left, thing, "delete", user, None)
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/users")

    async def _invite(self, request: web.Request) -> web.Response:
        await self.room.form(request)
        directory, user = self.room.found(request, USERS)
        thing = user_thing(directory, user.extension, "account")
        self.room.gate.must(request, "edit", thing)
        told = await self.invite(request, directory, user)
        if not told:
            wrong = {"": f"{user.name} has no mail address. Give one first, then send the link."}
            return self._shown(request, USERS, directory, user, status=409, wrong=wrong)
        self.room.ledger.note(request[ACTOR], request, thing, "edit", None, f"link mailed to {told}")
        await self.room.ledger.durable()
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/users/{user.extension}?said=link")

    async def _add_site(self, request: web.Request) -> web.Response:
        form, directory = await self.room.form(request), self.room.directory(request)
        thing = site_thing(directory, "site", str(form.get("name", "")), "")
        self.room.gate.must(request, "create", thing)
        try:
            site = Site.model_validate({"name": str(form.get("name", "")).strip()})
            kept = directory.replaced(sites=(*directory.sites, site))
        except (ValidationError, Inconsistent) as error:
            return self._listed(request, SITES, 422, wrong="; ".join(reasons(error).values()))
        await self.room.ledger.keep(request, kept, thing, "create", None, site)
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/sites")

    async def _enable_sites(self, request: web.Request) -> web.Response:
        """Support enables sites, or takes them away while there are none."""
        form, directory = await self.room.form(request), self.room.directory(request)
        thing, enabled = domain_thing(directory, "sites feature"), bool(form.get("enabled"))
        self.room.gate.must(request, "edit", thing)
        domain = directory.domain.model_copy(update={"sites_enabled": enabled})
        try:
            kept = directory.replaced(domain=domain)
        except (ValidationError, Inconsistent) as error:
            return self._listed(request, SITES, 422, wrong="; ".join(reasons(error).values()))
        await self.room.ledger.keep(request, kept, thing, "edit", directory.domain, domain)
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/sites")

    async def _assign(self, request: web.Request) -> web.Response:
        """Put the users named into a site: the label alone, or overwritten with the site's defaults."""
        form, directory = await self.room.form(request), self.room.directory(request)
        extensions = str(form.get("extensions", "")).replace(",", " ").split()
        site, overwrite = str(form.get("site", "")), bool(form.get("overwrite"))
        things = [user_thing(directory, one, "site assignment") for one in extensions]
        for thing in things or [domain_thing(directory, "site assignment")]:
            self.room.gate.must(request, "edit", thing)
        try:
            kept = (assign_and_overwrite if overwrite else assign_site)(directory, extensions, site)
        except ValueError as error:
            return self._listed(request, USERS, 422, wrong=str(error))
        for thing in things:
            extension = next(iter(thing.owners), thing.name)
            before, after = directory.users_by_extension[extension], kept.users_by_extension[extension]
            self.room.ledger.note(request[ACTOR], request, thing, "edit", before, after)
        if things:
            self.room.ledger.apply(kept, "site assignment")
            await self.room.ledger.durable()
        raise web.HTTPSeeOther(f"/d/{directory.domain.name}/users")


def _sees(actor: Actor) -> Callable[[Thing], bool]:
    """Return what of a list is shown: things of one section may be of two kinds, as shared and private time frames."""
    filters: dict[Kind, Callable[[Thing], bool]] = {}

    def sees(thing: Thing) -> bool:
        if thing.kind not in filters:
            filters[thing.kind] = within(actor, "view", thing.kind)
        return filters[thing.kind](thing)

    return sees


def _as(thing: Thing, kind: Kind) -> Thing:
    return Thing(kind, thing.domain, thing.reseller, thing.name, thing.owners, thing.sites, thing.queues)


def _choices(field: Field, directory: Directory, item: Any) -> tuple[str, ...]:
    offered = tuple(field.choices(directory))
    now = text_of(field, value_of(directory, item, field))
    return offered if now in offered or field.shape != "choice" else (now, *offered)


def _has(text: str, words: Sequence[str]) -> bool:
    return all(word in text for word in words)


def _words(item: Any) -> str:
    """What words are looked for in."""
    if isinstance(item, User):
        return f"{item.extension} {item.name} {item.department} {item.email} {item.site}".casefold()
    names = ("extension", "number", "name", "description", "site")
    return " ".join(str(getattr(item, name, "")) for name in names).casefold()


def _name(item: Any, section: Section) -> str:
    return str(getattr(item, "name", "") or getattr(item, "description", "") or section.one)


def _back(request: web.Request, section: Section, key: str) -> str:
    return f"/d/{request.match_info['domain']}/{section.path}/{key}?said=kept"
