"""`map`: every way a call can take, what is wrong with them, what reaches an object; from a seed, nothing runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from lab.cli.inputs import must_be_device, the_seed
from lab.cli.why import the_asked_moment
from lab.errors import UserError
from pbx.callflow.changes import next_changes
from pbx.callflow.findings import TITLES, Finding, findings
from pbx.callflow.flow_map import Edge, FlowMap, branches, flow_map, is_called
from pbx.callflow.question import Asked, Presence
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.directory import Directory
from pbx.media.prompts.texts import TEXTS

_CALLER = "14165550142"
"""Who calls from outside, of the numbers reserved for fiction: only allow and block lists would care."""


def map_calls(seed: Path | None, at: str, reaches: str, without: str, *, as_json: bool) -> tuple[str, bool]:
    """Return (what to print, whether nothing was found)."""
    directory = the_seed(seed).directory
    away = frozenset(name.strip() for name in without.split(",") if name.strip())
    for name in away:
        must_be_device(name, "--without", directory.devices_by_id)
    drawn = flow_map(directory)
    if reaches:
        return _what_reaches(directory, drawn, reaches.strip(), as_json=as_json), True
    found = findings(directory, TEXTS.keys(), away)
    if as_json:
        shown = {"edges": [asdict(edge) for edge in drawn.edges], "findings": [asdict(finding) for finding in found]}
        return json.dumps(shown, ensure_ascii=False), not found
    now = the_asked_moment(at, directory)
    presence = Presence(frozenset(directory.devices_by_id) - away)
    return "\n".join([*_outline(directory, drawn, presence, now), "", *_findings(found)]), not found


def in_words(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M}"


def _outline(directory: Directory, drawn: FlowMap, presence: Presence, at: Moment) -> Iterator[str]:
    zone, told = directory.domain.time_zone, set[str]()
    yield f"{directory.domain.name} on {in_words(at.wall, zone)}"
    calls = [Asked(number.number, _CALLER) for number in directory.numbers]
    changes = next_changes(directory, calls, presence, at)
    for number, asked, change in zip(directory.numbers, calls, changes, strict=True):
        yield ""
        yield f"number:{number.number} {number.description}".rstrip()
        line = f"  now → {route(directory, asked, presence, at).record.outcome}"
        if change is not None:
            line += f"; from {in_words(change[0].wall, zone)} → {change[1].record.outcome}"
        yield line
        yield from branches(drawn, f"number:{number.number}", "  ", told)


def _findings(found: tuple[Finding, ...]) -> Iterator[str]:
    width = max((len(finding.sentence) for finding in found), default=0)
    for finding in found:
        yield f"✗ {finding.rule} {finding.sentence:<{width}}  {TITLES[finding.rule]:<28} {finding.link}"
    yield f"findings: {len(found)}" if found else "✓ nothing found"


def _what_reaches(directory: Directory, drawn: FlowMap, name: str, *, as_json: bool) -> str:
    known = {edge.target for edge in drawn.edges} | {f"user:{user.extension}" for user in directory.users}
    known |= {f"queue:{queue.extension}" for queue in directory.queues}
    known |= {f"conference:{conference.extension}" for conference in directory.conferences}
    known |= {f"attendant:{a.extension}/{menu.name}" for a in directory.attendants for menu in a.menus}
    if not any(is_called(label, name) for label in known):
        raise UserError(
            f"nothing here is called {name}",
            "it is no user, queue, attendant, device or destination of this domain",
            "name an extension, a number or a label such as queue:500",
            "switchroom map --help",
        )
    paths = drawn.paths_to(name)
    dialled = [
        f"{attendant.extension}/{menu.name}"
        for attendant in directory.attendants
        for menu in attendant.menus
        if len(name) in menu.dial_by_extension and name.isdigit()
    ]
    aside = drawn.aside_from_numbers(name)
    if as_json:
        shown = {"paths": [[asdict(edge) for edge in path] for path in paths], "dialled_in": dialled}
        return json.dumps({**shown, "from_inside": [asdict(edge) for edge in aside]})
    lines = [_path_in_words(path) for path in paths] or [f"no number leads to {name}"]
    lines += [_path_in_words((edge,)) for edge in aside]
    return "\n".join([*lines, *(f"attendant:{menu} ─dialling {name}→ {name}" for menu in dialled)])


def _path_in_words(path: tuple[Edge, ...]) -> str:
    return path[0].source + "".join(f" ─{edge.why}→ {edge.target}" for edge in path)
