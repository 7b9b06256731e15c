"""Pages in and out: what a fax machine sends, and what it will not."""

from __future__ import annotations

import io

import pypdfium2
import pytest
from PIL import Image

from lab.faxes.paper import MOST_BYTES, WIDTH, BadDocument, digests, sample, to_fax, to_pdf


def tiff(*pages: Image.Image, **how: object) -> bytes:
    made = io.BytesIO()
    pages[0].save(made, "TIFF", save_all=True, append_images=list(pages[1:]), **how)
    return made.getvalue()


def pdf(*pages: Image.Image, resolution: float = 100) -> bytes:
    made = io.BytesIO()
    pages[0].save(made, "PDF", save_all=True, append_images=list(pages[1:]), resolution=resolution)
    return made.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_tiff_of_fax_pages_passes_dot_by_dot() -> None:
    made = sample(3, 5)
    assert made.pages == 3
    assert len(set(digests(made.tiff))) == 3
    assert digests(to_fax(made.tiff).tiff) == digests(made.tiff)
    assert sample(3, 5) == made
    assert opened(made.tiff).info["compression"] == "group4"


@pytest.mark.parametrize(("across", "down"), [(8.5, 11.0), (4.0, 6.0), (11.0, 8.5), (11.7, 16.5)])
def test_pages_of_a_pdf_are_made_as_wide_as_the_paper_at_the_resolution_of_a_fax(across: float, down: float) -> None:
    page = Image.new("L", (round(across * 100), round(down * 100)), 255)
    page.paste(0, (50, 50, 150, 150))
    fax = to_fax(pdf(page, page))
    image = opened(fax.tiff)
    assert fax.pages == 2
    assert (image.mode, image.width) == ("1", WIDTH)
    assert image.info["dpi"] == (204, 196)
    longer, shorter = max(across, down), min(across, down)
    inches = longer * min(1.0, WIDTH / 204 / shorter)
    assert abs(image.height - inches * 196) < 25
    assert image.convert("L").histogram()[0] > 5000, "the square is there"


def test_a_received_fax_becomes_a_pdf_with_as_many_pages() -> None:
    made = to_pdf(sample(3, 1).tiff)
    with pypdfium2.PdfDocument(made) as document:
        assert len(document) == 3
        assert round(document[0].get_size()[0] / 72, 1) == round(WIDTH / 204, 1)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is empty"),
        (b"GIF89a whatever", "neither PDF nor TIFF"),
        (b"%PDF-1.4 but no more", "cannot be read as PDF"),
        (b"II*\0 but no more", "cannot be read as TIFF"),
        (b"x" * (MOST_BYTES + 1), "20 MB; a fax has 20"),
    ],
)
def test_what_is_no_document_is_refused_in_words(data: bytes, why: str) -> None:
    with pytest.raises(BadDocument, match=f"letter.pdf.*{why}"):
        to_fax(data, "letter.pdf")


def test_a_thousand_pages_are_refused_before_they_are_made() -> None:
    made = io.BytesIO()
    with pypdfium2.PdfDocument.new() as document:
        for _ in range(1000):
            document.new_page(612, 792)
        document.save(made)
    with pytest.raises(BadDocument, match="has 1000 pages; a fax has 1 to 100"):
        to_fax(made.getvalue())


def test_a_page_of_too_many_dots_is_refused() -> None:
    with pytest.raises(BadDocument, match="too many"):
        to_fax(tiff(Image.new("1", (8_000, 6_000), 1), compression="group4"))


def test_a_page_that_is_no_paper_is_refused() -> None:
    with pytest.raises(BadDocument, match=r"page 1 of the document is .* inches: no paper is"):
        to_fax(pdf(Image.new("1", (2, 14_000), 1), resolution=72))
