"""Which live page ends when there are too many."""

from dataclasses import dataclass

import pytest

from ringback.panel.crowding import to_spare, too_many_of


@dataclass(eq=False)
class Page:
    """`name` has its owner first; one in capitals is quiet, one with a dash ends already."""

    name: str

    @property
    def who(self) -> str:
        return self.name[0].lower()

    @property
    def quiet(self) -> bool:
        return self.name[0].isupper()

    @property
    def moved(self) -> bool:
        return self.name.endswith("-")


def pages(names: str) -> list[Page]:
    return [Page(name) for name in names.split()]


@pytest.mark.parametrize(
    ("there", "ends"),
    [
        pytest.param("", "", id="nobody is there"),
        pytest.param("a1 b1 c1", "", id="everybody has one"),
        pytest.param("a1 b1 b2 c1", "b1", id="the oldest of whoever has most"),
        pytest.param("a1 a2 b1 b2 B3", "B3", id="a quiet one first"),
        pytest.param("a1 a2- b1", "", id="one that ends already is none"),
    ],
)
def test_one_of_whoever_has_most_ends(there: str, ends: str):
    spare = to_spare(pages(there))
    assert (spare.name if spare else "") == ends


@pytest.mark.parametrize(
    ("there", "ends"),
    [
        pytest.param("a1 b1 b2 b3", [], id="two of theirs may stay"),
        pytest.param("a1 a2 a3", ["a1"], id="the oldest"),
        pytest.param("a1 a2 A3", ["A3"], id="the quiet one"),
        pytest.param("a1- a2 a3", [], id="not one for another that ends already"),
    ],
)
def test_nobody_has_more_than_most(there: str, ends: list[str]):
    assert [page.name for page in too_many_of("a", pages(there), 3)] == ends
