"""Departments as a tree: where one stands, what is below it, and what would make it part of itself."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ringback.core.book import Book
from ringback.core.grants import Department

Tree = Mapping[int, Department]

DEEPEST = 8
"""How many departments may stand one in another."""
BETWEEN = "/"
"""Stands between the names of a path: `Sales/East`."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A department where it stands: `depth` is 0 at the top, `path` names all above it."""

    department: Department
    depth: int
    path: str


def upwards(tree: Tree, department: int | None) -> Iterator[Department]:
    """A department, then what it is part of, up to the top."""
    seen: set[int] = set()
    while department is not None and department in tree and department not in seen:
        seen.add(department)
        yield tree[department]
        department = tree[department].parent


def path_of(tree: Tree, department: int) -> str:
    """Where it stands, in words: `Sales/East`."""
    return BETWEEN.join(one.name for one in reversed(list(upwards(tree, department))))


def children_of(tree: Tree, department: int | None) -> list[Department]:
    """Those right below one, or at the top, by name."""
    return sorted((one for one in tree.values() if one.parent == department), key=lambda one: one.name.casefold())


def below(tree: Tree, department: int) -> frozenset[int]:
    """It and everything in it."""
    inside: set[int] = set()
    waiting = [department]
    while waiting:
        now = waiting.pop()
        if now not in inside:
            inside.add(now)
            waiting += [one.id for one in tree.values() if one.parent == now]
    return frozenset(inside)


def branches(tree: Tree) -> list[Branch]:
    """Every department under what it is part of, in the order of names."""
    found: list[Branch] = []
    waiting = [(one, 0, "") for one in reversed(children_of(tree, None))]
    while waiting:
        one, depth, above = waiting.pop()
        path = f"{above}{BETWEEN}{one.name}" if above else one.name
        found.append(Branch(one, depth, path))
        waiting += [(child, depth + 1, path) for child in reversed(children_of(tree, one.id))]
    return found


def height(tree: Tree, department: int) -> int:
    """How many departments stand one in another from here down, this one counted."""
    return 1 + max((height(tree, child.id) for child in children_of(tree, department)), default=0)


def circle(tree: Tree, department: int, parent: int | None) -> str:
    """The path that would lead from a department to itself if it moved there; empty when there is none."""
    above = list(upwards(tree, parent))
    if department not in {one.id for one in above}:
        return ""
    down = [one.name for one in reversed(above[: [one.id for one in above].index(department) + 1])]
    return BETWEEN.join([*down, tree[department].name])


def too_deep(tree: Tree, parent: int | None, carried: int = 1) -> bool:
    """Whether something of this height would stand too deep under a parent."""
    return len(list(upwards(tree, parent))) + carried > DEEPEST


def people_in(book: Book, department: int) -> tuple[int, ...]:
    """The accounts that can act and are in a department, or in one that is part of it."""
    inside = below(book.departments, department)
    return tuple(account for account in sorted(book.roles) if inside.intersection(book.members.get(account, ())))


def by_id(tree: Tree, public_id: str) -> Department | None:
    return next((one for one in tree.values() if one.public_id == public_id), None)


def by_words(tree: Tree, words: str) -> Department | None:
    """The one with this id, name or path. A name stands once in the whole tree."""
    last = words.rpartition(BETWEEN)[2].strip().casefold()
    for one in tree.values():
        if one.public_id == words or one.name.casefold() == last:
            path = BETWEEN.join(part.strip() for part in words.split(BETWEEN))
            known = path_of(tree, one.id).casefold()
            if BETWEEN not in words or known == path.casefold() or known.endswith(BETWEEN + path.casefold()):
                return one
    return None
