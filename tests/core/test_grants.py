"""Who may do what with which number: the nearest level that speaks decides, and at one level a denial outranks."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.core.book import CLOSED, Book
from ringback.core.grants import (
    ALL_NUMBERS,
    ANY_CLASS,
    CLASSES,
    EVERYONE,
    SENDING,
    UNDER,
    Department,
    Effect,
    Grant,
    Group,
    Level,
    Reach,
    Subject,
    Way,
)
from ringback.core.permissions import Role

ONE, TWO, THREE = "+12025550101", "+12025550102", "+12025550103"
ANA, BEN, CHIEF, GONE = 1, 2, 3, 9
SALES, NORTH, FIELD = 11, 12, 13
YES, NO = Effect.ALLOW, Effect.DENY
BOOK = Book(
    departments={
        SALES: Department(SALES, "dep_sales", "Sales"),
        NORTH: Department(NORTH, "dep_north", "North", SALES),
        FIELD: Department(FIELD, "dep_field", "Field"),
    },
    members={ANA: (NORTH,), BEN: (NORTH, FIELD)},
    groups={7: Group(7, "grp_7", "Shops")},
    group_of={ONE: 7, TWO: 7},
    roles={ANA: frozenset({Role.AGENT}), BEN: frozenset({Role.AGENT}), CHIEF: frozenset({Role.ADMINISTRATOR})},
    numbers=(ONE, TWO, THREE),
)


def user(account, effect, scope=ONE, way=Way.SEND, class_=ANY_CLASS):
    return Grant(Subject(Level.USER, account), way, scope, class_, effect)


def department(which, effect, scope=ONE, way=Way.SEND, class_=ANY_CLASS):
    return Grant(Subject(Level.DEPARTMENT, which), way, scope, class_, effect)


def everyone(effect, scope=ONE, way=Way.SEND, class_=ANY_CLASS):
    return Grant(EVERYONE, way, scope, class_, effect)


def book(*grants, **change):
    return replace(BOOK, grants=grants, **change)


@pytest.mark.parametrize(
    ("grants", "effect", "level"),
    [
        pytest.param([], NO, Level.NOTHING, id="nobody said anything"),
        pytest.param([user(ANA, YES)], YES, Level.USER, id="a grant of their own"),
        pytest.param([user(BEN, YES)], NO, Level.NOTHING, id="a grant of somebody else"),
        pytest.param([user(ANA, YES, TWO)], NO, Level.NOTHING, id="a grant for another number"),
        pytest.param([user(ANA, YES, way=Way.RECEIVE)], NO, Level.NOTHING, id="a grant for another way"),
        pytest.param([everyone(YES, ALL_NUMBERS)], YES, Level.EVERYONE, id="everyone, all numbers"),
        pytest.param([everyone(YES, "group:7")], YES, Level.EVERYONE, id="everyone, its group"),
        pytest.param([everyone(YES, "group:8")], NO, Level.NOTHING, id="everyone, another group"),
        pytest.param([department(NORTH, YES)], YES, Level.DEPARTMENT, id="their department"),
        pytest.param([department(SALES, YES)], YES, Level.DEPARTMENT, id="the parent of their department"),
        pytest.param([department(FIELD, YES)], NO, Level.NOTHING, id="a department they are not in"),
        pytest.param([user(ANA, YES), department(NORTH, NO)], YES, Level.USER, id="user beats department"),
        pytest.param([user(ANA, NO), department(NORTH, YES)], NO, Level.USER, id="user beats department, denied"),
        pytest.param([department(NORTH, YES), department(SALES, NO)], YES, Level.DEPARTMENT, id="nearer beats farther"),
        pytest.param([department(NORTH, NO), department(SALES, YES)], NO, Level.DEPARTMENT, id="nearer denies"),
        pytest.param([department(SALES, NO), everyone(YES)], NO, Level.DEPARTMENT, id="department beats everyone"),
        pytest.param([user(ANA, YES), user(ANA, NO, ALL_NUMBERS)], NO, Level.USER, id="deny beats allow: all numbers"),
        pytest.param([user(ANA, YES), user(ANA, NO, "group:7")], NO, Level.USER, id="deny beats allow: its group"),
        pytest.param(
            [user(ANA, YES, class_="conversational"), user(ANA, NO)], NO, Level.USER, id="deny beats allow: any class"
        ),
        pytest.param([user(ANA, YES, class_="conversational")], YES, Level.USER, id="its class"),
        pytest.param([user(ANA, YES, class_="promotional")], NO, Level.NOTHING, id="another class"),
    ],
)
def test_who_decides(grants, effect, level):
    right = book(*grants).right(ANA, Way.SEND, ONE, "conversational")
    assert (right.effect, right.origin.level) == (effect, level)


@pytest.mark.parametrize(
    ("grants", "effect"),
    [
        pytest.param([department(NORTH, YES), department(FIELD, NO)], NO, id="one of two departments denies"),
        pytest.param([department(FIELD, YES)], YES, id="one of two departments allows"),
        pytest.param([department(FIELD, YES), department(SALES, NO)], YES, id="their own before the other's parent"),
    ],
)
def test_several_departments_are_one_level(grants, effect):
    assert book(*grants).right(BEN, Way.SEND, ONE).effect is effect


def test_an_administrator_may_where_nobody_says_otherwise():
    assert book().right(CHIEF, Way.BULK, ONE).origin.role is Role.ADMINISTRATOR
    assert not book(everyone(NO, ALL_NUMBERS)).right(CHIEF, Way.SEND, ONE).allowed
    assert book(everyone(NO, ALL_NUMBERS), user(CHIEF, YES)).right(CHIEF, Way.SEND, ONE).allowed


def test_an_account_that_is_not_open_may_nothing():
    assert book(everyone(YES, ALL_NUMBERS), user(GONE, YES)).right(GONE, Way.SEND, ONE) == CLOSED


@pytest.mark.parametrize("way", UNDER)
def test_a_way_takes_what_is_under_it(way):
    under = UNDER[way]
    assert not book(user(ANA, YES, way=way)).right(ANA, way, ONE).allowed
    assert book(user(ANA, YES, way=way), user(ANA, YES, way=under)).right(ANA, way, ONE).allowed
    denied = book(user(ANA, YES, way=way), everyone(NO, way=under)).right(ANA, way, ONE)
    assert (denied.effect, denied.origin.level, denied.origin.under) == (NO, Level.EVERYONE, under)


def test_what_follows_from_owning_gives_way_to_what_is_written():
    owned = replace(user(ANA, YES), owner=True)
    assert book(owned).right(ANA, Way.SEND, ONE).origin.grant == owned
    for grants in ((owned, user(ANA, NO)), (user(ANA, NO), owned)):
        assert not book(*grants).right(ANA, Way.SEND, ONE).allowed


def test_receiving_knows_no_classes():
    assert book(user(ANA, YES, way=Way.RECEIVE)).right(ANA, Way.RECEIVE, ONE, "promotional").allowed


@pytest.mark.parametrize(
    ("grants", "reach"),
    [
        pytest.param([], Reach(everything=False), id="nothing"),
        pytest.param([everyone(YES, ALL_NUMBERS, Way.RECEIVE)], Reach(everything=True), id="everything"),
        pytest.param(
            [everyone(YES, ALL_NUMBERS, Way.RECEIVE), user(ANA, NO, TWO, Way.RECEIVE)],
            Reach(everything=False, numbers=frozenset({ONE, THREE})),
            id="all but one",
        ),
        pytest.param(
            [everyone(YES, "group:7", Way.RECEIVE)],
            Reach(everything=False, numbers=frozenset({ONE, TWO})),
            id="a group",
        ),
    ],
)
def test_reach(grants, reach):
    assert book(*grants).reach(ANA, Way.RECEIVE) == reach


def test_what_a_department_and_everyone_get():
    held = book(department(SALES, YES), everyone(NO, ALL_NUMBERS))
    assert held.of_department(NORTH, Way.SEND, ONE).allowed
    assert not held.of_department(NORTH, Way.SEND, TWO).allowed
    assert not held.of_department(FIELD, Way.SEND, ONE).allowed
    assert not held.of_everyone(Way.SEND, ONE).allowed


def test_departments_in_a_circle_hang_nobody():
    circle = {SALES: Department(SALES, "a", "A", NORTH), NORTH: Department(NORTH, "b", "B", SALES)}
    assert not book(departments=circle).right(ANA, Way.SEND, ONE).allowed


# An oracle that knows nothing of how the book is kept: it walks all grants anew for each question.


def oracle(held, account, way, number, class_):
    if account not in held.roles:
        return False
    return alone(held, account, way, number, class_) and (
        way not in UNDER or alone(held, account, UNDER[way], number, class_)
    )


def alone(held, account, way, number, class_):
    for level in levels(held, account):
        said = [
            grant.effect
            for grant in held.grants
            if grant.subject in level
            and grant.way is way
            and grant.scope in (number, "*", f"group:{held.group_of.get(number)}")
            and (way not in SENDING or grant.class_ in ("", class_))
        ]
        if said:
            return NO not in said
    return Role.ADMINISTRATOR in held.roles[account]


def levels(held, account):
    yield {Subject(Level.USER, account)}
    now, seen = set(held.members.get(account, ())), set()
    while now:
        yield {Subject(Level.DEPARTMENT, one) for one in now}
        seen |= now
        parents = {held.departments[one].parent for one in now}
        now = parents - seen - {None}
    yield {EVERYONE}


SUBJECTS = st.sampled_from(
    [EVERYONE]
    + [Subject(Level.USER, one) for one in (ANA, BEN, CHIEF)]
    + [Subject(Level.DEPARTMENT, one) for one in (SALES, NORTH, FIELD)]
)


@st.composite
def grants(draw):
    """One grant for each place at most, as the table has it."""
    found = {}
    for _ in range(draw(st.integers(0, 14))):
        way = draw(st.sampled_from(Way))
        class_ = draw(st.sampled_from([ANY_CLASS, *CLASSES])) if way in SENDING else ANY_CLASS
        scope = draw(st.sampled_from([ONE, TWO, THREE, "group:7", "group:8", ALL_NUMBERS]))
        one = Grant(draw(SUBJECTS), way, scope, class_, draw(st.sampled_from(Effect)))
        found[one.cell] = one
    return tuple(found.values())


@given(
    grants(),
    st.sampled_from([ANA, BEN, CHIEF, GONE]),
    st.sampled_from(Way),
    st.sampled_from([ONE, TWO, THREE]),
    st.sampled_from([*CLASSES]),
)
def test_the_book_says_what_a_plain_walk_says(found, account, way, number, class_):
    held = book(*found)
    assert held.right(account, way, number, class_).allowed is oracle(held, account, way, number, class_)


@given(grants(), st.sampled_from([ANA, BEN, CHIEF]), st.sampled_from(Way), st.sampled_from([ONE, TWO, THREE]))
def test_the_reach_is_the_numbers_of_which_each_is_allowed(found, account, way, number):
    held = book(*found)
    assert (number in held.reach(account, way)) is held.right(account, way, number).allowed
