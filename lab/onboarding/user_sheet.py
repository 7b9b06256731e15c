"""The spreadsheet of users: offered as CSV and XLSX, and read back row by row.

Columns are known by their heading in any spelling of people; others can be named by hand (`Poste=extension`), and what
nobody names is left out and told. The columns are the four of the account set-up form, what an order needs beside them,
and those of the platform's import file (domain-features 5.2).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import xlsxwriter

from lab.onboarding.packet import FormUser
from pbx.domain.seed import BadSeed, read_model
from provisioning_server.spreadsheet import BadTable, TableRow

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "extension": ("Extension", "ext", "ext.", "extension number", "number", "user"),
    "first_name": ("First name", "firstname", "first", "given name", "name first name"),
    "last_name": ("Last name", "lastname", "last", "surname", "family name", "name last name"),
    "email": ("Email address", "email", "e-mail", "mail", "user email"),
    "department": ("Department",),
    "site": ("Site", "location", "branch", "office"),
    "device": ("Telephone", "device", "phone", "phone model", "model", "hardware"),
    "login": ("Login", "login username", "username"),
    "voicemail_pin": ("Voicemail PIN", "pin", "vm pin", "voicemail login pin"),
    "voicemail": ("Voicemail enabled", "vmail enabled", "voicemail"),
    "ring_s": ("Answer time", "ring time", "ring seconds", "ring no answer timeout seconds"),
    "time_zone": ("Time zone", "timezone"),
    "caller_id": ("Caller ID", "callerid", "caller id number"),
    "emergency_caller_id": ("911 caller ID", "911 callerid", "caller id number emergency"),
    "audio_directory": ("Audio directory",),
    "visual_directory": ("Visual directory",),
    "domain": ("Domain",),
}
"""Column → its heading in our sheet, then other spellings that are understood."""
NEEDED = ("extension", "first_name")
MOST_USERS = 10_000
_COLUMN_OF = {" ".join(word.casefold().split()): column for column, words in COLUMNS.items() for word in words}
_WORDS = {"yes": True, "y": True, "true": True, "1": True, "no": False, "n": False, "false": False, "0": False}
_YES_NO = frozenset({"voicemail", "audio_directory", "visual_directory"})
_FORMULA = ("=", "@", "+", "-", "\t", "\r")
"""A spreadsheet takes what begins so for something to work out."""


@dataclass(frozen=True, slots=True)
class RowProblem:
    line: int
    """As the spreadsheet numbers it, from 1."""
    column: str
    """Empty where it is not one cell that is wrong."""
    what: str

    def __str__(self) -> str:
        where = f"line {self.line}" + (f", {self.column}" if self.column else "")
        return f"{where}: {self.what}"


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    column: str
    """Key of `COLUMNS`; empty: left out."""


@dataclass(frozen=True, slots=True)
class Read:
    headings: tuple[Heading, ...]
    users: Mapping[int, FormUser]
    """Line → who stands there, of the good rows alone."""
    problems: tuple[RowProblem, ...]


def read_users(rows: Sequence[TableRow], domain: str, named: Mapping[str, str] = {}) -> Read:
    """Return the users of a table for `domain`; BadTable when its headings cannot be used at all.

    `named`: heading → column, `""` to leave one out; it goes before what a heading says of itself.
    """
    if not rows:
        raise BadTable("it is empty; the first row names the columns")
    if len(rows) > MOST_USERS + 1:
        raise BadTable(f"it has more than {MOST_USERS} users; send it in parts")
    headings = _headings(rows[0], named)
    users: dict[int, FormUser] = {}
    problems: list[RowProblem] = []
    first: dict[str, int] = {}
    for row in rows[1:]:
        cells = {h.column: text for h, text in zip(headings, row.cells, strict=False) if h.column and text}
        user, found = _user(row.line, cells, domain)
        known = first.setdefault(cells.get("extension", ""), row.line)
        if user is not None and known != row.line:
            user, found = None, [RowProblem(row.line, "extension", f"{cells['extension']} stands in line {known} too")]
        problems += found
        if user is not None:
            users[row.line] = user
    return Read(headings, users, tuple(problems))


def csv_sheet(users: Sequence[FormUser], domain: str) -> bytes:
    """Return the sheet as CSV in UTF-8 with a mark, so that spreadsheets do not take it for another encoding."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(_lines(users, domain))
    return text.getvalue().encode("utf-8-sig")


def xlsx_sheet(users: Sequence[FormUser], domain: str) -> bytes:
    """Return the sheet as XLSX: every cell is text, so that 0100 stays 0100 and nothing is worked out."""
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as made:
        sheet, text, head = made.add_worksheet("Users"), made.add_format({"num_format": "@"}), {"bold": True}
        sheet.set_column(0, len(COLUMNS) - 1, 18, text)
        bold = made.add_format(head)
        for place, line in enumerate(_lines(users, domain)):
            for column, cell in enumerate(line):
                sheet.write_string(place, column, cell, text if place else bold)
        sheet.freeze_panes(1, 0)
    return book.getvalue()


def _lines(users: Sequence[FormUser], domain: str) -> Iterator[list[str]]:
    yield [headings[0] for headings in COLUMNS.values()]
    for user in users:
        cells = user.model_dump(mode="json") | {"domain": domain, "voicemail_pin": ""}  # a PIN is nobody's to read
        yield [_told(cells[column]) for column in COLUMNS]


def _told(value: object) -> str:
    text = ("yes" if value else "no") if isinstance(value, bool) else "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _headings(head: TableRow, named: Mapping[str, str]) -> tuple[Heading, ...]:
    by_hand = {" ".join(heading.casefold().split()): column for heading, column in named.items()}
    if wrong := next((column for column in by_hand.values() if column and column not in COLUMNS), ""):
        raise BadTable(f"there is no column {wrong[:40]!r}; columns are {', '.join(COLUMNS)}")
    found: list[Heading] = []
    for text in head.cells:
        plain = " ".join(text.casefold().replace("_", " ").split())
        column = by_hand.get(" ".join(text.casefold().split()), _COLUMN_OF.get(plain, ""))
        if column and any(heading.column == column for heading in found):
            raise BadTable(f"line {head.line}: two columns are the {column}; leave one of them out")
        found.append(Heading(text[:80], column))
    for column in NEEDED:
        if all(heading.column != column for heading in found):
            raise BadTable(
                f"line {head.line}: no column is the {column}; name it, as {found[0].text or 'Heading'}={column}"
            )
    return tuple(found)


def _user(line: int, cells: dict[str, str], domain: str) -> tuple[FormUser | None, list[RowProblem]]:
    problems = [RowProblem(line, column, f"{text[:40]!r} begins like a formula; write what it comes to")
                for column, text in cells.items() if text.startswith(_FORMULA)]  # fmt: skip
    told = cells.pop("domain", domain)
    if told != domain and not problems:
        problems.append(RowProblem(line, "domain", f"{told[:80]!r} is another domain; this is {domain}"))
    values: dict[str, object] = {**cells}
    for column in _YES_NO & cells.keys():
        if (said := _WORDS.get(cells[column].casefold())) is None:
            problems.append(RowProblem(line, column, f"{cells[column][:40]!r} is neither yes nor no"))
        values[column] = said
    if problems:
        return None, problems
    try:
        return read_model(FormUser, values), []
    except BadSeed as error:
        return None, [RowProblem(line, str(one.path[0]), one.sentence.replace("\n", " ")) for one in error.problems]
