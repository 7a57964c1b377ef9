"""Letting a browser in: the wait after wrong passwords, the login it gets, and the cookies it keeps."""

import hmac
import math
import secrets
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from aiohttp import web

from ringback.flow.backoff import Backoff
from ringback.panel.door import Door
from ringback.panel.logged_in import LONGEST, principal_of
from ringback.panel.shell import VISIT
from ringback.panel.tokens import COOKIE, DOOR_COOKIE, drop_cookie, hash_of, new_token, put_cookie
from ringback.panel.words import N_
from ringback.ports import Clock
from ringback.ports.people import Account, Login
from ringback.ports.storage import Tx

log = structlog.get_logger("login")

KNOWN_COOKIE = "__Host-ringback-known"
KNOWN_FOR = timedelta(days=180)
MOST_KNOWN = 5
KEPT = timedelta(days=30)
"""How long a login that is over stays in the database."""
LONGEST_BROWSER = 300

FREE_TRIES = 5
WAIT_AT_MOST_S = 60.0
"""One try a minute in the end: with the free ones and the short waits that is 70 in an hour for one account."""
WAIT_OF_ONE_PLACE_S = 900.0

TOO_OFTEN = N_("Too many wrong tries. Try again in %(wait)s.")


@dataclass(frozen=True, slots=True)
class Try:
    """One try to log in, written down already; `wait` is how many seconds too early it comes."""

    wait: float
    counted: tuple[tuple[Backoff, Hashable], ...]

    def was_right(self) -> None:
        """Forget the slips made here. Those of others stay: a login must not open the door for guesses."""
        *shared, (own, key) = self.counted
        own.forget(key)
        for backoff, other in shared:
            backoff.take_back(other)


class Tries:
    """How often it was tried, by account and by account and place. A browser that was let in before counts by itself.

    Accounts that exist have their own table, so that made-up names cannot push them out.
    """

    def __init__(self, clock: Clock, at_most_s: float = WAIT_AT_MOST_S) -> None:
        self._accounts = Backoff(FREE_TRIES, at_most_s, clock.monotonic)
        self._names = Backoff(FREE_TRIES, at_most_s, clock.monotonic)
        self._places = Backoff(FREE_TRIES, WAIT_OF_ONE_PLACE_S, clock.monotonic)
        self._browsers = Backoff(FREE_TRIES, at_most_s, clock.monotonic)

    def begin(self, login: str, account: Account | None, address: str, browser: str) -> Try:
        """Write a try down, unless it comes too early."""
        counted: tuple[tuple[Backoff, Hashable], ...] = (
            (self._names, login) if account is None else (self._accounts, account.id),
            (self._places, (login, place_of(address))),
        )
        if account is not None and browser:
            counted = ((self._browsers, (account.id, browser)),)
        wait = max(backoff.wait(key) for backoff, key in counted)
        if not wait:
            for backoff, key in counted:
                backoff.count(key)
        return Try(wait, counted)


class Entering:
    """One for the login and for the profile, so that guesses at both are counted together."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._tries = Tries(door.clock)
        self._codes = Tries(door.clock, WAIT_OF_ONE_PLACE_S)

    def begin(self, request: web.Request, login: str, account: Account | None) -> Try:
        """Write a try down."""
        return self._tries.begin(login, account, request.remote or "", known_browser(request, account))

    def begin_code(self, request: web.Request, account: Account) -> Try:
        """Write down a try at a second factor. A right password does not forget these."""
        browser = known_browser(request, account)
        return self._codes.begin(account.login, account, request.remote or "", browser)

    def too_early(self, request: web.Request, wait: float) -> str:
        """Say when to try again."""
        formats = self._door.shell.pages().formats(request[VISIT].language)
        return self._door.shell.say(request, TOO_OFTEN, wait=formats.duration(math.ceil(wait)))

    async def let_in(
        self,
        request: web.Request,
        account: Account,
        answer: web.StreamResponse,
        method: str,
        renewed: str = "",
        token: str = "",
    ) -> None:
        """Begin a login: a new token, whatever the browser had before. `method` is how they proved who they are,
        `renewed` a newer hash of the password, `token` the new one where the page has it already.

        Whoever changed meanwhile, by a new password or a closed account, proves again who they are.
        """
        token, now = token or new_token(), self._door.clock.now()
        before = await self._door.guard.login_of(request.cookies.get(COOKIE, ""))
        # a browser may name itself in bytes that are no text
        browser = request.headers.get("User-Agent", "")[:LONGEST_BROWSER].encode("utf-8", "replace").decode()
        entry = Entry(account, hash_of(token), request.remote or "", browser, renewed, method)
        if not await self._door.change(partial(_begin, entry, before, now)):
            log.warning("login refused", user=account.public_id, what="account changed meanwhile")
            raise web.HTTPSeeOther("/login")
        log.info("logged in", user=account.public_id, method=method, address=request.remote)
        put_cookie(answer, COOKIE, token, LONGEST)
        if account.password:
            put_cookie(answer, KNOWN_COOKIE, remember_browser(request, account, renewed or account.password), KNOWN_FOR)
        drop_cookie(answer, DOOR_COOKIE)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is stored when somebody logs in."""

    account: Account
    token_hash: str
    address: str
    browser: str
    renewed: str
    method: str


def known_browser(request: web.Request, account: Account | None) -> str:
    """The name this browser got when it logged in to this account before; empty for a stranger's."""
    # signed with nothing anybody could write it
    if account is None or not account.password:
        return ""
    return next((_name(entry) for entry in _entries(request) if _signed(entry, account.password)), "")


def remember_browser(request: web.Request, account: Account, password: str) -> str:
    """The cookie that says which accounts logged in here; what it says of others stays."""
    name = known_browser(request, account) or secrets.token_hex(8)
    others = [entry for entry in _entries(request) if _name(entry) != name]
    return "_".join([_entry(name, password), *others][:MOST_KNOWN])


def place_of(address: str) -> str:
    """Where a try comes from: an address, or of IPv6 the network that one customer has."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    return str(ip_network((found, 64), strict=False)) if isinstance(found, IPv6Address) else address


def _entries(request: web.Request) -> list[str]:
    return [entry for entry in request.cookies.get(KNOWN_COOKIE, "").split("_")[:MOST_KNOWN] if entry]


def _name(entry: str) -> str:
    return entry.partition(".")[0]


def _entry(name: str, password: str) -> str:
    """Signed with the hash of the account's password: only we know it, and with a new password it is void."""
    mac = hmac.digest(password.encode(), b"known browser " + name.encode("utf-8", "replace"), "sha256")
    return f"{name}.{mac.hex()}"


def _signed(entry: str, password: str) -> bool:
    return hmac.compare_digest(
        entry.encode("utf-8", "replace"), _entry(_name(entry), password).encode("utf-8", "replace")
    )


def _begin(entry: Entry, before: Login | None, now: datetime, tx: Tx) -> bool:
    """Whether the account is still as it was when somebody proved to be its owner; only then it is theirs."""
    account, latest = entry.account, tx.accounts.get(entry.account.public_id)
    if latest is None or latest.disabled_at is not None:
        return False
    if (latest.password, latest.totp_at) != (account.password, account.totp_at):
        return False
    if before is not None:
        tx.accounts.end(before.id, now)
    if entry.renewed:
        tx.accounts.renew_hash(account.id, entry.renewed, now)
    tx.accounts.begin(account.id, entry.token_hash, now + LONGEST, entry.address, entry.browser, now, entry.method)
    tx.accounts.forget_old(now - KEPT)
    tx.audit.note(principal_of(account).label, "login", account.public_id, entry.address, now)
    return True
