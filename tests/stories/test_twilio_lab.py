"""Talks that go by Twilio, from the call to the STOP, and its hooks while the daemon dies, stops, or cannot write."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from lab.asterisk import Asterisk
from lab.pbx import Pbx
from ringback.core.keywords import Command, answer
from ringback.core.reasons import SENTENCES, Reason
from ringback.panel.thread_words import BUSY as BUSY_WORDS
from tests.fakes.twilio import Manner, Way
from tests.postgres import Cluster
from tests.stories.daemon import Daemon
from tests.stories.flood import Flood
from tests.stories.panel import BUSY, CONFLICT, DONE, Panel, let_in
from tests.stories.proxy import proxy
from tests.stories.scene import SORRY, end, seen
from tests.stories.twilio import LATER, REFUSED, TAKEN, Line, line_to

PAT, SAM = "+15125550120", "+15125550121"
DID = "+12125550160"  # rings for long, without a phone
STOPPED = answer(Command.STOP, "en", "Northlight", "")


async def misses(pbx: Pbx, caller: str) -> None:
    """Call, hear it ring, give up."""
    call = await (await pbx.caller(caller)).call(DID)
    await call.ringing()
    await call.cancel()


def thread(daemon: Daemon, peer: str) -> str:
    """The address of the only thread with somebody."""
    (story,) = daemon.look(peer).threads
    return f"/threads/{story.public_id}"


@pytest.mark.parametrize(
    ("replies", "public", "called", "told"),
    [
        pytest.param(
            "carrier", "https://sms.example.com", "sms.example.com", [], id="Twilio confirms the STOP, so we do not"
        ),
        pytest.param(
            "ringback",
            "https://www.example.com:8443/our/texts",
            "inner.example.net",
            [STOPPED],
            id="we confirm the STOP, once, behind a path and a port",
        ),
    ],
)
async def test_a_missed_call_becomes_a_talk_until_the_caller_says_stop_lab(
    asterisk: Asterisk, tmp_path: Path, replies: str, public: str, called: str, told: list[str]
) -> None:
    async with (
        line_to(asterisk, tmp_path, public=public, options=f'keyword_replies = "{replies}"') as line,
        proxy(line.direct, called) as edge,
        asterisk.opened() as pbx,
    ):
        line.way, daemon = lambda: edge, line.daemon
        await asyncio.gather(let_in(daemon), misses(pbx, PAT))
        (call,) = await daemon.ended(DID)
        sorry = await line.took(1)
        assert (sorry.sender, sorry.to, sorry.body) == (DID, PAT, SORRY)
        await line.tells(sorry, "sent", "delivered")
        assert seen(await daemon.delivered(call)) == end("missed", "noanswer cancelled")
        (text,) = daemon.again(call).texts
        assert [step.state for step in text.steps][-3:] == ["accepted", "sent", "delivered"]

        await line.writes(PAT, DID, "Is Tuesday <b>fine</b>?")
        said = json.loads((await daemon.do("explain", PAT, "--json")).out)
        assert [came["body"] for came in said["incoming"]] == ["Is Tuesday <b>fine</b>?"]
        async with Panel.opened(daemon) as panel:
            page = await panel.open(thread(daemon, PAT))
            assert page.shows("Is Tuesday <b>fine</b>?")
            await panel.submit(page, "/texts", text="Tuesday it is")
            reply = await line.took(2)
            assert (reply.sender, reply.to, reply.body) == (DID, PAT, "Tuesday it is")
            await line.tells(reply, "sent", "delivered")

            if replies == "carrier":
                line.twilio.stopped_by.add((DID, PAT))
            stop = await line.writes(PAT, DID, "Stop.")
            assert daemon.look(PAT).threads[0].opted_out_at is not None
            assert await line.brings(stop) == TAKEN
            await line.writes(PAT, DID, "STOP")
            for body in told:
                confirmation = await line.took(3)
                assert confirmation.body == body
                await line.tells(confirmation, "sent", "delivered")

            before = len(daemon.log.records)
            await misses(pbx, PAT)
            (again,) = await daemon.ended(DID, 1, before)
            assert (again.decision, again.reason, again.texts) == ("suppress", "opted_out", ())
            refused = await panel.submit(await panel.open(thread(daemon, PAT)), "/texts", text="One more thing")
            assert refused.status == CONFLICT
            assert refused.shows(SENTENCES[Reason.OPTED_OUT])

    assert [text.body for text in line.twilio.sent] == [SORRY, "Tuesday it is", *told]
    assert [came.body for came in daemon.look(PAT).incoming] == ["Is Tuesday <b>fine</b>?", "Stop.", "STOP"]


async def test_a_public_address_that_is_not_what_twilio_calls_is_told_and_mended_lab(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    async with (
        line_to(asterisk, tmp_path, told="https://old.example.com") as line,
        proxy(line.direct, "sms.example.com") as edge,
    ):
        line.way, daemon = lambda: edge, line.daemon
        await let_in(daemon)
        text = line.twilio.receive(PAT, DID, "Do you hear me?")
        assert await line.brings(text) == REFUSED
        assert daemon.look(PAT).incoming == ()
        told = "Refused: 1 hook in the name of main"
        why = "it was sent to sms.example.com, and hooks.public_url says old.example.com"
        async with Panel.opened(daemon) as panel:
            (finding,) = (await panel.ready())["findings"]
        assert (finding["tone"], finding["what"]) == ("bad", told)
        assert why in finding["means"]
        checked = await daemon.do("check")
        assert checked.code == 1
        assert [line for line in checked.out.splitlines() if line.startswith("FIX ")] == [f"FIX  daemon: {told}"]
        assert why in checked.out

        await line.stops()
        daemon.file.write_text(daemon.file.read_text().replace("https://old.example.com", line.public))
        await line.starts()
        assert await line.brings(text) == TAKEN
        (came,) = daemon.look(PAT).incoming
        assert came.body == "Do you hear me?"
        checked = await daemon.do("check")
        assert (checked.code, checked.out.splitlines()[-1]) == (0, "all well")


@contextmanager
def locked(daemon: Daemon) -> Iterator[None]:
    """Somebody else writes to the database for as long as the block lasts."""
    with closing(sqlite3.connect(daemon.state / "ringback.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


async def test_while_the_database_is_locked_hooks_come_again_and_nothing_is_lost_lab(
    asterisk: Asterisk, tmp_path: Path
) -> None:
    async with line_to(asterisk, tmp_path) as line, asterisk.opened() as pbx:
        daemon = line.daemon
        await let_in(daemon)
        await line.writes(PAT, DID, "Hello?")
        call = await (await pbx.caller(SAM)).call(DID)
        await call.ringing()
        await daemon.become(lambda: len(daemon.look(SAM).calls), 1)
        texts = [line.twilio.receive(PAT, DID, f"text {number}") for number in range(8)]
        async with Panel.opened(daemon) as panel:
            page = await panel.open(thread(daemon, PAT))
            with locked(daemon):
                *answers, busy, _ = await asyncio.gather(
                    *map(line.brings, texts), panel.submit(page, "/texts", text="Yes?"), call.cancel()
                )
                assert answers == [LATER] * len(texts)
                assert (busy.status, busy.shows(BUSY_WORDS)) == (BUSY, True)
                assert line.twilio.sent == []
            assert await asyncio.gather(*map(line.brings_surely, texts)) == [TAKEN] * len(texts)
            assert busy.form("/texts").fields["text"] == "Yes?"
            assert (await panel.submit(busy, "/texts")).status == DONE
        await daemon.ended(DID)
        await line.took(2)
        assert Counter(text.body for text in line.twilio.sent) == Counter(["Yes?", SORRY])
        assert Counter(came.body for came in daemon.look(PAT).incoming) == Counter(
            ["Hello?", *(text.body for text in texts)]
        )


STOPS_WITHIN_S = 5.0


async def test_a_stop_ends_live_pages_and_loses_neither_hooks_nor_texts_lab(asterisk: Asterisk, tmp_path: Path) -> None:
    async with line_to(asterisk, tmp_path) as line:
        daemon, clock = line.daemon, asyncio.get_running_loop().time
        await let_in(daemon)
        await line.writes(PAT, DID, "Hello?")
        line.twilio.treat(PAT, Way(Manner.DAWDLES, delay=1.0))
        texts = [line.twilio.receive(SAM, DID, f"text {number}") for number in range(8)]
        async with Panel.opened(daemon) as panel:
            here = thread(daemon, PAT)
            page = await panel.open(here)
            async with (
                panel.follows(f"{here}/events") as one,
                panel.follows("/threads/events?view=waiting") as all_,
                panel.follows("/tasks/events") as tasks,
            ):
                await one.until("counts")
                await panel.submit(page, "/texts", text="One moment")
                await line.took(1)
                with locked(daemon):
                    bringing = [asyncio.ensure_future(line.brings_if_it_can(text)) for text in texts]
                    await panel.open("/profile")  # asked after the hooks, so they are in hand by now
                    began = clock()
                    stopping = asyncio.ensure_future(line.stops())
                    await daemon.log.wait(lambda said: said.get("event") == "ringback stops", "the stop")
                await asyncio.gather(one.over(), all_.over(), tasks.over())
            answers = await asyncio.gather(*bringing)
            assert await stopping == 0
            assert clock() - began < STOPS_WITHIN_S
        assert TAKEN in answers
        kept = Counter(came.body for came in daemon.look(SAM).incoming)
        assert not Counter(text.body for text, answer in zip(texts, answers, strict=True) if answer == TAKEN) - kept

        await line.starts()
        assert await asyncio.gather(*map(line.brings, texts)) == [TAKEN] * len(texts)
        assert Counter(came.body for came in daemon.look(SAM).incoming) == Counter(text.body for text in texts)
        (reply,) = daemon.look(PAT).texts
        assert (reply.body, reply.state, len(reply.attempts)) == ("One moment", "accepted", 1)
        await line.tells(await line.took(1), "sent", "delivered")


PEOPLE = tuple(f"+17135550{number}" for number in range(130, 160))
KILLED_AT = (80, 180)
"""After so many hooks were taken."""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_hooks_outlive_a_daemon_that_is_killed_twice_lab(
    asterisk: Asterisk, tmp_path: Path, request: pytest.FixtureRequest, kind: str
) -> None:
    database = ""
    if kind == "postgres":
        cluster: Cluster = request.getfixturevalue("postgres")
        database = cluster.create("hooks")
    options = 'keyword_replies = "ringback"'
    async with line_to(asterisk, tmp_path, options=options, database=database) as line, asterisk.opened() as pbx:
        daemon, twilio, hung = line.daemon, line.twilio, PEOPLE[0]
        twilio.treat(hung, Way(Manner.HANGS))
        await line.writes(hung, DID, "STOP")
        await line.took(1)
        flood = Flood(line, PEOPLE, DID)
        async with asyncio.TaskGroup() as both:
            both.create_task(flood.comes())
            for count in KILLED_AT:
                await flood.reaches(count)
                line.dies()
                await line.starts()
        assert await asyncio.gather(*map(line.brings, flood.texts[::5])) == [TAKEN] * 60

        came = daemon.rows("SELECT provider_id, count(*) FROM inbound_raw GROUP BY provider_id")
        assert dict(came) == {text.sid: 1 for text in twilio.messages if text.direction == "inbound"}
        kept = daemon.rows(
            """SELECT t.peer, i.body, count(*) FROM incoming i JOIN thread t ON t.id = i.thread_id
            GROUP BY t.peer, i.body"""
        )
        assert {(peer, body): count for peer, body, count in kept} == Counter(
            (text.sender, text.body) for text in twilio.messages if text.direction == "inbound"
        )
        stopped = "SELECT count(*) FROM pair_facts WHERE opted_out_at IS NOT NULL"
        assert daemon.rows(stopped) == [(len(PEOPLE),)]
        await answers_are_sent_once_or_explained(line, hung)

        before = len(daemon.log.records)
        await misses(pbx, PEOPLE[1])
        (call,) = await daemon.ended(DID, 1, before)
        assert (call.decision, call.reason) == ("suppress", "opted_out")
        daemon.__dict__.pop("_engine").dispose()


async def answers_are_sent_once_or_explained(line: Line, hung: str) -> None:
    """Each STOP has one answer; Twilio has it once, or not at all and a person is told that nobody knows."""
    daemon = line.daemon
    await daemon.become(
        lambda: daemon.rows("SELECT 1 FROM message WHERE state IN ('held', 'queued', 'submitting')"), []
    )
    for text in line.twilio.sent:
        if text.to != hung:
            await line.tells(text, "sent", "delivered")
    at_twilio = Counter(text.to for text in line.twilio.sent)
    answers = {peer: [came.answer for came in daemon.look(peer).incoming if came.answer] for peer in PEOPLE}
    for peer, (text,) in answers.items():
        assert text.command == "stop"
        if text.state == "delivered":
            assert at_twilio[peer] == 1
        else:
            assert text.state == "unconfirmed"
            assert at_twilio[peer] == (peer == hung)
            assert [task.kind for task in text.tasks if task.done_at is None] == ["unconfirmed"]
            assert [attempt.cause for attempt in text.attempts][-1:] == ["crash"]
    assert answers[hung][0].state == "unconfirmed"
