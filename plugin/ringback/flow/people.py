"""Changing who may log in: each change is one step, with its line in the audit. Panel and command line do the same."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ringback.core.permissions import Role
from ringback.core.plurals import count_of
from ringback.errors import RingbackError
from ringback.ports.people import Account
from ringback.ports.storage import Tx

LONGEST_LOGIN, LONGEST_NAME = 64, 80


class Because(StrEnum):
    """Why a change to an account is refused."""

    BAD_LOGIN = "bad_login"
    TAKEN = "taken"
    FIRST = "first"
    LAST = "last"
    UNKNOWN = "unknown"
    BAD_NAME = "bad_name"
    STRANGE = "strange"


SENTENCES: Mapping[Because, str] = {
    Because.BAD_LOGIN: "A login is made of letters, digits and . _ - + @, without spaces, sixty-four at most.",
    Because.TAKEN: "Somebody has this login already.",
    Because.FIRST: "The first user must be an administrator, since nobody else could add more.",
    Because.LAST: "This is the last administrator. Make somebody else one first.",
    Because.UNKNOWN: "There is no such user.",
    Because.BAD_NAME: "A name has eighty characters at most, and no line break.",
    Because.STRANGE: "This is no change that this Ringback knows. Is the daemon older than the command?",
}


class Refused(RingbackError):
    """The change cannot be made."""

    def __init__(self, why: Because) -> None:
        super().__init__(SENTENCES[why])
        self.why = why


@dataclass(frozen=True, slots=True)
class NewUser:
    """Somebody to add; `password` is its hash."""

    login: str
    name: str
    role: Role
    password: str
    language: str = ""


def read_login(text: str) -> str:
    """One form of a login, whatever keyboard and whoever typed it. Raises Refused for what is none."""
    login = unicodedata.normalize("NFKC", text.strip()).casefold()
    if not 0 < len(login) <= LONGEST_LOGIN or any(not letter.isalnum() and letter not in "._-+@" for letter in login):
        raise Refused(Because.BAD_LOGIN)
    return login


def read_name(text: str) -> str:
    """A person's name as it is shown."""
    name = " ".join(unicodedata.normalize("NFC", text).split(" ")).strip()
    if len(name) > LONGEST_NAME or any(unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp") for letter in name):
        raise Refused(Because.BAD_NAME)
    return name


def add_user(new: NewUser, by: str, now: datetime, tx: Tx) -> Account:
    """Make an account. Raises Refused."""
    if new.role is not Role.ADMINISTRATOR and tx.accounts.administrators() == 0:
        raise Refused(Because.FIRST)
    made = tx.accounts.add(new.login, new.name, new.role, new.password, new.language, now)
    if made is None:
        raise Refused(Because.TAKEN)
    tx.audit.note(by, "user_add", made.public_id, f"{made.login}, {made.role}", now)
    return made


def set_password(public_id: str, password: str, by: str, now: datetime, tx: Tx) -> None:
    """Set a hash; every browser of this account must log in again."""
    account = _known(public_id, tx)
    tx.accounts.change_password(account.id, password, now)
    tx.audit.note(by, "user_password", public_id, account.login, now)


def set_role(public_id: str, role: Role, by: str, now: datetime, tx: Tx) -> None:
    account = _known(public_id, tx)
    if account.role is role:
        return
    _keep_an_administrator(account, tx)
    tx.accounts.change_role(account.id, role, now)
    tx.audit.note(by, "user_role", public_id, f"{account.login}: {account.role} to {role}", now)


def disable_user(public_id: str, by: str, now: datetime, tx: Tx) -> None:
    account = _known(public_id, tx)
    if account.disabled_at is not None:
        return
    _keep_an_administrator(account, tx)
    tx.accounts.disable(account.id, now)
    tx.audit.note(by, "user_disable", public_id, account.login, now)


def enable_user(public_id: str, by: str, now: datetime, tx: Tx) -> None:
    account = _known(public_id, tx)
    if account.disabled_at is None:
        return
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
    active = account.role is Role.ADMINISTRATOR and account.disabled_at is None
    if active and tx.accounts.administrators() == 1:
        raise Refused(Because.LAST)


def change_by_words(words: Mapping[str, str], now: datetime, tx: Tx) -> str:
    """Carry out a change that came as words from a command: `change`, `login`, `by`, and what the change needs.

    `password` is a hash already. Returns what to say. Raises Refused.
    """
    try:
        change, login, by = words["change"], read_login(words["login"]), words["by"]
        if change == "add":
            new = NewUser(login, read_name(words["name"]), Role(words["role"]), words["password"], words["language"])
            made = add_user(new, by, now, tx)
            return f"added {made.login}, {made.role}"
        password = words["password"] if change == "password" else ""
    except (KeyError, ValueError) as problem:
        raise Refused(Because.STRANGE) from problem
    account = tx.accounts.find(login)
    if account is None:
        raise Refused(Because.UNKNOWN)
    return _change_account(change, account, password, by, now, tx)


def _change_account(change: str, account: Account, password: str, by: str, now: datetime, tx: Tx) -> str:
    match change:
        case "password":
            set_password(account.public_id, password, by, now, tx)
            return f"{account.login} has a new password, and is logged out everywhere"
        case "disable":
            disable_user(account.public_id, by, now, tx)
            return f"{account.login} cannot log in any more, and is logged out everywhere"
        case "enable":
            enable_user(account.public_id, by, now, tx)
            return f"{account.login} may log in again"
        case "logout":
            ended = log_out(account.public_id, by, now, tx)
            return f"{account.login} is logged out of {count_of(ended, 'browser')}"
    raise Refused(Because.STRANGE)
