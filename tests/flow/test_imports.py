"""People of a PBX as a table: one line of it that nobody can mend keeps nobody out."""

from ringback.flow.imports import readable, sheet_of_pbx
from ringback.ports.directory import Asked, Found

ASKED = Asked(
    (
        Found("PJSIP/101", "101", "Kim", "root@localhost", ("sales", "a/b", "x;y")),
        Found("PJSIP/102", "102", "-Reception-", "r@example.com", ()),
        Found("PJSIP/103", "103", "x" * 81, "", ()),
    ),
    ("PJSIP/trunk",),
    (),
)


def test_what_cannot_be_taken_is_left_empty_and_told():
    asked = readable(ASKED)
    assert [(one.name, one.mail, one.queues) for one in asked.people] == [
        ("Kim", "", ("sales",)),
        ("-Reception-", "r@example.com", ()),
        ("", "", ()),
    ]
    assert asked.unread == ("101: root@localhost", "101: a/b", "101: x;y", f"103: {'x' * 81}")
    assert asked.left_out == ASKED.left_out


def test_a_name_that_begins_like_a_formula_is_a_name_where_no_table_program_had_it():
    sheet = sheet_of_pbx(readable(ASKED))
    assert sheet.troubles == ()
    assert [row.get("name") for row in sheet.rows] == ["Kim", "-Reception-", ""]
