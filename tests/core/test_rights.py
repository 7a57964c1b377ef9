"""What a principal may do: role, scopes and numbers of a key, and the book, asked together; and how it is said."""

from dataclasses import replace

import pytest

from ringback.core.book import Book
from ringback.core.grants import (
    ALL_NUMBERS,
    EVERYONE,
    EVERYTHING,
    NOTHING,
    Department,
    Effect,
    Grant,
    Group,
    Level,
    Origin,
    Reach,
    Right,
    Subject,
    Way,
)
from ringback.core.permissions import Action, Asker, Principal, Role, Scope, at_the_shell
from ringback.core.right_words import SENTENCES, in_english, told
from ringback.core.rights import Rights
from ringback.flow.overlay import NOT_THE_ROLE

ONE, TWO = "+12025550101", "+12025550102"
ANA, SALES = 1, 11
YES, NO = Effect.ALLOW, Effect.DENY
USER, DEPARTMENT = Subject(Level.USER, ANA), Subject(Level.DEPARTMENT, SALES)
ALL = tuple(Grant(EVERYONE, way, ALL_NUMBERS, "", YES) for way in Way)
BOOK = Book(
    departments={SALES: Department(SALES, "dep_sales", "Sales")},
    groups={7: Group(7, "grp_7", "Shops")},
    group_of={ONE: 7},
    roles={ANA: frozenset({Role.AGENT})},
    numbers=(ONE, TWO),
)
AGENT = Principal(Asker.USER, "usr_ana", "Ana", frozenset({Role.AGENT}), account=ANA)
KEY = Principal(Asker.PROGRAM, "key_shop", "shop", frozenset(), scopes=frozenset({Scope.SEND}))


def rights(who, *grants):
    return Rights(who, replace(BOOK, grants=grants))


@pytest.mark.parametrize(
    ("who", "grants", "way", "level"),
    [
        pytest.param(at_the_shell("root"), (), Way.EXPORT, Level.MACHINE, id="the shell may everything"),
        pytest.param(AGENT, (), Way.SEND, Level.NOTHING, id="a user without a grant"),
        pytest.param(AGENT, ALL, Way.SEND, Level.EVERYONE, id="a user as the book says"),
        pytest.param(replace(AGENT, account=None), ALL, Way.SEND, Level.NOTHING, id="a user of no account"),
        pytest.param(replace(AGENT, account=8), ALL, Way.SEND, Level.CLOSED, id="an account that is closed"),
        pytest.param(Principal(Asker.NOBODY, "", "", frozenset()), ALL, Way.RECEIVE, Level.NOTHING, id="nobody"),
        pytest.param(KEY, (), Way.SEND, Level.MACHINE, id="a key that acts for nobody"),
        pytest.param(KEY, ALL, Way.BULK, Level.SCOPE, id="a key without the scope"),
        pytest.param(replace(KEY, numbers=frozenset({TWO})), ALL, Way.SEND, Level.KEY, id="a key of another number"),
        pytest.param(replace(KEY, numbers=frozenset({ONE})), (), Way.SEND, Level.MACHINE, id="a key of this number"),
        pytest.param(replace(KEY, account=ANA), (), Way.SEND, Level.NOTHING, id="a key for a user without a grant"),
        pytest.param(replace(KEY, account=ANA), ALL, Way.SEND, Level.EVERYONE, id="a key for a user who may"),
        pytest.param(replace(KEY, account=8), ALL, Way.SEND, Level.CLOSED, id="a key for an account that is closed"),
    ],
)
def test_who_decides_for_whom(who, grants, way, level):
    right = rights(who, *grants).right(way, ONE)
    assert right.origin.level is level
    assert right.allowed is (level in (Level.MACHINE, Level.EVERYONE))


@pytest.mark.parametrize(
    ("who", "grants", "reach"),
    [
        pytest.param(at_the_shell("root"), (), EVERYTHING, id="the shell"),
        pytest.param(AGENT, ALL, EVERYTHING, id="a user who may all"),
        pytest.param(AGENT, (), NOTHING, id="a user who may nothing"),
        pytest.param(replace(AGENT, account=None), ALL, NOTHING, id="a user of no account"),
        pytest.param(KEY, (), EVERYTHING, id="a key that acts for nobody"),
        pytest.param(
            replace(KEY, numbers=frozenset({TWO})), (), Reach(False, frozenset({TWO})), id="a key of a number"
        ),
        pytest.param(replace(KEY, scopes=frozenset()), ALL, NOTHING, id="a key without a scope"),
        pytest.param(replace(KEY, account=ANA), ALL, EVERYTHING, id="a key for a user who may all"),
        pytest.param(
            replace(KEY, account=ANA, numbers=frozenset({ONE, TWO})),
            (Grant(USER, Way.RECEIVE, ONE, "", YES),),
            Reach(False, frozenset({ONE})),
            id="a key of two numbers for a user who may one",
        ),
    ],
)
def test_reach(who, grants, reach):
    assert rights(who, *grants).reach(Way.RECEIVE) == reach


def test_the_role_says_what_at_all():
    assert rights(AGENT).may(Action.REPLY)
    assert not rights(AGENT, *ALL).may(Action.MANAGE_USERS)
    assert rights(KEY).may(Action.SEND)


def right(effect, level, scope=ONE, subject=USER, **more):
    return Right(effect, Origin(level, Grant(subject, Way.SEND, scope, "", effect, **more)))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        pytest.param(right(NO, Level.USER), "A grant to the user alone denies it for this number.", id="the user"),
        pytest.param(
            right(NO, Level.DEPARTMENT, "group:7", DEPARTMENT),
            "The department Sales denies it for the numbers of Shops.",
            id="a department, by a group",
        ),
        pytest.param(
            right(YES, Level.EVERYONE, "*", EVERYONE), "It is allowed to everyone for all numbers.", id="everyone"
        ),
        pytest.param(right(YES, Level.USER, owner=True), "The number belongs to the user.", id="the owner"),
        pytest.param(
            right(YES, Level.DEPARTMENT, subject=DEPARTMENT, owner=True),
            "The number belongs to the department Sales.",
            id="a department that owns it",
        ),
        pytest.param(
            Right(YES, Origin(Level.ROLE, role=Role.ADMINISTRATOR)),
            "Administrators may where no grant denies it.",
            id="the role",
        ),
        pytest.param(NOT_THE_ROLE, "No role of theirs includes it.", id="no role"),
        pytest.param(Right(NO, Origin(Level.NOTHING)), "Nobody has granted it.", id="nothing"),
        pytest.param(Right(NO, Origin(Level.CLOSED)), "The account is disabled.", id="a closed account"),
        pytest.param(Right(NO, Origin(Level.KEY)), "The key is held to other numbers.", id="a key of other numbers"),
        pytest.param(
            Right(NO, Origin(Level.SCOPE)), "The key does not have the scope that this takes.", id="a lesser key"
        ),
    ],
)
def test_it_is_said_who_decided(said, words):
    begin = "may send" if said.allowed else "may not send"
    assert in_english(said, Way.SEND, ONE, BOOK) == f"You {begin} from {ONE}. {words}"
    assert in_english(said, Way.SEND, ONE, BOOK, "Ana") == f"Ana {begin} from {ONE}. {words}"


def test_what_is_missing_beneath_is_said():
    said = Right(NO, Origin(Level.NOTHING, under=Way.SEND))
    assert in_english(said, Way.BULK, ONE, BOOK) == (
        f"You may not send to many at once from {ONE}. It takes the right to send as well. Nobody has granted it."
    )


def test_the_class_that_a_grant_is_about_is_said():
    said = Right(NO, Origin(Level.USER, Grant(USER, Way.SEND, ONE, "promotional", NO)))
    assert in_english(said, Way.SEND, ONE, BOOK).endswith("The grant is about advertising.")


def test_a_name_with_marks_of_a_template_in_it_stays_as_it_is():
    said = right(NO, Level.DEPARTMENT, subject=DEPARTMENT)
    odd = replace(BOOK, departments={SALES: Department(SALES, "d", "50 % %(who)s")})
    assert "The department 50 % %(who)s denies it" in in_english(said, Way.SEND, ONE, odd, "A %s")


def every_right():
    """All the shapes that a right can have."""
    for way in Way:
        for effect in Effect:
            for scope in (ONE, "group:7", "*"):
                for subject in (USER, DEPARTMENT, EVERYONE):
                    yield way, Right(effect, Origin(subject.level, Grant(subject, way, scope, "", effect)))
        for who in (
            at_the_shell("root"),
            AGENT,
            KEY,
            replace(KEY, numbers=frozenset({TWO})),
            replace(AGENT, account=8),
        ):
            yield way, rights(who).right(way, ONE)


def test_every_right_has_words_that_translators_know():
    for way, said in every_right():
        for who in ("", "Ana"):
            found = told(said, way, ONE, BOOK, who)
            assert set(found.sentences) <= set(SENTENCES)
            assert found.say(str).count(ONE) == 1
            assert found.why(str) in found.say(str)


def test_a_translation_takes_the_place_of_each_sentence():
    said = told(Right(NO, Origin(Level.NOTHING)), Way.SEND, ONE, BOOK)
    assert said.say(lambda text: text.upper().replace("%(NUMBER)S", "%(number)s")) == (
        f"YOU MAY NOT SEND FROM {ONE}. NOBODY HAS GRANTED IT."
    )
