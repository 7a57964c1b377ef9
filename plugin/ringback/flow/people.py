"""Changing who may log in: each change is one step, with its line in the audit. Panel and command line do the same."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial

from ringback.core.permissions import OF_ROLE, Action, Role
from ringback.core.plurals import count_of
from ringback.flow.owners import keep_served
from ringback.flow.refusing import Because, Refused
from ringback.flow.session_leaving import leave
from ringback.ports.people import Account, Contact, Noted
from ringback.ports.storage import Tx

LONGEST_LOGIN, LONGEST_NAME = 64, 80
NO_CONTACT = Contact()


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody to add; `password` is its hash, empty for who cannot log in with one."""

    login: str
    name: str
    roles: frozenset[Role]
    password: str
    language: str = ""
    contact: Contact = NO_CONTACT


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of somebody, beside what they may."""

    name: str
    contact: Contact
    language: str = ""


def fold_login(text: str) -> str:
    """A login as it is compared, whether it can be one or not."""
    return unicodedata.normalize("NFKC", text.strip()).casefold()


def read_login(text: str) -> str:
    """One form of a login, whatever keyboard and whoever typed it. Raises Refused for what is none."""
    login = fold_login(text)
    if not 0 < len(login) <= LONGEST_LOGIN or any(not letter.isalnum() and letter not in "._-+@" for letter in login):
        raise Refused(Because.BAD_LOGIN)
    return login


def read_name(text: str) -> str:
    """A person's name as it is shown."""
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if len(name) > LONGEST_NAME or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        raise Refused(Because.BAD_NAME)
    return name


@cache
def in_words(roles: frozenset[Role]) -> str:
    """Roles, always in the same order."""
    return " ".join(role for role in Role if role in roles)


def read_roles(text: str) -> frozenset[Role]:
    """Read roles with spaces or commas between them. Raises Refused."""
    try:
        roles = frozenset(Role(word) for word in text.replace(",", " ").split())
    except ValueError:
        roles = frozenset()
    if not roles:
        raise Refused(Because.NO_ROLE)
    return roles


def add_user(new: NewUser, by: str, now: datetime, tx: Tx) -> Account:
    """Make an account. Raises Refused."""
    if not new.roles:
        raise Refused(Because.NO_ROLE)
    if Role.ADMINISTRATOR not in new.roles and tx.accounts.administrators() == 0:
        raise Refused(Because.FIRST)
    made = tx.accounts.add(new.login, new.name, new.roles, new.password, new.language, now)
    if made is None:
        raise Refused(Because.TAKEN)
    if new.contact != NO_CONTACT:
        check_extension(new.contact.extension, made.id, tx)
        tx.accounts.describe(made.id, made.name, new.contact, now)
    tx.audit.note(by, "user_add", made.public_id, f"{made.login}, {in_words(made.roles)}", now)
    return made


def describe_user(public_id: str, details: Details, by: str, now: datetime, tx: Tx) -> None:
    """Set their name, language and how to reach them. Raises Refused."""
    account = _known(public_id, tx)
    changes = differences(said_of(account), _said(details))
    if not changes:
        return
    if account.disabled_at is None:
        check_extension(details.contact.extension, account.id, tx)
    tx.accounts.describe(account.id, details.name, details.contact, now)
    if details.language != account.language:
        tx.accounts.set_language(account.id, details.language, now)
    tx.audit.note_all(by, "user_describe", [note_of_changes(account, changes)], now)


Change = tuple[str, str, str]
"""What it is, what it was, and what it became."""


def said_of(account: Account) -> Mapping[str, str]:
    """What is said of somebody, by its name."""
    contact = Contact(account.extension, account.endpoint, account.mail, account.mobile)
    return _said(Details(account.name, contact, account.language))


def _said(details: Details) -> Mapping[str, str]:
    contact = details.contact
    return {
        "name": details.name,
        "extension": contact.extension,
        "endpoint": contact.endpoint,
        "mail": contact.mail,
        "mobile": contact.mobile,
        "language": details.language,
    }


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    """What is another than before."""
    return tuple((what, before.get(what, ""), now) for what, now in after.items() if before.get(what, "") != now)


def in_a_line(changes: tuple[Change, ...]) -> str:
    """Changes as a command prints them."""
    return "; ".join(f"{what}: {before or 'nothing'} to {after or 'nothing'}" for what, before, after in changes)


def note_of_changes(account: Account, changes: tuple[Change, ...]) -> Noted:
    """What the record says of them. Nobody can take a number out of it again: so of a mobile its last digits."""
    before = "; ".join(f"{what} {_masked(what, was)}" for what, was, _ in changes)
    after = "; ".join(f"{what} {_masked(what, became)}" for what, _, became in changes)
    detail = f"{account.login}: {', '.join(what for what, _, _ in changes)}"
    return Noted(account.public_id, detail, before, after)


def _masked(what: str, value: str) -> str:
    if what == "mobile" and value:
        return f"…{value[-3:]}"
    return value or "nothing"


def check_extension(extension: str, account: int, tx: Tx) -> None:
    """Raise Refused when somebody else who can log in has it: a call could be anybody's then."""
    for one in tx.accounts.named(extension) if extension else ():
        if one.id != account and one.extension == extension and one.disabled_at is None:
            raise Refused(Because.EXTENSION_TAKEN, who=one.called)


def set_password(public_id: str, password: str, by: str, now: datetime, tx: Tx) -> None:
    """Set a hash; every browser of this account must log in again."""
    account = _known(public_id, tx)
    if account.outside:
        raise Refused(Because.ELSEWHERE)
    tx.accounts.change_password(account.id, password, now)
    tx.proofs.void_resets(account.id, now)
    tx.audit.note(by, "user_password", public_id, account.login, now)


def set_roles(public_id: str, roles: frozenset[Role], by: str, now: datetime, tx: Tx) -> None:
    """Give other roles; whoever has them logs in again."""
    account = _known(public_id, tx)
    if account.roles == roles:
        return
    if not roles:
        raise Refused(Because.NO_ROLE)
    if Role.ADMINISTRATOR not in roles:
        _keep_an_administrator(account, tx)
    keep_served(partial(tx.accounts.change_roles, account.id, roles, now), by, now, tx)
    let_sessions_go(account.id, roles, by, now, tx)
    detail = f"{account.login}: {in_words(account.roles)} to {in_words(roles)}"
    tx.audit.note(by, "user_role", public_id, detail, now, before=in_words(account.roles), after=in_words(roles))


def let_sessions_go(account_id: int, roles: frozenset[Role], by: str, now: datetime, tx: Tx) -> None:
    """Whoever takes no sessions in these roles has none any more: they wait in their queues again."""
    if not any(Action.TAKE_SESSIONS in OF_ROLE[role] for role in roles):
        leave(account_id, now, tx, by=by)


def disable_user(public_id: str, by: str, now: datetime, tx: Tx) -> None:
    account = _known(public_id, tx)
    if account.disabled_at is not None:
        return
    _keep_an_administrator(account, tx)
    keep_served(partial(tx.accounts.disable, account.id, now), by, now, tx)
    leave(account.id, now, tx, by=by)
    tx.audit.note(by, "user_disable", public_id, account.login, now)


def enable_user(public_id: str, by: str, now: datetime, tx: Tx) -> None:
    account = _known(public_id, tx)
    if account.disabled_at is None:
        return
    check_extension(account.extension, account.id, tx)
    tx.accounts.enable(account.id, now)
    tx.audit.note(by, "user_enable", public_id, account.login, now)


def set_language(public_id: str, language: str, by: str, now: datetime, tx: Tx) -> None:
    tx.accounts.set_language(_known(public_id, tx).id, language, now)


def log_out(public_id: str, by: str, now: datetime, tx: Tx) -> int:
    """End every login of an account; returns how many there were."""
    account = _known(public_id, tx)
    ended = tx.accounts.end_all(account.id, now)
    tx.audit.note(by, "user_logout", public_id, f"{account.login}, {count_of(ended, 'browser')}", now)
    return ended


def _known(public_id: str, tx: Tx) -> Account:
    account = tx.accounts.get(public_id)
    if account is None:
        raise Refused(Because.UNKNOWN)
    return account


def _keep_an_administrator(account: Account, tx: Tx) -> None:
    active = Role.ADMINISTRATOR in account.roles and account.disabled_at is None
    if active and tx.accounts.administrators() == 1:
        raise Refused(Because.LAST)
