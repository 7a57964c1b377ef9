"""The lists as pages and commands use them: who asks may, what a file would change, and what staging is now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from ringback.core.ids import Kind
from ringback.core.list_rows import Listing, Row
from ringback.core.permissions import Action, Principal
from ringback.flow.insist import insist_one
from ringback.flow.list_imports import Imported, Importing
from ringback.flow.lists import (
    ListRefused,
    Staged,
    change_by_words,
    may_manage,
    staged,
)
from ringback.flow.permits import allow, of_kind, see
from ringback.flow.stopping import NoTexts, no_texts
from ringback.ports import Clock
from ringback.ports.lists import ListName, ReadLists
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("lists")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: `new` are put on the list, `known` stand there with the same day or a later one."""

    list: ListName
    listing: Listing
    new: int
    known: int

    @property
    def good(self) -> bool:
        """Whether it can be carried out: all of it, or nothing."""
        return bool(self.listing.rows) and not self.listing.troubles


class ListKeeper:
    """`staged` is what holds now; `load` it before the pages open."""

    def __init__(self, store: Store, read: ReadLists, clock: Clock) -> None:
        self.staged: Staged | None = None
        self.read = read
        self._store = store
        self._clock = clock
        self._importing = Importing(store)

    async def load(self) -> None:
        """Read whether staging is on, and end what an import of the last run left."""
        self.staged = await insist_one(self._store, self._clock, staged)
        await self._importing.tidy(self._clock.now())

    async def change(self, words: Mapping[str, str], who: Principal) -> str:
        """Carry out `change_by_words` for somebody. Raises Denied and ListRefused."""
        may_manage(who)

        def step(tx: Tx) -> tuple[str, Staged | None]:
            return change_by_words(words, who, self._clock.now(), tx), staged(tx)

        said, self.staged = await self._store.commit(step)
        log.info("list", who=who.label, change=words.get("change", ""), list=words.get("list", ""))
        return said

    async def plan(self, list_: ListName, listing: Listing) -> Plan:
        """Say what an import would do."""
        known = await self.read.known(list_, [row.number for row in listing.rows])
        now = self._clock.now()
        same = sum(1 for row in listing.rows if row.number in known and (row.at or now) <= known[row.number])
        return Plan(list_, listing, len(listing.rows) - same, same)

    async def bring_in(self, who: Principal, list_: ListName, rows: Sequence[Row], source: str) -> Imported:
        """Put everybody on the list, or nobody. Raises Denied and ListRefused."""
        may_manage(who)
        if not rows:
            raise ListRefused("the file has no line with a number in it; nothing was stored")
        done = await self._importing.bring_in(who, list_, rows, source, self._clock.now())
        log.info("list import", who=who.label, list=str(list_), put=done.put, known=done.known)
        return done

    async def note_export(self, who: Principal, list_: ListName, form: str) -> None:
        """Somebody takes a list away as a file. Raises Denied."""
        allow(who, Action.EXPORT)
        now = self._clock.now()
        await self._store.commit(lambda tx: tx.audit.note(who.label, "list_export", list_, form[:10] or "csv", now))

    async def no_texts_after(self, who: Principal, did: str, peer: str, wish: NoTexts) -> str:
        """Somebody said in a call between the two that they want no texts; returns the public id of their thread,
        which may begin with it. Raises NotThere."""
        allow(who, Action.SETTLE)
        of_kind(Kind.CALL, wish.call)
        now = self._clock.now()

        def step(tx: Tx) -> str:
            see(who, did, tx, f"there is no call {wish.call}")
            thread = tx.pairs.thread(did, peer, now)
            no_texts(who, thread, wish, now, tx)
            return thread.public_id

        return await self._store.commit(step)
