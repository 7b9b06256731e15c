"""What a started process takes for lasting lies in large pages, where the kernel has some, and nothing else does."""

from __future__ import annotations

import mmap
import re
from pathlib import Path

from pbx.standing import LARGE, lie_in_large_pages

_ROOM = 16 * LARGE


def _kb(of: str) -> int:
    (found,) = re.findall(rf"^{of}: +(\d+) kB$", Path("/proc/self/smaps_rollup").read_text(), re.MULTILINE)
    return int(found)


def test_as_much_lies_in_large_pages_as_is_told():
    laid = lie_in_large_pages()
    assert _kb("AnonHugePages") * 1024 >= laid * 0.9


def test_what_is_hardly_used_is_not_filled_for_the_sake_of_large_pages():
    with mmap.mmap(-1, _ROOM, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as room:
        for at in range(0, _ROOM, LARGE):
            room[at] = 1
        before = _kb("Rss")
        lie_in_large_pages()
        assert _kb("Rss") - before < _ROOM // 1024 // 2
