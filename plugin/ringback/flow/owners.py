"""Who owns our numbers: somebody who sees what comes in must be left, or the number falls to whom it is meant to."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from ringback.core.book import Book
from ringback.core.department_tree import by_id, path_of, people_in
from ringback.core.ids import Kind, kind_of
from ringback.core.permissions import OF_ROLE, Action
from ringback.flow.refusing import Because, Refused
from ringback.ports.grants import NumberCard
from ringback.ports.storage import Tx

T = TypeVar("T")


def keep_served(change: Callable[[], T], by: str, now: datetime, tx: Tx) -> T:
    """Make a change to people or departments. A number that nobody is left for falls to its fallback; raises Refused,
    and so undoes the change, where it has none, or none with anybody in it."""
    owned = [card for card in tx.numbers.all() if card.owner]
    left_before = {card.e164 for card in owned if not served_by(card.owner, tx)}
    value = change()
    left = [card for card in owned if card.e164 not in left_before and not served_by(card.owner, tx)]
    if stuck := [card.e164 for card in left if not (card.fallback and served_by(card.fallback, tx))]:
        raise Refused(Because.LAST_OF_NUMBER, numbers=", ".join(stuck))
    for card in left:
        _fall_back(card, by, now, tx)
    return value


def served_by(owner: str, tx: Tx) -> tuple[int, ...]:
    """The accounts that see what comes in at a number of this owner, and are told of it."""
    if kind_of(owner) is Kind.USER:
        account = tx.accounts.get(owner)
        return workers(tx.grants.book(), () if account is None else (account.id,))
    department = by_id(tx.grants.book().departments, owner)
    return () if department is None else members_of(tx.grants.book(), department.id)


def members_of(book: Book, department: int) -> tuple[int, ...]:
    """Who works with texts in a department, and in what is part of it."""
    return workers(book, people_in(book, department))


def workers(book: Book, accounts: Sequence[int]) -> tuple[int, ...]:
    """Those of them who can act, and whose roles let them read texts."""
    reading = {role for role, actions in OF_ROLE.items() if Action.READ_THREADS in actions}
    return tuple(account for account in accounts if reading.intersection(book.roles.get(account, ())))


def owner_name(owner: str, tx: Tx) -> str:
    """What a user or a department is called; empty for nobody."""
    if not owner:
        return ""
    if kind_of(owner) is Kind.USER:
        account = tx.accounts.get(owner)
        return owner if account is None else account.called
    departments = tx.grants.book().departments
    department = by_id(departments, owner)
    return owner if department is None else path_of(departments, department.id)


def _fall_back(card: NumberCard, by: str, now: datetime, tx: Tx) -> None:
    before, after = owner_name(card.owner, tx), owner_name(card.fallback, tx)
    tx.numbers.own(card.id, card.fallback, "", now)
    detail = f"{before} to {after}, the fallback, since nobody is left"
    tx.audit.note(by, "number_owner", card.e164, detail, now, before=before, after=after)
