"""Whose login a token stands for, and how long it holds: kept in memory for two seconds."""

from collections import OrderedDict
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from ringback.core.permissions import Asker, Principal
from ringback.errors import StoreFault
from ringback.panel.tokens import hash_of
from ringback.ports import Clock
from ringback.ports.people import Account, Login, People
from ringback.ports.storage import Store, Tx

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=1)
TRUSTED_FOR = timedelta(seconds=2)
"""How old what we know of a login may be: a login that is ended holds no longer than this."""
MOST_REMEMBERED = 1_000


def principal_of(account: Account) -> Principal:
    """An account as the rest of the house knows it."""
    return Principal(Asker.USER, account.public_id, account.called, account.roles, account=account.id)


def holds(login: Login | None, now: datetime) -> bool:
    """Whether a login is good now."""
    if login is None or login.ended_at is not None or login.account.disabled_at is not None:
        return False
    return now < login.expires_at and now - login.seen_at < IDLE


class LoggedIn:
    """What is known of logins. `known` is by the hash of the token, with the moment at which it was asked for."""

    def __init__(self, people: People, store: Store, clock: Clock) -> None:
        self._people = people
        self._store = store
        self._clock = clock
        self.known: OrderedDict[str, tuple[datetime, Login | None]] = OrderedDict()

    def forget(self) -> None:
        """Look everybody up anew."""
        self.known.clear()

    def account_of(self, token: str) -> int | None:
        """The account that a token was last known to stand for."""
        _, login = self.known.get(hash_of(token), (None, None))
        return None if login is None else login.account.id

    async def of(self, token: str) -> Login | None:
        """The login that a token stands for, if it holds; what is known of it is at most two seconds old."""
        login = await self.latest(token)
        return login if holds(login, self._clock.now()) else None

    async def latest(self, token: str, trusted: timedelta = TRUSTED_FOR) -> Login | None:
        """The same, whether it holds or not, and at most `trusted` old."""
        now, key = self._clock.now(), hash_of(token)
        known = self.known.get(key)
        if known is not None and timedelta() <= now - known[0] < trusted:
            return known[1]
        login = await self._people.of_token(key)
        self._remember(key, login, now)
        return login

    def note_seen(self, token: str, login: Login) -> None:
        """Write down that it was used, once a minute."""
        now = self._clock.now()
        if now - login.seen_at < SEEN_EVERY:
            return
        key = hash_of(token)
        # it is no younger for that
        asked_at = self.known[key][0] if key in self.known else now
        self._remember(key, replace(login, seen_at=now), asked_at)
        # a full disk must not keep anybody from reading; the login then ends early, which is safe
        with suppress(StoreFault):
            self._store.ride_along([partial(_seen, login.id, now)])

    def _remember(self, key: str, login: Login | None, asked_at: datetime) -> None:
        self.known[key] = (asked_at, login)
        self.known.move_to_end(key)
        if len(self.known) > MOST_REMEMBERED:
            self.known.popitem(last=False)


def _seen(login_id: int, now: datetime, tx: Tx) -> None:
    tx.accounts.seen(login_id, now)
