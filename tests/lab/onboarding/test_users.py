"""The spreadsheet of users: offered, read back row by row, applied, undone."""

from __future__ import annotations

import io
import itertools
import time
from datetime import date

import pytest
import xlsxwriter

from lab.onboarding.build import build
from lab.onboarding.desk import Moved, OnboardingDesk
from lab.onboarding.packet import FormUser
from lab.onboarding.rehearsal import Story
from lab.onboarding.user_import import CannotUndo, Done, imported, undone
from lab.onboarding.user_sheet import COLUMNS, csv_sheet, read_users, xlsx_sheet
from pbx.domain.directory import Directory
from pbx.domain.queues import Agent
from provisioning_server.spreadsheet import BadTable, read_rows
from tests.lab.onboarding.story import BEGUN, PACKET

TABLE = """\
Extension;First Name;LAST NAME;E-mail;Branch;Phone;Answer time;Voicemail;Remark
205;Tove;Berg;tove@northside.example;Laval;softphone;30;no;new
201;Nadia;Roy-Said;;;;;;married
202;Quentin;Adler;quentin@northside.example;Toronto;;;;as it was
20;Short;One;;;;;;
911;Never;Ever;;;;;;
650;Takes;Aqueue;;;;;;
206;Wrong;Mail;nobody;;;;;
207;=1+2;Sum;;;;;;
208;;NoName;;;;;;
205;Tove;Again;;;;;;
209;Ina;Where;;Mars;;;;
210;Slow;Ring;;;;soon;;
211;May;Be;;;;;maybe;
"""


NUMBERS = itertools.count(1)


def fresh(length: int) -> str:
    return f"{next(NUMBERS):0{length}x}"


def domain() -> Directory:
    return build(PACKET, date(2026, 11, 2), fresh)


def taken_in(table: str | bytes, directory: Directory | None = None, **named: str) -> Done:
    read = read_users(read_rows(table.encode() if isinstance(table, str) else table), PACKET.domain, named)
    return imported(read, PACKET, directory, fresh, BEGUN, "Ana", "users.csv")


@pytest.mark.parametrize("there", [True, False], ids=["domain", "forms alone"])
def test_good_rows_are_applied_and_every_bad_one_is_named_by_its_line(there):
    done = taken_in(TABLE, domain() if there else None)
    # Who makes forms makes the sites they name; a domain has the ones it has.
    assert (done.outcome.added, done.outcome.changed, done.outcome.same) == ((1, 1, 1) if there else (2, 1, 1))
    said = {problem.line: str(problem) for problem in done.outcome.problems}
    assert set(said) == {5, 6, 7, 8, 9, 10, 11, 13, 14} | ({12} if there else set())
    assert "line 5, extension: extension is '20': an extension has 3 to 5 digits" in said[5]
    assert "911 is reserved" in said[6]
    assert "650" in said[7]
    assert "'nobody' is no mail address" in said[8]
    assert said[9] == "line 9, first_name: '=1+2' begins like a formula; write what it comes to"
    assert said[10] == "line 10, first_name: first_name is missing"
    assert said[11] == "line 11, extension: 205 stands in line 2 too"
    assert "ring_s" in said[13]
    assert said[14] == "line 14, voicemail: 'maybe' is neither yes nor no"
    assert [heading.text for heading in done.outcome.headings if not heading.column] == ["Remark"]
    forms = {form.extension: form for form in done.packet.users}
    assert (forms["201"].last_name, forms["201"].device) == ("Roy-Said", "T54W"), "an empty cell leaves what was there"


def test_a_domain_gets_the_users_with_their_softphones_and_keeps_what_a_row_does_not_tell():
    made = taken_in(TABLE, domain()).directory
    assert made is not None
    tove = made.users_by_extension["205"]
    assert (tove.name, tove.site, tove.ring_s, tove.voicemail) == ("Tove Berg", "Laval", 30, False)
    assert [device.family for device in made.devices_by_extension["205"]] == ["linphone/desktop"]
    assert made.users_by_extension["201"].email == "nadia@northside.example"


def test_an_import_is_undone_whole():
    before = domain()
    done = taken_in(TABLE, before)
    assert done.directory is not None
    packet, directory = undone(done.undo, done.packet, done.directory)
    assert packet == PACKET
    assert directory is not None
    assert (directory.users, directory.devices) == (before.users, before.devices)


def test_what_was_done_since_is_not_undone():
    done = taken_in(TABLE, domain())
    made = done.directory
    assert made is not None
    changed = made.with_user(made.users_by_extension["205"].model_copy(update={"department": "Sales"}))
    with pytest.raises(CannotUndo, match="changed since: 205"):
        undone(done.undo, done.packet, changed)
    queue = made.queues[0].model_copy(update={"agents": (*made.queues[0].agents, Agent(extension="205"))})
    with pytest.raises(CannotUndo, match=r"needed by now.*205"):
        undone(done.undo, done.packet, made.replaced(queues=(queue,)))
    with pytest.raises(CannotUndo, match="made of these forms"):
        undone(taken_in(TABLE).undo, done.packet, made)


@pytest.mark.parametrize("make", [csv_sheet, xlsx_sheet])
def test_the_sheet_that_is_offered_is_read_back_as_it_is(make):
    users = (*PACKET.users, FormUser(extension="205", first_name="=cmd()", voicemail_pin="4711", ring_s=0))  # type: ignore[arg-type]
    sheet = make(users, PACKET.domain)
    assert b"4711" not in sheet, "a PIN is nobody's to read"
    rows = read_rows(sheet)
    assert rows[0].cells == tuple(headings[0] for headings in COLUMNS.values())
    read = read_users(rows, PACKET.domain)
    assert read.problems == ()
    assert [user.model_dump(exclude={"voicemail_pin"}) for user in read.users.values()][:4] == [
        user.model_dump(exclude={"voicemail_pin"}) for user in PACKET.users
    ]
    assert read.users[6].first_name == "'=cmd()", "no spreadsheet works it out"


def test_what_was_changed_while_a_table_was_read_is_not_overwritten():
    desk = OnboardingDesk(Story(PACKET, BEGUN))
    desk.open(PACKET)
    done = desk.would_import(PACKET.domain, read_rows(b"extension,first name\n205,Tove\n"))
    desk.hand_in(PACKET.model_copy(update={"company": "Northside and Sons"}))
    with pytest.raises(Moved, match="was changed while the table was read"):
        desk.adopt_import(PACKET.domain, done)


def test_a_column_can_be_named_by_hand_and_left_out():
    table = "Poste;Prénom;Extension\n205;Ève;old 9\n"
    with pytest.raises(BadTable, match="no column is the first_name; name it, as Poste=first_name"):
        taken_in(table)
    done = taken_in(table, Poste="extension", Prénom="first_name", Extension="")
    assert [form.first_name for form in done.packet.users][-1] == "Ève"
    assert [h.text for h in done.outcome.headings if not h.column] == ["Extension"]


def formulas() -> bytes:
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ["extension", "first name"])
        sheet.write_formula(1, 0, "=200+5", value="205")
        sheet.write_string(1, 1, '=HYPERLINK("http://x")')
    return book.getvalue()


def test_a_formula_of_a_spreadsheet_is_read_as_its_value_and_one_in_a_text_is_refused():
    (problem,) = taken_in(formulas()).outcome.problems
    assert (problem.line, problem.column) == (2, "first_name")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"first name\nAna\n", "no column is the extension"),
        (b"ext,extension,first name\n", "two columns are the extension"),
        ("extension,first name\n205,Zoé\n".encode("latin-1"), "line 2: it is not UTF-8"),
        (b"%PDF-1.7\n\x00\x01", "zero byte"),
        (b"PK\x03\x04 no archive", "no spreadsheet that can be read"),
        (b"extension,first name\n" + b"205,Ana\n" * 10_001, "more than 10000 users"),
    ],
)
def test_what_is_no_table_of_users_is_refused_in_one_sentence(data, said):
    with pytest.raises(BadTable, match=said):
        taken_in(data)
    with pytest.raises(BadTable, match="there is no column 'shoe size'"):
        taken_in("extension,first name\n", extension="shoe size")


def test_another_domain_s_row_is_told():
    (problem,) = taken_in("extension,first name,domain\n205,Ana,other.lab\n").outcome.problems
    assert str(problem) == "line 2, domain: 'other.lab' is another domain; this is northside.lab"


@pytest.mark.soak
def test_ten_thousand_rows_are_a_matter_of_seconds():
    rows = "".join(f"{place},Ana,Roy {place},u{place}@northside.example\n" for place in range(10_000, 20_000))
    begins = time.process_time()
    done = taken_in(f"extension,first name,last name,email\n{rows}", domain())
    assert done.outcome.added == 10_000
    assert time.process_time() - begins < 20
