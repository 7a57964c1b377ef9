"""Whom we never text: putting people on a list, taking them off, and the switch that leaves only a few.

Each change is one step, which the gates see from its commit on, when a text is submitted and when its attempt opens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.list_rows import LONGEST_WORDS
from ringback.core.permissions import Action, Asker, Principal
from ringback.core.writing import clean
from ringback.errors import RingbackError
from ringback.flow.permits import allow
from ringback.flow.stopping import NoTexts, Whole, start_everywhere, stop_everywhere
from ringback.ports.lists import Entry, ListName
from ringback.ports.pairs import STAGING
from ringback.ports.storage import Tx


class Turn(StrEnum):
    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Staged:
    """Staging is on: since when, and who turned it."""

    since: datetime
    by: str


class ListRefused(RingbackError):
    """This cannot be done to a list; the text says why."""


def may_manage(who: Principal) -> None:
    """Raise Denied for whoever may not. Of somebody at the shell the system has decided that they may."""
    if who.kind is not Asker.SHELL:
        allow(who, Action.MANAGE_LISTS)


def words_of(text: str) -> str:
    """What somebody wrote, as one line that is not too long."""
    return " ".join(clean(text).split())[:LONGEST_WORDS]


def add(who: Principal, list_: ListName, number: str, reason: str, now: datetime, tx: Tx) -> bool:
    """Put somebody on a list; False where they stand there already. Whoever is put on `stopped` said it to the whole
    business: what waits for them is called off."""
    if any(entry.list is list_ for entry in tx.lists.of(number)):
        return False
    said = words_of(reason)
    if list_ is ListName.STOPPED:
        stop_everywhere(number, NoTexts(Whole.BUSINESS, note=said), who, now, tx)
    else:
        tx.lists.put(Entry(list_, number, said, "", who.label, now))
    _note(who, "list_add", list_, number, said, now, tx)
    return True


def remove(who: Principal, list_: ListName, number: str, why: str, now: datetime, tx: Tx) -> Entry:
    """Take somebody off a list; `why` must not be empty where they had said it. Raises ListRefused."""
    reason = words_of(why)
    if list_ is ListName.STOPPED and not reason:
        raise ListRefused("write how this person asked for texts again; it is kept as the evidence")
    entry = tx.lists.drop(list_, number)
    if entry is None:
        raise ListRefused(f"{number} is not on the list {list_}")
    if list_ is ListName.STOPPED:
        start_everywhere(number, who, reason, now, tx)
    _note(who, "list_remove", list_, number, reason, now, tx)
    return entry


def staged(tx: Tx) -> Staged | None:
    """Whether staging is on."""
    found = (Staged(since, by) for key, _, since, by in tx.settings.beginning_with(STAGING) if key == STAGING)
    return next(found, None)


def turn_staging(who: Principal, way: Turn, now: datetime, tx: Tx) -> Staged | None:
    """Text only those on the list `only` from now on, or everybody again; returns what holds then."""
    before = staged(tx)
    if way is Turn.ON and before is None:
        tx.settings.put(STAGING, "", now, who.name)
    elif way is Turn.OFF:
        tx.settings.drop(STAGING)
    tx.audit.note(who.label, "staging", way, "on before" if before else "off before", now)
    return staged(tx)


def _note(who: Principal, action: str, list_: ListName, number: str, reason: str, now: datetime, tx: Tx) -> None:
    """The record outlives everybody's right to be forgotten: it names people by their hash."""
    detail = f"{list_}: {reason}" if reason else str(list_)
    tx.audit.note(who.label, action, tx.retention.ghost(number), detail, now)


def change_by_words(words: Mapping[str, str], who: Principal, now: datetime, tx: Tx) -> str:
    """Carry out what came as words from a command: `change` (add, remove, staging), `list`, `number` in E.164,
    `why`. Returns what to say."""
    if words.get("change") == "staging":
        way = Turn.ON if words.get("way") == Turn.ON else Turn.OFF
        turn_staging(who, way, now, tx)
        return SAID[way]
    name = next((name for name in ListName if name == words.get("list")), None)
    number = words.get("number", "")
    if name is None or not number or words.get("change") not in ("add", "remove"):
        raise ListRefused("this is no change that this Ringback knows; is the daemon older than the command?")
    if words["change"] == "remove":
        remove(who, name, number, words.get("why", ""), now, tx)
        return f"{number} is off the list {name}"
    done = add(who, name, number, words.get("why", ""), now, tx)
    return f"{number} is on the list {name}" if done else f"{number} is on the list {name} already"


SAID: Mapping[Turn, str] = {
    Turn.ON: "staging is on: only numbers on the list only are texted",
    Turn.OFF: "staging is off",
}
