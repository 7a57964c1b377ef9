"""The people who work with the panel, and who of them is logged in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.permissions import Role


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in. `login` is in small letters; `password` is an Argon2id hash."""

    id: int
    public_id: str
    login: str
    name: str
    role: Role
    password: str
    language: str
    created_at: datetime
    disabled_at: datetime | None


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


class Accounts(Protocol):
    """Changes to accounts and logins, inside a step."""

    def add(self, login: str, name: str, role: Role, password: str, language: str, now: datetime) -> Account | None:
        """Make an account; None when the login is taken."""

    def change_password(self, account_id: int, password: str, now: datetime) -> None:
        """Set the hash and end every login of this account."""

    def set_language(self, account_id: int, language: str, now: datetime) -> None: ...

    def renew_hash(self, account_id: int, password: str, now: datetime) -> None:
        """Set a hash of the same password, made with other parameters; logins go on."""

    def change_role(self, account_id: int, role: Role, now: datetime) -> None:
        """Give another role, and end the logins that had the old one."""

    def disable(self, account_id: int, now: datetime) -> None:
        """Keep the account, since texts point at it, and end its logins."""

    def enable(self, account_id: int, now: datetime) -> None: ...

    def find(self, login: str) -> Account | None: ...

    def get(self, public_id: str) -> Account | None: ...

    def all(self) -> list[Account]:
        """Return everybody, the first made first."""

    def count(self) -> int: ...

    def administrators(self) -> int:
        """Count those who can manage users now; the last of them must stay."""

    def begin(
        self, account_id: int, token_hash: str, expires_at: datetime, address: str, browser: str, now: datetime
    ) -> int:
        """Log in: one row for this browser; returns its id."""

    def of_token(self, token_hash: str) -> Login | None: ...

    def seen(self, login_id: int, now: datetime) -> None: ...

    def end(self, login_id: int, now: datetime) -> None: ...

    def end_all(self, account_id: int, now: datetime) -> int:
        """Log this account out of every browser; returns of how many."""

    def forget_old(self, before: datetime) -> None:
        """Drop logins that ended or ran out before then."""


class Audit(Protocol):
    """Who did what to what, in words that stay."""

    def note(self, who: str, action: str, about: str, detail: str, now: datetime) -> None: ...

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
