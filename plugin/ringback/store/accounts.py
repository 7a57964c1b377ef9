"""People, and the browsers they are logged in with."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ringback.core.ids import Kind
from ringback.core.permissions import Role
from ringback.ports.people import Account, Contact, Described, Login, Newcomer
from ringback.store.account_rows import ACCOUNT, LOGIN, account_of, login_of, role_words
from ringback.store.book import turn
from ringback.store.moments import micros, moment_of
from ringback.store.reading import reading
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner, new_id

if TYPE_CHECKING:
    from sqlalchemy import Connection as Reading

    from ringback.store.database import Database

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
DESCRIBE = sql(
    """UPDATE account SET name = :name, extension = :extension, endpoint = :endpoint, mail = :mail, mobile = :mobile,
    changed_at = :at WHERE id = :id"""
)
BRING_IN = sql("UPDATE account SET source = :source, outside = :outside, changed_at = :at WHERE id = :id")
DESCRIBE_ALL = sql(
    """UPDATE account SET name = :name, language = :language, extension = :extension, endpoint = :endpoint,
    mail = :mail, mobile = :mobile, changed_at = :at WHERE id = :id"""
)
BRING_ALL = insert(
    "account",
    "public_id login name role password language created_at changed_at extension endpoint mail mobile source",
)
NEWEST = sql("SELECT max(id) FROM account")
SINCE = sql(f"SELECT {ACCOUNT} FROM account WHERE id > :id")
FIND = sql(f"SELECT {ACCOUNT} FROM account WHERE login = :login")
GET = sql(f"SELECT {ACCOUNT} FROM account WHERE public_id = :public_id")
OF_OUTSIDE = sql(f"SELECT {ACCOUNT} FROM account WHERE outside = :outside AND outside <> ''")
NAMED = sql(
    f"""SELECT {ACCOUNT} FROM account
    WHERE login = :words OR (extension = :words AND extension <> '') OR public_id = :words ORDER BY id"""
)
ALL = sql(f"SELECT {ACCOUNT} FROM account ORDER BY id")
COUNT = sql("SELECT count(*) FROM account")
ADMINISTRATORS = sql("SELECT count(*) FROM account WHERE role LIKE '%administrator%' AND disabled_at IS NULL")

BEGIN = insert("login", "token_hash account_id created_at seen_at expires_at address browser method", "RETURNING id")
OF_TOKEN = sql(
    f"SELECT {LOGIN} FROM login l JOIN account ON account.id = l.account_id WHERE l.token_hash = :token_hash"
)
OF_ACCOUNT = sql(
    f"""SELECT {LOGIN} FROM login l JOIN account ON account.id = l.account_id
    WHERE l.account_id = :id AND l.ended_at IS NULL ORDER BY l.seen_at DESC, l.id DESC LIMIT 100"""
)
SEEN = sql("UPDATE login SET seen_at = :at WHERE id = :id AND seen_at < :at")
END = sql("UPDATE login SET ended_at = :at WHERE id = :id AND ended_at IS NULL")
END_ALL = sql("UPDATE login SET ended_at = :at WHERE account_id = :id AND ended_at IS NULL AND expires_at > :at")
FORGET = sql("DELETE FROM login WHERE expires_at < :before")


class Accounts:
    """Satisfies `ports.people.Accounts`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def add(
        self, login: str, name: str, roles: frozenset[Role], password: str, language: str, now: datetime
    ) -> Account | None:
        """Make an account; None when the login is taken."""
        public_id, at = new_id(Kind.USER, now), micros(now)
        row = self._run.one(
            ADD,
            public_id=public_id,
            login=login,
            name=name,
            role=role_words(roles),
            password=password,
            language=language,
            created_at=at,
            changed_at=at,
        )
        if row is None:
            return None
        turn(self._run, "", now)
        return Account(row[0], public_id, login, name, roles, password, language, moment_of(at), None)

    def describe(self, account_id: int, name: str, contact: Contact, now: datetime) -> None:
        self._run.change(DESCRIBE, id=account_id, name=name, at=micros(now), **_reached(contact))

    def describe_all(self, said: Mapping[int, Described], now: datetime) -> None:
        at = micros(now)
        rows = [
            {"id": id_, "name": one.name, "language": one.language, "at": at, **_reached(one.contact)}
            for id_, one in said.items()
        ]
        self._run.many(DESCRIBE_ALL, rows)

    def bring_in(self, account_id: int, source: str, outside: str, now: datetime) -> None:
        self._run.change(BRING_IN, id=account_id, source=source, outside=outside, at=micros(now))

    def bring_all(self, people: Sequence[Newcomer], source: str, now: datetime) -> list[Account]:
        if not people:
            return []
        (newest,) = self._run.one(NEWEST) or (None,)
        at = micros(now)
        rows = [_newcomer(new_id(Kind.USER, now), one, source, at) for one in people]
        self._run.many(BRING_ALL, rows)
        turn(self._run, "", now)
        made = {row[2]: account_of(row) for row in self._run.all(SINCE, id=newest or 0)}
        return [made[one.login] for one in people]

    def change_password(self, account_id: int, password: str, now: datetime) -> None:
        self.renew_hash(account_id, password, now)
        self.end_all(account_id, now)

    def renew_hash(self, account_id: int, password: str, now: datetime) -> None:
        self._run.change(PASSWORD, id=account_id, password=password, at=micros(now))

    def set_language(self, account_id: int, language: str, now: datetime) -> None:
        self._run.change(LANGUAGE, id=account_id, language=language, at=micros(now))

    def change_roles(self, account_id: int, roles: frozenset[Role], now: datetime) -> None:
        self._run.change(ROLE, id=account_id, role=role_words(roles), at=micros(now))
        self.end_all(account_id, now)
        turn(self._run, "", now)

    def disable(self, account_id: int, now: datetime) -> None:
        self._run.change(DISABLE, id=account_id, at=micros(now))
        self.end_all(account_id, now)
        turn(self._run, "", now)

    def enable(self, account_id: int, now: datetime) -> None:
        self._run.change(ENABLE, id=account_id, at=micros(now))
        turn(self._run, "", now)

    def find(self, login: str) -> Account | None:
        row = self._run.one(FIND, login=login)
        return _maybe(row)

    def get(self, public_id: str) -> Account | None:
        row = self._run.one(GET, public_id=public_id)
        return _maybe(row)

    def of_outside(self, outside: str) -> Account | None:
        row = self._run.one(OF_OUTSIDE, outside=outside)
        return _maybe(row)

    def named(self, words: str) -> list[Account]:
        # PostgreSQL takes no NUL, and no name has one
        return [account_of(row) for row in self._run.all(NAMED, words=words)] if "\0" not in words else []

    def all(self) -> list[Account]:
        return [account_of(row) for row in self._run.all(ALL)]

    def count(self) -> int:
        row = self._run.one(COUNT)
        return row[0] if row else 0

    def administrators(self) -> int:
        row = self._run.one(ADMINISTRATORS)
        return row[0] if row else 0

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
        row = self._run.one(
            BEGIN,
            token_hash=token_hash,
            account_id=account_id,
            created_at=micros(now),
            seen_at=micros(now),
            expires_at=micros(expires_at),
            address=address,
            browser=browser,
            method=method,
        )
        assert row is not None
        return int(row[0])

    def of_token(self, token_hash: str) -> Login | None:
        row = self._run.one(OF_TOKEN, token_hash=token_hash)
        return None if row is None else login_of(row)

    def of_account(self, account_id: int) -> list[Login]:
        """Where an account may be logged in, the last seen first."""
        return [login_of(row) for row in self._run.all(OF_ACCOUNT, id=account_id)]

    def seen(self, login_id: int, now: datetime) -> None:
        self._run.change(SEEN, id=login_id, at=micros(now))

    def end(self, login_id: int, now: datetime) -> None:
        self._run.change(END, id=login_id, at=micros(now))

    def end_all(self, account_id: int, now: datetime) -> int:
        return self._run.change(END_ALL, id=account_id, at=micros(now))

    def forget_old(self, before: datetime) -> None:
        self._run.change(FORGET, before=micros(before))


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
    return None if row is None else account_of(row)


def _reached(contact: Contact) -> dict[str, object]:
    return {
        "extension": contact.extension,
        "endpoint": contact.endpoint,
        "mail": contact.mail,
        "mobile": contact.mobile,
    }


def _newcomer(public_id: str, one: Newcomer, source: str, at: int) -> dict[str, object]:
    return {
        "public_id": public_id,
        "login": one.login,
        "name": one.said.name,
        "role": role_words(one.roles),
        "password": "",
        "language": one.said.language,
        "created_at": at,
        "changed_at": at,
        "source": source,
        **_reached(one.said.contact),
    }
