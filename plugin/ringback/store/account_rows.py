"""Accounts and logins as they stand in rows."""

from functools import cache

from ringback.core.permissions import Role
from ringback.ports.people import Account, Login
from ringback.store.moments import maybe_moment_of, moment_of
from ringback.store.tx import Row

_COLUMNS = (
    "id public_id login name role password language created_at disabled_at"
    " extension endpoint mail mobile source outside totp totp_at totp_step codes"
)
ACCOUNT = ", ".join(f"account.{column}" for column in _COLUMNS.split())
LOGIN = f"l.id, l.created_at, l.seen_at, l.expires_at, l.ended_at, l.address, l.browser, l.method, {ACCOUNT}"
"""What `account_of` and `login_of` read, for statements."""


@cache
def role_words(roles: frozenset[Role]) -> str:
    """Roles as they are kept, always in the same order."""
    return " ".join(role for role in Role if role in roles)


@cache
def _roles(words: str) -> frozenset[Role]:
    return frozenset(Role(word) for word in words.split())


def account_of(row: Row) -> Account:
    """The account in a row of these columns."""
    id_, public_id, login, name, role, password, language, created_at, disabled_at, *more = row
    extension, endpoint, mail, mobile, source, outside, totp, totp_at, totp_step, codes = more
    return Account(
        id_,
        public_id,
        login,
        name,
        _roles(role),
        password,
        language,
        moment_of(created_at),
        maybe_moment_of(disabled_at),
        extension,
        endpoint,
        mail,
        mobile,
        source,
        outside,
        totp,
        maybe_moment_of(totp_at),
        totp_step,
        codes,
    )


def login_of(row: Row) -> Login:
    """The login in a row of these columns."""
    id_, created_at, seen_at, expires_at, ended_at, address, browser, method, *account = row
    return Login(
        id_,
        account_of(tuple(account)),
        moment_of(created_at),
        moment_of(seen_at),
        moment_of(expires_at),
        maybe_moment_of(ended_at),
        address,
        browser,
        method,
    )
