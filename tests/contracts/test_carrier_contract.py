"""What every carrier in the tree keeps, so that nothing above it needs to know which one it is.

One row of `RIGS` a carrier. A rig makes the carrier against its line (for loopback: itself; for one that speaks HTTP: a
server on loopback), makes the line misbehave for a number, and says what arrived.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path

import pytest

from ringback.carriers import build_carrier, known, load
from ringback.carriers.loopback import Loopback
from ringback.carriers.twilio import Twilio
from ringback.core.messages import Outgoing, ReceiptStatus
from ringback.errors import (
    Blocked,
    ConfigFault,
    Rejected,
    SendFailed,
    Throttled,
    Unconfirmed,
    Unreachable,
)
from ringback.ports import Carrier, CarrierContext, CarrierEvent, Incoming, Listening, OptionValue, Receipt
from ringback.ports.handsets import Behaviour
from tests.fakes import twilio as fake
from tests.fakes.hand_clock import HandClock
from tests.fakes.twilio import Manner, Way, fake_twilio

GOOD, BAD = "+12025550147", "+12025550148"
DID = "+12025550101"


class Trouble(StrEnum):
    """How a line can fail, in words that fit every carrier."""

    REFUSED = "refused"
    OPTED_OUT = "opted out"
    TOO_FAST = "too fast"
    AWAY = "away"
    NO_ANSWER = "no answer"


def unheard(_number: str, _text: str) -> None:
    raise AssertionError("this carrier does not listen")


@dataclass
class Rig:
    type_name: str
    carrier: Carrier
    clock: HandClock
    trouble: Callable[[str, Trouble], None]
    arrived: Callable[[], list[tuple[str, str, str]]]
    """Sender, number and text of what reached the other side."""
    wait_out: Callable[[], Awaitable[None]]
    """Let the carrier's own limit for an answer pass."""
    say: Callable[[str, str], object] = unheard
    """Write a text on that handset to our number, on a line that brings texts by itself."""


MakeRig = Callable[[Path], AbstractAsyncContextManager[Rig]]

LOOPBACK_TROUBLE = {
    Trouble.REFUSED: Behaviour.REFUSES,
    Trouble.OPTED_OUT: Behaviour.BLOCKS,
    Trouble.TOO_FAST: Behaviour.THROTTLES,
    Trouble.AWAY: Behaviour.AWAY,
    Trouble.NO_ANSWER: Behaviour.SILENT,
}


@asynccontextmanager
async def loopback(folder: Path) -> AsyncIterator[Rig]:
    clock = HandClock()
    carrier = build_carrier("main", {"type": "loopback"}, CarrierContext(clock, folder))
    assert isinstance(carrier, Loopback)

    def arrived() -> list[tuple[str, str, str]]:
        texts = (text for number in carrier.numbers() for text in carrier.handset(number))
        return [(text.sender, text.to, text.text) for text in texts]

    def trouble(number: str, kind: Trouble) -> None:
        carrier.behave(number, LOOPBACK_TROUBLE[kind])

    async def wait_out() -> None:
        await clock.until_somebody_sleeps()
        clock.move(timedelta(minutes=2))

    yield Rig(
        "loopback", carrier, clock, trouble, arrived, wait_out, lambda number, text: carrier.say(number, DID, text)
    )


TWILIO_TROUBLE = {
    Trouble.REFUSED: Way(Manner.REFUSES, 400, 21614),
    Trouble.OPTED_OUT: Way(Manner.REFUSES, 400, 21610),
    Trouble.TOO_FAST: Way(Manner.REFUSES, 429, 20429, headers={"Retry-After": "3"}),
    Trouble.AWAY: Way(Manner.REFUSES, 400, 21730),
    Trouble.NO_ANSWER: Way(Manner.HANGS),
}
TWILIO_NEEDS: dict[str, OptionValue] = {"account": fake.ACCOUNT, "key": fake.TOKEN}


@asynccontextmanager
async def twilio(folder: Path) -> AsyncIterator[Rig]:
    clock = HandClock()
    async with fake_twilio(clock, DID) as line:
        options = {"type": "twilio", **TWILIO_NEEDS, "api": line.address, "answer_within": "2s"}
        carrier = build_carrier("main", options, CarrierContext(clock, folder))
        assert isinstance(carrier, Twilio)

        async def wait_out() -> None:
            """Two seconds of real time: the limit is the one of the line itself."""

        yield Rig(
            "twilio",
            carrier,
            clock,
            lambda number, kind: line.treat(number, TWILIO_TROUBLE[kind]),
            lambda: [(message.sender, message.to, message.body) for message in line.sent],
            wait_out,
        )
        await carrier.close()


RIGS: dict[str, MakeRig] = {"loopback": loopback, "twilio": twilio}
LISTENING: dict[str, MakeRig] = {"loopback": loopback}
"""Those whose receipts come by themselves; those of the others come by hooks, with a suite of their own."""
NEEDS: dict[str, dict[str, OptionValue]] = {"loopback": {}, "twilio": TWILIO_NEEDS}
"""The options without which a carrier cannot be built."""


@pytest.fixture(params=RIGS.values(), ids=RIGS.keys())
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with request.param(tmp_path) as made:
        yield made


def outgoing(clock: HandClock, number: str = GOOD, text: str = "Sorry we missed you", n: int = 0) -> Outgoing:
    return Outgoing(
        attempt=f"att_{n:026d}",
        message=f"msg_{n:026d}",
        sender=DID,
        to=number,
        text=text,
        expires_at=clock.now() + timedelta(hours=1),
    )


def test_every_carrier_in_the_tree_is_under_this_contract():
    assert set(RIGS) == set(NEEDS) == set(known())


async def test_a_carrier_states_its_limits(rig: Rig):
    assert hasattr(rig.carrier, "batches") == (rig.type_name in LISTENING)
    assert rig.carrier.name == "main"
    assert rig.carrier.window >= 1
    assert rig.carrier.max_segments >= 1
    assert rig.carrier.receipts in (True, False)
    assert rig.carrier.answers_commands in (True, False)
    assert rig.carrier.numeric_ids in (True, False)
    assert not hasattr(rig.carrier, "sent_since") or rig.carrier.complete in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Sorry we missed you. Reply here. STOP to end", id="plain"),
        pytest.param("Ő, žluťoučký kůň, пропущенный вызов, 不在着信", id="many scripts"),
        pytest.param("שלום \u202eabc\u202c مرحبا", id="right to left and a direction control"),
        pytest.param("👩🏽‍🚒 see you", id="an emoji of several code points"),
        pytest.param("line one\nline two\r\nline\u2028three\u0085four", id="line breaks of every kind"),
        pytest.param('{"a": "\\u0041", \'b\': <c> & "d"} %s {{ x }}', id="what other syntaxes would eat"),
        pytest.param("x" * 1500, id="ten segments"),
    ],
)
async def test_a_text_arrives_as_it_was_sent(rig: Rig, text: str):
    await rig.carrier.send(outgoing(rig.clock, text=text))
    assert rig.arrived() == [(DID, GOOD, text)]


async def test_every_text_taken_gets_an_id_of_its_own(rig: Rig):
    refs = [await rig.carrier.send(outgoing(rig.clock, n=n)) for n in range(50)]
    assert "" not in {ref.provider_id for ref in refs}
    assert len({ref.provider_id for ref in refs}) == 50


async def test_a_whole_window_may_be_on_its_way_at_once(rig: Rig):
    texts = [outgoing(rig.clock, n=n, text=f"text {n}") for n in range(rig.carrier.window)]
    async with asyncio.timeout(10):
        await asyncio.gather(*(rig.carrier.send(text) for text in texts))
    assert {text for _, _, text in rig.arrived()} == {text.text for text in texts}


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        pytest.param(Trouble.REFUSED, Rejected, id="refused for good: do not try again"),
        pytest.param(Trouble.OPTED_OUT, Blocked, id="opted out at the carrier: record it"),
        pytest.param(Trouble.TOO_FAST, Throttled, id="too fast: try again, not before"),
        pytest.param(Trouble.AWAY, Unreachable, id="away: try again"),
    ],
)
async def test_a_definite_no_is_one_error_and_nothing_arrives(rig: Rig, trouble: Trouble, error: type[SendFailed]):
    rig.trouble(BAD, trouble)
    with pytest.raises(SendFailed) as caught:
        await rig.carrier.send(outgoing(rig.clock, BAD))
    assert type(caught.value) is error
    assert rig.arrived() == []


async def test_throttled_says_how_long_to_wait(rig: Rig):
    rig.trouble(BAD, Trouble.TOO_FAST)
    with pytest.raises(Throttled) as caught:
        await rig.carrier.send(outgoing(rig.clock, BAD))
    assert caught.value.wait > 0
    assert math.isfinite(caught.value.wait)


async def test_no_answer_is_unconfirmed_after_the_carriers_own_limit(rig: Rig):
    rig.trouble(BAD, Trouble.NO_ANSWER)
    sending = asyncio.ensure_future(rig.carrier.send(outgoing(rig.clock, BAD)))
    async with asyncio.timeout(10):
        await rig.wait_out()
        with pytest.raises(Unconfirmed):
            await sending


async def test_the_callers_own_limit_ends_a_send_that_gets_no_answer(rig: Rig):
    rig.trouble(BAD, Trouble.NO_ANSWER)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await rig.carrier.send(outgoing(rig.clock, BAD))


@pytest.mark.parametrize("trouble", list(Trouble))
async def test_trouble_with_one_number_does_not_hold_another(rig: Rig, trouble: Trouble):
    rig.trouble(BAD, trouble)
    sending = asyncio.ensure_future(rig.carrier.send(outgoing(rig.clock, BAD)))
    async with asyncio.timeout(10):
        ref = await rig.carrier.send(outgoing(rig.clock, GOOD))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    assert ref.provider_id
    assert (DID, GOOD, "Sorry we missed you") in rig.arrived()


@pytest.mark.parametrize("trouble", [Trouble.REFUSED, Trouble.OPTED_OUT, Trouble.TOO_FAST, Trouble.AWAY])
async def test_an_error_names_neither_the_number_nor_the_text(rig: Rig, trouble: Trouble):
    rig.trouble(BAD, trouble)
    with pytest.raises(SendFailed) as caught:
        await rig.carrier.send(outgoing(rig.clock, BAD, text="the secret is 4711"))
    assert str(caught.value)
    assert BAD[1:] not in str(caught.value)
    assert "4711" not in str(caught.value)


async def next_events(carrier: Listening, wanted: int) -> list[CarrierEvent]:
    """Read until that many came; what came last is not done with."""
    got: list[CarrierEvent] = []
    async with asyncio.timeout(10), aclosing(carrier.batches()) as stream:
        async for batch in stream:
            assert batch, "never an empty list"
            got += batch
            if len(got) >= wanted:
                break
    return got


async def next_receipts(carrier: Listening, wanted: int) -> list[Receipt]:
    return [event for event in await next_events(carrier, wanted) if isinstance(event, Receipt)]


@pytest.fixture(params=LISTENING.values(), ids=LISTENING.keys())
async def listening(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with request.param(tmp_path) as made:
        yield made


async def test_receipts_name_the_text_they_are_about(listening: Rig):
    ref = await listening.carrier.send(outgoing(listening.clock, n=7))
    receipts = await next_receipts(listening.carrier, 2)
    assert listening.carrier.receipts
    assert {receipt.provider_id for receipt in receipts} == {ref.provider_id}
    assert {receipt.attempt for receipt in receipts} <= {"", f"att_{7:026d}"}
    assert receipts[-1].status is ReceiptStatus.DELIVERED
    assert all(receipt.carrier_at.utcoffset() == timedelta() for receipt in receipts)


async def test_a_receipt_that_was_not_done_with_comes_again(listening: Rig):
    await listening.carrier.send(outgoing(listening.clock))
    first = await next_receipts(listening.carrier, 1)
    again = await next_receipts(listening.carrier, 2)
    assert again[0] == first[0]


async def test_a_text_from_a_handset_comes_as_it_was_written(listening: Rig):
    words = "I'll wait\n👩🏽‍🚒 \u202eשלום {{ x }}"
    listening.say(GOOD, words)
    (came,) = await next_events(listening.carrier, 1)
    assert isinstance(came, Incoming)
    assert (came.sender, came.to, came.text) == (GOOD, DID, words)
    assert came.carrier_at.utcoffset() == timedelta()
    assert (came.piece, came.media, came.command) == (None, (), "")


async def test_texts_come_in_the_order_they_were_written_each_with_an_id_of_its_own(listening: Rig):
    for n in range(20):
        listening.say(GOOD, f"text {n}")
    came = await next_events(listening.carrier, 20)
    assert [event.text for event in came if isinstance(event, Incoming)] == [f"text {n}" for n in range(20)]
    assert len({event.provider_id for event in came} - {""}) == 20


async def test_a_text_that_was_not_done_with_comes_again_as_the_same(listening: Rig):
    listening.say(GOOD, "are you there")
    first = await next_events(listening.carrier, 1)
    assert await next_events(listening.carrier, 1) == first


@pytest.mark.parametrize("type_name", RIGS)
def test_an_unknown_option_is_a_fault_that_names_it(type_name: str, tmp_path: Path):
    options = {**NEEDS[type_name], "colour": "blue"}
    with pytest.raises(ConfigFault) as caught:
        load(type_name)("main", options, CarrierContext(HandClock(), tmp_path))
    assert any(line.startswith("carriers.main.colour is not an option") for line in caught.value.faults)


@pytest.mark.parametrize("type_name", RIGS)
def test_every_carrier_stands_in_the_table_of_features(type_name: str):
    page = Path(__file__).parents[2] / "docs" / "carriers.md"
    assert f"| `{type_name}` |" in page.read_text(encoding="utf-8")
