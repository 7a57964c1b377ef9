"""The tree of departments and who is in it: each change is one step with its line in the audit."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ringback.core.book import Book
from ringback.core.department_tree import (
    BETWEEN,
    Tree,
    by_id,
    children_of,
    circle,
    height,
    path_of,
    too_deep,
)
from ringback.core.grants import Department, Level
from ringback.core.plurals import count_of
from ringback.flow.owners import keep_served, served_by
from ringback.flow.refusing import Because, Refused
from ringback.ports.grants import Allowance, NumberCard
from ringback.ports.people import Account
from ringback.ports.storage import Tx

LONGEST_NAME = 60
_BREAKS = ("Cc", "Cs", "Zl", "Zp")


@dataclass(frozen=True, slots=True)
class Removal:
    """What goes when a department does: grants of its own, and what its members and the departments in it become.

    `owned` are the numbers that fall to their fallback, `fallback_of` those that have none any more then.
    """

    department: Department
    parent: Department | None
    grants: int
    members: tuple[int, ...]
    children: tuple[Department, ...]
    owned: tuple[NumberCard, ...]
    fallback_of: tuple[NumberCard, ...]
    allowance: bool


def read_department_name(text: str) -> str:
    """A department's name. Raises Refused."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    strange = BETWEEN in name or any(unicodedata.category(letter) in _BREAKS for letter in text)
    if not 0 < len(name) <= LONGEST_NAME or strange:
        raise Refused(Because.BAD_DEPARTMENT)
    return name


def add_department(name: str, parent: str, by: str, now: datetime, tx: Tx) -> Department:
    """Make one, in the department with this public id or at the top. Raises Refused."""
    name, tree = read_department_name(name), tx.grants.book().departments
    above = _known(parent, tx).id if parent else None
    _check_name(name, None, tree)
    if too_deep(tree, above):
        raise Refused(Because.TOO_DEEP)
    made = tx.departments.add(name, above, now)
    if made is None:
        raise Refused(Because.DEPARTMENT_TAKEN, path=name)
    tx.audit.note(by, "department_add", made.public_id, path_of({**tree, made.id: made}, made.id), now)
    return made


def rename_department(public_id: str, name: str, by: str, now: datetime, tx: Tx) -> None:
    """Call it something else. Raises Refused."""
    name, known = read_department_name(name), _known(public_id, tx)
    if known.name == name:
        return
    _check_name(name, known.id, tx.grants.book().departments)
    tx.departments.rename(known.id, name, now)
    tx.audit.note(by, "department_rename", public_id, f"{known.name} to {name}", now, before=known.name, after=name)


def move_department(public_id: str, parent: str, by: str, now: datetime, tx: Tx) -> None:
    """Have it stand in another, or at the top, with all that is in it. Raises Refused."""
    known, tree = _known(public_id, tx), tx.grants.book().departments
    above = _known(parent, tx).id if parent else None
    if above == known.parent:
        return
    if path := circle(tree, known.id, above):
        raise Refused(Because.CIRCLE, path=path)
    if too_deep(tree, above, height(tree, known.id)):
        raise Refused(Because.TOO_DEEP)
    before = path_of(tree, known.id)
    keep_served(partial(tx.departments.move, known.id, above, now), by, now, tx)
    after = path_of(tx.grants.book().departments, known.id)
    tx.audit.note(by, "department_move", public_id, f"{before} to {after}", now, before=before, after=after)


def what_goes(public_id: str, tx: Tx) -> Removal:
    """What removing a department would take along. Raises Refused."""
    return removal_of(_known(public_id, tx), tx.grants.book(), tx.numbers.all(), tx.grants.allowances())


def removal_of(
    known: Department, book: Book, numbers: Iterable[NumberCard], allowances: Iterable[Allowance]
) -> Removal:
    """The same from what is known already."""
    numbers = tuple(numbers)
    own = [one for one in book.grants if one.subject == (Level.DEPARTMENT, known.id) and not one.owner]
    return Removal(
        department=known,
        parent=None if known.parent is None else book.departments.get(known.parent),
        grants=len(own),
        members=tuple(account for account, inside in sorted(book.members.items()) if known.id in inside),
        children=tuple(children_of(book.departments, known.id)),
        owned=tuple(card for card in numbers if card.owner == known.public_id),
        fallback_of=tuple(card for card in numbers if card.fallback == known.public_id),
        allowance=any(one.level == Level.DEPARTMENT and one.subject == known.id for one in allowances),
    )


def remove_department(public_id: str, by: str, now: datetime, tx: Tx) -> Removal:
    """Take it away with its grants. Its members and what is in it move up to what it is part of. Raises Refused."""
    goes = what_goes(public_id, tx)
    where = path_of(tx.grants.book().departments, goes.department.id)
    keep_served(partial(_remove, goes, now, tx), by, now, tx)
    told = [count_of(goes.grants, "grant"), count_of(len(goes.members), "member")]
    tx.audit.note(by, "department_remove", public_id, f"{where}, with {' and '.join(told)}", now, before=where)
    return goes


def _remove(goes: Removal, now: datetime, tx: Tx) -> None:
    for card in goes.fallback_of:
        tx.numbers.own(card.id, card.owner, "", now)
    for card in goes.owned:
        if not served_by(card.owner, tx):
            tx.numbers.own(card.id, card.fallback, "", now)
    members = tx.grants.book().members
    if goes.parent is not None:
        for account in goes.members:
            if goes.parent.id not in members[account]:
                main = "main" if members[account][0] == goes.department.id else ""
                tx.departments.join(account, goes.parent.id, now, main)
    tx.departments.remove(goes.department.id, now)
    _give_a_main(goes.members, now, tx)


def join_department(user: str, department: str, main: str, by: str, now: datetime, tx: Tx) -> None:
    """Put somebody into a department; with `main` not empty it is the one they stand under. Raises Refused."""
    account, known = _person(user, tx), _known(department, tx)
    mine = tx.grants.book().members.get(account.id, ())
    if known.id in mine and (not main or mine[0] == known.id):
        return
    tx.departments.join(account.id, known.id, now, main or ("" if mine else "main"))
    where = path_of(tx.grants.book().departments, known.id)
    detail = f"{account.login}: {where}{', as the main one' if main else ''}"
    tx.audit.note(by, "department_join", user, detail, now, after=where)


def leave_department(user: str, department: str, by: str, now: datetime, tx: Tx) -> None:
    """Take somebody out of a department. Raises Refused."""
    account, known = _person(user, tx), _known(department, tx)
    if known.id not in tx.grants.book().members.get(account.id, ()):
        raise Refused(Because.NO_MEMBER)
    where = path_of(tx.grants.book().departments, known.id)
    keep_served(partial(tx.departments.leave, account.id, known.id, now), by, now, tx)
    _give_a_main((account.id,), now, tx)
    tx.audit.note(by, "department_leave", user, f"{account.login}: {where}", now, before=where)


def _give_a_main(accounts: tuple[int, ...], now: datetime, tx: Tx) -> None:
    """Whoever is left without a main department stands under the first of theirs."""
    members = tx.grants.book().members
    for account in accounts:
        if left := members.get(account):
            tx.departments.join(account, left[0], now, "main")


def _known(public_id: str, tx: Tx) -> Department:
    found = by_id(tx.grants.book().departments, public_id)
    if found is None:
        raise Refused(Because.NO_DEPARTMENT)
    return found


def _person(public_id: str, tx: Tx) -> Account:
    account = tx.accounts.get(public_id)
    if account is None:
        raise Refused(Because.UNKNOWN)
    return account


def _check_name(name: str, own: int | None, tree: Tree) -> None:
    for one in tree.values():
        if one.id != own and one.name.casefold() == name.casefold():
            raise Refused(Because.DEPARTMENT_TAKEN, path=path_of(tree, one.id))
