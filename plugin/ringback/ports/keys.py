"""The keys by which programs prove who they are."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.core.permissions import Asker, Principal, Scope


@dataclass(frozen=True, slots=True)
class ActsFor:
    """The user a key acts for: it may do what both of them may."""

    account: int
    public_id: str
    called: str
    disabled: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """A program that may ask us. Of the key itself only a hash is kept. `numbers` are those it is held to, or none."""

    id: int
    public_id: str
    token_hash: str
    name: str
    scopes: frozenset[Scope]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    seen_at: datetime | None
    acts_for: ActsFor | None = None
    numbers: frozenset[str] = frozenset()

    def holds(self, now: datetime) -> bool:
        """Whether it is good now. One that acts for somebody who is disabled is not, until they may log in again."""
        if self.acts_for is not None and self.acts_for.disabled:
            return False
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    @property
    def principal(self) -> Principal:
        """The program as the rest of the house knows it."""
        account = self.acts_for.account if self.acts_for else None
        return Principal(
            Asker.PROGRAM,
            self.public_id,
            self.name,
            frozenset(),
            account=account,
            scopes=self.scopes,
            numbers=self.numbers,
        )


class Keys(Protocol):
    """Changes to keys, inside a step."""

    def add(
        self,
        public_id: str,
        token_hash: str,
        name: str,
        scopes: frozenset[Scope],
        by: str,
        expires_at: datetime | None,
        now: datetime,
        account: int | None = None,
        numbers: frozenset[str] = frozenset(),
    ) -> Key: ...

    def named(self, name: str) -> Key | None:
        """The key that is not revoked and has this name or this public id."""

    def all(self) -> list[Key]:
        """Every key there ever was, the first made first."""

    def revoke(self, key_id: int, now: datetime) -> bool: ...

    def seen(self, key_id: int, now: datetime) -> None: ...


class KeyRing(Protocol):
    """The keys as the API looks them up, beside the writer."""

    async def not_revoked(self) -> list[Key]:
        """Every key that is not revoked; some may have run out."""
        ...

    async def all(self) -> list[Key]:
        """Every key there ever was, the first made first."""
        ...
