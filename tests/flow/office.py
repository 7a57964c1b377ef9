"""The people at the desk, and looks into what they left in the database."""

import asyncio

from ringback.core.permissions import Asker, Principal, Role
from ringback.flow.desk import Desk
from tests.flow.world import DID, PAT, World

# the accounts that every world begins with
ANNA = Principal(Asker.USER, "usr_anna", "Anna", frozenset({Role.AGENT}), account=1)
BERT = Principal(Asker.USER, "usr_bert", "Bert", frozenset({Role.AGENT}), account=2)
NOBODY = Principal(Asker.USER, "usr_none", "Nobody", frozenset())


def desk_of(world: World, **carriers) -> Desk:
    return Desk(world.house, world.store, world.lanes, {"main": world.carrier} | carriers, world.clock)


async def begin(world: World, did: str = DID, peer: str = PAT) -> str:
    """The public id of a pair's thread, begun if there is none."""
    return (await world.ground.commit(lambda tx: tx.pairs.thread(did, peer, world.clock.now()))).public_id


async def rows(world: World, statement: str) -> list[tuple]:
    return await world.ground.read(
        lambda connection: [tuple(row) for row in connection.exec_driver_sql(statement).fetchall()]
    )


async def column(world: World, statement: str) -> list:
    return [row[0] for row in await rows(world, statement)]


async def states(world: World, message: str) -> list[str]:
    """The states one text went through."""
    return await column(
        world,
        f"""SELECT e.state FROM message_event e JOIN message m ON m.id = e.message_id
        WHERE m.public_id = '{message}' ORDER BY e.id""",
    )


async def audited(world: World) -> list[tuple]:
    return await rows(world, "SELECT who, action, about FROM audit ORDER BY id")


async def everything(world: World) -> dict[str, list[tuple]]:
    """All rows of all tables, but for the count of commits, which every look at the writer moves."""
    names = ("thread", "message", "part", "attempt", "message_event", "opt_out_event", "pair_facts", "task", "audit")
    more = ("idempotency", "incoming", "meter", "setting", "pending_text")
    found = {name: sorted(map(repr, await rows(world, f"SELECT * FROM {name}"))) for name in (*names, *more)}
    found["setting"] = [row for row in found["setting"] if not row.startswith("('commits'")]
    return found


class Gated:
    """A store whose commits wait until they are let through; `asked` is set when one waits."""

    def __init__(self, store: object) -> None:
        self.store = store
        self.open = asyncio.Event()
        self.asked = asyncio.Event()
        self.open.set()

    async def commit(self, step):
        await self._pass()
        return await self.store.commit(step)

    async def commit_all(self, steps):
        return await self.store.commit_all(steps)

    def ride_along(self, steps):
        self.store.ride_along(steps)

    async def _pass(self) -> None:
        if not self.open.is_set():
            self.asked.set()
        await self.open.wait()
