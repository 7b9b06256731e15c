"""Tables that people make, as rows of text: CSV with commas, semicolons or tabs, and spreadsheets (XLSX, ODS, XLS).

`python-calamine` reads the spreadsheets: an engine that exists, fast, and without macros or links it would follow.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

MOST_BYTES = 20_000_000
MOST_UNPACKED = 200_000_000
MOST_ROWS = 50_000
_PACKED, _OLD = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


class BadTable(Exception):
    """No table could be read; the text says why."""


@dataclass(frozen=True, slots=True)
class TableRow:
    line: int
    """As the spreadsheet numbers it, from 1."""
    cells: tuple[str, ...]


def read_rows(data: bytes) -> list[TableRow]:
    """Return every row that is not empty; BadTable when it is no table, or too much of one."""
    if len(data) > MOST_BYTES:
        raise BadTable(f"it has more than {MOST_BYTES // 1_000_000} MB")
    rows = _sheet(data) if data.startswith((_PACKED, _OLD)) else _text(data)
    found: list[TableRow] = []
    for line, cells in rows:
        if any(cells):
            found.append(TableRow(line, tuple(cells)))
        if len(found) > MOST_ROWS:
            raise BadTable(f"it has more than {MOST_ROWS} rows")
    return found


def _text(data: bytes) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadTable(f"line {line}: it is not UTF-8; save it as CSV UTF-8") from None
    if "\0" in text:
        raise BadTable(f"line {text[: text.index(chr(0))].count(chr(10)) + 1}: it has a zero byte, so it is no text")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count), strict=True)
    begins = 1
    try:
        for cells in reader:
            yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise BadTable(f"line {reader.line_num}: {error}") from None


def _sheet(data: bytes) -> Iterator[tuple[int, list[str]]]:
    """The first sheet of a workbook; numbers are written as people typed them."""
    try:
        if data.startswith(_PACKED):
            with ZipFile(io.BytesIO(data)) as archive:
                if sum(item.file_size for item in archive.infolist()) > MOST_UNPACKED:
                    raise BadTable("it unpacks to far more than a table of devices")
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheet = book.get_sheet_by_index(0)
        start = (sheet.start or (0, 0))[0] + 1
        rows = sheet.to_python(skip_empty_area=True)
    except (CalamineError, BadZipFile, IndexError, ValueError, NotImplementedError) as error:
        raise BadTable(f"it is no spreadsheet that can be read: {error}") from None
    return ((line, _typed(cells)) for line, cells in enumerate(rows, start=start))


def _typed(cells: Iterable[object]) -> list[str]:
    return [str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip() for cell in cells]
