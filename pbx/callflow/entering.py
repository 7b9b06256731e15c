"""Coming to an attendant or a queue: which menu is in force, who can be offered, which music plays."""

from __future__ import annotations

from collections.abc import Collection

from pbx.callflow.decisions import Trail
from pbx.callflow.identity import calling_user
from pbx.callflow.question import Asked, Presence
from pbx.clock import Moment
from pbx.domain.attendants import Attendant, Menu
from pbx.domain.conferences import Conference
from pbx.domain.destinations import Cause, Destination, HangUp
from pbx.domain.directory import Directory
from pbx.domain.queues import Agent, Queue


def menu_in_force(
    directory: Directory, extension: str, wanted: str, at: Moment, trail: Trail
) -> tuple[Attendant, Menu, str] | None:
    """Return (attendant, menu to enter, time frame that decided), None when there is no such attendant or menu."""
    attendant = directory.attendants_by_extension.get(extension)
    menu = attendant.menu(wanted) if attendant else None
    if attendant is None or menu is None:
        missing = f"there is no menu {wanted}" if attendant else "there is no such attendant"
        trail.failed("attendant", extension, "", missing, "attendants")
        return None
    link = f"attendants/{extension}"
    trail.applied("attendant", f"{extension} {attendant.name}", "", "answers", link)
    time_frame = ""
    if menu == attendant.menus[0]:
        time_frame, menu = _by_hours(directory, attendant, at, trail)
    trail.applied(
        "menu", menu.name, menu.greeting, f"keys: {' '.join(sorted(menu.keys)) or 'none'}", f"{link}/menus/{menu.name}"
    )
    return attendant, menu, time_frame


def _by_hours(directory: Directory, attendant: Attendant, at: Moment, trail: Trail) -> tuple[str, Menu]:
    """Return the time frame that covers the moment and the menu that follows: the first, or the closed one."""
    first = attendant.menus[0]
    if not attendant.open_frames:
        return "", first
    zone, found = directory.zone_of_site(attendant.site), ""
    for name in attendant.open_frames:
        frame = directory.frames_by_name[name]
        link, saw = f"timeframes/{name}", frame.text_in(zone)
        if found:
            trail.open("hours", name, saw, "not reached", link)
        elif frame.covers(at.wall, zone):
            trail.applied("hours", name, saw, "open", link)
            found = name
        else:
            trail.failed("hours", name, saw, "does not cover this moment", link)
    closed = attendant.menu(attendant.closed) if attendant.closed else None
    return found, (first if found or closed is None else closed)


def intro_in_force(directory: Directory, attendant: Attendant, at: Moment, trail: Trail) -> str:
    """Return the prompt that greets callers at this moment, empty for none."""
    zone, link = directory.zone_of_site(attendant.site), f"attendants/{attendant.extension}"
    for intro in sorted(attendant.intros, key=lambda intro: intro.time_frame == "*"):
        frame = directory.frames_by_name.get(intro.time_frame)
        saw = frame.text_in(zone) if frame is not None else "always"
        if frame is None or frame.covers(at.wall, zone):
            trail.applied("intro", intro.time_frame, saw, intro.prompt, link)
            return intro.prompt
        trail.failed("intro", intro.time_frame, saw, f"does not cover this moment; then {intro.prompt}", link)
    greeting = site_greeting(directory, attendant.site)
    if greeting:
        trail.applied("intro", attendant.site, "the site's", greeting, f"sites/{attendant.site}")
    return greeting


def site_greeting(directory: Directory, name: str) -> str:
    """Return the prompt a site greets callers with, empty for none."""
    site = directory.sites_by_name.get(name)
    return site.greeting if site is not None else ""


def queue_entry(
    directory: Directory, extension: str, presence: Presence, trail: Trail
) -> tuple[Queue, tuple[str, ...], Destination | None] | None:
    """Return (queue, agents logged in and registered, overflow when refused), None when there is no such queue."""
    queue = directory.queues_by_extension.get(extension)
    if queue is None:
        trail.failed("queue", extension, "", "there is no such queue", "queues")
        return None
    link = f"queues/{extension}"
    saw = f"{queue.strategy.replace('_', ' ')}, agents: {len(queue.agents)}"
    trail.applied("queue", f"{extension} {queue.name}", saw, "takes callers", link)
    online: list[str] = []
    statuses, registered, busy = presence.statuses, presence.registered, presence.busy
    for agent, name, who, status in queue.roster:
        if statuses and (said := statuses.get((extension, name))) is not None:
            status = agent.status_after(said)
        if not status.takes_calls:
            trail.failed("agent", name, status, "never offered", link)
            continue
        if not agent_can_be_reached(directory, agent, registered, True):
            trail.failed("agent", name, "no registered phone", "never offered", link)
            continue
        online.append(name)
        if who in busy and agent.max_calls == 1:
            trail.failed("agent", name, "in a call", "offered when free", link)
        else:
            trail.applied("agent", name, "off-net" if agent.number else "registered, free", "can be offered", link)
    overflow = queue.overflow or HangUp(cause=Cause.UNAVAILABLE)
    if queue.require_agents and not online:
        refused = queue.unavailable or overflow
        trail.failed("queue", "require agents", "none is logged in", refused.label, link)
        return queue, (), refused
    wait = f"{queue.max_wait_s:g} s" if queue.max_wait_s else "no limit"
    trail.open("then", "longest wait", wait, overflow.label, link)
    return queue, tuple(online), None


def conference_entry(
    directory: Directory, extension: str, asked: Asked, trail: Trail
) -> tuple[Conference, bool] | None:
    """Return (conference, the caller is its owner and so a leader), None when there is no such conference."""
    conference = directory.conferences_by_extension.get(extension)
    if conference is None:
        trail.failed("conference", extension, "", "there is no such conference", "conferences")
        return None
    link = f"conferences/{extension}"
    most = f"at most {conference.max_participants}" if conference.max_participants else "any number"
    trail.applied("conference", f"{extension} {conference.name}", most, "takes callers", link)
    caller = calling_user(directory, asked)
    owns = caller is not None and caller.extension == conference.owner
    if owns:
        trail.applied("conference", "PIN", f"{conference.owner} is the owner", "a leader, asked for none", link)
    elif conference.has_pins:
        trail.open("conference", "PIN", "not entered yet", "leader or participant by what is entered", link)
    else:
        trail.applied("conference", "PIN", "none is set", "a participant", link)
    waits = f"{conference.quorum} are there" if conference.quorum > 1 else "somebody is there"
    waits += " and a leader" if conference.require_leader else ""
    trail.open("then", "begins when", waits, "they hear each other; music until then", link)
    return conference, owns


def agent_can_be_reached(directory: Directory, agent: Agent, registered: Collection[str], trunk: bool) -> bool:
    """Tell whether an agent has a registered phone, or is off-net and there is a trunk."""
    if agent.number:
        return trunk
    if agent.device:
        return agent.device in registered
    for device in directory.devices_by_extension.get(agent.extension, ()):  # noqa: SIM110 - a generator costs double
        if device.id in registered:
            return True
    return False


def music_of(directory: Directory, extension: str) -> str:
    """Return the music a party hears that `extension` holds or lets wait: queue or conference, site, then domain."""
    queue = directory.queues_by_extension.get(extension)
    user = directory.users_by_extension.get(extension)
    attendant = directory.attendants_by_extension.get(extension)
    conference = directory.conferences_by_extension.get(extension)
    owner = queue or user or attendant or conference
    site = directory.sites_by_name.get(owner.site) if owner else None
    own = queue or conference
    return (own.music if own else "") or (site.music if site else "") or directory.domain.music
