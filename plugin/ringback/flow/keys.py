"""Changing which programs may ask us: each change is one step, with its line in the audit."""

import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from hashlib import sha256

from ringback.core.ids import ENTROPY_BYTES, Kind, make_id
from ringback.core.permissions import Action, Principal, Scope, may
from ringback.errors import RingbackError, StoreBusy
from ringback.ports.keys import Key
from ringback.ports.people import Account
from ringback.ports.storage import Store, Tx

LONGEST_NAME = 60


class Because(StrEnum):
    """Why a change to the keys is refused."""

    BAD_NAME = "bad_name"
    TAKEN = "taken"
    NO_SCOPE = "no_scope"
    OVER = "over"
    NOBODY = "nobody"
    SEVERAL = "several"
    NOT_YOURS = "not_yours"
    NOT_OURS = "not_ours"
    UNKNOWN = "unknown"
    STRANGE = "strange"


SENTENCES: Mapping[Because, str] = {
    Because.BAD_NAME: "A key's name is one line of sixty characters at most, and does not begin with key_.",
    Because.TAKEN: "There is a key of this name already. Revoke it first, or take another name.",
    Because.NO_SCOPE: f"Say what the key may do, with --scope: {', '.join(Scope)}.",
    Because.OVER: "The key would have run out already.",
    Because.NOBODY: "There is no such user who may log in.",
    Because.SEVERAL: "Several users are called so. Name one by the login.",
    Because.NOT_YOURS: "You may make keys that act for you: write your own login. Others are made by an administrator.",
    Because.NOT_OURS: "A key can be held to numbers of ours only, in full, as in +12025550101.",
    Because.UNKNOWN: "There is no such key that is not revoked.",
    Because.STRANGE: "This is no change that this Ringback knows. Is the daemon older than the command?",
}


class KeyRefused(RingbackError):
    """The change cannot be made."""

    def __init__(self, why: Because) -> None:
        super().__init__(SENTENCES[why])
        self.why = why


@dataclass(frozen=True, slots=True)
class NewToken:
    """A key that nobody has yet. `token` is shown once and kept nowhere; `hashed` is what we keep."""

    public_id: str
    token: str
    hashed: str


def new_token(now: datetime) -> NewToken:
    """Make a key: 256 random bits behind its public id, so that one found in a log can be named and revoked."""
    public_id = make_id(Kind.KEY, now, os.urandom(ENTROPY_BYTES))
    token = f"rb_{public_id.removeprefix(f'{Kind.KEY}_')}_{secrets.token_urlsafe(32)}"
    return NewToken(public_id, token, hash_of(token))


def hash_of(token: str) -> str:
    """What is stored of a key: it has 256 random bits, so a fast hash is enough."""
    # what a stranger sends need not be UTF-8
    return sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def read_name(text: str) -> str:
    """A key's name as it is shown. Raises KeyRefused."""
    name = text.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable() or name.startswith(f"{Kind.KEY}_"):
        raise KeyRefused(Because.BAD_NAME)
    return name


def read_numbers(text: str) -> frozenset[str]:
    """Numbers one a line, or with commas between them, as people write them with spaces and dashes inside."""
    lines = text.replace(",", "\n").splitlines()
    return frozenset(plain for line in lines if (plain := "".join(one for one in line if one not in " -().\t")))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to keep."""

    public_id: str
    hashed: str
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None
    acts_for: str = ""
    """The login, extension or public id of a user."""
    numbers: frozenset[str] = frozenset()


def add_key(new: NewKey, by: str, now: datetime, tx: Tx) -> Key:
    """Let a program in. Raises KeyRefused."""
    if not new.scopes:
        raise KeyRefused(Because.NO_SCOPE)
    if new.expires_at is not None and new.expires_at <= now:
        raise KeyRefused(Because.OVER)
    if tx.keys.named(new.name) is not None:
        raise KeyRefused(Because.TAKEN)
    user = _user(new.acts_for, tx) if new.acts_for else None
    if not new.numbers <= frozenset(tx.grants.book().numbers):
        raise KeyRefused(Because.NOT_OURS)
    account = user.id if user else None
    made = tx.keys.add(
        new.public_id, new.hashed, new.name, new.scopes, by, new.expires_at, now, account=account, numbers=new.numbers
    )
    tx.audit.note(by, "key_add", made.public_id, f"{made.name}: {said(made)}", now)
    return made


def add_key_by(who: Principal, new: NewKey, now: datetime, tx: Tx) -> Key:
    """The same for somebody at the panel: whoever may not decide who may what makes keys for themselves alone, since a
    key for another, or for nobody, would do what they may not. Raises KeyRefused."""
    if not may(who, Action.MANAGE_PERMISSIONS) and [one.public_id for one in tx.accounts.named(new.acts_for)] != [
        who.id
    ]:
        raise KeyRefused(Because.NOT_YOURS)
    return add_key(new, who.label, now, tx)


def _user(words: str, tx: Tx) -> Account:
    """Whom a key acts for. Raises KeyRefused."""
    found = [one for one in tx.accounts.named(words) if one.disabled_at is None]
    # a login is one person's; an extension may have been typed for two
    exact = [one for one in found if words in (one.login, one.public_id)]
    if len(exact or found) != 1:
        raise KeyRefused(Because.SEVERAL if found else Because.NOBODY)
    return (exact or found)[0]


def revoke_key(name: str, by: str, now: datetime, tx: Tx) -> Key:
    """Keep a program out from now on. Raises KeyRefused."""
    key = tx.keys.named(name)
    if key is None:
        raise KeyRefused(Because.UNKNOWN)
    tx.keys.revoke(key.id, now)
    tx.audit.note(by, "key_revoke", key.public_id, key.name, now)
    return key


def listed(scopes: frozenset[Scope]) -> str:
    """Scopes in words, always in the same order."""
    return " ".join(scope for scope in Scope if scope in scopes)


def said(key: Key) -> str:
    """What a key may do, for whom and with which numbers, in words that stay."""
    acting = f", for {key.acts_for.public_id}" if key.acts_for else ""
    held = f", with {' '.join(sorted(key.numbers))}" if key.numbers else ""
    return f"{listed(key.scopes)}{acting}{held}"


def change_by_words(words: Mapping[str, str], now: datetime, tx: Tx) -> str:
    """Carry out a change that came as words from a command: `change`, `name`, `by`, and what the change needs.

    Returns what to say. Raises KeyRefused.
    """
    try:
        change, name, by = words["change"], words["name"], words["by"]
        if change == "add":
            made = add_key(_new(words), by, now, tx)
            return f"added {made.name}, {made.public_id}"
    except (KeyError, ValueError) as problem:
        raise KeyRefused(Because.STRANGE) from problem
    if change != "revoke":
        raise KeyRefused(Because.STRANGE)
    key = revoke_key(name, by, now, tx)
    return f"revoked {key.name}, {key.public_id}"


def _new(words: Mapping[str, str]) -> NewKey:
    expires_at = datetime.fromisoformat(words["expires_at"]) if words.get("expires_at") else None
    scopes = frozenset(Scope(word) for word in words["scopes"].split())
    acts_for, numbers = words.get("acts_for", "").strip().casefold(), frozenset(words.get("numbers", "").split())
    return NewKey(words["public_id"], words["hashed"], read_name(words["name"]), scopes, expires_at, acts_for, numbers)


def noted(key: Key, store: Store, now: datetime) -> None:
    """Write down that a key was used, without waiting for it."""
    with suppress(StoreBusy):  # it is noted with a later use
        store.ride_along([partial(_seen, key.id, now)])


def _seen(key_id: int, now: datetime, tx: Tx) -> None:
    tx.keys.seen(key_id, now)
