"""The collector of cycles, for processes that serve or simulate: it need not walk through what stands for good."""

from __future__ import annotations

import gc

COLLECT_AFTER = 20_000
"""New objects between two looks for cycles: those of a busy switch go by themselves."""
WHOLE_AFTER = 500
"""Looks at what is young, and then at what has outlived one, before everything is walked. That takes as long as a phone
waits before it repeats, and finds next to nothing: a call that is over holds no cycle."""


def what_stands_stays() -> None:
    """Take modules, directory and all else there is now for lasting; call it once, when a process has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 10, WHOLE_AFTER)
