"""Killed around every commit: a month's counter has each attempt that may have left, once, and no other."""

import pytest

from tests.conftest import NOON
from tests.flow.office import ANNA, column, rows
from tests.flow.test_crash import Crash, Crashing, Moment
from tests.flow.test_desk_crash import live, revive

COUNTED = """SELECT coalesce(sum(m.segments), 0) FROM attempt a JOIN message m ON m.id = a.message_id
    WHERE coalesce(a.outcome, '') NOT IN ('not_sent', 'rejected')"""


def allow(tx) -> None:
    """Both who writes and the business have an allowance, wide enough."""
    tx.grants.allow_segments("user", 1, 0, 100, "root", NOON)
    tx.grants.allow_segments("everyone", 0, 50, 0, "root", NOON)


@pytest.mark.parametrize("moment", list(Moment))
async def test_crash_at_any_commit_counts_what_may_have_left_and_nothing_else(store, tmp_path, moment, fresh):
    assert ANNA.account == 1
    tried_again = 0
    for at in range(1, 100):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        database, clock = await fresh()
        await database.commit(allow)
        told: dict[int, str] = {}
        try:
            await live(Crashing(database, at, moment), clock, folder, told)
            through = True
        except (Crash, BaseExceptionGroup):
            through = False
        world = await revive(database, clock, folder, told)
        (left,) = await column(world, COUNTED)
        found = dict(await rows(world, "SELECT key, n FROM meter WHERE substr(key, 1, 5) = 'used:'"))
        assert found == {"used:user:1": int(left), "used:everyone:0": int(left)}, at
        tried_again += (await column(world, "SELECT count(*) FROM attempt WHERE outcome = 'not_sent'"))[0]
        await database.close()
        if through:
            break
    assert through, "the run never got through"
    assert at > 8
    assert tried_again, "nothing was ever taken back"
