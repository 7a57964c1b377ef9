"""Second factors, and links that set a password once."""

from datetime import datetime
from typing import TYPE_CHECKING

from ringback.ports.proofs import Reset
from ringback.store.account_rows import ACCOUNT, account_of
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import insert, sql
from ringback.store.tx import Runner

if TYPE_CHECKING:
    from ringback.store.database import Database

BEGIN_TOTP = sql(
    """UPDATE account SET totp = :totp, totp_at = NULL, totp_step = 0, codes = '', changed_at = :at
    WHERE id = :id AND totp_at IS NULL"""
)
CONFIRM_TOTP = sql(
    """UPDATE account SET totp_at = :at, totp_step = :step, codes = :codes, changed_at = :at
    WHERE id = :id AND totp_at IS NULL AND totp <> ''"""
)
DROP_TOTP = sql(
    "UPDATE account SET totp = '', totp_at = NULL, totp_step = 0, codes = '', changed_at = :at WHERE id = :id"
)
USE_STEP = sql("UPDATE account SET totp_step = :step WHERE id = :id AND totp_step < :step")
CHANGE_CODES = sql("UPDATE account SET codes = :after WHERE id = :id AND codes = :before")
SEALED = sql("SELECT id, public_id, totp FROM account WHERE totp <> '' ORDER BY id")
RESEAL = sql("UPDATE account SET totp = :after WHERE id = :id AND totp = :before")
OFFER_RESET = insert("reset", "token_hash account_id created_at expires_at created_by")
VOID_RESETS = sql("UPDATE reset SET used_at = :at WHERE account_id = :id AND used_at IS NULL")
FORGET_RESETS = sql("DELETE FROM reset WHERE account_id = :id AND expires_at < :at")
RESET_OF = sql(
    f"""SELECT r.expires_at, r.used_at, {ACCOUNT} FROM reset r
    JOIN account ON account.id = r.account_id WHERE r.token_hash = :token_hash"""
)


class Proofs:
    """Satisfies `ports.proofs.Proofs`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def begin_totp(self, account_id: int, sealed: str, now: datetime) -> None:
        self._run.change(BEGIN_TOTP, id=account_id, totp=sealed, at=micros(now))

    def confirm_totp(self, account_id: int, step: int, codes: str, now: datetime) -> bool:
        return self._run.change(CONFIRM_TOTP, id=account_id, step=step, codes=codes, at=micros(now)) == 1

    def drop_totp(self, account_id: int, now: datetime) -> None:
        self._run.change(DROP_TOTP, id=account_id, at=micros(now))

    def use_step(self, account_id: int, step: int) -> bool:
        return self._run.change(USE_STEP, id=account_id, step=step) == 1

    def change_codes(self, account_id: int, before: str, after: str) -> bool:
        return self._run.change(CHANGE_CODES, id=account_id, before=before, after=after) == 1

    def sealed(self) -> list[tuple[int, str, str]]:
        return [(row[0], row[1], row[2]) for row in self._run.all(SEALED)]

    def reseal(self, account_id: int, before: str, after: str) -> bool:
        return self._run.change(RESEAL, id=account_id, before=before, after=after) == 1

    def offer_reset(self, account_id: int, token_hash: str, expires_at: datetime, by: str, now: datetime) -> None:
        self._run.change(FORGET_RESETS, id=account_id, at=micros(now))
        self.void_resets(account_id, now)
        self._run.change(
            OFFER_RESET,
            token_hash=token_hash,
            account_id=account_id,
            created_at=micros(now),
            expires_at=micros(expires_at),
            created_by=by,
        )

    def reset_of(self, token_hash: str) -> Reset | None:
        row = self._run.one(RESET_OF, token_hash=token_hash)
        return None if row is None else Reset(account_of(row[2:]), moment_of(row[0]), maybe_moment_of(row[1]))

    def void_resets(self, account_id: int, now: datetime) -> int:
        return self._run.change(VOID_RESETS, id=account_id, at=micros(now))


class ProofReads:
    """Satisfies `ports.proofs.ReadProofs`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def reset_of(self, token_hash: str) -> Reset | None:
        return await self._database.read(lambda connection: Proofs(reading(connection)).reset_of(token_hash))
