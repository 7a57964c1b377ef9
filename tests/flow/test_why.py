"""Why somebody may or may not: who was asked, what decided, the smallest change, and whom changes reach."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ringback.core.book import Book
from ringback.core.grants import (
    ALL_NUMBERS,
    EVERYONE,
    UNDER,
    Cell,
    Department,
    Effect,
    Grant,
    Group,
    Level,
    Subject,
    Way,
)
from ringback.core.permissions import Role
from ringback.flow.overlay import Reckoner, differs_by_kind, effective, impact, said_in, with_changes
from ringback.flow.why import Place, explain, smallest

A, B, C = "+12025550100", "+12025550142", "+13055550120"
ANA, OLENA, BOSS, AUD = 1, 2, 3, 4
DESK, NIGHT, SALES = 10, 11, 12
ALLOW, DENY = Effect.ALLOW, Effect.DENY


def user(account: int) -> Subject:
    return Subject(Level.USER, account)


def dept(department: int) -> Subject:
    return Subject(Level.DEPARTMENT, department)


def grant(subject: Subject, effect: Effect, scope: str = A, way: Way = Way.SEND, kind: str = "", owner: bool = False):
    return Grant(subject, way, scope, kind, effect, owner=owner)


HOUSE = Book(
    version="one",
    departments={
        DESK: Department(DESK, "dep_desk", "Service desk"),
        NIGHT: Department(NIGHT, "dep_night", "Night desk", DESK),
        SALES: Department(SALES, "dep_sales", "Sales"),
    },
    members={ANA: (DESK,), OLENA: (NIGHT, SALES)},
    groups={1: Group(1, "grp_w", "Washington")},
    group_of={A: 1, B: 1},
    roles={
        ANA: frozenset({Role.AGENT}),
        OLENA: frozenset({Role.AGENT}),
        BOSS: frozenset({Role.ADMINISTRATOR}),
        AUD: frozenset({Role.AUDITOR}),
    },
    numbers=(A, B, C),
)


def book(*grants: Grant) -> Book:
    return replace(HOUSE, grants=grants)


def places(known: Book, account: int, way: Way = Way.SEND, number: str = A, kind: str = "") -> list[tuple]:
    return [(one.subject, one.effect, one.place) for one in explain(known, account, way, number, kind).chain]


def test_the_chain_is_asked_the_nearest_first():
    known = book(grant(dept(NIGHT), DENY), grant(dept(SALES), ALLOW), grant(dept(DESK), ALLOW), grant(EVERYONE, ALLOW))
    assert places(known, OLENA) == [
        (user(OLENA), None, Place.SILENT),
        (dept(NIGHT), DENY, Place.DECIDES),
        (dept(SALES), ALLOW, Place.SECOND),
        (dept(DESK), ALLOW, Place.BEYOND),
        (EVERYONE, ALLOW, Place.BEYOND),
        (Subject(Level.ROLE, OLENA), None, Place.BEYOND),
    ]


def test_where_nobody_says_anything_an_administrator_may():
    assert places(book(), BOSS)[-1] == (Subject(Level.ROLE, BOSS), ALLOW, Place.DECIDES)
    assert places(book(), ANA)[-1] == (Subject(Level.ROLE, ANA), None, Place.SILENT)


def test_a_way_that_takes_another_shows_both():
    known = book(grant(EVERYONE, ALLOW, way=Way.BULK))
    found = explain(known, ANA, Way.BULK, A)
    assert not found.right.allowed
    assert [one.way for one in found.chain if one.subject == EVERYONE] == [Way.BULK, Way.SEND]


@pytest.mark.parametrize(
    ("known", "who", "changes", "people"),
    [
        pytest.param(book(), ANA, {Cell(user(ANA), Way.SEND, A): ALLOW}, 1, id="nobody granted it: allow it for them"),
        pytest.param(
            book(grant(dept(DESK), DENY)),
            ANA,
            {Cell(user(ANA), Way.SEND, A): ALLOW},
            1,
            id="their department denies it",
        ),
        pytest.param(
            book(grant(user(ANA), DENY), grant(EVERYONE, ALLOW)),
            ANA,
            {Cell(user(ANA), Way.SEND, A): None},
            1,
            id="a denial of their own goes, and all is well",
        ),
        pytest.param(
            book(grant(user(ANA), DENY, ALL_NUMBERS), grant(user(ANA), ALLOW)),
            ANA,
            {Cell(user(ANA), Way.SEND, ALL_NUMBERS): None},
            1,
            id="a denial for all numbers outranks an allowance for one, so it must go",
        ),
        pytest.param(
            book(grant(user(ANA), DENY)),
            ANA,
            {Cell(user(ANA), Way.SEND, A): ALLOW},
            1,
            id="a denial gives way to an allowance in its own place",
        ),
        pytest.param(
            book(grant(EVERYONE, ALLOW)), ANA, {Cell(user(ANA), Way.SEND, A): DENY}, 1, id="what is allowed is denied"
        ),
        pytest.param(book(), BOSS, {Cell(user(BOSS), Way.SEND, A): DENY}, 1, id="an administrator can be denied it"),
    ],
)
def test_the_smallest_change(known: Book, who: int, changes: dict, people: int):
    found = smallest(known, who, Way.SEND, A)
    assert {one.cell: one.effect for one in found.changes} == changes
    assert found.people == people


def test_a_way_that_takes_another_is_given_with_it():
    found = smallest(book(), ANA, Way.EXPORT, A)
    assert found is None, "agents take nothing away, whatever is granted"
    found = smallest(book(), ANA, Way.MMS, A)
    assert {one.cell.way for one in found.changes} == {Way.SEND, Way.MMS}


def test_where_it_was_decided_it_can_be_changed_for_all():
    found = explain(book(grant(dept(DESK), DENY), grant(EVERYONE, ALLOW)), ANA, Way.SEND, A).remedies
    assert [(one.subject, one.people) for one in found] == [(user(ANA), 1), (dept(DESK), 2)]
    assert [(one.cell, one.effect) for one in found[1].changes] == [(Cell(dept(DESK), Way.SEND, A), None)]


@pytest.mark.parametrize("account", [AUD, 99])
def test_grants_do_not_help_against_a_role_or_a_closed_account(account: int):
    known = book(grant(EVERYONE, ALLOW))
    assert smallest(known, account, Way.SEND, A) is None
    assert not effective(known, user(account), Way.SEND, A).allowed


SUBJECTS = st.sampled_from([user(ANA), user(OLENA), user(BOSS), dept(DESK), dept(NIGHT), dept(SALES), EVERYONE])
CELLS = st.builds(
    lambda subject, way, scope, kind: Cell(subject, way, scope, kind if way in (Way.SEND, Way.BULK) else ""),
    SUBJECTS,
    st.sampled_from([Way.SEND, Way.RECEIVE, Way.BULK]),
    st.sampled_from([A, B, "group:1", ALL_NUMBERS]),
    st.sampled_from(["", "promotional"]),
)
BOOKS = st.dictionaries(CELLS, st.sampled_from(Effect), max_size=8).map(
    lambda said: book(*(Grant(*cell, effect) for cell, effect in said.items()))
)


@settings(deadline=None)
@given(BOOKS, st.sampled_from([ANA, OLENA, BOSS]), st.sampled_from([Way.SEND, Way.RECEIVE]), st.sampled_from([A, B, C]))
def test_the_smallest_change_always_alters_the_answer(known: Book, account: int, way: Way, number: str):
    before = effective(known, user(account), way, number)
    found = smallest(known, account, way, number)
    assert found is not None
    after = with_changes(known, {one.cell: one.effect for one in found.changes})
    assert effective(after, user(account), way, number).effect is not before.effect
    assert all(said_in(known, one.cell) is one.seen for one in found.changes)
    assert (
        account
        in impact(known, after, [one.cell for one in found.changes]).gain
        | impact(known, after, [one.cell for one in found.changes]).lose
    )


@settings(deadline=None)
@given(BOOKS, st.dictionaries(CELLS, st.sampled_from([None, *Effect]), min_size=1, max_size=4))
def test_the_reach_of_changes_is_what_asking_for_each_of_them_says(known: Book, changes: dict):
    after = with_changes(known, changes)
    found = Reckoner(known, after).of(changes)
    gain, lose = set(), set()
    for account in known.roles:
        for cell in changes:
            ways = {cell.way} | {way for way, under in UNDER.items() if under is cell.way}
            numbers = (
                (*known.numbers, ALL_NUMBERS)
                if cell.scope == ALL_NUMBERS
                else [one for one in known.numbers if known.group_of.get(one) == 1]
                if cell.scope == "group:1"
                else (cell.scope,)
            )
            kinds = (cell.class_,) if cell.class_ else ("", "conversational", "transactional", "promotional")
            for way in ways:
                for number in numbers:
                    for kind in kinds:
                        was = effective(known, user(account), way, number, kind).allowed
                        will = effective(after, user(account), way, number, kind).allowed
                        if was != will:
                            (gain if will else lose).add(account)
    assert (set(found.gain), set(found.lose)) == (gain, lose)


def test_kinds_that_differ_are_marked():
    known = book(grant(EVERYONE, ALLOW), grant(dept(DESK), DENY, kind="promotional"))
    assert differs_by_kind(known, user(ANA), Way.SEND, A)
    assert not differs_by_kind(known, user(BOSS), Way.SEND, A)
    assert not differs_by_kind(known, user(ANA), Way.RECEIVE, A)


def test_what_follows_from_owning_a_number_is_not_written():
    known = book(grant(user(ANA), ALLOW, owner=True))
    assert said_in(known, Cell(user(ANA), Way.SEND, A)) is None
    assert effective(known, user(ANA), Way.SEND, A).allowed
    assert effective(with_changes(known, {Cell(EVERYONE, Way.SEND, A): DENY}), user(ANA), Way.SEND, A).allowed
