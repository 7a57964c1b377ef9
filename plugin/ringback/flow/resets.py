"""Links that set a password once: an administrator makes one, and whoever has it sets the password of that account."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import quote

from ringback.flow.refusing import Because, Refused
from ringback.ports.people import Account
from ringback.ports.storage import Tx

HOLDS = timedelta(hours=24)
PATH = "/reset"


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that nobody has yet. `token` is shown once and kept nowhere."""

    token: str
    hashed: str

    def at(self, base: str) -> str:
        """The link, below the address of the panel. The token is no part of the path, which stands in logs."""
        return f"{base.rstrip('/')}{PATH}?token={quote(self.token)}"


def new_link() -> NewLink:
    """Make one of 256 random bits."""
    token = secrets.token_urlsafe(32)
    return NewLink(token, hash_of(token))


def hash_of(token: str) -> str:
    """What is kept of it: it has 256 random bits, so a fast hash is enough."""
    # what a stranger sends need not be UTF-8
    return sha256(b"reset " + token.encode("utf-8", "surrogatepass")).hexdigest()


def offer(public_id: str, hashed: str, by: str, now: datetime, tx: Tx) -> Account:
    """Have a link work for a day, and the earlier ones of this account no more. Raises Refused."""
    account = tx.accounts.get(public_id)
    if account is None:
        raise Refused(Because.UNKNOWN)
    if account.disabled_at is not None:
        raise Refused(Because.DISABLED)
    if account.outside:
        raise Refused(Because.ELSEWHERE)
    tx.proofs.offer_reset(account.id, hashed, now + HOLDS, by, now)
    tx.audit.note(by, "user_reset", account.public_id, account.login, now)
    return account


def redeem(hashed: str, password: str, now: datetime, tx: Tx) -> Account | None:
    """Set the password, a hash, by a link that works; every login ends and no link works any more. None for others."""
    found = tx.proofs.reset_of(hashed)
    if found is None or not found.holds(now):
        return None
    account = found.account
    tx.proofs.void_resets(account.id, now)
    tx.accounts.change_password(account.id, password, now)
    tx.audit.note(f"user {account.public_id}", "user_reset_used", account.public_id, account.login, now)
    return account
