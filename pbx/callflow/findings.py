"""What is wrong with the call flows of a domain: the findings R01–R09 (console S3), and what a
deletion left behind where the platform keeps such rows (R10)."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass

from pbx.callflow.flow_map import FlowMap, flow_map, phones_of
from pbx.callflow.identity import emergency_location
from pbx.domain.attendants import Menu
from pbx.domain.consistency import problems
from pbx.domain.directory import Directory
from pbx.domain.tenancy import User

OFF_NET_RING_S = 35
"""Shortest advised ring time when an outside phone rings along (domain-features 1.5)."""

TITLES = {
    "R01": "dead end",
    "R02": "number not routed",
    "R03": "loop",
    "R04": "unreachable object",
    "R05": "only offline endpoints",
    "R06": "no greeting",
    "R07": "no E911 address",
    "R08": f"off-net forward rings < {OFF_NET_RING_S} s",
    "R09": "queue without agents",
    "R10": "dangling reference",
}


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    """A key of `TITLES`."""
    sentence: str
    link: str
    """Path of the object in console and API."""


def findings(directory: Directory, prompts: Set[str], offline: Set[str] = frozenset()) -> tuple[Finding, ...]:
    """Return what is wrong, by rule; `prompts` are the greetings there are, `offline` unregistered devices (ids)."""
    drawn = flow_map(directory)
    return (
        *_dead_ends(directory),
        *_not_routed(directory),
        *_loops(drawn),
        *_unreachable(directory, drawn),
        *_offline(directory, offline),
        *_greetings(directory, prompts),
        *_addresses(directory),
        *_short_rings(directory),
        *_without_agents(directory),
        *_dangling(directory),
    )


def _dead_ends(directory: Directory) -> Iterator[Finding]:
    for number in directory.numbers:
        if number.routes and not any(_at_all_times(directory, choice.time_frame) for choice in number.routes):
            frames = ", ".join(choice.time_frame for choice in number.routes)
            yield Finding("R01", f"{number.number} leads nowhere outside {frames}", f"numbers/{number.number}")
    for attendant in directory.attendants:
        for menu in attendant.menus:
            if not _leads_out(menu):
                sentence = f"attendant {attendant.extension}, menu {menu.name}: no key leads anywhere"
                yield Finding("R01", sentence, f"attendants/{attendant.extension}/menus/{menu.name}")
    for user in directory.users:
        if not user.voicemail and not directory.devices_by_extension.get(user.extension) and not _forwards(user):
            sentence = f"user {user.extension} has no phone, no mailbox and no forward"
            yield Finding("R01", sentence, f"users/{user.extension}")


def _at_all_times(directory: Directory, time_frame: str) -> bool:
    return time_frame == "*" or directory.frames_by_name[time_frame].kind == "always"


def _leads_out(menu: Menu) -> bool:
    actions = [*menu.keys.values(), menu.no_key, menu.unassigned_key]
    return bool(menu.dial_by_extension) or any(action.action in ("go", "menu", "directory") for action in actions)


def _forwards(user: User) -> bool:
    """Whether a caller who finds no phone is sent on by some rule."""
    return any(rule.enabled and (rule.forward_always or rule.forward_offline) for rule in user.rules)


def _not_routed(directory: Directory) -> Iterator[Finding]:
    for number in directory.numbers:
        if not number.routes:
            yield Finding("R02", f"{number.number} has no treatment", f"numbers/{number.number}")


def _loops(drawn: FlowMap) -> Iterator[Finding]:
    """Each circle that calls can run by themselves, once."""
    onward = {node: [e.target for e in edges if e.by_itself] for node, edges in drawn.out.items()}
    reach = {node: _reach(onward, node) for node in onward}
    told: set[str] = set()
    for node in onward:
        if node in told or node not in reach[node]:
            continue
        circle = [other for other in onward if other in reach[node] and node in reach[other]]
        told.update(circle)
        kind, _, name = node.partition(":")
        sentence = f"a call can go round by itself: {' → '.join([*circle, circle[0]])}"
        yield Finding("R03", sentence, f"{kind}s/{name.partition('/')[0]}")


def _reach(onward: dict[str, list[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for target in onward.get(waiting.pop(), ()):
            if target not in seen:
                seen.add(target)
                waiting.append(target)
    return seen


def _unreachable(directory: Directory, drawn: FlowMap) -> Iterator[Finding]:
    """Queues, attendants and menus nothing leads to: no number, key, forward or overflow of another."""
    named = {edge.target for edge in drawn.edges if edge.source != edge.target}
    for queue in directory.queues:
        # Callers are put into a queue of the type call park by whoever has them on the phone.
        if f"queue:{queue.extension}" not in named and queue.strategy != "call_park":
            yield Finding("R04", f"nothing leads to queue {queue.extension} {queue.name}", f"queues/{queue.extension}")
    for attendant in directory.attendants:
        nodes = [f"attendant:{attendant.extension}/{menu.name}" for menu in attendant.menus]
        link = f"attendants/{attendant.extension}"
        outside = {e.target for e in drawn.edges if not e.source.startswith(f"attendant:{attendant.extension}/")}
        if not outside & set(nodes):
            yield Finding("R04", f"nothing leads to attendant {attendant.extension} {attendant.name}", link)
            continue
        for menu, node in zip(attendant.menus[1:], nodes[1:], strict=True):
            if node not in named:
                sentence = f"attendant {attendant.extension}: nothing leads to menu {menu.name}"
                yield Finding("R04", sentence, f"{link}/menus/{menu.name}")


def _offline(directory: Directory, offline: Set[str]) -> Iterator[Finding]:
    for user in directory.users:
        own = directory.devices_by_extension.get(user.extension, ())
        if any(device.id not in offline for device in own) or _forwards(user):
            continue
        if own or user.voicemail:
            what = f"all phones of user {user.extension} are offline" if own else f"user {user.extension} has no phone"
            then = "callers reach the mailbox only" if user.voicemail else "callers are refused"
            yield Finding("R05", f"{what}: {then}", f"users/{user.extension}")


def _greetings(directory: Directory, prompts: Set[str]) -> Iterator[Finding]:
    for attendant in directory.attendants:
        for menu in attendant.menus:
            if menu.greeting not in prompts:
                what = f"there is no prompt {menu.greeting}" if menu.greeting else "no greeting is set"
                sentence = f"attendant {attendant.extension}, menu {menu.name}: {what}"
                yield Finding("R06", sentence, f"attendants/{attendant.extension}/menus/{menu.name}")
            for key, action in menu.keys.items():
                if action.message and action.message not in prompts:
                    sentence = f"attendant {attendant.extension}, menu {menu.name}, key {key}: there is no prompt"
                    link = f"attendants/{attendant.extension}/menus/{menu.name}"
                    yield Finding("R06", f"{sentence} {action.message}", link)
        for intro in attendant.intros:
            if intro.prompt not in prompts:
                sentence = (
                    f"attendant {attendant.extension}, intro {intro.time_frame}: there is no prompt {intro.prompt}"
                )
                yield Finding("R06", sentence, f"attendants/{attendant.extension}")
    for site in directory.sites:
        if site.greeting and site.greeting not in prompts:
            yield Finding("R06", f"site {site.name}: there is no prompt {site.greeting}", f"sites/{site.name}")
    for queue in directory.queues:
        if queue.greeting and queue.greeting not in prompts:
            sentence = f"queue {queue.extension}: there is no prompt {queue.greeting}"
            yield Finding("R06", sentence, f"queues/{queue.extension}")


def _addresses(directory: Directory) -> Iterator[Finding]:
    for device in directory.devices:
        if not emergency_location(directory, device.id).level:
            yield Finding("R07", f"a 911 call from device {device.id} has no address", f"devices/{device.id}")


def _short_rings(directory: Directory) -> Iterator[Finding]:
    for user in directory.users:
        ring_s = directory.ring_s_of(user)
        for order, rule in enumerate(user.rules):
            outside = [t.target for t in rule.simultaneous_ring if t.target.startswith("external")]
            if rule.enabled and outside and ring_s < OFF_NET_RING_S:
                sentence = f"user {user.extension} rings {outside[0].partition(' ')[2]} along for {ring_s} s only"
                yield Finding("R08", sentence, f"users/{user.extension}/rules/{order}")


def _without_agents(directory: Directory) -> Iterator[Finding]:
    for queue in directory.queues:
        if queue.strategy != "call_park" and not any(phones_of(directory, agent) for agent in queue.enabled):
            sentence = f"queue {queue.extension} {queue.name} has no agent with a phone"
            yield Finding("R09", sentence, f"queues/{queue.extension}")


def _dangling(directory: Directory) -> Iterator[Finding]:
    for problem in problems(directory):
        section, place = str(problem.path[0]), problem.path[1]
        item = getattr(directory, section)[place]
        name = getattr(item, "number", "") or getattr(item, "extension", "")
        yield Finding("R10", problem.sentence, f"{section}/{name}")
