"""A table of boxes is taken in: good rows count, each bad one is named by line, with what to do."""

from __future__ import annotations

import io

import pytest
import xlsxwriter

from provisioning_server.device_import import apply_rows
from provisioning_server.inventory import Draft
from provisioning_server.spreadsheet import BadTable, read_rows
from tests.provisioning.provisioned import FAMILIES, POLY, YEALINK, small_domain

TABLE = """MAC address;Phone model;Ext;Port;Serial number;network.vlan.id
80:5E:C0:00:07:01;T46S;101;;SN1;20
80:5E:C0:00:07:02;T46S;102;2;;
805ec0000703;VVX 450;;;SN3;

80-5e-c0-00-07-04;T99;101;;;
80:5E:C0:00:07:05;T46S;190;;;
80:5E:C0:00:07:06;T46S;101;99;;
;T46S;101;;;
80:5E:C0:00:07:01;T46S;101;;;
805ec0000888;T46S;;;;
1565123456;T46S;;;;
805ec0000709;T46S;;;;30
"""


def draft() -> Draft:
    return Draft(small_domain(), FAMILIES, {"805ec0000888": "birch.lab"}, lambda count: "0" * count)


def taken_in(text: str | bytes):
    plan = draft()
    return apply_rows(read_rows(text if isinstance(text, bytes) else text.encode()), plan, FAMILIES), plan.directory()


def test_good_rows_are_applied_and_every_bad_one_is_named_by_its_line():
    result, domain = taken_in(TABLE)
    assert (result.assigned, result.stocked) == (2, 1)
    assert [(problem.line, problem.column) for problem in result.problems] == [
        (6, ""), (7, ""), (8, "line"), (9, "mac"), (10, "mac"), (11, ""), (12, ""), (13, "network.vlan.id"),
    ]  # fmt: skip
    said = [str(problem) for problem in result.problems]
    assert "the model 'T99' is not known" in said[0]
    assert "there is no user 190; did you mean" in said[1]
    assert "'99' is no line; a number from 1 to 32" in said[2]
    assert "write the MAC from the label" in said[3]
    assert "stands in line 2 too" in said[4]
    assert "belongs to domain birch.lab; release it there first" in said[5]
    assert "in a spreadsheet make the column text" in said[6]
    first = domain.devices_by_mac["805ec0000701"][0]
    assert (first.extension, first.settings, first.model) == ("101", {"network.vlan.id": 20}, "T46S")
    assert domain.hardware_by_mac["805ec0000701"].serial == "SN1"
    assert domain.devices_by_mac["805ec0000702"][0].port == 2
    assert domain.standing_of("805ec0000703") == "in stock"
    assert domain.standing_of("805ec0000705") is None


def test_a_spreadsheet_is_read_like_its_csv():
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as workbook:
        sheet = workbook.add_worksheet()
        for row, line in enumerate(TABLE.splitlines()):
            for column, cell in enumerate(line.split(";")):
                sheet.write(row, column, int(cell) if cell.isdigit() and len(cell) < 5 else cell)
    assert taken_in(book.getvalue())[0] == taken_in(TABLE)[0]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "it is empty"),
        (b"mac,colour\n", "line 1: there is no column 'colour'"),
        (b"mac,extention\n", "did you mean extension?"),
        (b"mac,MAC address\n", "two columns are the mac"),
        (b"model,extension\n", "no column is the mac"),
        (b"mac,model\n\xff\xfe\n", "line 2: it is not UTF-8"),
        (b"mac,model\n\0\n", "line 2: it has a zero byte"),
        (b'mac,model\n"805ec0000001,T46S\n', "unexpected end of data"),
        (b"PK\x03\x04 no archive", "no spreadsheet that can be read"),
        (b"\xd0\xcf\x11\xe0 no workbook", "no spreadsheet that can be read"),
        (b"mac\n" + b"805ec0000001\n" * 50_001, "more than 50000 rows"),
    ],
)
def test_what_is_no_table_of_boxes_is_refused_in_one_sentence(data, said):
    with pytest.raises(BadTable) as bad:
        taken_in(data)
    assert said in str(bad.value)


def test_boxes_that_are_known_take_what_the_table_says_anew():
    result, domain = taken_in(f"mac,extension,label\n{YEALINK},101,Front desk\n{POLY},101,\n")
    assert (result.assigned, [str(problem) for problem in result.problems]) == (2, [])
    assert domain.devices_by_id["101"].label == "Front desk"
    assert {device.id for device in domain.devices_by_mac[POLY]} == {"102", "101a"}
