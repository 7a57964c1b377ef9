"""Changes to people that came as words from a command, with a daemon or without one."""

from collections.abc import Callable, Mapping
from datetime import datetime

from ringback.core.plurals import count_of
from ringback.flow.contacts import read_contact
from ringback.flow.factors import take_off
from ringback.flow.people import (
    Details,
    NewUser,
    add_user,
    describe_user,
    disable_user,
    enable_user,
    in_words,
    log_out,
    read_login,
    read_name,
    read_roles,
    said_of,
    set_password,
    set_roles,
)
from ringback.flow.refusing import Because, Refused
from ringback.flow.resets import offer
from ringback.ports.people import Account
from ringback.ports.storage import Tx

Words = Mapping[str, str]


def change_by_words(words: Words, country: str, now: datetime, tx: Tx) -> str:
    """Carry out a change: `change`, `login`, `by`, and what the change needs. Returns what to say. Raises Refused.

    `password` is a hash already. `country` is where mobiles are that name none.
    """
    try:
        if words["change"] == "add":
            return _add(words, country, now, tx)
        account = tx.accounts.find(read_login(words["login"]))
        if account is None:
            raise Refused(Because.UNKNOWN)
        return CHANGES[words["change"]](account, words, country, now, tx)
    except (KeyError, ValueError) as problem:
        raise Refused(Because.STRANGE) from problem


def _add(words: Words, country: str, now: datetime, tx: Tx) -> str:
    new = NewUser(
        read_login(words["login"]),
        read_name(words["name"]),
        read_roles(words["role"]),
        words["password"],
        words["language"],
        read_contact(words, country),
    )
    made = add_user(new, words["by"], now, tx)
    said = f"added {made.login}, {in_words(made.roles)}"
    return said if new.password else f"{said}; without a password they cannot log in with one"


def _edit(account: Account, words: Words, country: str, now: datetime, tx: Tx) -> str:
    """What is not named stays as it is."""
    said = {**said_of(account), **{part: value for part, value in words.items() if part in said_of(account)}}
    contact = read_contact(said, country)
    details = Details(read_name(said["name"]), contact, said["language"])
    describe_user(account.public_id, details, words["by"], now, tx)
    changed = tx.accounts.get(account.public_id)
    same = changed == account
    return f"{account.login} is as before" if same else f"{account.login} is changed"


def _password(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    set_password(account.public_id, words["password"], words["by"], now, tx)
    return f"{account.login} has a new password, and is logged out everywhere"


def _role(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    roles = read_roles(words["role"])
    set_roles(account.public_id, roles, words["by"], now, tx)
    return f"{account.login} is {in_words(roles)} from the next login on"


def _disable(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    disable_user(account.public_id, words["by"], now, tx)
    return f"{account.login} cannot log in any more, and is logged out everywhere"


def _enable(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    enable_user(account.public_id, words["by"], now, tx)
    return f"{account.login} may log in again"


def _log_out(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    ended = log_out(account.public_id, words["by"], now, tx)
    return f"{account.login} is logged out of {count_of(ended, 'browser')}"


def _reset(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    """Only the hash of the link comes here."""
    offer(account.public_id, words["hashed"], words["by"], now, tx)
    return f"a link for {account.login} holds for 24 hours"


def _totp_off(account: Account, words: Words, _country: str, now: datetime, tx: Tx) -> str:
    take_off(account.public_id, words["by"], now, tx)
    return f"{account.login} has no second factor any more, and is logged out everywhere"


CHANGES: Mapping[str, Callable[[Account, Words, str, datetime, Tx], str]] = {
    "edit": _edit,
    "password": _password,
    "role": _role,
    "disable": _disable,
    "enable": _enable,
    "logout": _log_out,
    "reset": _reset,
    "totp-off": _totp_off,
}
