"""What a process that serves or simulates takes for lasting once it has started: nobody looks for cycles in it, and it
lies in large pages."""

from __future__ import annotations

import ctypes
import gc
import re
from collections.abc import Iterator

COLLECT_AFTER = 20_000
"""New objects between two looks for cycles: those of a busy switch go by themselves."""
WHOLE_AFTER = 500
"""Looks at what is young, and then at what has outlived one, before everything is walked. That takes as long as a phone
waits before it repeats, and finds next to nothing: a call that is over holds no cycle."""
LARGE = 2 << 20
"""Octets of a large page."""
_COLLAPSE = 25
"""MADV_COLLAPSE of madvise(2), Linux 6.1."""
_FILLED = 0.75
"""How much of a mapping must be in use: the stack of a thread is 8 MiB long and hardly touched."""
_MAPPING = re.compile(
    r"^([0-9a-f]+)-([0-9a-f]+) rw-p \S+ \S+ 0 +(?:\[heap\])?\nSize: +(\d+) kB\n(?:\w+: +\d+ kB\n)*?Rss: +(\d+) kB$",
    re.MULTILINE,
)


def what_stands_stays() -> None:
    """Take modules, directory and all else there is now for lasting; call it once, when a process has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, WHOLE_AFTER)
    lie_in_large_pages()


def lie_in_large_pages() -> int:
    """Ask the kernel to lay the heap out in pages of 2 MiB; return the octets of it that now lie so.

    Who wakes up for one datagram finds little of itself in the processor's caches, and with 25,000 pages of 4 KiB not
    even where they are: a seventh of what a call costs. 0 where the kernel has none to give, or is older than 6.1.
    """
    libc = ctypes.CDLL(None)
    laid = 0
    for start, end in _heap():
        length = end - start
        if length > 0 and libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(length), _COLLAPSE) == 0:
            laid += length
    return laid


def _heap() -> Iterator[tuple[int, int]]:
    """Yield what of each mapping of our own that is in use can be large pages: its first address, and that behind."""
    try:
        with open("/proc/self/smaps", encoding="ascii", errors="replace") as text:
            mappings = text.read()
    except OSError:  # no Linux, or a container without /proc
        return
    for first, behind, size_kb, used_kb in _MAPPING.findall(mappings):
        if int(used_kb) >= int(size_kb) * _FILLED:
            yield -(-int(first, 16) // LARGE) * LARGE, int(behind, 16) // LARGE * LARGE
