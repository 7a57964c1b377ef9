"""Steps that only read, run beside the writer: neither waits for the other."""

from typing import TypeVar, cast

from ringback.ports.storage import Step, Tx
from ringback.store.database import Database
from ringback.store.nouns import Nouns
from ringback.store.reading import OnReader

T = TypeVar("T")


class Beside:
    """Satisfies `ports.live_calls.Beside`. A step that writes raises StoreFault."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, step: Step[T]) -> T:
        return await self._database.read(lambda connection: step(cast(Tx, Nouns(OnReader(connection)))))
