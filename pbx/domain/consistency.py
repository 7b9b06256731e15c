"""What must hold across the objects of one domain; each problem is one sentence naming the object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pbx.domain.directory import Directory


def problems(directory: Directory) -> list[str]:
    return [*_extensions(directory)]


def _extensions(directory: Directory) -> Iterable[str]:
    taken = Counter(
        [user.extension for user in directory.users]
        + [attendant.extension for attendant in directory.attendants]
        + [queue.extension for queue in directory.queues]
    )
    for extension, count in taken.items():
        if count > 1:
            yield f"extension {extension} is used {count} times"
