"""Asterisk or the daemon goes away in the middle of calls: nothing is lost silently, nothing is sent twice."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import psycopg

from lab.asterisk import Asterisk
from tests.postgres import Cluster
from tests.stories.daemon import Daemon, daemon_for, running
from tests.stories.scene import end, seen

PAT, SAM, KIM, LEE = (f"+1512555012{last}" for last in range(4))
LINE = "+12125550160"  # rings for long, without a phone
RANG = "noanswer cancelled"


async def began(daemon: Daemon, caller: str) -> None:
    """Wait until the daemon has noted a call of this caller."""
    await daemon.become(lambda: len(daemon.look(caller).calls), 1)


async def test_a_call_that_asterisk_took_with_it_becomes_a_task_lab(tmp_path: Path) -> None:
    with Asterisk.running() as asterisk, running(daemon_for(tmp_path, main=asterisk)) as daemon:
        await daemon.until(ready=True)
        async with asterisk.opened() as pbx:
            await pbx.sipp("cancel", LINE, caller=PAT, pause="60000")
            await began(daemon, PAT)
            asterisk.kill()
            died_at = int(time.time())
            parts = await daemon.until(ready=False)
            assert parts["asterisk main"].startswith("away")

        asterisk.restart()
        await daemon.until(ready=True)
        await daemon.become(lambda: daemon.rows("SELECT kind FROM task"), [("unseen",)])
        assert daemon.rows("SELECT pbx, calls FROM pbx_gap WHERE to_at IS NOT NULL AND calls > 0") == [("main", 1)]
        (gone,) = daemon.look(PAT).calls
        assert (gone.outcome, gone.decision, gone.reason, gone.texts) == (None, "none", "unseen", ())

        while int(time.time()) == died_at:
            await asyncio.sleep(0.05)  # Asterisk's ids are made of the second and of a number that begins at 0 again
        async with asterisk.opened() as pbx:
            call = await (await pbx.caller(SAM)).call(LINE)
            await call.ringing()
            await call.cancel()
        (call,) = await daemon.ended(LINE)
        assert seen(await daemon.delivered(call)) == end("missed", RANG)
        assert daemon.handset() == Counter({(LINE, SAM): 1})


async def test_calls_outlive_a_daemon_that_was_killed_lab(tmp_path: Path) -> None:
    with Asterisk.running() as asterisk, running(daemon_for(tmp_path, main=asterisk)) as daemon:
        await daemon.until(ready=True)
        async with asterisk.opened() as pbx:
            callers = {number: await pbx.caller(number) for number in (PAT, SAM, KIM, LEE)}
            through = await callers[PAT].call(LINE)
            gone = await callers[SAM].call(LINE)
            for call, number in ((through, PAT), (gone, SAM)):
                await call.ringing()
                await began(daemon, number)

            daemon.kill()
            await gone.cancel()
            late = await callers[KIM].call(LINE)
            hidden = await callers[LEE].call(LINE, [("Privacy", "id")])
            for call in (late, hidden):
                await call.ringing()

            daemon.start()
            await daemon.until(ready=True)
            await daemon.become(lambda: daemon.rows("SELECT kind FROM task"), [("unseen",)])
            for number in (KIM, LEE):
                await began(daemon, number)
            for call in (through, late, hidden):
                await call.cancel()
            await daemon.ended(LINE, 3)

    ends = {number: [seen(call) for call in daemon.look(number).calls] for number in callers}
    assert ends[PAT] == [end("missed", RANG)]
    assert ends[KIM] == [end("missed", RANG)]
    assert ends[LEE] == [end("missed", RANG, reason="withheld")]
    (unseen,) = daemon.look(SAM).calls
    assert (unseen.outcome, unseen.reason, unseen.texts) == (None, "unseen", ())
    assert daemon.handset() == Counter({(LINE, PAT): 1, (LINE, KIM): 1})


async def test_what_happened_while_the_daemon_was_dead_is_read_from_cel_lab(tmp_path: Path) -> None:
    with Asterisk.running() as asterisk:
        written = (
            f'inbound_contexts = ["from-trunk"]\ncel_file = "{asterisk.run}/log/cel-custom/Master.csv"\nzone = "UTC"'
        )
        with running(daemon_for(tmp_path, more=written, main=asterisk)) as daemon:
            await daemon.until(ready=True)
            async with asterisk.opened() as pbx:
                callers = {number: await pbx.caller(number) for number in (PAT, SAM, KIM)}
                begun = await callers[PAT].call(LINE)
                await begun.ringing()
                await began(daemon, PAT)

                daemon.kill()
                await begun.cancel()
                for number, headers in ((SAM, []), (KIM, [("Privacy", "id")])):
                    missed = await callers[number].call(LINE, headers)
                    await missed.ringing()
                    await missed.cancel()

                daemon.start()
                await daemon.until(ready=True)
                for call in await daemon.ended(LINE, 3):
                    if call.peer != KIM:
                        assert seen(await daemon.delivered(call)) == end("missed", RANG)
            assert [seen(call) for call in daemon.look(KIM).calls] == [end("missed", RANG, reason="withheld")]
            assert daemon.handset() == Counter({(LINE, PAT): 1, (LINE, SAM): 1})
            assert daemon.rows("SELECT count(*) FROM task WHERE done_at IS NULL") == [(0,)]


async def test_a_daemon_that_starts_before_asterisk_says_so_and_gets_ready_lab(tmp_path: Path) -> None:
    with Asterisk.running() as asterisk:
        asterisk.stop()
        with running(daemon_for(tmp_path, main=asterisk)) as daemon:
            parts = await daemon.until(ready=False)
            assert "nothing listens" in parts["asterisk main"]
            assert parts["carrier main"] == "works"

            asterisk.restart()
            parts = await daemon.until(ready=True)
            assert parts["asterisk main"] == "works"
            assert daemon.stop() == 0


async def test_two_exchanges_feed_one_daemon_lab(tmp_path: Path) -> None:
    with (
        Asterisk.running() as main,
        Asterisk.running() as branch,
        running(daemon_for(tmp_path, main=main, branch=branch)) as daemon,
    ):
        await daemon.until(ready=True)
        for asterisk, number in ((main, PAT), (branch, SAM)):
            async with asterisk.opened() as pbx:
                call = await (await pbx.caller(number)).call(LINE)
                await call.ringing()
                await call.cancel()
        for call in await daemon.ended(LINE, 2):
            assert seen(await daemon.delivered(call)) == end("missed", RANG)
        assert {number: daemon.look(number).calls[0].pbx for number in (PAT, SAM)} == {PAT: "main", SAM: "branch"}

        branch.kill()
        parts = await daemon.until(ready=False)
        assert parts["asterisk main"] == "works"
        assert parts["asterisk branch"].startswith("away")


async def test_postgres_that_cuts_every_connection_in_mid_call_costs_no_text_lab(
    tmp_path: Path, postgres: Cluster
) -> None:
    url = postgres.create("story")
    with Asterisk.running() as asterisk, running(daemon_for(tmp_path, database=url, main=asterisk)) as daemon:
        await daemon.until(ready=True)
        async with asterisk.opened() as pbx:
            call = await (await pbx.caller(PAT)).call(LINE)
            await call.ringing()
            await began(daemon, PAT)
            with psycopg.connect(postgres.conninfo("postgres"), autocommit=True) as admin:
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'story'")
            daemon.__dict__.pop("_engine").dispose()  # our own look at it was cut as well
            await call.cancel()
        (ended,) = await daemon.ended(LINE)
        assert seen(await daemon.delivered(ended)) == end("missed", RANG)
        assert daemon.handset() == Counter({(LINE, PAT): 1})
        daemon.__dict__.pop("_engine").dispose()
