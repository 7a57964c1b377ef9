"""Reads for pages that bring SQLAlchemy along once somebody looks: 20 MB and 0.3 s a first call need not wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from importlib import import_module
from typing import Any, cast

from ringback.ports.callbook import Callbook
from ringback.ports.messages import Messages
from ringback.ports.overview import Overview
from ringback.ports.person import ReadPerson
from ringback.ports.queues import ReadQueues
from ringback.ports.record import Entry, ReadRecord, Wanted
from ringback.ports.search import ReadSearch
from ringback.ports.sessions import ReadSessions
from ringback.ports.threads import ReadThreads
from ringback.ports.worklist import Worklist
from ringback.store.database import Database


class _Late:
    """Stands for an object of a module that is loaded, off the loop, at the first question."""

    def __init__(self, module: str, name: str, database: Database) -> None:
        self._module = module
        self._name = name
        self._database = database
        self._real: Any = None

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def ask(*args: object, **named: object) -> object:
            if self._real is None:
                module = await asyncio.to_thread(import_module, self._module)
                self._real = getattr(module, self._name)(self._database)
            return await getattr(self._real, method)(*args, **named)

        return ask


def read_threads(database: Database) -> ReadThreads:
    return cast(ReadThreads, _Late("ringback.store.read_threads", "StoredThreads", database))


def read_search(database: Database) -> ReadSearch:
    return cast(ReadSearch, _Late("ringback.store.read_search", "StoredSearch", database))


def read_calls(database: Database) -> Callbook:
    return cast(Callbook, _Late("ringback.store.read_calls", "ReadCalls", database))


def read_tasks(database: Database) -> Worklist:
    return cast(Worklist, _Late("ringback.store.read_tasks", "ReadTasks", database))


def read_overview(database: Database) -> Overview:
    return cast(Overview, _Late("ringback.store.read_overview", "ReadOverview", database))


def read_messages(database: Database) -> Messages:
    return cast(Messages, _Late("ringback.store.read_messages", "ReadMessages", database))


class _LateRecord:
    """As above; what comes some at a time is asked for some at a time."""

    def __init__(self, database: Database) -> None:
        self._late = cast(Any, _Late("ringback.store.read_record", "StoredRecord", database))

    async def entries(self, wanted: Wanted, before: int | None, limit: int) -> list[Entry]:
        return cast(list[Entry], await self._late.entries(wanted, before, limit))

    async def every(self, wanted: Wanted) -> AsyncIterator[Entry]:
        after = 0
        while page := await self._late.oldest(wanted, after):
            for entry in page:
                yield entry
            after = page[-1].id


def read_record(database: Database) -> ReadRecord:
    return _LateRecord(database)


def read_person(database: Database) -> ReadPerson:
    return cast(ReadPerson, _Late("ringback.store.read_person", "StoredPerson", database))


def read_sessions(database: Database) -> ReadSessions:
    return cast(ReadSessions, _Late("ringback.store.read_sessions", "StoredSessions", database))


def read_queues(database: Database) -> ReadQueues:
    return cast(ReadQueues, _Late("ringback.store.read_queues", "StoredQueues", database))
