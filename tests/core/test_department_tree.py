"""Departments as a tree."""

import pytest

from ringback.core.book import Book
from ringback.core.department_tree import (
    DEEPEST,
    below,
    branches,
    by_words,
    circle,
    height,
    path_of,
    people_in,
    too_deep,
)
from ringback.core.grants import Department
from ringback.core.permissions import Role

SALES, EAST, NIGHT, HELP = 1, 2, 3, 4
TREE = {
    SALES: Department(SALES, "dep_1", "Sales"),
    EAST: Department(EAST, "dep_2", "East", SALES),
    NIGHT: Department(NIGHT, "dep_3", "Night", EAST),
    HELP: Department(HELP, "dep_4", "help"),
}


def test_branches_stand_under_what_they_are_part_of_by_name():
    assert [(one.path, one.depth) for one in branches(TREE)] == [
        ("help", 0),
        ("Sales", 0),
        ("Sales/East", 1),
        ("Sales/East/Night", 2),
    ]


def test_paths_heights_and_what_is_below():
    assert path_of(TREE, NIGHT) == "Sales/East/Night"
    assert [height(TREE, one) for one in (SALES, EAST, HELP)] == [3, 2, 1]
    assert below(TREE, EAST) == {EAST, NIGHT}


@pytest.mark.parametrize(
    ("moving", "parent", "path"),
    [
        pytest.param(SALES, SALES, "Sales/Sales", id="into itself"),
        pytest.param(SALES, NIGHT, "Sales/East/Night/Sales", id="into what is in it, with the way there"),
        pytest.param(NIGHT, SALES, "", id="up"),
        pytest.param(EAST, None, "", id="to the top"),
        pytest.param(SALES, HELP, "", id="elsewhere"),
    ],
)
def test_a_circle_is_told_with_its_path(moving, parent, path):
    assert circle(TREE, moving, parent) == path


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Sales", SALES),
        ("sales/east", EAST),
        ("East/Night", NIGHT),
        ("NIGHT", NIGHT),
        ("dep_4", HELP),
        ("help/night", None),
        ("West", None),
        ("", None),
    ],
)
def test_a_department_is_found_by_name_path_or_id(words, found):
    known = by_words(TREE, words)
    assert (known.id if known else None) == found


def test_the_depth_is_bounded():
    line = {n: Department(n, f"dep_{n}", f"D{n}", n - 1 or None) for n in range(1, DEEPEST + 1)}
    assert too_deep(line, DEEPEST)
    assert not too_deep(line, DEEPEST - 1)
    assert too_deep(line, DEEPEST - 2, carried=3)


def test_people_in_a_department_are_those_below_it_too_that_can_act():
    agent = frozenset({Role.AGENT})
    book = Book(
        departments=TREE,
        members={1: (EAST,), 2: (NIGHT, HELP), 3: (SALES,), 4: (EAST,)},
        roles={1: agent, 2: agent, 3: agent},
    )
    assert people_in(book, SALES) == (1, 2, 3)
    assert people_in(book, EAST) == (1, 2)
    assert people_in(book, HELP) == (2,)
