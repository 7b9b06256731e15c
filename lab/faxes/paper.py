"""Pages: PDF and TIFF to what a fax machine sends (T.4: 1728 dots across, 204 × 196 an inch, G4), and back to PDF.

It blocks, for a hundred pages for seconds: it runs in a thread.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from threading import Lock

import pypdfium2
from PIL import Image, ImageSequence, UnidentifiedImageError

WIDTH = 1728
ACROSS_DPI, DOWN_DPI = 204, 196
_STANDARD_DPI, _BETWEEN_DPI = 98, 150
MOST_PAGES = 100
MOST_BYTES = 20_000_000
_MOST_DOTS = 40_000_000
"""Of a page as it comes: A4 at 600 dpi has 35 million."""
_PDFIUM = Lock()
"""It is not made for several threads."""
_LONGEST_INCHES = 17.0
_POINTS = 72.0


class BadDocument(ValueError):
    """It cannot be faxed; the text says why."""


@dataclass(frozen=True, slots=True)
class Document:
    tiff: bytes
    pages: int


def to_fax(data: bytes, name: str = "the document") -> Document:
    """Return a PDF or TIFF as pages to fax; BadDocument."""
    if not data:
        raise BadDocument(f"{name} is empty")
    if len(data) > MOST_BYTES:
        raise BadDocument(f"{name} has {len(data) // 1_000_000} MB; a fax has {MOST_BYTES // 1_000_000} at most")
    if b"%PDF-" in data[:1024]:
        return _written(_of_pdf(data, name))
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _written(_of_tiff(data, name))
    raise BadDocument(f"{name} is neither PDF nor TIFF")


def to_fax_together(parts: Sequence[tuple[str, bytes]]) -> Document:
    """Return the pages of several files, given as (name, octets), as one fax; BadDocument."""
    made = [to_fax(data, name) for name, data in parts]
    if len(made) == 1:
        return made[0]
    pages = sum(one.pages for one in made)
    _few_enough(pages, " and ".join(name for name, _ in parts))
    return _written(page for (name, _), one in zip(parts, made, strict=True) for page in _of_tiff(one.tiff, name))


def to_pdf(tiff: bytes) -> bytes:
    """Return a PDF of the pages of a received fax, dot by dot; BadDocument when it cannot be read."""
    made = io.BytesIO()
    pages = [
        # Pillow writes square dots: pages of half the height are doubled.
        page.resize((page.width, 2 * page.height)) if 0 < dpi[1] < _BETWEEN_DPI else page
        for page, dpi in _frames(tiff, "the fax")
    ]
    pages[0].save(made, "PDF", save_all=True, append_images=pages[1:], resolution=ACROSS_DPI)
    return made.getvalue()


def digests(tiff: bytes) -> tuple[str, ...]:
    """Name the dots of each page: equal for equal pages, however they are compressed."""
    return tuple(
        hashlib.sha256(f"{page.size}".encode() + page.tobytes()).hexdigest()[:16]
        for page, _ in _frames(tiff, "the document")
    )


def sample(pages: int, number: int) -> Document:
    """Return pages of the lab's own making, the same for the same number: small, and no two alike."""
    chance = Random(number)
    made = []
    for _ in range(pages):
        page = Image.new("1", (WIDTH, 240), 1)
        for _ in range(30):
            left, top = chance.randrange(WIDTH - 120), chance.randrange(220)
            page.paste(0, (left, top, left + chance.randrange(10, 120), top + chance.randrange(2, 14)))
        made.append((page, DOWN_DPI))
    return _written(iter(made))


Page = tuple[Image.Image, int]
"""Black and white, and how many dots an inch has downwards."""


def _written(pages: Iterator[Page]) -> Document:
    made = io.BytesIO()
    first, *others = pages
    # A resolution for each page is what TIFF has and Pillow writes for the first alone: all are made alike.
    down = first[1]
    same = [
        first[0],
        *(page if dpi == down else _scaled(page, WIDTH, page.height * down // dpi) for page, dpi in others),
    ]
    same[0].save(
        made, "TIFF", save_all=True, append_images=same[1:], compression="group4", dpi=(ACROSS_DPI, down)
    )  # fmt: skip
    return Document(made.getvalue(), len(same))


def _of_pdf(data: bytes, name: str) -> Iterator[Page]:
    with _PDFIUM:
        yield from list(_rendered(data, name))


def _rendered(data: bytes, name: str) -> Iterator[Page]:
    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise BadDocument(f"{name} cannot be read as PDF: {error}") from None
    with document:
        _few_enough(len(document), name)
        for number in range(len(document)):
            page = document[number]
            across, down = (points / _POINTS for points in page.get_size())
            inches = min(max(across, 0.5), _LONGEST_INCHES)
            larger = inches / max(across, 0.01)
            if (inches * ACROSS_DPI) * (down * larger * ACROSS_DPI) > _MOST_DOTS:
                raise BadDocument(f"page {number + 1} of {name} is {across:.1f} × {down:.1f} inches: no paper is")
            picture = page.render(scale=ACROSS_DPI / _POINTS * larger, grayscale=True).to_pil()
            yield _fitted(picture, inches, down * larger)


def _of_tiff(data: bytes, name: str) -> Iterator[Page]:
    for page, dpi in _frames(data, name, as_they_are=True):
        if page.mode == "1" and page.width == WIDTH and dpi[1] > 0:
            yield page, _STANDARD_DPI if dpi[1] < _BETWEEN_DPI else DOWN_DPI
        else:
            across_dpi, down_dpi = (value if value > 20 else ACROSS_DPI for value in dpi)
            yield _fitted(page, page.width / across_dpi, page.height / down_dpi)


def _frames(data: bytes, name: str, *, as_they_are: bool = False) -> Iterator[tuple[Image.Image, tuple[float, float]]]:
    try:
        with Image.open(io.BytesIO(data), formats=("TIFF",)) as image:
            _few_enough(getattr(image, "n_frames", 1), name)
            for frame in ImageSequence.Iterator(image):
                if frame.width * frame.height > _MOST_DOTS:
                    raise BadDocument(f"a page of {name} has {frame.width} × {frame.height} dots: too many")
                across, down = frame.info.get("dpi", (0, 0))
                whole = frame.copy() if as_they_are else frame.convert("1", dither=Image.Dither.NONE)
                yield whole, (float(across), float(down))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        if isinstance(error, BadDocument):
            raise
        raise BadDocument(f"{name} cannot be read as TIFF: {error}") from None


def _few_enough(pages: int, name: str) -> None:
    if not 0 < pages <= MOST_PAGES:
        raise BadDocument(f"{name} has {pages} pages; a fax has 1 to {MOST_PAGES}")


def _fitted(picture: Image.Image, across: float, down: float) -> Page:
    """Return a picture of so many inches as a page, upright, no wider than the paper, white around it."""
    grey = picture.convert("L")
    if across > down and across > WIDTH / ACROSS_DPI:
        grey, across, down = grey.transpose(Image.Transpose.ROTATE_90), down, across
    width = min(round(across * ACROSS_DPI), WIDTH)
    height = max(1, min(round(down * DOWN_DPI * width / (across * ACROSS_DPI)), round(_LONGEST_INCHES * DOWN_DPI)))
    page = Image.new("1", (WIDTH, height), 1)
    page.paste(_scaled(grey, max(width, 1), height), ((WIDTH - width) // 2, 0))
    return page, DOWN_DPI


def _scaled(picture: Image.Image, width: int, height: int) -> Image.Image:
    return picture.convert("L").resize((width, height), Image.Resampling.BOX).convert("1", dither=Image.Dither.NONE)
