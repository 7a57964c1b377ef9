"""The people who work with the panel, and who of them is logged in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.permissions import Role
from ringback.ports.record import Head


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who works here. `login` is in small letters; `password` is an Argon2id hash, empty for who has none.

    `extension` and `endpoint` are theirs at the PBX; `source` is where they were brought in from, `outside` who they
    are to a directory (`oidc:ISSUER|SUBJECT`, `ldap:DN`). `totp` is the sealed secret of a second factor, which counts
    from `totp_at`; `totp_step` is the last step of it that was used, `codes` are hashes of what stands in for it once.
    """

    id: int
    public_id: str
    login: str
    name: str
    roles: frozenset[Role]
    password: str
    language: str
    created_at: datetime
    disabled_at: datetime | None
    extension: str = ""
    endpoint: str = ""
    mail: str = ""
    mobile: str = ""
    source: str = ""
    outside: str = ""
    totp: str = ""
    totp_at: datetime | None = None
    totp_step: int = 0
    codes: str = ""

    @property
    def called(self) -> str:
        """What to call them."""
        return self.name or self.login


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach somebody, and where they are at the PBX."""

    extension: str = ""
    endpoint: str = ""
    mail: str = ""
    mobile: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """A browser somebody is logged in with."""

    id: int
    account: Account
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    address: str = ""
    browser: str = ""
    method: str = ""


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of somebody, beside what they may."""

    name: str
    language: str
    contact: Contact


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Somebody who is brought in; they have no password yet."""

    login: str
    roles: frozenset[Role]
    said: Described


@dataclass(frozen=True, slots=True)
class Noted:
    """What one row of the record says, beside who did what and when."""

    about: str
    detail: str
    before: str = ""
    after: str = ""


class Accounts(Protocol):
    """Changes to accounts and logins, inside a step."""

    def add(
        self, login: str, name: str, roles: frozenset[Role], password: str, language: str, now: datetime
    ) -> Account | None:
        """Make an account; None when the login is taken."""

    def describe(self, account_id: int, name: str, contact: Contact, now: datetime) -> None:
        """Set their name and how to reach them."""

    def describe_all(self, said: Mapping[int, Described], now: datetime) -> None:
        """Set what is said of many, by their ids."""

    def bring_in(self, account_id: int, source: str, outside: str, now: datetime) -> None:
        """Note where they were brought in from, and who they are to a directory."""

    def bring_all(self, people: Sequence[Newcomer], source: str, now: datetime) -> list[Account]:
        """Make an account for each, in their order. Their logins are known to be free."""

    def change_password(self, account_id: int, password: str, now: datetime) -> None:
        """Set the hash and end every login of this account."""

    def set_language(self, account_id: int, language: str, now: datetime) -> None: ...

    def renew_hash(self, account_id: int, password: str, now: datetime) -> None:
        """Set a hash of the same password, made with other parameters; logins go on."""

    def change_roles(self, account_id: int, roles: frozenset[Role], now: datetime) -> None:
        """Give other roles, and end the logins that had the old ones."""

    def disable(self, account_id: int, now: datetime) -> None:
        """Keep the account, since texts point at it, and end its logins."""

    def enable(self, account_id: int, now: datetime) -> None: ...

    def find(self, login: str) -> Account | None: ...

    def get(self, public_id: str) -> Account | None: ...

    def of_outside(self, outside: str) -> Account | None:
        """Who somebody of a directory is here."""

    def named(self, words: str) -> list[Account]:
        """Those whose login, extension or public id this is."""

    def all(self) -> list[Account]:
        """Return everybody, the first made first."""

    def count(self) -> int: ...

    def administrators(self) -> int:
        """Count those who can manage users now; the last of them must stay."""

    def begin(
        self,
        account_id: int,
        token_hash: str,
        expires_at: datetime,
        address: str,
        browser: str,
        now: datetime,
        method: str = "",
    ) -> int:
        """Log in: one row for this browser, and by what means they proved who they are; returns its id."""

    def of_token(self, token_hash: str) -> Login | None: ...

    def seen(self, login_id: int, now: datetime) -> None: ...

    def end(self, login_id: int, now: datetime) -> None: ...

    def end_all(self, account_id: int, now: datetime) -> int:
        """Log this account out of every browser; returns of how many."""

    def forget_old(self, before: datetime) -> None:
        """Drop logins that ended or ran out before then."""


class Audit(Protocol):
    """Who did what to what, in words that stay."""

    def note(
        self,
        who: str,
        action: str,
        about: str,
        detail: str,
        now: datetime,
        *,
        source: str = "",
        request: str = "",
        before: str = "",
        after: str = "",
    ) -> None:
        """Write a row. `about` is an id, never a person's number; `before` and `after` are what was changed.

        From where and in which request is known by itself where a door let the asker in.
        """

    def note_all(self, who: str, action: str, notes: Sequence[Noted], now: datetime) -> None:
        """Write a row for each."""

    def head(self) -> Head:
        """Where the record is now."""

    def seal(self, most: int, now: datetime) -> int:
        """Put a digest of the next moves of texts into the record, of so many at most; returns of how many."""


class People(Protocol):
    """What the panel looks up, beside the writer."""

    async def of_token(self, token_hash: str) -> Login | None: ...

    async def find(self, login: str) -> Account | None: ...

    async def everybody(self) -> list[Account]:
        """Return all accounts, the first made first."""
        ...

    async def of_account(self, account_id: int) -> list[Login]:
        """Where an account is logged in, the last seen first, those that ended or ran out among them."""
        ...
