"""The keys of programs. Only hashes are kept."""

from datetime import datetime
from typing import TYPE_CHECKING

from ringback.core.permissions import Scope
from ringback.ports.keys import ActsFor, Key
from ringback.store.moments import maybe_micros, maybe_moment_of, micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner

if TYPE_CHECKING:
    from ringback.store.database import Database

_KEY = """k.id, k.public_id, k.token_hash, k.name, k.scopes, k.created_by, k.created_at, k.expires_at, k.revoked_at,
    k.seen_at, k.numbers, a.id, a.public_id, a.name, a.login, a.disabled_at"""
_FROM = "FROM api_key k LEFT JOIN account a ON a.id = k.account_id"
ADD = insert(
    "api_key", "public_id token_hash name scopes created_by created_at expires_at account_id numbers", "RETURNING id"
)
NAMED = sql(
    f"""SELECT {_KEY} {_FROM}
    WHERE (k.name = :name OR k.public_id = :name) AND k.revoked_at IS NULL ORDER BY k.id LIMIT 1"""
)
ALL = sql(f"SELECT {_KEY} {_FROM} ORDER BY k.id")
NOT_REVOKED = sql(f"SELECT {_KEY} {_FROM} WHERE k.revoked_at IS NULL ORDER BY k.id")
REVOKE = sql("UPDATE api_key SET revoked_at = :at WHERE id = :id AND revoked_at IS NULL")
SEEN = sql("UPDATE api_key SET seen_at = :at WHERE id = :id AND (seen_at IS NULL OR seen_at < :at)")


class Keys:
    """Satisfies `ports.keys.Keys`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

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
    ) -> Key:
        self._run.one(
            ADD,
            public_id=public_id,
            token_hash=token_hash,
            name=name,
            scopes=" ".join(sorted(scopes)),
            created_by=by,
            created_at=micros(now),
            expires_at=maybe_micros(expires_at),
            account_id=account,
            numbers=" ".join(sorted(numbers)),
        )
        made = self.named(public_id)
        assert made is not None
        return made

    def named(self, name: str) -> Key | None:
        row = self._run.one(NAMED, name=name)
        return None if row is None else _key(row)

    def all(self) -> list[Key]:
        return [_key(row) for row in self._run.all(ALL)]

    def not_revoked(self) -> list[Key]:
        return [_key(row) for row in self._run.all(NOT_REVOKED)]

    def revoke(self, key_id: int, now: datetime) -> bool:
        return self._run.change(REVOKE, id=key_id, at=micros(now)) == 1

    def seen(self, key_id: int, now: datetime) -> None:
        self._run.change(SEEN, id=key_id, at=micros(now))


class Ring:
    """Satisfies `ports.keys.KeyRing`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def not_revoked(self) -> list[Key]:
        return await self._database.read(lambda connection: Keys(reading(connection)).not_revoked())

    async def all(self) -> list[Key]:
        return await self._database.read(lambda connection: Keys(reading(connection)).all())


def _key(row: Row) -> Key:
    id_, public_id, token_hash, name, scopes, by, created_at, expires_at, revoked_at, seen_at, numbers, *user = row
    account, account_id, called, login, disabled_at = user
    return Key(
        id_,
        public_id,
        token_hash,
        name,
        frozenset(Scope(word) for word in scopes.split()),
        by,
        moment_of(created_at),
        maybe_moment_of(expires_at),
        maybe_moment_of(revoked_at),
        maybe_moment_of(seen_at),
        ActsFor(account, account_id, called or login, disabled_at is not None) if account is not None else None,
        frozenset(numbers.split()),
    )
