"""Hostile names, labels, notes and reasons in everything that says who may text whom."""

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from ringback.core.grants import Cell, Effect, Level, Subject, Way
from ringback.core.permissions import Principal, Scope
from ringback.errors import RingbackError
from ringback.flow import keys, lists
from ringback.flow.departments import add_department, read_department_name
from ringback.flow.granting import Wanted, apply, read_note
from ringback.flow.inbound import storable
from ringback.flow.numbers import add_group, describe_number, read_group_name, read_label
from ringback.ports.lists import ListName
from ringback.ports.people import Contact
from ringback.ports.storage import Store, Tx
from tests.browser.hostile import HOSTILE
from tests.browser.house import MAIN

SOME = HOSTILE[::4]
"""Where each is a row that makes others slower."""
NUMBERS = [f"+1206555{n:04d}" for n in range(100, 160)]
MORE_NUMBERS = "".join(f'[numbers."{number}"]\ncarrier = "main"\n' for number in NUMBERS)


def fitting(read: Callable[[str], str], texts: tuple[str, ...] = SOME) -> list[str]:
    """What is left of those texts that may stand somewhere."""
    return list(_read(read, texts))


def _read(read: Callable[[str], str], texts: tuple[str, ...]) -> Iterator[str]:
    for text in texts:
        try:
            value = read(storable(text))
        except RingbackError:
            continue
        if value:
            yield value


DEPARTMENTS = list(dict.fromkeys(fitting(read_department_name)))
GROUPS = list(dict.fromkeys(fitting(read_group_name)))
LABELS = fitting(read_label)[: len(NUMBERS)]
NOTES = fitting(read_note)
KEYS = list(dict.fromkeys(fitting(keys.read_name)))
REASONS = [said for text in SOME if (said := lists.words_of(storable(text)))]


async def besiege(store: Store, by: Principal, people: list[str], now: datetime) -> None:
    """All of it; `people` are logins."""
    await store.commit(lambda tx: tx.numbers.know([MAIN, *NUMBERS], now))
    for step in (_departments, _numbers, _keys, _lists, partial(_contacts, people)):
        await store.commit(partial(step, by, now))
    for login, note in zip(people, NOTES, strict=False):
        await store.commit(partial(_grant, login, note, by, now))


def _departments(by: Principal, now: datetime, tx: Tx) -> None:
    for name in DEPARTMENTS:
        add_department(name, "", by.label, now, tx)


def _numbers(by: Principal, now: datetime, tx: Tx) -> None:
    made = [add_group(name, by.label, now, tx).public_id for name in GROUPS]
    for number, label, group in zip(NUMBERS, LABELS, made, strict=False):
        describe_number(number, label, group, by.label, now, tx)


def _keys(by: Principal, now: datetime, tx: Tx) -> None:
    for name in KEYS:
        token = keys.new_token(now)
        keys.add_key(keys.NewKey(token.public_id, token.hashed, name, frozenset({Scope.SEND})), by.label, now, tx)


def _lists(by: Principal, now: datetime, tx: Tx) -> None:
    for n, reason in enumerate(REASONS):
        lists.add(by, ListName.NEVER, f"+1503555{n:04d}", reason, now, tx)


def _contacts(people: list[str], _by: Principal, now: datetime, tx: Tx) -> None:
    """As they could have come from a PBX or a directory, past what a form takes."""
    for n, login in enumerate(people):
        account = tx.accounts.find(login)
        tx.accounts.describe(account.id, account.name, Contact(*contact_of(n), "", ""), now)


def contact_of(n: int) -> tuple[str, str]:
    """The extension and the endpoint of one of the people."""
    text = storable(SOME[n % len(SOME)])
    return text[:32], f"PJSIP/{text[:60]}"


def _grant(login: str, note: str, by: Principal, now: datetime, tx: Tx) -> None:
    cell = Cell(Subject(Level.USER, tx.accounts.find(login).id), Way.SEND, MAIN)
    apply([Wanted(cell, Effect.DENY, None)], note, by.label, now, tx)
