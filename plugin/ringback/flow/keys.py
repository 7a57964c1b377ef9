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
from ringback.core.permissions import Scope
from ringback.errors import RingbackError, StoreBusy
from ringback.ports.keys import Key
from ringback.ports.storage import Store, Tx

LONGEST_NAME = 60


class Because(StrEnum):
    """Why a change to the keys is refused."""

    BAD_NAME = "bad_name"
    TAKEN = "taken"
    NO_SCOPE = "no_scope"
    OVER = "over"
    UNKNOWN = "unknown"
    STRANGE = "strange"


SENTENCES: Mapping[Because, str] = {
    Because.BAD_NAME: "A key's name is one line of sixty characters at most, and does not begin with key_.",
    Because.TAKEN: "There is a key of this name already. Revoke it first, or take another name.",
    Because.NO_SCOPE: f"Say what the key may do, with --scope: {', '.join(Scope)}.",
    Because.OVER: "The key would have run out already.",
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


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key to keep."""

    public_id: str
    hashed: str
    name: str
    scopes: frozenset[Scope]
    expires_at: datetime | None = None


def add_key(new: NewKey, by: str, now: datetime, tx: Tx) -> Key:
    """Let a program in. Raises KeyRefused."""
    if not new.scopes:
        raise KeyRefused(Because.NO_SCOPE)
    if new.expires_at is not None and new.expires_at <= now:
        raise KeyRefused(Because.OVER)
    if tx.keys.named(new.name) is not None:
        raise KeyRefused(Because.TAKEN)
    made = tx.keys.add(new.public_id, new.hashed, new.name, new.scopes, by, new.expires_at, now)
    tx.audit.note(by, "key_add", made.public_id, f"{made.name}: {listed(made.scopes)}", now)
    return made


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
    return NewKey(words["public_id"], words["hashed"], read_name(words["name"]), scopes, expires_at)


def noted(key: Key, store: Store, now: datetime) -> None:
    """Write down that a key was used, without waiting for it."""
    with suppress(StoreBusy):  # it is noted with a later use
        store.ride_along([partial(_seen, key.id, now)])


def _seen(key_id: int, now: datetime, tx: Tx) -> None:
    tx.keys.seen(key_id, now)
