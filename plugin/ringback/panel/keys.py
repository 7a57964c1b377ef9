"""Which programs may ask over the API: their keys, made, shown once, and revoked."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from aiohttp import web

from ringback.core.permissions import Action, Asker, Scope
from ringback.flow.keys import Because, KeyRefused, NewKey, add_key_by, new_token, read_name, read_numbers, revoke_key
from ringback.panel import api_words as words
from ringback.panel.doing import done
from ringback.panel.door import WRONG_FORM, Wrong, read_form
from ringback.panel.shell import Shell
from ringback.ports import Clock
from ringback.ports.keys import Key, KeyRing
from ringback.ports.people import People
from ringback.ports.storage import Store

HERE = "/api"


@dataclass(frozen=True, slots=True)
class Locksmith:
    """What stands behind the pages of keys. `changed` has the door of programs look keys up anew."""

    keys: KeyRing
    people: People
    store: Store
    clock: Clock
    changed: Callable[[], None]


class KeyPages:
    """The routes under /api that are about keys."""

    def __init__(self, shell: Shell, smith: Locksmith) -> None:
        self._shell = shell
        self._smith = smith

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get(HERE, self.index),
            web.post(f"{HERE}/keys", self.add),
            web.get(f"{HERE}/keys/{{id}}", self.ask),
            web.post(f"{HERE}/keys/{{id}}/revoke", self.revoke),
        ]

    async def index(self, request: web.Request) -> web.Response:
        """Every key there ever was, and the form for one more."""
        self._shell.allow(request, Action.MANAGE_KEYS)
        return await self._list(request)

    async def add(self, request: web.Request) -> web.Response:
        """Make a key. The answer shows it, once; it is in no address, and nobody keeps it."""
        who = self._shell.allow(request, Action.MANAGE_KEYS)
        name, span, acts_for, numbers = await read_form(request, "name", "span", "acts_for", "numbers")
        ticked = (await request.post()).getall("scope", [])
        scopes = frozenset(scope for scope in Scope if scope in ticked)
        now = self._smith.clock.now()
        token = new_token(now)
        try:
            if span not in words.SPANS:
                raise KeyRefused(Because.STRANGE)
            expires_at = now + timedelta(days=int(span)) if span else None
            held = read_numbers(numbers)
            user = acts_for.strip().casefold()
            new = NewKey(token.public_id, token.hashed, read_name(name), scopes, expires_at, user, held)
            made = await done(self._smith.store.commit(partial(add_key_by, who, new, now)))
        except KeyRefused as refused:
            typed = {"name": name, "span": span, "scopes": scopes, "acts_for": acts_for, "numbers": numbers}
            return await self._list(request, WRONG_FORM, typed=typed, wrong=Wrong(*words.WRONG[refused.why]))
        self._smith.changed()
        return await self._list(request, made=made, token=token.token)

    async def ask(self, request: web.Request) -> web.Response:
        """Whether to revoke it, and what that means."""
        self._shell.allow(request, Action.MANAGE_KEYS)
        key = await self._key(request)
        holds = key.holds(self._smith.clock.now())
        return self._shell.page(request, "key", key=key, by=await self._who(key.created_by), holds=holds, W=words)

    async def revoke(self, request: web.Request) -> web.Response:
        """Keep a program out; one that is revoked already stays so."""
        who, key = self._shell.allow(request, Action.MANAGE_KEYS), await self._key(request)
        if key.revoked_at is None:
            step = partial(revoke_key, key.public_id, who.label, self._smith.clock.now())
            try:
                await done(self._smith.store.commit(step))
            except KeyRefused:  # somebody else was faster
                raise web.HTTPSeeOther(HERE) from None
            self._smith.changed()
        raise web.HTTPSeeOther(f"{HERE}?done=revoked")

    async def _key(self, request: web.Request) -> Key:
        wanted = request.match_info["id"]
        found = next((key for key in await self._smith.keys.all() if key.public_id == wanted), None)
        if found is None:
            raise web.HTTPNotFound
        return found

    async def _who(self, label: str) -> str:
        """Somebody's name by how the audit names them; what is no account stands for itself."""
        everybody = await self._smith.people.everybody()
        names = {f"{Asker.USER} {account.public_id}": account.name or account.login for account in everybody}
        return names.get(label, label)

    async def _list(self, request: web.Request, status: int = 200, **more: object) -> web.Response:
        keys, now = await self._smith.keys.all(), self._smith.clock.now()
        good = [key for key in keys if key.holds(now)]
        values = {
            "keys": [*reversed(good), *(key for key in reversed(keys) if key not in good)],
            "good": {key.id for key in good},
            "typed": {"name": "", "span": "90", "scopes": frozenset(), "acts_for": "", "numbers": ""},
            "wrong": None,
            "made": None,
            "done": words.DONE.get(request.query.get("done", "")),
            "W": words,
        }
        return self._shell.page(request, "api_keys", status=status, **(values | more))
