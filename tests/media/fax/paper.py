"""Pages for tests: small, not empty, the same at every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH = 1728
"""Pixels of A4 at 204 dpi (T.4)."""


def page(number: int, rows: int = 300) -> Image.Image:
    chance = np.random.default_rng(number)
    dots = np.ones((rows, WIDTH), np.uint8) * 255
    for _ in range(40):
        y, x = chance.integers(0, rows - 20), chance.integers(0, WIDTH - 100)
        dots[y : y + 12, x : x + 90] = 0
    return Image.fromarray(dots).convert("1")


def written(path: Path, pages: list[Image.Image]) -> Path:
    pages[0].save(path, save_all=True, append_images=pages[1:], compression="group4", dpi=(204, 196))
    return path


def pixels(path: Path) -> list[tuple[tuple[int, int], bytes]]:
    """Return size and dots of each page of a TIFF."""
    found = []
    with Image.open(path) as image:
        for at in range(getattr(image, "n_frames", 1)):
            image.seek(at)
            found.append((image.size, image.convert("1").tobytes()))
    return found
