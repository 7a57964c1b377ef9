"""Everybody of a file comes on a list, or nobody does: rows come in piece by piece, count from one small commit on, and
are merged with the others after it. So no text waits long for a long file."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog

from ringback.core.list_rows import Row
from ringback.core.permissions import Principal
from ringback.core.plurals import count_of
from ringback.entropy import entropy
from ringback.errors import StoreBusy
from ringback.flow.opt_outs import stop
from ringback.ports.lists import COMING, MERGING, Entry, ListName
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("lists")

IMPORTED = "import"
"""How the ledger calls an opt-out that a former system had."""
AT_ONCE = 500
"""Rows in one step: some milliseconds of the writer's time."""
TOLD_AT_ONCE = 100
"""The same where threads with these people are told as well."""
NAME_BYTES = 10


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did: how many were put on the list, and how many stood there with the same day or a later one."""

    put: int
    known: int


@dataclass(frozen=True, slots=True)
class Coming:
    """An import that is under way: whose it is, to which list, from where, since when. `batch` names it."""

    who: Principal
    list: ListName
    source: str
    at: datetime
    batch: str

    @property
    def evidence(self) -> str:
        """What the ledger of opt-outs says of it; nothing for the other lists."""
        return f"{self.who.label}: {self.source}" if self.list is ListName.STOPPED else ""

    def entry(self, row: Row) -> Entry:
        return Entry(self.list, row.number, row.reason, row.source or self.source, self.who.label, row.at or self.at)


def coming(who: Principal, list_: ListName, source: str, now: datetime) -> Coming:
    return Coming(who, list_, source, now, entropy(NAME_BYTES).hex())


def begin(brought: Coming, tx: Tx) -> None:
    """From here on its rows may be kept; none of them counts."""
    tx.settings.put(COMING + brought.batch, brought.list, brought.at, brought.who.label)


def bring(brought: Coming, rows: Sequence[Row], tx: Tx) -> int:
    """Keep some rows; whoever stands there since the same day or a later one stays as they are. Returns how many are
    new."""
    known = tx.lists.known(brought.list, [row.number for row in rows])
    new = [row for row in rows if row.number not in known or (row.at or brought.at) > known[row.number]]
    tx.lists.bring(brought.batch, [brought.entry(row) for row in new])
    return len(new)


def be_whole(brought: Coming, done: Imported, tx: Tx) -> None:
    """The one commit from which on all of them count."""
    tx.settings.drop(COMING + brought.batch)
    tx.settings.put(MERGING + brought.batch, brought.evidence, brought.at, brought.who.label)
    detail = f"{brought.list}: {count_of(done.put, 'number')} from {brought.source}, {done.known} known"
    tx.audit.note(brought.who.label, "list_import", brought.list, detail, brought.at)


def merge(batch: str, evidence: str, now: datetime, tx: Tx) -> bool:
    """Merge some rows, and tell the threads of those who want no texts; False when none is left."""
    since = tx.lists.merge(batch, TOLD_AT_ONCE if evidence else AT_ONCE)
    if not since:
        tx.settings.drop(MERGING + batch)
    elif evidence:
        _tell_threads(since, evidence, now, tx)
    return bool(since)


def _tell_threads(since: dict[str, datetime], evidence: str, now: datetime, tx: Tx) -> None:
    """Those we have a thread with: it says so there too, and what waits is called off. Whoever said START to us after
    that day has had the last word."""
    for thread in tx.pairs.threads_of_many(list(since)):
        facts = tx.pairs.facts(thread.did, thread.peer, "", "", now)
        if facts.opted_out_at == since[thread.peer]:
            stop(thread, IMPORTED, evidence, now, tx)


def import_all(who: Principal, list_: ListName, rows: Sequence[Row], source: str, now: datetime, tx: Tx) -> Imported:
    """The whole of it in one step, where nobody waits for the database."""
    brought = coming(who, list_, source, now)
    begin(brought, tx)
    put = bring(brought, rows, tx)
    done = Imported(put, len(rows) - put)
    be_whole(brought, done, tx)
    while merge(brought.batch, brought.evidence, now, tx):
        pass
    return done


class Importing:
    """Imports while texts go out beside them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._under_way: set[str] = set()

    async def bring_in(
        self, who: Principal, list_: ListName, rows: Sequence[Row], source: str, now: datetime
    ) -> Imported:
        """Put everybody on the list, or nobody. Raises StoreBusy."""
        brought = coming(who, list_, source, now)
        self._under_way.add(brought.batch)
        try:
            await self._store.commit(partial(begin, brought))
            put = 0
            for start in range(0, len(rows), AT_ONCE):
                put += await self._store.commit(partial(bring, brought, rows[start : start + AT_ONCE]))
            done = Imported(put, len(rows) - put)
            await self._store.commit(partial(be_whole, brought, done))
        finally:
            self._under_way.discard(brought.batch)
        await self.tidy(now)
        return done

    async def tidy(self, now: datetime) -> None:
        """Merge what is whole, and forget what nobody brings any more. What the database does not take now it takes
        after the next import, or at the next start."""
        try:
            for batch, evidence in await self._store.commit(partial(_named, MERGING)):
                while await self._store.commit(partial(merge, batch, evidence, now)):
                    pass
            for batch, _list in await self._store.commit(partial(_named, COMING)):
                while batch not in self._under_way and await self._store.commit(partial(leave_out, batch)):
                    pass
        except StoreBusy as problem:
            log.warning("rows of an import wait to be tidied", problem=str(problem))


def leave_out(batch: str, tx: Tx) -> bool:
    """Forget some rows of an import that never came whole; False when none is left."""
    left = tx.lists.leave_out(batch, AT_ONCE)
    if not left:
        tx.settings.drop(COMING + batch)
    return bool(left)


def _named(prefix: str, tx: Tx) -> list[tuple[str, str]]:
    return [(key.removeprefix(prefix), value) for key, value, _at, _by in tx.settings.beginning_with(prefix)]
