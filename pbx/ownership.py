"""To whom the things of a directory belong: what `pbx.access` has to know of them before it can answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pbx.access import SCOPES, Actor, Kind, Thing
from pbx.domain.conferences import Conference
from pbx.domain.contacts import Contact
from pbx.domain.directory import Directory
from pbx.domain.history import CallRecord
from pbx.domain.queues import Agent, Queue, person
from pbx.domain.tenancy import User
from pbx.domain.timeframes import TimeFrame


def actor_of(directory: Directory, user: User, *, by: str = "", read_only: str = "") -> Actor:
    """Return a user of a directory as somebody who asks; a supervisor's queues are those that name the supervisor."""
    return Actor(
        name=directory.login_of(user),
        scope=user.scope,
        domain=directory.domain.name,
        reseller=directory.reseller.name,
        extension=user.extension,
        site=user.site,
        queues=frozenset(queue.extension for queue in directory.queues if user.extension in queue.supervisors),
        roles=directory.domain.platform.roles,
        by=by,
        read_only=read_only,
    )


def user_by_login(directory: Directory, login: str) -> User | None:
    """Return who logs in by that name, whatever its letters' case: the own login, or extension@domain."""
    wanted = login.casefold()
    return next((user for user in directory.users if directory.login_of(user).casefold() == wanted), None)


def domain_thing(directory: Directory, kind: Kind, name: str = "") -> Thing:
    """What is the whole domain's, as a shared time frame."""
    return Thing(kind, directory.domain.name, directory.reseller.name, name)


def user_thing(directory: Directory, extension: str, kind: Kind, name: str = "") -> Thing:
    """What is a user's; of an extension that nobody has it is nobody's."""
    user = directory.users_by_extension.get(extension)
    if user is None:
        return domain_thing(directory, kind, name or extension)
    sites = frozenset((user.site,)) if user.site else _NOWHERE
    domain, reseller = directory.domain.name, directory.reseller.name
    return Thing(kind, domain, reseller, name or extension, frozenset((extension,)), sites, _NOWHERE, user.scope)


def people_thing(
    directory: Directory, extensions: Iterable[str], kind: Kind, name: str, queues: Iterable[str] = ()
) -> Thing:
    """What several users have part in, and queues beside them."""
    users = [directory.users_by_extension[one] for one in extensions if one in directory.users_by_extension]
    ranked = sorted((user.scope for user in users), key=SCOPES.index)
    return Thing(
        kind,
        directory.domain.name,
        directory.reseller.name,
        name,
        frozenset(user.extension for user in users),
        frozenset(user.site for user in users) - {""},
        frozenset(queues),
        ranked[0] if ranked else "Basic User",
    )


def site_thing(directory: Directory, kind: Kind, name: str, site: str) -> Thing:
    """What stands in a site, or in none: an attendant, a number, the site itself."""
    return Thing(kind, directory.domain.name, directory.reseller.name, name, sites=frozenset({site} - {""}))


def device_thing(directory: Directory, device: str, kind: Kind = "device") -> Thing:
    """A device by its id; `101a` that is not there is nobody's."""
    found = directory.devices_by_id.get(device)
    return people_thing(directory, (found.extension,) if found else (), kind, device)


def hardware_thing(directory: Directory, mac: str) -> Thing:
    """A box belongs to who has a line on it."""
    owners = (device.extension for device in directory.devices_by_mac.get(mac, ()))
    return people_thing(directory, owners, "hardware", mac)


def queue_thing(directory: Directory, queue: Queue, kind: Kind = "queue") -> Thing:
    return replace(site_thing(directory, kind, queue.extension, queue.site), queues=frozenset({queue.extension}))


def agent_thing(directory: Directory, queue: Queue, agent: Agent, kind: Kind = "agent") -> Thing:
    """An agent of a queue: the person's own, and the queue's."""
    mine = people_thing(directory, (person(agent.name),), kind, agent.name, (queue.extension,))
    return replace(mine, sites=frozenset({queue.site} - {""}), owner_scope="Basic User")


def phone_thing(directory: Directory, extension: str) -> Thing:
    """A phone on the lab floor, as its user's supervisors see it, too."""
    return party_thing(directory, extension, "phone")


def party_thing(directory: Directory, extension: str, kind: Kind) -> Thing:
    """What is a user's, and of the queues whose agent the user is."""
    return people_thing(directory, (extension,), kind, extension, _queues_of(directory, extension))


def frame_thing(directory: Directory, frame: TimeFrame) -> Thing:
    if not frame.owner:
        return domain_thing(directory, "shared time frame", frame.name)
    return user_thing(directory, frame.owner, "time frame", frame.name)


def contact_thing(directory: Directory, contact: Contact) -> Thing:
    if not contact.owner:
        return domain_thing(directory, "shared contact", contact.name)
    return user_thing(directory, contact.owner, "contact", contact.name)


def conference_thing(directory: Directory, conference: Conference) -> Thing:
    own = people_thing(directory, (conference.owner,), "conference", conference.extension)
    return replace(own, sites=own.sites | ({conference.site} - {""}))


def record_thing(directory: Directory, record: CallRecord, kind: Kind = "call record") -> Thing:
    """A call, live or over: of whoever called, answered or was on its way, and of the queues it went through."""
    return parties_thing(directory, kind, record.call, (record.device, record.answered_by), record.path.split(" > "))


def parties_thing(directory: Directory, kind: Kind, name: str, parties: Iterable[str], path: Iterable[str]) -> Thing:
    """A call of these devices or extensions that took a path of destinations, as `user:101` or `queue:500`."""
    stops = [stop.partition(":") for stop in path]
    people = [*map(person, parties), *(of for what, _, of in stops if what in _PERSONAL)]
    return people_thing(directory, people, kind, name, (of for what, _, of in stops if what == "queue"))


def _queues_of(directory: Directory, extension: str) -> Iterable[str]:
    return (
        queue.extension for queue in directory.queues if any(person(agent.name) == extension for agent in queue.agents)
    )


_NOWHERE: frozenset[str] = frozenset()
_PERSONAL = frozenset({"user", "mailbox", "picked-up"})
