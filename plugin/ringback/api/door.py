"""Who asks: finds the key of each request, and turns away what has none, what may not, and what asks too often.

All keys that are not revoked are held in memory, at most two seconds old, so that a wrong one costs no look-up.
"""

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from ringback.api.answers import Code, Problem
from ringback.core.permissions import Action, Principal, may
from ringback.core.plurals import count_of
from ringback.core.reasons import Reason
from ringback.flow.backoff import Backoff
from ringback.flow.denials import NOBODY_KNOWN, WRONG_KEY, Refusal, note_refused
from ringback.flow.keys import hash_of, listed, noted
from ringback.ports import Clock
from ringback.ports.keys import Key, KeyRing
from ringback.ports.storage import Store

log = structlog.get_logger("api")

TRUSTED_S = 2.0
"""How old what we know of the keys may be: a key that is revoked holds no longer than this."""
LOOK_AGAIN_S = 1.0
SEEN_EVERY = timedelta(minutes=1)
FREE_TRIES = 10
LONGEST_WAIT_S = 60.0
BURST_S = 10.0
"""A key that was quiet may use up the quota of so many seconds at once."""
BEARER = "bearer "

Handler = Callable[[Principal, web.Request], Awaitable[web.StreamResponse]]


class Door:
    """`let_in` is asked before every request that is not for everybody."""

    def __init__(self, ring: KeyRing, store: Store, clock: Clock, per_minute: int) -> None:
        self._ring = ring
        self._store = store
        self._clock = clock
        self._each_s = 60 / per_minute
        self._keys: Mapping[str, Key] = {}
        self._looked_at = -TRUSTED_S * 1000
        self._looking = False
        self._full_at: dict[int, float] = {}
        self._seen: dict[int, datetime] = {}
        self._wrong = Backoff(FREE_TRIES, LONGEST_WAIT_S, clock.monotonic)

    def forget(self) -> None:
        """Look all keys up anew; called after one was made or revoked."""
        self._looked_at = -TRUSTED_S * 1000

    async def let_in(self, request: web.Request, action: Action) -> Principal:
        """Say who asks. Raises Problem for a wrong key, one that may not do this, or one that asks too often."""
        key = await self._key_of(request)
        principal = key.principal
        if not may(principal, action):
            log.warning("not permitted", who=principal.label, action=str(action), source=request.remote)
            refusal = Refusal(principal.label, str(action), words=f"{request.method} {request.path}")
            note_refused(self._store, refusal, self._clock.now())
            raise Problem(
                Reason.PERMISSION_DENIED, f"The key {key.name} lacks the scope for this: it has {listed(key.scopes)}."
            )
        self._count(key)
        return principal

    async def _key_of(self, request: web.Request) -> Key:
        given = request.headers.get("Authorization", "")
        token = given[len(BEARER) :].strip() if given[: len(BEARER)].lower() == BEARER else ""
        hashed = hash_of(token)
        key = (await self._known()).get(hashed)
        if key is None or not hmac.compare_digest(key.token_hash, hashed) or not key.holds(self._clock.now()):
            raise self._turned_away(request.remote or "", hashed if token else "")
        self._note_seen(key)
        return key

    def _turned_away(self, source: str, hashed: str) -> Problem:
        """Say no, and nothing about why. Who tries again and again is told to wait."""
        wait = self._wrong.wait(source)
        if not wait:
            self._wrong.count(source)
            # a few letters of the hash tell one wrong key from another, and nothing about either
            log.warning("wrong key", source=source, key=hashed[:8] or "none")
            refusal = Refusal(NOBODY_KNOWN, "api", words=f"key {hashed[:8] or 'none'}", kind=WRONG_KEY, source=source)
            note_refused(self._store, refusal, self._clock.now())
        headers = {"WWW-Authenticate": "Bearer"}
        if wait := self._wrong.wait(source):
            headers["Retry-After"] = str(int(wait) + 1)
        return Problem(Code.BAD_KEY, headers=headers)

    async def _known(self) -> Mapping[str, Key]:
        """The keys, at most two seconds old. After one second one request looks again while the others go on."""
        age = self._clock.monotonic() - self._looked_at
        if age < LOOK_AGAIN_S or (self._looking and age < TRUSTED_S):
            return self._keys
        began = self._clock.monotonic()
        self._looking = True
        try:
            found = {key.token_hash: key for key in await self._ring.not_revoked()}
        finally:
            self._looking = False
        if began >= self._looked_at:
            self._keys, self._looked_at = found, began
        return found

    def _note_seen(self, key: Key) -> None:
        now = self._clock.now()
        seen = self._seen.get(key.id) or key.seen_at
        if seen is None or now - seen >= SEEN_EVERY:
            self._seen[key.id] = now
            noted(key, self._store, now)

    def _count(self, key: Key) -> None:
        """Let a key ask so many times a minute. Counted as the moment at which its bucket is full again."""
        now = self._clock.monotonic()
        full_at = max(self._full_at.get(key.id, now), now) + self._each_s
        if (over := full_at - now - max(BURST_S, self._each_s)) > 0:
            detail = f"This key may ask {count_of(round(60 / self._each_s), 'time')} a minute."
            raise Problem(Code.QUOTA_EXCEEDED, detail, headers={"Retry-After": str(int(over) + 1)})
        self._full_at[key.id] = full_at
