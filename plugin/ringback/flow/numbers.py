"""What is said of our numbers: label, group, owner, fallback, and from which one new texts go out.

Numbers themselves are made in the configuration. Each change is one step with its line in the audit.
"""

import unicodedata
from datetime import datetime

from ringback.core.department_tree import by_id
from ringback.core.grants import Group
from ringback.core.ids import Kind, kind_of
from ringback.core.plurals import count_of
from ringback.flow.owners import owner_name, served_by
from ringback.flow.refusing import Because, Refused
from ringback.ports.grants import NumberCard
from ringback.ports.storage import Tx

LONGEST = 60
_BREAKS = ("Cc", "Cs", "Zl", "Zp")


def read_label(text: str) -> str:
    """What a number is called; empty for nothing. Raises Refused."""
    return _line(text, Because.BAD_LABEL)


def read_group_name(text: str) -> str:
    """What a group of numbers is called. Raises Refused."""
    name = _line(text, Because.BAD_GROUP)
    if not name:
        raise Refused(Because.BAD_GROUP)
    return name


def _line(text: str, why: Because) -> str:
    line = " ".join(unicodedata.normalize("NFC", text).split())
    if len(line) > LONGEST or any(unicodedata.category(letter) in _BREAKS for letter in text):
        raise Refused(why)
    return line


def describe_number(e164: str, label: str, group: str, by: str, now: datetime, tx: Tx) -> None:
    """Set its label, and its group by its public id, empty for none. Raises Refused."""
    card, label, chosen = known_number(e164, tx), read_label(label), known_group(group, tx) if group else None
    before = _group_name(card.group, tx)
    after = chosen.name if chosen else ""
    if (card.label, before) == (label, after):
        return
    tx.numbers.describe(card.id, label, chosen.id if chosen else None, now)
    said = [("label", card.label, label), ("group", before, after)]
    detail = "; ".join(f"{what}: {was or 'nothing'} to {now_ or 'nothing'}" for what, was, now_ in said if was != now_)
    was, is_now = (
        "; ".join(f"{what} {one[place] or 'nothing'}" for what, *one in said if one[0] != one[1]) for place in (0, 1)
    )
    tx.audit.note(by, "number_describe", e164, detail, now, before=was, after=is_now)


def own_number(e164: str, owner: str, fallback: str, by: str, now: datetime, tx: Tx) -> None:
    """Give it an owner and a fallback, users or departments by their public ids, empty for nobody. Raises Refused."""
    card = known_number(e164, tx)
    if (card.owner, card.fallback) == (owner, fallback):
        return
    for wanted in (owner, fallback):
        _check_owner(wanted, tx)
    if owner and owner == fallback:
        raise Refused(Because.SAME_FALLBACK)
    words = [owner_name(one, tx) or "nobody" for one in (card.owner, owner, card.fallback, fallback)]
    tx.numbers.own(card.id, owner, fallback if owner else "", now)
    detail = "owner: {} to {}; fallback: {} to {}".format(*words)
    before, after = f"{words[0]}, else {words[2]}", f"{words[1]}, else {words[3]}"
    tx.audit.note(by, "number_owner", e164, detail, now, before=before, after=after)


def _check_owner(wanted: str, tx: Tx) -> None:
    if not wanted:
        return
    kind = kind_of(wanted)
    known = tx.accounts.get(wanted) if kind is Kind.USER else by_id(tx.grants.book().departments, wanted)
    if known is None:
        raise Refused(Because.NO_OWNER)
    if not served_by(wanted, tx):
        raise Refused(Because.NOBODY_THERE, owner=owner_name(wanted, tx))


def send_from(e164: str, by: str, now: datetime, tx: Tx) -> None:
    """Have new texts go out from this number where nobody names another. Raises Refused."""
    card = known_number(e164, tx)
    if card.outbound:
        return
    before = next((one.e164 for one in tx.numbers.all() if one.outbound), "nothing")
    tx.numbers.send_from(card.id)
    tx.audit.note(by, "number_outbound", e164, f"{before} to {e164}", now, before=before, after=e164)


def add_group(name: str, by: str, now: datetime, tx: Tx) -> Group:
    """Make a group of numbers. Raises Refused."""
    name = read_group_name(name)
    _check_group_name(name, None, tx)
    made = tx.numbers.add_group(name, now)
    if made is None:
        raise Refused(Because.GROUP_TAKEN)
    tx.audit.note(by, "number_group_add", made.public_id, name, now)
    return made


def rename_group(public_id: str, name: str, by: str, now: datetime, tx: Tx) -> None:
    """Call a group something else. Raises Refused."""
    name, known = read_group_name(name), known_group(public_id, tx)
    if known.name == name:
        return
    _check_group_name(name, known.id, tx)
    tx.numbers.rename_group(known.id, name, now)
    tx.audit.note(by, "number_group_rename", public_id, f"{known.name} to {name}", now, before=known.name, after=name)


def remove_group(public_id: str, by: str, now: datetime, tx: Tx) -> Group:
    """Take a group away with the grants for it; its numbers stay, in none. Raises Refused."""
    known = known_group(public_id, tx)
    scope = f"group:{known.id}"
    grants = sum(one.scope == scope for one in tx.grants.book().grants)
    numbers = sum(card.group == known.id for card in tx.numbers.all())
    tx.numbers.remove_group(known.id, now)
    detail = f"{known.name}, with {count_of(grants, 'grant')} and {count_of(numbers, 'number')}"
    tx.audit.note(by, "number_group_remove", public_id, detail, now)
    return known


def _check_group_name(name: str, own: int | None, tx: Tx) -> None:
    groups = tx.grants.book().groups.values()
    if any(one.id != own and one.name.casefold() == name.casefold() for one in groups):
        raise Refused(Because.GROUP_TAKEN)


def known_number(e164: str, tx: Tx) -> NumberCard:
    """One of ours, by its digits. Raises Refused."""
    found = next((card for card in tx.numbers.all() if card.e164 == e164), None)
    if found is None:
        raise Refused(Because.NO_NUMBER)
    return found


def known_group(words: str, tx: Tx) -> Group:
    """The group with this id or name. Raises Refused."""
    for one in tx.grants.book().groups.values():
        if words == one.public_id or words.casefold() == one.name.casefold():
            return one
    raise Refused(Because.NO_GROUP)


def _group_name(group: int | None, tx: Tx) -> str:
    return "" if group is None else tx.grants.book().groups[group].name
