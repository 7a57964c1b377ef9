"""Changes to departments that came as words from a command."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ringback.core.department_tree import by_words, path_of
from ringback.core.grants import Department
from ringback.core.plurals import count_of
from ringback.flow.departments import (
    Removal,
    add_department,
    join_department,
    leave_department,
    move_department,
    remove_department,
    rename_department,
)
from ringback.flow.refusing import Because, Refused
from ringback.ports.people import Account
from ringback.ports.storage import Tx

Words = Mapping[str, str]


def change_departments_by_words(words: Words, now: datetime, tx: Tx) -> str:
    """Carry out a change that came from a command: `change`, `by`, `department`, and what the change needs."""
    try:
        return CHANGES[words["change"]](words, now, tx)
    except KeyError as problem:
        raise Refused(Because.STRANGE) from problem


def _named(words: str, tx: Tx) -> Department:
    found = by_words(tx.grants.book().departments, words)
    if found is None:
        raise Refused(Because.NO_DEPARTMENT)
    return found


def _by_login(login: str, tx: Tx) -> Account:
    found = tx.accounts.named(login.strip().casefold())
    if len(found) != 1:
        raise Refused(Because.UNKNOWN)
    return found[0]


def _add(words: Words, now: datetime, tx: Tx) -> str:
    parent = _named(words["parent"], tx).public_id if words["parent"] else ""
    made = add_department(words["department"], parent, words["by"], now, tx)
    return f"added {path_of(tx.grants.book().departments, made.id)}"


def _rename(words: Words, now: datetime, tx: Tx) -> str:
    known = _named(words["department"], tx)
    rename_department(known.public_id, words["name"], words["by"], now, tx)
    return f"{known.name} is called {words['name']} now"


def _move(words: Words, now: datetime, tx: Tx) -> str:
    known = _named(words["department"], tx)
    parent = _named(words["parent"], tx).public_id if words["parent"] else ""
    move_department(known.public_id, parent, words["by"], now, tx)
    return f"{known.name} stands at {path_of(tx.grants.book().departments, known.id)}"


def _take_away(words: Words, now: datetime, tx: Tx) -> str:
    goes = remove_department(_named(words["department"], tx).public_id, words["by"], now, tx)
    return f"removed {goes.department.name}"


def _join(words: Words, now: datetime, tx: Tx) -> str:
    known, account = _named(words["department"], tx), _by_login(words["login"], tx)
    join_department(account.public_id, known.public_id, words.get("main", ""), words["by"], now, tx)
    return f"{account.login} is in {path_of(tx.grants.book().departments, known.id)}"


def _leave(words: Words, now: datetime, tx: Tx) -> str:
    known, account = _named(words["department"], tx), _by_login(words["login"], tx)
    leave_department(account.public_id, known.public_id, words["by"], now, tx)
    return f"{account.login} is not in {known.name} any more"


CHANGES: Mapping[str, Callable[[Words, datetime, Tx], str]] = {
    "add": _add,
    "rename": _rename,
    "move": _move,
    "remove": _take_away,
    "join": _join,
    "leave": _leave,
}


def told_of(goes: Removal) -> list[str]:
    """What a removal takes along, a line each, for a command."""
    parent = goes.parent.name if goes.parent else "no department"
    lines = [
        f"{count_of(goes.grants, 'grant')} of its own go with it",
        f"{count_of(len(goes.members), 'member')} move up to {parent}",
        *(f"{one.name} moves up to {goes.parent.name if goes.parent else 'the top'}" for one in goes.children),
        *(f"{card.e164} falls to its fallback" for card in goes.owned if card.fallback),
        *(f"{card.e164} has no fallback: this must be settled first" for card in goes.owned if not card.fallback),
        *(f"{card.e164} has no fallback any more" for card in goes.fallback_of),
    ]
    return [*lines, "its allowance goes"] if goes.allowance else lines
