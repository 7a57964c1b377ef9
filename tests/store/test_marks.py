"""What the state folder remembers of the database's commits, when it cannot be written."""

from functools import partial

from ringback.store.database import Database
from ringback.store.marks import FILE, Mark
from tests.conftest import NOON


def put_small(n, tx):
    tx.settings.put(f"small{n}", "x", NOON, "test")


async def test_a_commit_stands_although_a_full_disk_cannot_remember_it(url, tmp_path, clock):
    state = tmp_path / "state"
    state.mkdir()
    (state / FILE).symlink_to("/dev/full")
    database = Database(url, clock, state)
    await database.open()
    await database.commit(partial(put_small, 1))
    assert (await database.commit(lambda tx: tx.settings.get("small1")), database.trouble) == (("x", NOON), "")
    await database.close()


async def test_one_that_lags_behind_is_no_sign_that_the_database_went_back(url, tmp_path, clock):
    database = Database(url, clock, tmp_path)
    await database.open()
    await database.commit(partial(put_small, 1))
    await database.close()
    mark = Mark(tmp_path)
    mark.write(mark.read() - 1)
    mark.close()
    again = Database(url, clock, tmp_path)
    await again.open()
    assert await again.commit(lambda tx: tx.settings.get("restored")) is None
    await again.close()
    mark = Mark(tmp_path)
    assert mark.read() > 3, "it goes on from what the database has"
    mark.close()
