"""Second factors: codes that a phone makes of a secret and the time (TOTP), and codes on paper that stand in for them.

Each change is one step, with its line in the audit. A step of the clock, and a code on paper, counts once.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial
from hashlib import sha256

from ringback.core.ids import ALPHABET
from ringback.core.permissions import Role
from ringback.errors import RingbackError
from ringback.ports.people import Account
from ringback.ports.sealing import RotatingSeal, Seal
from ringback.ports.storage import Store, Tx

STEP_S = 30
DIGITS = 6
DRIFT = 1
"""How many steps the clock of a phone may be off, either way."""
CODES = 10
GROUPS, GROUP = 4, 4
"""A code on paper has sixteen letters: 80 random bits, so a fast hash is enough."""


class Demand(StrEnum):
    """Who must have a second factor."""

    ADMINISTRATORS = "administrators"
    EVERYBODY = "everybody"
    NOBODY = "nobody"

    def asks(self, account: Account) -> bool:
        """Whether this one must."""
        return self is Demand.EVERYBODY or (self is Demand.ADMINISTRATORS and Role.ADMINISTRATOR in account.roles)


class Because(StrEnum):
    """Why a change to a second factor is refused."""

    WRONG_CODE = "wrong_code"
    NOT_BEGUN = "not_begun"
    NEEDED = "needed"
    NONE = "none"


SENTENCES: Mapping[Because, str] = {
    Because.WRONG_CODE: "This code is wrong, or was used before. Wait for the next one.",
    Because.NOT_BEGUN: "Begin anew: this second factor is set up already, or was taken off.",
    Because.NEEDED: "You must have a second factor, so you cannot take it off.",
    Because.NONE: "They have no second factor.",
}


class FactorRefused(RingbackError):
    """The change cannot be made."""

    def __init__(self, why: Because) -> None:
        super().__init__(SENTENCES[why])
        self.why = why


@dataclass(frozen=True, slots=True)
class NewCodes:
    """Codes on paper: `shown` once, `kept` as hashes with spaces between them."""

    shown: tuple[str, ...]
    kept: str


def new_secret() -> str:
    """A secret of 160 bits, as apps read it."""
    from pyotp import random_base32  # noqa: PLC0415 - most daemons make none

    return random_base32()


def address_of(secret: str, login: str, business: str) -> str:
    """What the square picture holds, for an app to read."""
    from pyotp import TOTP  # noqa: PLC0415 - as above

    return TOTP(secret).provisioning_uri(name=login, issuer_name=f"Ringback {business}".strip())


def new_codes() -> NewCodes:
    """Ten of them."""
    shown = tuple("-".join(_letters() for _ in range(GROUPS)) for _ in range(CODES))
    return NewCodes(shown, " ".join(hash_of(code) for code in shown))


def _letters() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(GROUP))


def hash_of(code: str) -> str:
    """What is kept of a code on paper. Letters that are easily mistaken count as what they stand for."""
    plain = code.casefold().translate(str.maketrans("ilo", "110"))
    letters = "".join(letter for letter in plain if letter in ALPHABET)
    return sha256(f"recovery {letters}".encode()).hexdigest()


def about(account: Account) -> str:
    """The place a secret is sealed for."""
    return f"totp {account.public_id}"


def step_of(secret: str, code: str, now: datetime) -> int:
    """The step of the clock whose code this is, at most one off; 0 for none. Takes as long for every wrong one."""
    from pyotp import TOTP  # noqa: PLC0415 - as above

    typed, machine = digits_of(code), TOTP(secret)
    current, found = int(now.timestamp()) // STEP_S, 0
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(machine.generate_otp(step).encode(), typed.encode()):
            found = step
    return found


def digits_of(code: str) -> str:
    """A code as it was typed, without the spaces that apps show in it; empty for what is none."""
    plain = "".join(code.split())
    return plain if len(plain) == DIGITS and plain.isascii() and plain.isdecimal() else ""


def begin(account: Account, seal: Seal, secret: str, by: str, now: datetime, tx: Tx) -> None:
    """Keep a secret that counts once a code of it was typed. Sealed within the step, so that a rotation misses none.

    Raises FactorRefused for somebody who has one that counts.
    """
    latest = tx.accounts.get(account.public_id)
    if latest is None or latest.totp_at is not None:
        raise FactorRefused(Because.NOT_BEGUN)
    tx.proofs.begin_totp(account.id, seal.seal(secret, about(account)), now)
    tx.audit.note(by, "totp_begin", account.public_id, account.login, now)


def confirm(account: Account, seal: Seal, code: str, codes: NewCodes, by: str, now: datetime, tx: Tx) -> None:
    """Have a second factor count from now on; every browser must log in again. Raises FactorRefused, SealFault."""
    latest = tx.accounts.get(account.public_id)
    if latest is None or not latest.totp or latest.totp_at is not None:
        raise FactorRefused(Because.NOT_BEGUN)
    step = step_of(seal.open(latest.totp, about(latest)), code, now)
    if not step:
        raise FactorRefused(Because.WRONG_CODE)
    tx.proofs.confirm_totp(latest.id, step, codes.kept, now)
    tx.accounts.end_all(latest.id, now)
    tx.audit.note(by, "totp_on", latest.public_id, latest.login, now)


def use(account: Account, seal: Seal, code: str, now: datetime, tx: Tx) -> str:
    """Let a code count, once; returns which kind it was. Raises FactorRefused, SealFault."""
    latest = tx.accounts.get(account.public_id)
    if latest is None or latest.totp_at is None or latest.disabled_at is not None:
        raise FactorRefused(Because.WRONG_CODE)
    if latest.password != account.password:
        # the password that was typed a moment ago is none any more
        raise FactorRefused(Because.WRONG_CODE)
    if not digits_of(code):
        return _use_paper(latest, code, now, tx)
    step = step_of(seal.open(latest.totp, about(latest)), code, now)
    if not step or not tx.proofs.use_step(latest.id, step):
        raise FactorRefused(Because.WRONG_CODE)
    return "totp"


def _use_paper(account: Account, code: str, now: datetime, tx: Tx) -> str:
    hashed, kept = hash_of(code), account.codes.split()
    found = [one for one in kept if hmac.compare_digest(one, hashed)]
    left = [one for one in kept if one not in found]
    if not found or not tx.proofs.change_codes(account.id, account.codes, " ".join(left)):
        raise FactorRefused(Because.WRONG_CODE)
    tx.audit.note(f"user {account.public_id}", "totp_code", account.public_id, f"{len(left)} left", now)
    return "code"


def renew_codes(account: Account, codes: NewCodes, by: str, now: datetime, tx: Tx) -> None:
    """Other codes on paper in the place of those there are."""
    latest = tx.accounts.get(account.public_id)
    if latest is None or latest.totp_at is None:
        raise FactorRefused(Because.NONE)
    tx.proofs.change_codes(latest.id, latest.codes, codes.kept)
    tx.audit.note(by, "totp_codes", latest.public_id, latest.login, now)


def take_off(public_id: str, by: str, now: datetime, tx: Tx) -> Account:
    """Have somebody log in without one; they are logged out everywhere. Raises FactorRefused."""
    account = tx.accounts.get(public_id)
    if account is None or not account.totp:
        raise FactorRefused(Because.NONE)
    tx.proofs.drop_totp(account.id, now)
    tx.accounts.end_all(account.id, now)
    tx.audit.note(by, "totp_off", account.public_id, account.login, now)
    return account


async def rotate(seal: RotatingSeal, store: Store, by: str, now: datetime) -> int:
    """Seal every secret with a new key while everything goes on; returns how many there were."""
    key = seal.begin_rotation()
    count = await store.commit(partial(_reseal, seal, key, by, now))
    seal.end_rotation()
    return count


def _reseal(seal: RotatingSeal, key: str, by: str, now: datetime, tx: Tx) -> int:
    rows = tx.proofs.sealed()
    for row, public_id, sealed in rows:
        place = f"totp {public_id}"
        tx.proofs.reseal(row, sealed, seal.seal(seal.open(sealed, place), place))
    tx.audit.note(by, "secrets_rotate", key, f"{len(rows)}", now)
    return len(rows)
