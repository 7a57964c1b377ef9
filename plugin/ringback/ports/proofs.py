"""How people prove who they are beside a password: second factors, and links that set a password once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ringback.ports.people import Account


@dataclass(frozen=True, slots=True)
class Reset:
    """A link that sets somebody's password once. Only the hash of its token is kept."""

    account: Account
    expires_at: datetime
    used_at: datetime | None

    def holds(self, now: datetime) -> bool:
        """Whether it is good now."""
        return self.used_at is None and now < self.expires_at and self.account.disabled_at is None


class Proofs(Protocol):
    """Changes to them, inside a step."""

    def begin_totp(self, account_id: int, sealed: str, now: datetime) -> None:
        """Keep the secret of a second factor that does not count yet; replaces one that did not."""

    def confirm_totp(self, account_id: int, step: int, codes: str, now: datetime) -> bool:
        """Have it count from now on; False where there is none that waits. `step` was used to show that it works."""

    def drop_totp(self, account_id: int, now: datetime) -> None:
        """Take it off, and what stands in for it."""

    def use_step(self, account_id: int, step: int) -> bool:
        """Note that a step of it was used; False where it, or a later one, was used before."""

    def change_codes(self, account_id: int, before: str, after: str) -> bool:
        """Put other hashes in the place of these; False where somebody was faster."""

    def sealed(self) -> list[tuple[int, str, str]]:
        """Every account with a secret: its row, its public id, the sealed secret."""

    def reseal(self, account_id: int, before: str, after: str) -> bool:
        """Keep the same secret sealed with another key; False where it changed meanwhile."""

    def offer_reset(self, account_id: int, token_hash: str, expires_at: datetime, by: str, now: datetime) -> None:
        """Keep a link, and void the earlier ones of this account."""

    def reset_of(self, token_hash: str) -> Reset | None: ...

    def void_resets(self, account_id: int, now: datetime) -> int:
        """Have no link of this account work any more; returns how many did not before."""


class ReadProofs(Protocol):
    """The same, beside the writer."""

    async def reset_of(self, token_hash: str) -> Reset | None: ...
