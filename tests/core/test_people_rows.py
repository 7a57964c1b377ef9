"""Tables of people: which column is which, and what is wrong with a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.formulas import defused, is_formula, tame
from ringback.core.people_rows import MOST_LINES, SENTENCES, Column, Fault, paths_in, read_rows


@pytest.mark.parametrize(
    ("head", "columns"),
    [
        pytest.param(["Login", "Name"], {Column.LOGIN, Column.NAME}, id="our own names"),
        pytest.param(["E-Mail", "USERNAME"], {Column.MAIL, Column.LOGIN}, id="other names in another order"),
        pytest.param(
            ["extension", "password", "name", "dial"], {Column.EXTENSION, Column.NAME, Column.ENDPOINT}, id="FreePBX"
        ),
        pytest.param(["Extensión", "Correo"], {Column.EXTENSION, Column.MAIL}, id="with accents"),
    ],
)
def test_columns_are_known_by_many_names(head, columns):
    sheet = read_rows([head, [f"{n}" for n in range(100, 100 + len(head))]])
    assert (set(sheet.rows[0].said), sheet.troubles) == (columns, ())


def faults(*rows: list[str]) -> list[tuple[int, str, Fault]]:
    return [(one.line, one.column, one.fault) for one in read_rows(rows).troubles]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        pytest.param([["login"]], [(0, "", Fault.EMPTY)], id="a head alone"),
        pytest.param([[]], [(0, "", Fault.EMPTY)], id="nothing"),
        pytest.param([["name"], ["Ana"]], [(1, "", Fault.NO_KEY)], id="nobody can be told apart"),
        pytest.param([["login", "user"], ["a", "b"]], [(1, "login", Fault.TWO_COLUMNS)], id="two columns are one"),
        pytest.param([["login", "name"], ["", "Ana"]], [(2, "", Fault.WHO)], id="a line without login and extension"),
        pytest.param(
            [["login"], ["ana"], [""], ["ANA"]], [(4, "login", Fault.AGAIN)], id="twice, an empty line between"
        ),
        pytest.param(
            [["ext", "login"], ["1", "a"], ["1", "b"]], [(3, "extension", Fault.AGAIN)], id="an extension twice"
        ),
        pytest.param([["login", "name"], ["ana", "=1+1"]], [(2, "name", Fault.FORMULA)], id="a formula"),
        pytest.param([["login", "name"], ["ana", "@SUM(A1)"]], [(2, "name", Fault.FORMULA)], id="another"),
        pytest.param(
            [["login", "name"], ["ana", "+1-cmd"]], [(2, "name", Fault.FORMULA)], id="one that begins as a number"
        ),
        pytest.param([["login", "name"], ["ana", "x" * 501]], [(2, "name", Fault.TOO_LONG)], id="a cell far too long"),
        pytest.param(
            [["login", "dept"], ["a", "X/Y"], ["b", "Y/X"]],
            [(3, "departments", Fault.CIRCLE)],
            id="departments in a circle",
        ),
        pytest.param([["login", "dept"], ["a", "X/X"]], [(2, "departments", Fault.CIRCLE)], id="one in itself"),
        pytest.param(
            [["login", "dept"], ["a", "X/Z"], ["b", "Y/Z"]],
            [(3, "departments", Fault.TWO_PLACES)],
            id="one in two places",
        ),
        pytest.param([["login", "mobile"], ["a", "+1 (202) 555-0147"]], [], id="a number with a plus is no formula"),
        pytest.param([["login", "name"], ["a", "'=1"]], [], id="one that was made harmless"),
        pytest.param([["login", "name", "shoe"], ["a"], ["b", "B", "9", "more"]], [], id="short and long lines"),
    ],
)
def test_what_is_wrong_stands_at_its_line(rows, found):
    assert faults(*rows) == found


def test_a_table_far_too_long_is_refused_as_a_whole():
    assert faults(["login"], *([f"u{n}"] for n in range(MOST_LINES + 1))) == [(0, "", Fault.TOO_MANY)]


def test_what_is_not_ours_is_named():
    assert read_rows([["login", "shoe size", ""], ["a", "9", ""]]).left_out == ("shoe size",)


def test_every_fault_has_a_sentence_that_fits_its_values():
    assert set(SENTENCES) == set(Fault)
    rows = [["login", "name"], ["a", "=1"], ["a", "x" * 501]]
    assert [str(one) for one in read_rows(rows).troubles] == [
        "line 2, name: The cell begins with a formula (=1). Write what it shall say.",
        "line 3, name: The cell has more than 500 characters.",
        "line 3, login: a stands in line 2 already.",
    ]


@pytest.mark.parametrize(
    ("cell", "paths"),
    [
        ("Sales/East; Night", (("Sales", "East"), ("Night",))),
        (" Sales / East ;; ", (("Sales", "East"),)),
        ("A\nB", (("A",), ("B",))),
        ("/", ()),
    ],
)
def test_departments_of_a_cell(cell, paths):
    assert paths_in(cell) == paths


@given(st.text(max_size=30))
def test_what_goes_out_is_no_formula_and_comes_in_as_it_was(cell):
    out = defused(cell)
    assert not is_formula(out)
    assert not out.startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    if not cell.startswith("'"):
        assert tame(out) == cell


@given(st.lists(st.lists(st.text(max_size=12), max_size=5), max_size=6))
def test_any_table_is_read_or_refused(rows):
    sheet = read_rows([["login", "name", "departments", "mail", "shoe"], *rows])
    assert all(row.said or sheet.troubles for row in sheet.rows)
    assert all(str(trouble) for trouble in sheet.troubles)
