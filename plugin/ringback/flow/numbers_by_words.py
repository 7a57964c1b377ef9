"""Changes to what is said of our numbers that came as words from a command."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ringback.core.department_tree import by_words
from ringback.flow.numbers import (
    add_group,
    describe_number,
    known_group,
    known_number,
    own_number,
    remove_group,
    rename_group,
    send_from,
)
from ringback.flow.refusing import Because, Refused
from ringback.ports.storage import Tx

Words = Mapping[str, str]
NOBODY = "-"
"""What a command writes to have no owner, no group."""


def change_numbers_by_words(words: Words, now: datetime, tx: Tx) -> str:
    """Carry out a change: `change`, `by`, and what the change needs. Returns what to say. Raises Refused."""
    try:
        return CHANGES[words["change"]](words, now, tx)
    except KeyError as problem:
        raise Refused(Because.STRANGE) from problem


def _describe(words: Words, now: datetime, tx: Tx) -> str:
    """What is not named stays as it is."""
    card = known_number(words["number"], tx)
    groups = tx.grants.book().groups
    group = words.get("group", groups[card.group].public_id if card.group is not None else "")
    chosen = "" if group in ("", NOBODY) else known_group(group, tx).public_id
    label = words.get("label", card.label)
    describe_number(card.e164, label, chosen, words["by"], now, tx)
    return f"{card.e164} is changed"


def _own(words: Words, now: datetime, tx: Tx) -> str:
    """An owner that is not named stays; so does a fallback."""
    card = known_number(words["number"], tx)
    owner = somebody(words["owner"], tx) if "owner" in words else card.owner
    fallback = somebody(words["fallback"], tx) if "fallback" in words else card.fallback
    own_number(card.e164, owner, fallback, words["by"], now, tx)
    return f"{card.e164} is changed"


def somebody(words: str, tx: Tx) -> str:
    """The public id of a department by its name or path, or of a user by login or extension. Raises Refused."""
    if words == NOBODY:
        return ""
    department = by_words(tx.grants.book().departments, words)
    found = [one.public_id for one in tx.accounts.named(words.strip().casefold())]
    found += [department.public_id] if department else []
    if len(found) != 1:
        raise Refused(Because.NO_OWNER)
    return found[0]


def _outbound(words: Words, now: datetime, tx: Tx) -> str:
    send_from(words["number"], words["by"], now, tx)
    return f"new texts go out from {words['number']} where nobody names another"


def _group_add(words: Words, now: datetime, tx: Tx) -> str:
    return f"added {add_group(words['name'], words['by'], now, tx).name}"


def _group_rename(words: Words, now: datetime, tx: Tx) -> str:
    known = known_group(words["group"], tx)
    rename_group(known.public_id, words["name"], words["by"], now, tx)
    return f"{known.name} is called {words['name']} now"


def _group_remove(words: Words, now: datetime, tx: Tx) -> str:
    known = remove_group(known_group(words["group"], tx).public_id, words["by"], now, tx)
    return f"removed {known.name}; its numbers stay"


CHANGES: Mapping[str, Callable[[Words, datetime, Tx], str]] = {
    "describe": _describe,
    "own": _own,
    "outbound": _outbound,
    "group-add": _group_add,
    "group-rename": _group_rename,
    "group-remove": _group_remove,
}
