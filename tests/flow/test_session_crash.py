"""Killed around every commit while a session goes through its life: each step is whole or was never, and it goes on."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from ringback.core.sessions import OPEN, Origin, SessionState, Why
from ringback.core.text_queues import Plan
from ringback.flow.queues import remove_queue
from tests.flow.agents import NOTES, Office, open_for
from tests.flow.session_rules import broken
from tests.flow.test_crash import Crash, Crashing, Moment
from tests.flow.world import DID, PAT, SAM, World

MINUTE = timedelta(minutes=1)
PLAN = Plan(offer_for=MINUTE, wrap_up=MINUTE, customer_idle=timedelta(hours=1), notes=NOTES)


async def life(office: Office) -> AsyncIterator[tuple[str, Why]]:
    """A session from a text to its end, and one from a call; after each step, what it must have written and of whom."""
    await office.world.says("Is it ready?")
    yield PAT, Why.NUMBERS_QUEUE
    name = (await office.session()).public_id
    await office.desk.claim(office.anna, name)
    yield PAT, Why.CLAIMED
    await office.replies_at_the_desk(office.anna)
    yield PAT, Why.REPLIED
    await office.desk.transfer(office.anna, name, to_agent=office.bert.id)
    yield PAT, Why.TRANSFER_ASKED
    await office.desk.accept_transfer(office.bert, name)
    yield PAT, Why.TRANSFER_ACCEPTED
    call = await office.rings("1", SAM)
    await office.accepts(call, Origin.WAIT_TEXT)
    yield SAM, Why.CALL_ACCEPTED
    call = await office.picks_up(call, "122")
    yield SAM, Why.AGENT_ANSWERED
    await office.hangs_up(call)
    yield SAM, Why.CALL_ENDED
    await office.desk.dismiss(office.bert, (await office.session(peer=SAM)).public_id)
    yield SAM, Why.DISMISSED
    await office.world.says("One more thing", sender=SAM)
    yield SAM, Why.RETURNED
    sales = await office.queue()
    now = office.now
    await office.world.store.commit(lambda tx: remove_queue(sales.public_id, "test", now, tx))
    yield SAM, Why.QUEUE_REMOVED
    await office.desk.end(office.bert, name)
    yield PAT, Why.ENDED
    await office.replies_at_the_desk(office.bert, peer=SAM)
    await office.passes(timedelta(days=2))
    yield SAM, Why.CUSTOMER_IDLE


@pytest.mark.parametrize("moment", list(Moment))
async def test_crash_at_any_point_leaves_every_session_whole(store, clock, tmp_path, moment, fresh):
    crashes = 0
    for at in range(1, 200):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database, clock = await fresh()
        crashing = Crashing(database, at, moment)
        written: list[tuple[str, Why]] = []
        crashed = await run(crashing, clock, folder, written)
        crashes += crashed
        await look(database, clock, folder, written)
        await database.close()
        if not crashed:
            break
    assert not crashed, "the run never got through"
    assert crashes > 15


async def run(crashing: Crashing, clock, folder, written: list) -> bool:
    """One life of the daemon; True if it crashed."""
    try:
        async with World(crashing, clock, folder).running() as world:
            office = await open_for(world, PLAN)
            crashing.count = 0  # what moves in is no part of it
            async for step in life(office):
                written.append(step)
    except BaseExceptionGroup as group:
        assert group.split(Crash)[1] is None, group
        return True
    except Crash:
        return True
    return False


async def look(database, clock, folder, written) -> None:
    """The next life: what was written is there, every rule holds, and what is open goes on."""
    async with World(database, clock, folder, begin=lambda now, tx: None).running() as world:
        assert set(written) <= set(await database.read(told))
        await hold(database)
        await world.says("Hello again")
        session = await database.commit(lambda tx: tx.sessions.of_thread(tx.pairs.thread(DID, PAT, clock.now()).id))
        assert session is not None
        assert session.state in OPEN - {SessionState.DISMISSED}
        await hold(database)


def told(connection) -> list[tuple[str, str]]:
    statement = "SELECT s.peer, e.why FROM session_event e JOIN session s ON s.id = e.session_id"
    return [tuple(row) for row in connection.exec_driver_sql(statement)]


async def hold(database) -> None:
    """Every rule of sessions holds in this database."""

    def check(connection) -> list[str]:
        return broken(lambda statement: [dict(row._mapping) for row in connection.exec_driver_sql(statement)])

    assert await database.read(check) == []
