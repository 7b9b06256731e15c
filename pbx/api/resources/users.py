"""`/domains/{domain}/users`: people, and the users that queues, attendants and conferences have on the platform."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pbx.access import SCOPES, Action, Thing, changed_kinds, may_appoint
from pbx.api.answers import ACCEPTED, Answer, Refused
from pbx.api.asked import Asked, refuse
from pbx.api.collection import Around, Collection, with_kept
from pbx.api.forms import AREA, COUNT, CSV, NUMBER, NUMERAL, TEXT, YES_NO, Form, choice, whole
from pbx.api.routes import Route
from pbx.api.shapes import Shape, Written, changed, kept, ours, told
from pbx.domain.directory import Directory
from pbx.domain.removal import without
from pbx.domain.tenancy import Scope, Site, User
from pbx.ownership import domain_thing, site_thing, user_thing

UNDER = "/domains/{domain}/users"
_NOTIFY = ("no", "yes", "attnew", "attsave", "atttrash", "brief", "briefattnew", "briefattsave", "briefatttrash")
RECORDING = choice(
    {"yes": "always", "no": "on demand", "yes-with-transcription": "always",
     "yes-with-transcription-and-sentiment": "always"}, otherwise="no",
)  # fmt: skip
DOMAIN = "domain"
ALERTS = "email-send-alert-new-voicemail-enabled"
BEHAVIOUR = "email-send-alert-new-voicemail-behavior"


def _pin(value: Any) -> str:
    return NUMERAL.read(value) if value is not None else ""


def busy(around: Around, user: User) -> int:
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    return switch.parties.busy[user.extension] if switch is not None else 0


def presence(around: Around, user: User) -> str:
    """`inactive` without a phone, `active` with one, `on-call`."""
    asked, directory = around
    switch = asked.house.switch_of(directory.domain.name)
    if switch is None or not switch.reachable(user.extension):
        return "inactive"
    return "on-call" if user.extension in switch.parties.busy else "active"


SHAPE = Shape("User", (
    told("domain", TEXT, lambda around, user: around[1].domain.name),
    ours("user", NUMERAL, "extension", "extension", required=True),
    ours("name-first-name", TEXT, "first_name", "first_name", required=True),
    ours("name-last-name", TEXT, "last_name", "last_name"),
    ours("login-username", TEXT, "login", told=lambda around, user: around[1].login_of(user)),
    ours("email-address", TEXT, "email", "email"),
    ours("user-scope", choice(tuple(SCOPES)), "scope", "scope"),
    ours("department", TEXT, "department"),
    ours("site", TEXT, "site"),
    ours("time-zone", TEXT, "time_zone", told=lambda around, user: around[1].zone_of_user(user)),
    ours("voicemail-login-pin", Form(NUMERAL.schema, _pin, lambda pin: None), "voicemail_pin"),
    ours("privacy", YES_NO, "caller_id_hidden"),
    kept("dial-plan", TEXT),
    ours("dial-policy", TEXT, "dial_policy", told=lambda around, user: around[1].dial_policy_of(user)),
    kept("status-message", TEXT),
    told("user-presence-status", TEXT, presence),
    ours("directory-name-number-dtmf-mapping", Form(AREA.schema, AREA.read), "dial_by_name",
         told=lambda around, user: int(user.name_code) if user.name_code and user.name_code >= "100" else None),
    kept("voicemail-user-control-enabled", YES_NO, "yes"),
    kept("phone-numbers-to-allow-enabled", YES_NO, "yes"),
    kept("phone-numbers-to-reject-enabled", YES_NO, "yes"),
    kept("call-screening-enabled", YES_NO, "yes"),
    ours("ring-no-answer-timeout-seconds", whole(0, 3600), "ring_s",
         told=lambda around, user: around[1].ring_s_of(user)),
    kept("language-token", TEXT, "en_US"),
    ours("limits-max-data-storage-kilobytes", COUNT, "mailbox.storage_kb"),
    ours("limits-max-active-calls-total", whole(0, 3600), "max_calls"),
    ours("directory-announce-in-dial-by-name-enabled", YES_NO, "audio_directory"),
    kept("directory-override-order-duplicate-dtmf-mapping", whole(0, 100)),
    ours("voicemail-enabled", YES_NO, "voicemail"),
    kept("voicemail-receive-broadcast-enabled", YES_NO, "yes"),
    ours("voicemail-playback-announce-datetime-received", YES_NO, "mailbox.announce_date"),
    ours("voicemail-playback-announce-caller-id", YES_NO, "mailbox.announce_caller"),
    ours("voicemail-playback-sort-newest-to-oldest", YES_NO, "mailbox.newest_first"),
    ours("email-send-alert-new-voicemail-cc-list-csv", CSV, "mailbox.copy_to"),
    ours(BEHAVIOUR, choice(_NOTIFY), "mailbox.notify"),
    told(ALERTS, YES_NO, lambda around, user: "no" if user.mailbox.notify == "no" else "yes"),
    kept("email-send-alert-new-missed-call-enabled", YES_NO, "no"),
    ours("email-send-alert-data-storage-limit-reached-enabled", YES_NO, "mailbox.alert_when_full"),
    ours("caller-id-number", NUMBER, "caller_id"),
    ours("caller-id-name", TEXT, "caller_id_name"),
    ours("caller-id-number-emergency", NUMBER, "emergency_caller_id"),
    ours("area-code", AREA, "area_code", told=lambda around, user: int(around[1].area_code_of(user))),
    ours("directory-name-visible-in-list-enabled", YES_NO, "visual_directory"),
    ours("service-code", TEXT, "service_code"),
    ours("voicemail-transcription-enabled", TEXT, "mailbox.transcription"),
    ours("emergency-address-id", TEXT, "emergency_address"),
    kept("call-recordings-hide-from-others-enabled", YES_NO, "no"),
    ours("music-on-hold-randomized-enabled", YES_NO, "shuffled_music",
         told=lambda around, user: YES_NO.tell(around[1].shuffles_music(user.extension))),
    kept("music-on-hold-comfort-message-repeat-interval-seconds", whole(0, 3600)),
    told("active-calls-total-current", COUNT, busy),
    told("account-status", TEXT, lambda around, user: user.status),
    ours("recording-configuration", RECORDING, "recording", told=lambda around, user: RECORDING.tell(
        around[1].recording_of(user))),
))  # fmt: skip


def companions(directory: Directory) -> Iterator[User]:
    """The users that queues, attendants and conferences have there, made of what they are here."""
    for code, things in (
        ("system-queue", directory.queues),
        ("system-aa", directory.attendants),
        ("system-conf", directory.conferences),
    ):
        for thing in things:
            yield User.model_construct(
                extension=thing.extension, first_name=thing.name, service_code=code, scope="No Portal", site=thing.site,
                voicemail=False, audio_directory=False, visual_directory=False,
            )  # fmt: skip
    yield _made_with(directory)


def _made_with(directory: Directory) -> User:
    """The system user that a domain is made with there, called `domain`: no extension, so that nothing can reach it,
    register as it or take its name. Its service code is not published: any that begins with system- hides it."""
    return User.model_construct(
        extension=DOMAIN, first_name="Domain", last_name=directory.domain.name, service_code="system-domain",
        scope="No Portal", voicemail=False, audio_directory=False, visual_directory=False,
    )  # fmt: skip


def of_extension(directory: Directory, extension: str) -> User | None:
    """Return a user, a companion too."""
    if extension == DOMAIN:
        return _made_with(directory)
    found = directory.users_by_extension.get(extension)
    if found is None and any(
        extension in known
        for known in (
            directory.queues_by_extension,
            directory.attendants_by_extension,
            directory.conferences_by_extension,
        )
    ):
        found = next(user for user in companions(directory) if user.extension == extension)
    return found


def without_placeholder(directory: Directory, extension: str) -> Directory:
    """Return the directory without the hidden user a client made before the queue or attendant it belongs to."""
    user = directory.users_by_extension.get(extension)
    if user is None or not user.hidden:
        return directory
    kept_fields = directory.kept.get(f"user:{extension}", {})
    return without(directory, "user", extension).with_kept(f"user:{extension}", kept_fields)


def _items(asked: Asked, directory: Directory) -> Iterator[User]:
    yield from directory.users
    yield from companions(directory)


def _prepared(asked: Asked) -> Mapping[str, Any]:
    body = asked.body
    if ALERTS in body and BEHAVIOUR not in body:
        return {**body, BEHAVIOUR: YES_NO.tell(YES_NO.of(ALERTS, body[ALERTS]))}
    return body


def _with_site(asked: Asked, directory: Directory, written: Written) -> Directory:
    """A site that is named for the first time is made (as the platform does), by whoever may make sites."""
    site = written.values.get("site")
    if not site or site in directory.sites_by_name:
        return directory
    asked.require("create", Thing("site", directory.domain.name, directory.reseller.name, site))
    return directory.replaced(sites=(*directory.sites, Site(name=site)))


class Users(Collection):
    """Users, where a queue's own is changed with the queue."""

    def allow(self, asked: Asked, action: Action, directory: Directory, before: Any, after: Any) -> None:
        if before is None or after is None:
            user = after or before
            asked.require(action, site_thing(directory, "user", user.extension, user.site))
        else:
            for kind in changed_kinds(before, after):
                asked.require("edit", user_thing(directory, after.extension, kind))
        was: Scope = before.scope if before is not None else "Basic User"
        if after is not None and after.scope != was:
            refuse(may_appoint(asked.actor, user_thing(directory, after.extension, "scope"), was, after.scope), "user")

    async def create(self, asked: Asked) -> Answer:
        extension = str(asked.body.get("user", ""))
        companion = of_extension(asked.directory, extension)
        if companion is None or not companion.hidden or extension in asked.directory.users_by_extension:
            return await super().create(asked)
        _spare_domain(asked, "create", extension)
        if asked.body.get("service-code") != companion.service_code:
            raise Refused(409, f"extension {extension} is that of a {companion.service_code.removeprefix('system-')}")
        return await self._companion(asked, extension)

    async def change(self, asked: Asked) -> Answer:
        extension = asked.path["user"]
        _spare_domain(asked, "edit", extension)
        if extension in asked.directory.users_by_extension or of_extension(asked.directory, extension) is None:
            return await super().change(asked)
        return await self._companion(asked, extension)

    async def delete(self, asked: Asked) -> Answer:
        _spare_domain(asked, "delete", asked.path["user"])
        return await super().delete(asked)

    async def _companion(self, asked: Asked, extension: str) -> Answer:
        """Take over what a queue, attendant or conference has of it: the name; keep the rest."""
        written = self.shape.read(self.prepared(asked), new=False)

        def edit(directory: Directory) -> Directory:
            user = of_extension(directory, extension)
            assert user is not None
            asked.require("edit", user_thing(directory, extension, "user"))
            section = _SECTION[user.service_code]
            items = getattr(directory, section)
            name = written.values.get("first_name") or user.first_name
            new = tuple(
                changed(item, {"name": name}, self.shape) if item.extension == extension else item for item in items
            )
            return with_kept(directory.replaced(**{section: new}), f"user:{extension}", written.kept)

        directory = await asked.edit(edit, f"user {extension}")
        if not asked.synchronous:
            return ACCEPTED
        user = of_extension(directory, extension)
        return Answer(200, self.tell((asked, directory), user))


def _spare_domain(asked: Asked, action: Action, extension: str) -> None:
    if extension == DOMAIN:
        asked.require(action, domain_thing(asked.directory, "user", DOMAIN))
        raise Refused(409, "user domain is made with its domain and goes with it; it is not made, changed or deleted")


_SECTION = {"system-queue": "queues", "system-aa": "attendants", "system-conf": "conferences"}

USERS = Users(
    noun="user", right="profile", right_made="user", shape=SHAPE, model=User, section="users",
    key="extension", named="user", under=UNDER,
    parameter="user", items=_items, thing=lambda directory, user: user_thing(directory, user.extension, "profile"),
    removed_as="user", before=_with_site, prepared=_prepared,
    find=lambda asked, directory, name: of_extension(directory, name),
)  # fmt: skip


async def _light(asked: Asked) -> Answer:
    """The domain's directory: whom everybody may see."""
    rows = []
    names = {name.strip() for name in asked.query.get("fields", "").split(",")} - {""}
    for user in asked.directory.people()[asked.page()]:
        row = {
            "user": user.extension, "domain": asked.directory.domain.name, "name-first-name": user.first_name,
            "name-last-name": user.last_name, "department": user.department, "site": user.site,
            "email-address": user.email, "user-presence-status": presence((asked, asked.directory), user),
            "directory-name-number-dtmf-mapping": int(user.name_code or 0),
        }  # fmt: skip
        rows.append({name: value for name, value in row.items() if not names or name in names})
    return Answer(200, rows)


ROUTES = (
    Route("GET", f"{UNDER}/list", _light, "shared contact", "The domain's directory",
          None, {"type": "array", "items": {"type": "object"}}, ("start", "limit", "fields")),
    *USERS.routes(),
)  # fmt: skip
