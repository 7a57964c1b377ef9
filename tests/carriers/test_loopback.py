"""The loopback carrier: its handsets, its journal, and each way its line can behave."""

import asyncio
import json
import resource
import stat
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import fields
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.carriers import loopback
from ringback.carriers.loopback import TAKES, Loopback, Settings, read_settings
from ringback.carriers.loopback_replies import PASSAGES
from ringback.core.messages import Outgoing, ReceiptStatus
from ringback.errors import Blocked, ConfigFault, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.ports import CarrierEvent, Incoming, MediaLink, Receipt
from ringback.ports.handsets import Behaviour, HandsetText, Passage
from tests.fakes.hand_clock import HandClock

ANA, BEN = "+12025550147", "+12025550148"
OURS = "+12025550101"
S = ReceiptStatus


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def line(clock: HandClock, tmp_path: Path) -> Loopback:
    return Loopback("main", Settings(), clock, tmp_path / "handset.jsonl")


def text(number: str = ANA, words: str = "Sorry we missed you", n: int = 0) -> Outgoing:
    return Outgoing(f"att_{n}", f"msg_{n}", "+12025550101", number, words, HandClock().now())


def journal(folder: Path) -> list[dict[str, str]]:
    return [json.loads(row) for row in (folder / "handset.jsonl").read_bytes().splitlines()]


async def one_by_one(line: Loopback) -> AsyncIterator[Receipt]:
    """What the line brings, receipt by receipt."""
    async with aclosing(line.batches()) as batches:
        async for batch in batches:
            for event in batch:
                assert isinstance(event, Receipt)
                yield event


async def receipts(line: Loopback, wanted: int) -> list[Receipt]:
    """Read that many receipts and be done with each."""
    got: list[Receipt] = []
    async with asyncio.timeout(5), aclosing(one_by_one(line)) as events:
        async for event in events:
            got.append(event)
            if len(got) > wanted:
                raise AssertionError("more receipts than were meant to come")
            if len(got) == wanted:
                # asking for the next one says that the last is done with
                asking = asyncio.ensure_future(anext(events))
                await asyncio.sleep(0)
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                break
    return got


async def send_and_lose_the_answer(line: Loopback, clock: HandClock) -> None:
    sending = asyncio.ensure_future(line.send(text()))
    async with asyncio.timeout(5):
        await clock.until_somebody_sleeps()
        clock.move(Settings().answer_within)
        with pytest.raises(Unconfirmed):
            await sending


async def test_the_journal_has_one_line_a_text(line: Loopback, clock: HandClock, tmp_path: Path):
    ref = await line.send(text(words="Ő\u2028\nline", n=4))
    assert journal(tmp_path) == [
        {
            "kind": "text",
            "attempt": "att_4",
            "message": "msg_4",
            "sender": "+12025550101",
            "to": ANA,
            "text": "Ő\u2028\nline",
            "at": "2026-11-20T15:00:00+00:00",
            "provider_id": ref.provider_id,
        }
    ]


async def test_a_carrier_built_only_to_be_checked_opens_nothing(line: Loopback, tmp_path: Path):
    assert list(tmp_path.iterdir()) == []


async def test_a_journal_that_cannot_be_opened_is_a_line_that_is_down(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(), clock, tmp_path / "missing" / "handset.jsonl")
    with pytest.raises(Unreachable, match="No such file"):
        await line.send(text())
    assert line.numbers() == ()


async def test_the_journal_shows_a_text_that_went_twice(line: Loopback, tmp_path: Path):
    await line.send(text(n=1))
    await line.send(text(n=1))
    assert [row["attempt"] for row in journal(tmp_path)] == ["att_1", "att_1"]
    assert len({row["provider_id"] for row in journal(tmp_path)}) == 2


async def test_the_journal_is_for_its_owner_and_goes_on_after_a_restart(clock: HandClock, tmp_path: Path):
    path = tmp_path / "handset.jsonl"
    for n in range(2):
        await Loopback("main", Settings(), clock, path).send(text(n=n))
    assert [row["attempt"] for row in journal(tmp_path)] == ["att_0", "att_1"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_full_disk_takes_nothing_and_leaves_no_half_line(line: Loopback, tmp_path: Path):
    await line.send(text(n=1))
    path = tmp_path / "handset.jsonl"
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    # python ignores SIGXFSZ, so a file at its size limit answers like a full disk: a short write, then an error
    try:
        for room in (40, 0):
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + room, limits[1]))
            with pytest.raises(Unreachable, match=r"handset\.jsonl cannot be written"):
                await line.send(text(n=2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert [shown.attempt for shown in line.handset(ANA)] == ["att_1"]
    await line.send(text(n=3))
    assert [row["attempt"] for row in journal(tmp_path)] == ["att_1", "att_3"]


@given(words=st.text(), sender=st.text(), number=st.text())
def test_any_text_is_one_line_of_the_journal(words: str, sender: str, number: str, tmp_path_factory):
    folder = tmp_path_factory.mktemp("journal")
    line = Loopback("main", Settings(), HandClock(), folder / "handset.jsonl")
    asyncio.run(line.send(Outgoing("att", "msg", sender, number, words, HandClock().now())))
    (row,) = (folder / "handset.jsonl").read_text(encoding="ascii").splitlines()
    assert (json.loads(row)["sender"], json.loads(row)["to"], json.loads(row)["text"]) == (sender, number, words)


@pytest.mark.parametrize(
    ("behaviour", "statuses"),
    [
        pytest.param(Behaviour.DELIVERS, [S.SENT, S.DELIVERED], id="delivers"),
        pytest.param(Behaviour.UNDELIVERS, [S.SENT, S.UNDELIVERED], id="takes it, and cannot reach the handset"),
        pytest.param(
            Behaviour.REPEATS,
            [S.DELIVERED, S.SENT, S.ACCEPTED, S.DELIVERED, S.SENT],
            id="receipts twice and in the wrong order",
        ),
    ],
)
async def test_receipts(line: Loopback, behaviour: Behaviour, statuses: list[ReceiptStatus]):
    line.behave(ANA, behaviour)
    await line.send(text())
    assert [receipt.status for receipt in await receipts(line, len(statuses))] == statuses


async def test_an_undelivered_text_says_why(line: Loopback):
    line.behave(ANA, Behaviour.UNDELIVERS)
    await line.send(text())
    assert [receipt.error for receipt in await receipts(line, 2)] == ["", "handset not reachable"]


async def test_late_receipts_wait_for_their_time_and_hold_no_others(line: Loopback, clock: HandClock):
    line.behave(ANA, Behaviour.LATE)
    late = await line.send(text(ANA))
    quick = await line.send(text(BEN))
    assert {receipt.provider_id for receipt in await receipts(line, 2)} == {quick.provider_id}
    reading = asyncio.ensure_future(receipts(line, 2))
    async with asyncio.timeout(5):
        await clock.until_somebody_sleeps()
        clock.move(Settings().late_after)
        assert {receipt.provider_id for receipt in await reading} == {late.provider_id}


async def test_a_receipt_planned_while_one_waits_may_come_first(line: Loopback, clock: HandClock):
    line.behave(ANA, Behaviour.LATE)
    await line.send(text(ANA))
    reading = asyncio.ensure_future(receipts(line, 2))
    async with asyncio.timeout(5):
        await clock.until_somebody_sleeps()
        quick = await line.send(text(BEN))
        assert {receipt.provider_id for receipt in await reading} == {quick.provider_id}


async def test_a_reader_who_was_there_first_gets_the_first_receipt(line: Loopback):
    reading = asyncio.ensure_future(receipts(line, 2))
    await asyncio.sleep(0)
    ref = await line.send(text(ANA))
    assert {receipt.provider_id for receipt in await reading} == {ref.provider_id}


async def test_receipts_come_together_and_again_until_somebody_is_done_with_them(line: Loopback):
    first, second = await line.send(text(ANA)), await line.send(text(BEN))
    for _ in range(2):
        async with aclosing(line.batches()) as batches:
            batch = await anext(batches)
            assert [receipt.provider_id for receipt in batch] == [first.provider_id] * 2 + [second.provider_id] * 2


async def test_all_receipts_can_be_set_to_come_later(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(receipt_after=timedelta(seconds=1)), clock, tmp_path / "handset.jsonl")
    await line.send(text())
    reading = asyncio.ensure_future(receipts(line, 2))
    async with asyncio.timeout(5):
        await clock.until_somebody_sleeps()
        clock.move(timedelta(seconds=1))
        assert [receipt.carrier_at for receipt in await reading] == [clock.now()] * 2


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        pytest.param(Behaviour.REFUSES, Rejected, id="refuses"),
        pytest.param(Behaviour.BLOCKS, Blocked, id="blocks"),
        pytest.param(Behaviour.THROTTLES, Throttled, id="throttles"),
        pytest.param(Behaviour.AWAY, Unreachable, id="is away"),
    ],
)
async def test_a_line_for_all_numbers(clock: HandClock, tmp_path: Path, behaviour: Behaviour, error: type[SendFailed]):
    line = Loopback("main", Settings(behaviour=behaviour), clock, tmp_path / "handset.jsonl")
    line.behave(BEN, Behaviour.DELIVERS)
    with pytest.raises(SendFailed) as caught:
        await line.send(text(ANA))
    assert type(caught.value) is error
    await line.send(text(BEN))
    assert [row["to"] for row in journal(tmp_path)] == [BEN]


def test_every_behaviour_either_takes_a_text_or_turns_it_away():
    away = {Behaviour.REFUSES, Behaviour.BLOCKS, Behaviour.THROTTLES, Behaviour.AWAY}
    assert set(Behaviour) - set(TAKES) == away


@pytest.mark.parametrize("behaviour", [Behaviour.SILENT, Behaviour.ANSWER_LOST])
async def test_a_text_whose_answer_is_lost_did_arrive(
    line: Loopback, clock: HandClock, tmp_path: Path, behaviour: Behaviour
):
    line.behave(ANA, behaviour)
    await send_and_lose_the_answer(line, clock)
    assert [shown.attempt for shown in line.handset(ANA)] == ["att_0"]
    assert [row["attempt"] for row in journal(tmp_path)] == ["att_0"]


async def test_a_lost_answer_is_settled_by_the_receipt(line: Loopback, clock: HandClock):
    line.behave(ANA, Behaviour.ANSWER_LOST)
    await send_and_lose_the_answer(line, clock)
    assert [(receipt.attempt, receipt.status) for receipt in await receipts(line, 2)] == [
        ("att_0", S.SENT),
        ("att_0", S.DELIVERED),
    ]


@pytest.mark.parametrize("behaviour", [Behaviour.SILENT, Behaviour.NO_RECEIPTS])
async def test_no_receipt_comes_at_all(line: Loopback, clock: HandClock, behaviour: Behaviour):
    line.behave(ANA, behaviour)
    if behaviour is Behaviour.SILENT:
        await send_and_lose_the_answer(line, clock)
    else:
        await line.send(text(ANA))
    ref = await line.send(text(BEN))
    assert {receipt.provider_id for receipt in await receipts(line, 2)} == {ref.provider_id}


async def test_receipts_that_nobody_reads_hold_back_new_texts(line: Loopback, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loopback, "MOST_DUE", 4)
    await line.send(text())
    await line.send(text())
    with pytest.raises(Throttled):
        await line.send(text())
    await receipts(line, 4)
    await line.send(text())


async def all_events(line: Loopback) -> list[CarrierEvent]:
    """What the line brings now, all done with."""
    got: list[CarrierEvent] = []
    async with aclosing(line.batches()) as batches:
        while True:
            asking = asyncio.ensure_future(anext(batches))
            for _ in range(3):
                await asyncio.sleep(0)
            if not asking.done():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return got
            got += asking.result()


async def heard(line: Loopback) -> list[Incoming]:
    return [event for event in await all_events(line) if isinstance(event, Incoming)]


LONG = "".join(f"{n:03} " for n in range(100))


@pytest.mark.parametrize(
    ("passage", "words", "pieces"),
    [
        pytest.param(Passage.WHOLE, LONG, [(LONG, None, "id")], id="whole, however long"),
        pytest.param(
            Passage.IN_PARTS,
            LONG,
            [(LONG[:153], 1, "id.1"), (LONG[153:306], 2, "id.2"), (LONG[306:], 3, "id.3")],
            id="in parts, cut as on the air",
        ),
        pytest.param(
            Passage.IN_PARTS, "abcd", [("ab", 1, "id.1"), ("cd", 2, "id.2")], id="in parts, a short one in two"
        ),
        pytest.param(Passage.IN_PARTS, "a", [("a", None, "id")], id="in parts, one character stays whole"),
        pytest.param(
            Passage.MIXED_UP, "abcd", [("cd", 2, "id.2"), ("ab", 1, "id.1")], id="in parts, the last one first"
        ),
        pytest.param(Passage.PART_MISSING, "abcd", [("ab", 1, "id.1")], id="a part never comes"),
        pytest.param(Passage.PART_MISSING, "a", [("a", None, "id")], id="one character has no part to lose"),
        pytest.param(Passage.TWICE, "abcd", [("abcd", None, "id"), ("abcd", None, "id")], id="twice with one id"),
        pytest.param(Passage.WITHOUT_ID, "abcd", [("abcd", None, "")], id="without an id"),
    ],
)
async def test_what_is_said_on_a_handset_comes(
    line: Loopback, clock: HandClock, passage: Passage, words: str, pieces: list[tuple[str, int | None, str]]
):
    said = line.say(ANA, OURS, words, passage)
    came = await heard(line)
    assert {(text.sender, text.to, text.carrier_at) for text in came} == {(ANA, OURS, clock.now())}
    assert [(text.text, text.piece and text.piece.number) for text in came] == [piece[:2] for piece in pieces]
    assert [text.provider_id.replace(said, "id") for text in came] == [piece[2] for piece in pieces]
    total = 3 if words is LONG else 2
    assert {(text.piece.ref, text.piece.total) for text in came if text.piece} <= {(said, total)}


def test_every_passage_is_known():
    assert set(PASSAGES) == set(Passage)


@given(words=st.text(), passage=st.sampled_from([Passage.WHOLE, Passage.IN_PARTS, Passage.MIXED_UP]))
def test_the_parts_of_a_text_make_it_whole_again(words: str, passage: Passage):
    events = PASSAGES[passage](Incoming("id", ANA, OURS, words, HandClock().now()))
    in_order = sorted(events, key=lambda event: event.piece.number if event.piece else 1)
    assert "".join(event.text for event in in_order) == words
    numbers = list(range(1, len(events) + 1)) if len(events) > 1 else []
    assert [event.piece.number for event in events if event.piece] == numbers[:: 1 if events == in_order else -1]


async def test_pictures_come_with_the_first_part_and_stand_in_the_journal(line: Loopback, tmp_path: Path):
    photo = MediaLink("https://media.example/1", "image/jpeg")
    line.say(ANA, OURS, "look here", Passage.IN_PARTS, [photo])
    assert [text.media for text in await heard(line)] == [(photo,), ()]
    assert line.handset(ANA)[0].media == (photo,)
    assert journal(tmp_path)[0]["media"] == [photo.url]


async def test_a_reply_lies_on_the_handset_and_in_the_journal(line: Loopback, clock: HandClock, tmp_path: Path):
    said = line.say(ANA, OURS, "Ő\nyes", Passage.TWICE)
    (shown,) = line.handset(ANA)
    assert (shown.mine, shown.handset, shown.ours, shown.text) == (True, ANA, OURS, "Ő\nyes")
    assert line.numbers() == (ANA,)
    assert journal(tmp_path) == [
        {
            "kind": "reply",
            "passage": "twice",
            "media": [],
            "sender": ANA,
            "to": OURS,
            "text": "Ő\nyes",
            "at": "2026-11-20T15:00:00+00:00",
            "provider_id": said,
        }
    ]


@pytest.mark.parametrize("passage", [Passage.WHOLE, Passage.IN_PARTS])
async def test_the_handset_shows_that_its_text_was_read(line: Loopback, passage: Passage):
    line.say(ANA, OURS, "are you there", passage)
    assert [shown.receipt for shown in line.handset(ANA)] == [None]
    await all_events(line)
    assert [shown.receipt for shown in line.handset(ANA)] == [S.DELIVERED]


async def test_receipts_and_texts_come_in_the_order_they_happened(line: Loopback):
    first, said, second = await line.send(text()), line.say(ANA, OURS, "and now"), await line.send(text())
    came = [event.provider_id for event in await all_events(line)]
    assert came == [first.provider_id] * 2 + [said] + [second.provider_id] * 2


async def test_a_reply_comes_again_until_somebody_is_done_with_it_and_then_no_more(line: Loopback):
    said = line.say(ANA, OURS, "are you there")
    for _ in range(2):
        async with aclosing(line.batches()) as batches:
            assert [event.provider_id for event in await anext(batches)] == [said]
    assert [event.provider_id for event in await all_events(line)] == [said]
    assert await all_events(line) == []


async def test_a_reader_who_waits_gets_a_reply_at_once(line: Loopback):
    reading = asyncio.ensure_future(anext(line.batches()))
    await asyncio.sleep(0)
    said = line.say(ANA, OURS, "are you there")
    async with asyncio.timeout(5):
        assert [event.provider_id for event in await reading] == [said]


async def test_ids_are_unique_among_both_directions_and_lives(clock: HandClock, tmp_path: Path):
    seen = set()
    for _ in range(2):
        life = Loopback("main", Settings(), clock, tmp_path / "handset.jsonl")
        seen |= {life.say(ANA, OURS, "one"), (await life.send(text())).provider_id, life.say(ANA, OURS, "two")}
    assert len(seen) == 6


async def test_a_reply_that_cannot_be_written_down_was_not_said(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(), clock, tmp_path / "missing" / "handset.jsonl")
    with pytest.raises(Unreachable, match="No such file"):
        line.say(ANA, OURS, "hello")
    assert (line.numbers(), await all_events(line)) == ((), [])


async def test_replies_that_nobody_reads_hold_back_new_ones(line: Loopback, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loopback, "MOST_DUE", 2)
    line.say(ANA, OURS, "in two", Passage.IN_PARTS)
    with pytest.raises(Throttled):
        line.say(ANA, OURS, "one more")
    await all_events(line)
    line.say(ANA, OURS, "one more")


async def test_a_behaviour_holds_for_its_number_until_it_is_set_again(line: Loopback):
    line.behave(ANA, Behaviour.REFUSES)
    assert (line.behaviour(ANA), line.behaviour(BEN)) == (Behaviour.REFUSES, Behaviour.DELIVERS)
    line.behave(ANA, Behaviour.DELIVERS)
    assert line.behaviour(ANA) is Behaviour.DELIVERS


def test_the_behaviour_set_longest_ago_is_forgotten_first(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(handsets=2), clock, tmp_path / "handset.jsonl")
    for number in (ANA, BEN, ANA, "+12025550149"):
        line.behave(number, Behaviour.REFUSES)
    assert [line.behaviour(number) for number in (ANA, BEN)] == [Behaviour.REFUSES, Behaviour.DELIVERS]


async def test_a_watcher_sees_what_is_said(line: Loopback):
    async with asyncio.timeout(5), aclosing(line.watch(ANA)) as watching:
        coming = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0)
        line.say(ANA, OURS, "hello")
        shown = await coming
        assert (shown.mine, shown.text, shown.receipt) == (True, "hello", None)
        await all_events(line)
        assert (await anext(watching)).receipt is S.DELIVERED


async def test_a_handset_keeps_the_newest_texts(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(texts_per_handset=3), clock, tmp_path / "handset.jsonl")
    for n in range(5):
        await line.send(text(n=n))
    assert [shown.attempt for shown in line.handset(ANA)] == ["att_2", "att_3", "att_4"]
    await receipts(line, 10)


async def test_the_handset_longest_without_a_text_goes_first(clock: HandClock, tmp_path: Path):
    line = Loopback("main", Settings(handsets=2), clock, tmp_path / "handset.jsonl")
    for number in (ANA, BEN, ANA, "+12025550149"):
        await line.send(text(number))
    assert line.numbers() == ("+12025550149", ANA)
    assert line.handset(BEN) == ()
    await receipts(line, 8)


async def test_the_handset_shows_what_the_line_reported_last(line: Loopback):
    await line.send(text())
    assert [shown.receipt for shown in line.handset(ANA)] == [None]
    await receipts(line, 2)
    assert [shown.receipt for shown in line.handset(ANA)] == [S.DELIVERED]


async def test_the_handset_never_goes_back_from_delivered(line: Loopback):
    line.behave(ANA, Behaviour.REPEATS)
    await line.send(text())
    await receipts(line, 5)
    assert [shown.receipt for shown in line.handset(ANA)] == [S.DELIVERED]


async def test_a_watcher_sees_new_texts_and_changes(line: Loopback):
    await line.send(text(n=1))
    async with asyncio.timeout(5), aclosing(line.watch(ANA)) as watching:
        seen: list[HandsetText] = [await anext(watching)]
        coming = asyncio.ensure_future(anext(watching))
        await asyncio.sleep(0)
        await line.send(text(BEN, n=2))
        await line.send(text(ANA, n=3))
        seen.append(await coming)
        await receipts(line, 6)
        seen.append(await anext(watching))
    assert [(shown.attempt, shown.receipt) for shown in seen] == [
        ("att_1", None),
        ("att_3", None),
        ("att_1", S.DELIVERED),
    ]


async def test_a_watcher_who_was_away_gets_what_it_missed(line: Loopback):
    await line.send(text(n=1))
    since = line.handset(ANA)[-1].version
    await line.send(text(n=2))
    async with asyncio.timeout(5), aclosing(line.watch(ANA, since)) as watching:
        assert (await anext(watching)).attempt == "att_2"


FULL = {
    "window": 2,
    "receipt_after": "250ms",
    "late_after": "2m",
    "answer_within": "1.5s",
    "throttle_wait": "3s",
    "behaviour": "undelivers",
    "texts_per_handset": 5,
    "handsets": 6,
}


@pytest.mark.parametrize(
    ("table", "settings"),
    [
        pytest.param({}, Settings(), id="nothing said"),
        pytest.param(
            FULL,
            Settings(
                2,
                timedelta(milliseconds=250),
                timedelta(minutes=2),
                timedelta(seconds=1.5),
                timedelta(seconds=3),
                Behaviour.UNDELIVERS,
                5,
                6,
            ),
            id="everything said",
        ),
    ],
)
def test_settings(table: Mapping, settings: Settings):
    assert read_settings("main", table) == settings


NO_SPAN = 'which is not a duration: write a number with d, h, m or s, as in "20s" or "1h30m"'


@pytest.mark.parametrize(
    ("table", "faults"),
    [
        pytest.param({"window": "2"}, ["window must be a whole number from 1 to 1000"], id="a number in quotes"),
        pytest.param({"window": True}, ["window must be a whole number from 1 to 1000"], id="yes is not one"),
        pytest.param({"window": 1.5}, ["window must be a whole number from 1 to 1000"], id="half a slot"),
        pytest.param({"window": 1001}, ["window must be a whole number from 1 to 1000"], id="too many"),
        pytest.param({"receipt_after": 5}, [f"receipt_after is 5, {NO_SPAN}"], id="a span without its unit"),
        pytest.param({"receipt_after": "-1s"}, [f"receipt_after is '-1s', {NO_SPAN}"], id="a span below nothing"),
        pytest.param({"receipt_after": "25h"}, ["receipt_after must be at most 1d"], id="more than a day"),
        pytest.param(
            {"behaviour": "sulks"},
            [
                f"behaviour must be one of {', '.join(Behaviour)}",
            ],
            id="no such behaviour",
        ),
        pytest.param(
            {"window": 0, "late_after": "soon", "handset": 3},
            [
                "window must be a whole number from 1 to 1000",
                f"late_after is 'soon', {NO_SPAN}",
                f"handset is not an option of this carrier; it knows {', '.join(FULL)}",
            ],
            id="three at once",
        ),
    ],
)
def test_faults_of_settings(table: Mapping, faults: list[str]):
    with pytest.raises(ConfigFault) as caught:
        read_settings("main", table)
    assert caught.value.faults == [f"carriers.main.{fault}" for fault in faults]


PAGE = (Path(__file__).parents[2] / "docs" / "carriers.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("option", FULL)
def test_every_option_is_documented(option: str):
    assert f"| `{option}` |" in PAGE


@pytest.mark.parametrize("behaviour", Behaviour)
def test_every_behaviour_is_documented(behaviour: Behaviour):
    assert f"| `{behaviour}` |" in PAGE


def test_the_table_of_options_above_is_whole():
    assert set(FULL) == {field.name for field in fields(Settings)}
