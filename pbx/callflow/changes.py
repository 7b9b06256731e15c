"""When a call would next go another way, because a time frame begins or ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from pbx.callflow.question import Asked, Presence, Route
from pbx.callflow.routing import route
from pbx.clock import Moment
from pbx.domain.directory import Directory

_MOST_TURNS = 60
"""Beginnings and ends of frames looked at; most lead the call nowhere else."""

Change = tuple[Moment, Route]


def next_changes(
    directory: Directory, calls: Sequence[Asked], presence: Presence, at: Moment
) -> tuple[Change | None, ...]:
    """Return for each call the first moment after `at` from which it goes another way, with that way; None in sight.

    The live state is taken as it is now: only the hour changes.
    """
    now = [_way(route(directory, asked, presence, at)) for asked in calls]
    found: dict[int, Change] = {}
    for wall in turns(directory, at.wall):
        then = Moment(at.mono + (wall - at.wall) / timedelta(seconds=1), wall)
        for place, asked in enumerate(calls):
            if place not in found:
                other = route(directory, asked, presence, then)
                if _way(other) != now[place]:
                    found[place] = then, other
        if len(found) == len(calls):
            break
    return tuple(found.get(place) for place in range(len(calls)))


def turns(directory: Directory, wall: datetime) -> Iterator[datetime]:
    """Return the moments after `wall` at which a time frame begins or ends in a zone of the domain, in order."""
    zones = {directory.domain.time_zone, *(directory.zone_of_site(site.name) for site in directory.sites)}
    zones |= {directory.zone_of_user(user) for user in directory.users}
    coming = {(frame, zone): wall for frame in range(len(directory.time_frames)) for zone in sorted(zones)}
    for key in list(coming):
        _advance(directory, coming, key)
    for _ in range(_MOST_TURNS):
        if not coming:
            return
        turn = min(coming.values())
        yield turn
        for key in [key for key, due in coming.items() if due == turn]:
            _advance(directory, coming, key)


def _advance(directory: Directory, coming: dict[tuple[int, str], datetime], key: tuple[int, str]) -> None:
    turn = directory.time_frames[key[0]].next_change(coming.pop(key), key[1])
    if turn is not None:
        coming[key] = turn


def _way(found: Route) -> tuple[object, ...]:
    return found.destination, found.record.outcome, found.ring, found.menu
