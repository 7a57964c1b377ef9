"""People, the browsers they are logged in with, and the record of who did what."""

from datetime import datetime
from typing import TYPE_CHECKING

from ringback.core.ids import Kind
from ringback.core.permissions import Role
from ringback.ports.people import Account, Login
from ringback.store.chain import DIGEST, Span, digest, link
from ringback.store.moments import maybe_moment_of, micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection as Reading

    from ringback.store.database import Database

_ACCOUNT = ", ".join(
    f"account.{column}"
    for column in ("id", "public_id", "login", "name", "role", "password", "language", "created_at", "disabled_at")
)
_LOGIN = f"l.id, l.created_at, l.seen_at, l.expires_at, l.ended_at, l.address, l.browser, {_ACCOUNT}"

ADD = insert(
    "account",
    "public_id login name role password language created_at changed_at",
    "ON CONFLICT (login) DO NOTHING RETURNING id",
)
PASSWORD = sql("UPDATE account SET password = :password, changed_at = :at WHERE id = :id")
LANGUAGE = sql("UPDATE account SET language = :language, changed_at = :at WHERE id = :id")
ROLE = sql("UPDATE account SET role = :role, changed_at = :at WHERE id = :id")
DISABLE = sql("UPDATE account SET disabled_at = :at, changed_at = :at WHERE id = :id AND disabled_at IS NULL")
ENABLE = sql("UPDATE account SET disabled_at = NULL, changed_at = :at WHERE id = :id")
FIND = sql(f"SELECT {_ACCOUNT} FROM account WHERE login = :login")
GET = sql(f"SELECT {_ACCOUNT} FROM account WHERE public_id = :public_id")
ALL = sql(f"SELECT {_ACCOUNT} FROM account ORDER BY id")
COUNT = sql("SELECT count(*) FROM account")
ADMINISTRATORS = sql("SELECT count(*) FROM account WHERE role = 'administrator' AND disabled_at IS NULL")

BEGIN = insert("login", "token_hash account_id created_at seen_at expires_at address browser", "RETURNING id")
OF_TOKEN = sql(
    f"SELECT {_LOGIN} FROM login l JOIN account ON account.id = l.account_id WHERE l.token_hash = :token_hash"
)
OF_ACCOUNT = sql(
    f"""SELECT {_LOGIN} FROM login l JOIN account ON account.id = l.account_id
    WHERE l.account_id = :id AND l.ended_at IS NULL ORDER BY l.seen_at DESC, l.id DESC LIMIT 100"""
)
SEEN = sql("UPDATE login SET seen_at = :at WHERE id = :id AND seen_at < :at")
END = sql("UPDATE login SET ended_at = :at WHERE id = :id AND ended_at IS NULL")
END_ALL = sql("UPDATE login SET ended_at = :at WHERE account_id = :id AND ended_at IS NULL AND expires_at > :at")
FORGET = sql("DELETE FROM login WHERE expires_at < :before")

NOTE = insert("audit", "at who action about detail chain")
LAST = sql("SELECT chain FROM audit WHERE id = (SELECT max(id) FROM audit)")
MOVES = sql(
    """SELECT id, message_id, at, state, reason FROM message_event
    WHERE id > coalesce((SELECT CAST(value AS BIGINT) FROM setting WHERE key = 'sealed'), 0) ORDER BY id LIMIT :most"""
)
SEALED = insert(
    "setting",
    "key value changed_at changed_by",
    "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at",
)


class Accounts:
    """Satisfies `ports.people.Accounts`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def add(self, login: str, name: str, role: Role, password: str, language: str, now: datetime) -> Account | None:
        """Make an account; None when the login is taken."""
        public_id, at = new_id(Kind.USER, now), micros(now)
        row = self._run.one(
            ADD,
            public_id=public_id,
            login=login,
            name=name,
            role=role,
            password=password,
            language=language,
            created_at=at,
            changed_at=at,
        )
        return _maybe(row and (row[0], public_id, login, name, role, password, language, at, None))

    def change_password(self, account_id: int, password: str, now: datetime) -> None:
        self.renew_hash(account_id, password, now)
        self.end_all(account_id, now)

    def renew_hash(self, account_id: int, password: str, now: datetime) -> None:
        self._run.change(PASSWORD, id=account_id, password=password, at=micros(now))

    def set_language(self, account_id: int, language: str, now: datetime) -> None:
        self._run.change(LANGUAGE, id=account_id, language=language, at=micros(now))

    def change_role(self, account_id: int, role: Role, now: datetime) -> None:
        self._run.change(ROLE, id=account_id, role=role, at=micros(now))
        self.end_all(account_id, now)

    def disable(self, account_id: int, now: datetime) -> None:
        self._run.change(DISABLE, id=account_id, at=micros(now))
        self.end_all(account_id, now)

    def enable(self, account_id: int, now: datetime) -> None:
        self._run.change(ENABLE, id=account_id, at=micros(now))

    def find(self, login: str) -> Account | None:
        row = self._run.one(FIND, login=login)
        return _maybe(row)

    def get(self, public_id: str) -> Account | None:
        row = self._run.one(GET, public_id=public_id)
        return _maybe(row)

    def all(self) -> list[Account]:
        return [_account(row) for row in self._run.all(ALL)]

    def count(self) -> int:
        row = self._run.one(COUNT)
        return row[0] if row else 0

    def administrators(self) -> int:
        row = self._run.one(ADMINISTRATORS)
        return row[0] if row else 0

    def begin(
        self, account_id: int, token_hash: str, expires_at: datetime, address: str, browser: str, now: datetime
    ) -> int:
        row = self._run.one(
            BEGIN,
            token_hash=token_hash,
            account_id=account_id,
            created_at=micros(now),
            seen_at=micros(now),
            expires_at=micros(expires_at),
            address=address,
            browser=browser,
        )
        assert row is not None
        return int(row[0])

    def of_token(self, token_hash: str) -> Login | None:
        row = self._run.one(OF_TOKEN, token_hash=token_hash)
        return None if row is None else _login(row)

    def of_account(self, account_id: int) -> list[Login]:
        """Where an account may be logged in, the last seen first."""
        return [_login(row) for row in self._run.all(OF_ACCOUNT, id=account_id)]

    def seen(self, login_id: int, now: datetime) -> None:
        self._run.change(SEEN, id=login_id, at=micros(now))

    def end(self, login_id: int, now: datetime) -> None:
        self._run.change(END, id=login_id, at=micros(now))

    def end_all(self, account_id: int, now: datetime) -> int:
        return self._run.change(END_ALL, id=account_id, at=micros(now))

    def forget_old(self, before: datetime) -> None:
        self._run.change(FORGET, before=micros(before))


class Audit:
    """Satisfies `ports.people.Audit`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def note(self, who: str, action: str, about: str, detail: str, now: datetime) -> None:
        # looked up each time: what is remembered would be wrong after a roll-back, and people do little
        (before,) = self._run.one(LAST) or ("",)
        at = micros(now)
        chained = link(before, at, who, action, about, detail)
        self._run.change(NOTE, at=at, who=who, action=action, about=about, detail=detail, chain=chained)

    def seal(self, most: int, now: datetime) -> int:
        """Put a digest of the next moves of texts into the record; returns of how many."""
        moves = self._run.all(MOVES, most=most)
        if moves:
            span = Span(moves[0][0], moves[-1][0], len(moves))
            self.note("daemon", DIGEST, str(span), digest(moves), now)
            self._run.change(SEALED, key="sealed", value=str(span.last), changed_at=micros(now), changed_by="daemon")
        return len(moves)


class Readers:
    """Reads beside the writer, with the same statements. Satisfies `ports.people.People`."""

    def __init__(self, database: "Database") -> None:
        self._database = database

    async def of_token(self, token_hash: str) -> Login | None:
        return await self._database.read(lambda connection: _reading(connection).of_token(token_hash))

    async def find(self, login: str) -> Account | None:
        return await self._database.read(lambda connection: _reading(connection).find(login))

    async def everybody(self) -> list[Account]:
        return await self._database.read(lambda connection: _reading(connection).all())

    async def of_account(self, account_id: int) -> list[Login]:
        return await self._database.read(lambda connection: _reading(connection).of_account(account_id))


def _reading(connection: "Reading") -> Accounts:
    return Accounts(reading(connection))


def _maybe(row: Row | None) -> Account | None:
    return None if row is None else _account(row)


def _account(row: Row) -> Account:
    id_, public_id, login, name, role, password, language, created_at, disabled_at = row
    return Account(
        id_,
        public_id,
        login,
        name,
        Role(role),
        password,
        language,
        moment_of(created_at),
        maybe_moment_of(disabled_at),
    )


def _login(row: Row) -> Login:
    id_, created_at, seen_at, expires_at, ended_at, address, browser, *account = row
    return Login(
        id_,
        _account(tuple(account)),
        moment_of(created_at),
        moment_of(seen_at),
        moment_of(expires_at),
        maybe_moment_of(ended_at),
        address,
        browser,
    )
