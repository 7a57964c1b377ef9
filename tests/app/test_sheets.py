"""Tables as files, in and out."""

import io
import zipfile

import pytest
from openpyxl import Workbook, load_workbook

from ringback.sheets import BadSheet, read_sheet, write_csv, write_xlsx

ROWS = [["login", "name"], ["ana", "Ana Kovačević"], ["ben", 'Ben, the "second"\nof them']]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b'login,name\r\nana,"A;B"\r\n', id="commas"),
        pytest.param(b"login;name\nana;'A;B'\n".replace(b"'", b'"'), id="semicolons"),
        pytest.param(b'login\tname\nana\t"A;B"\n', id="tabs"),
        pytest.param("login,name\nana,A;B\n".encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param("login,name\nana,A;B\n".encode("utf-16"), id="UTF-16"),
    ],
)
def test_csv_is_read_as_table_programs_write_it(data):
    assert read_sheet(data) == [["login", "name"], ["ana", "A;B"]]


def test_letters_of_an_old_windows_are_read():
    assert read_sheet("login,name\nana,Müller\n".encode("cp1252")) == [["login", "name"], ["ana", "Müller"]]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        pytest.param(b"a,b\0c\n", "neither CSV nor XLSX", id="a binary file"),
        pytest.param(b'a,b\n"x"y,z\n', "Line 2 cannot be read", id="a quote that ends too early"),
        pytest.param(b"PK\x03\x04 no zip", "XLSX cannot be read", id="a broken XLSX"),
        pytest.param(b"x" * (8 * 1024 * 1024 + 1), "larger than 8 MB", id="a file far too large"),
        pytest.param(b"a\n" * 25_001, "more than 25000 lines", id="too many lines"),
        pytest.param(b",".join([b"a"] * 101), "more than 100 columns", id="too many columns"),
    ],
)
def test_what_is_no_table_is_refused(data, says):
    with pytest.raises(BadSheet, match=says):
        read_sheet(data)


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (65 * 1024 * 1024))
    with pytest.raises(BadSheet, match="64 MB"):
        read_sheet(packed.getvalue())


def test_a_formula_in_an_xlsx_comes_as_it_was_written():
    book = Workbook()
    book.active.append(["login", "n"])
    book.active.append(["=1+1", 101.0])
    out = io.BytesIO()
    book.save(out)
    assert read_sheet(out.getvalue()) == [["login", "n"], ["=1+1", "101"]]


HOSTILE = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "＝1", '=HYPERLINK("x")', "+12025550147"]


@pytest.mark.parametrize("cell", HOSTILE)
def test_no_cell_of_a_csv_begins_a_formula(cell):
    written = b"".join(write_csv([["a", cell]])).decode("utf-8-sig")
    assert f",'{cell}" in written.replace('"', "").replace("HYPERLINK(x)", 'HYPERLINK("x")')


@pytest.mark.parametrize("cell", HOSTILE)
def test_every_cell_of_an_xlsx_is_text(cell):
    sheet = load_workbook(io.BytesIO(write_xlsx([["a", cell]], "people"))).active
    assert (sheet["B1"].data_type, sheet["B1"].value) == ("s", cell.replace("\r", " "))


def test_what_goes_out_comes_in_again():
    assert read_sheet(b"".join(write_csv(ROWS))) == ROWS
    assert read_sheet(write_xlsx(ROWS, "people")) == ROWS
