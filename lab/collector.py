"""The collector of cycles, for processes that serve or simulate: it need not walk through what stands for good."""

from __future__ import annotations

import gc

COLLECT_AFTER = 20_000
"""New objects between two looks for cycles: those of a busy switch go by themselves."""


def what_stands_stays() -> None:
    """Take modules, directory and all else there is now for lasting; call it once, when a process has started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
