"""Grants as a table: out and in again unchanged, and what is wrong with a file said line by line."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.core.grants import ALL_NUMBERS, EVERYONE, Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Role
from ringback.flow.grant_files import HEAD, SENTENCES, Fault, read, write, write_effective
from ringback.flow.overlay import with_changes
from ringback.flow.roster import Roster
from ringback.ports.grants import NumberCard
from ringback.ports.people import Account
from ringback.sheets import read_sheet, write_csv, write_xlsx
from tests.conftest import NOON
from tests.flow.test_why import ANA, BOSS, DESK, HOUSE, NIGHT, OLENA, A, B, C

AGENT = frozenset({Role.AGENT})
PEOPLE = [
    Account(ANA, "usr_ana", "ana", "Ana", AGENT, "", "", NOON, None, extension="101"),
    Account(OLENA, "usr_olena", "olena", '=cmd|"/c calc"!A1', AGENT, "", "", NOON, None, extension="104"),
    Account(BOSS, "usr_boss", "boss", "", frozenset({Role.ADMINISTRATOR}), "", "", NOON, None, extension="104"),
    Account(9, "usr_101", "104a", "", AGENT, "", "", NOON, NOON),
]
CARDS = [NumberCard(n, e164, "", HOUSE.group_of.get(e164), "", "", outbound=False) for n, e164 in enumerate((A, B, C))]
ROSTER = Roster(HOUSE, PEOPLE, CARDS)
LINE = {"for": "user", "who": "ana", "right": "send", "numbers": A, "says": "allow"}


def table(*lines: dict[str, str], head: tuple[str, ...] = HEAD) -> list[list[str]]:
    return [list(head), *([line.get(name, "") for name in head] for line in lines)]


@pytest.mark.parametrize(
    ("line", "cell", "effect"),
    [
        pytest.param({}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.ALLOW, id="as it is written out"),
        pytest.param({"who": "101"}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.ALLOW, id="by extension"),
        pytest.param(
            {"who": "ANA", "says": "DENY"}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.DENY, id="capitals"
        ),
        pytest.param(
            {"numbers": f"'{A}"}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.ALLOW, id="made harmless"
        ),
        pytest.param(
            {"numbers": A[1:]}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.ALLOW, id="the plus was eaten"
        ),
        pytest.param(
            {"numbers": "+1 (202) 555-0100"}, Cell(Subject(Level.USER, ANA), Way.SEND, A), Effect.ALLOW, id="spaced"
        ),
        pytest.param(
            {"for": "department", "who": "night desk", "kind": "Promotional"},
            Cell(Subject(Level.DEPARTMENT, NIGHT), Way.SEND, A, "promotional"),
            Effect.ALLOW,
            id="a department by name, for a kind of text",
        ),
        pytest.param(
            {"for": "department", "who": "Service desk/Night desk"},
            Cell(Subject(Level.DEPARTMENT, NIGHT), Way.SEND, A),
            Effect.ALLOW,
            id="a department by path",
        ),
        pytest.param(
            {"for": "everyone", "who": "", "right": "receive", "numbers": "all"},
            Cell(EVERYONE, Way.RECEIVE, ALL_NUMBERS),
            Effect.ALLOW,
            id="everyone on all numbers",
        ),
        pytest.param(
            {"numbers": "group:washington"},
            Cell(Subject(Level.USER, ANA), Way.SEND, "group:1"),
            Effect.ALLOW,
            id="a group of numbers",
        ),
    ],
)
def test_a_line_is_read(line, cell, effect):
    plan = read(table(LINE | line), ROSTER)
    assert plan.wrong == ()
    assert [(one.cell, one.effect, one.seen) for one in plan.wanted] == [(cell, effect, None)]


@pytest.mark.parametrize(
    ("line", "column", "fault"),
    [
        pytest.param({"for": "boss"}, "for", Fault.FOR, id="for nobody"),
        pytest.param({"who": "nobody"}, "who", Fault.USER, id="an unknown user"),
        pytest.param({"who": "104"}, "who", Fault.AMBIGUOUS, id="an extension that two have"),
        pytest.param({"who": ""}, "who", Fault.USER, id="no user"),
        pytest.param({"for": "department", "who": "Marketing"}, "who", Fault.DEPARTMENT, id="an unknown department"),
        pytest.param({"for": "everyone"}, "who", Fault.EVERYONE, id="everyone with a name"),
        pytest.param({"right": "shout"}, "right", Fault.RIGHT, id="an unknown right"),
        pytest.param({"numbers": "+12025559999"}, "numbers", Fault.NUMBERS, id="an unknown number"),
        pytest.param({"numbers": "group:Paris"}, "numbers", Fault.NUMBERS, id="an unknown group"),
        pytest.param({"numbers": ""}, "numbers", Fault.NUMBERS, id="no number"),
        pytest.param({"kind": "gossip"}, "kind", Fault.KIND, id="an unknown kind"),
        pytest.param({"right": "receive", "kind": "promotional"}, "kind", Fault.KIND_OF, id="a kind for reading"),
        pytest.param({"says": "maybe"}, "says", Fault.SAYS, id="an unknown effect"),
        pytest.param({"says": ""}, "says", Fault.SAYS, id="no effect"),
        pytest.param({"who": "=1+1"}, "who", Fault.FORMULA, id="a formula"),
        pytest.param({"says": "@SUM(A1)"}, "says", Fault.FORMULA, id="another formula"),
    ],
)
def test_what_is_wrong_names_line_and_column(line, column, fault):
    fine = LINE | {"numbers": B}
    plan = read(table(fine, LINE | line), ROSTER)
    assert [(one.line, one.column, one.fault) for one in plan.wrong] == [(3, column, fault)]
    assert plan.wanted == (), "all or nothing"


def test_the_same_cell_twice_names_the_first_line():
    plan = read(table(LINE, LINE | {"numbers": B}, LINE | {"who": "101", "says": "deny"}), ROSTER)
    assert [(one.line, one.fault, one.value) for one in plan.wrong] == [(4, Fault.TWICE, "2")]


@pytest.mark.parametrize("rows", [[], [["who", "numbers"]], [["for", "who", "right", "says"]]])
def test_a_file_without_its_columns_is_none(rows):
    (wrong,) = read(rows, ROSTER).wrong
    assert (wrong.line, wrong.fault) == (1, Fault.NO_HEAD)


def test_columns_stand_in_any_order_and_others_do_not_matter():
    head = ("says", "colour", "numbers", "right", "who", "for")
    assert len(read(table(LINE, head=head), ROSTER).wanted) == 1


def test_what_is_so_already_and_empty_lines_change_nothing():
    roster = replace(ROSTER, book=with_changes(HOUSE, {Cell(Subject(Level.USER, ANA), Way.SEND, A): Effect.ALLOW}))
    plan = read([*table(LINE), ["", ""]], roster)
    assert (plan.wanted, plan.wrong, plan.same) == ((), (), 1)
    taken = read(table(LINE | {"says": "inherit"}), roster)
    assert [(one.effect, one.seen) for one in taken.wanted] == [(None, Effect.ALLOW)]


CELLS = st.builds(
    lambda subject, way, scope, kind: Cell(subject, way, scope, kind if way is Way.SEND else ""),
    st.sampled_from([Subject(Level.USER, ANA), Subject(Level.USER, OLENA), Subject(Level.DEPARTMENT, DESK), EVERYONE]),
    st.sampled_from(list(Way)),
    st.sampled_from([A, B, C, "group:1", ALL_NUMBERS]),
    st.sampled_from(["", "promotional", "transactional"]),
)


@settings(deadline=None)
@given(st.dictionaries(CELLS, st.sampled_from(Effect), max_size=12), st.sampled_from(["csv", "xlsx"]))
def test_what_goes_out_comes_in_again(said, kind):
    roster = replace(ROSTER, book=with_changes(HOUSE, said))
    rows = list(write(roster))
    data = b"".join(write_csv(rows)) if kind == "csv" else write_xlsx(rows, "Ringback")
    assert read(read_sheet(data), roster).wanted == ()
    back = read(read_sheet(data), ROSTER)
    assert back.wrong == ()
    assert {one.cell: one.effect for one in back.wanted} == said


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_dialects_are_taken_as_they_come(separator: str, encoding: str):
    text = "\r\n".join(separator.join(line) for line in table(LINE))
    assert len(read(read_sheet(text.encode(encoding)), ROSTER).wanted) == 1


def test_what_everybody_may_do_is_a_line_each():
    roster = replace(
        ROSTER, book=with_changes(HOUSE, {Cell(Subject(Level.DEPARTMENT, DESK), Way.SEND, A): Effect.ALLOW})
    )
    rows = list(write_effective(roster, (Way.SEND,)))
    assert rows[0] == ["who", "name", "extension", f"send {A}", f"send {B}", f"send {C}"]
    assert ["ana", "Ana", "101", "allow", "deny", "deny"] in rows


def test_five_thousand_lines_are_read_with_their_faults():
    lines = [LINE | {"numbers": B, "right": "send" if n % 50 else "shout", "who": "ana"} for n in range(5_000)]
    plan = read(table(*lines), ROSTER)
    assert len(plan.wrong) == 200
    assert plan.wrong[0].line == 2


def test_every_fault_has_its_sentence():
    assert set(SENTENCES) == set(Fault)
    assert all(text.count("%(value)s") == 1 or fault is Fault.TOO_LONG for fault, text in SENTENCES.items())
