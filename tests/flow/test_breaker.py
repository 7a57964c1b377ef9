"""A carrier that fails: the breaker, its probes, the way round it, and texts that fail alone (R26, O9).

SOAK=1 has it come and go more often.
"""

import os
from dataclasses import replace
from datetime import timedelta

import pytest

from ringback.core.messages import State, Urgency
from ringback.core.reasons import Reason
from ringback.errors import Rejected, Unconfirmed, Unreachable
from ringback.ports import CarrierRef
from tests.conftest import NOON
from tests.flow.lanes import BUSY, Answering, Yard
from tests.flow.world import DID, OTHER_DID

FLAPS = 100 if os.environ.get("SOAK", "0") not in ("", "0") else 10
WITH_FALLBACK = replace(BUSY, fallback_of={"main": "spare"})


def down(_text):
    return Unreachable("refused")


def up(_text):
    return None


def two(answer=down):
    return Answering(answer=answer), Answering(name="spare", max_segments=2)


async def test_five_failures_in_a_row_stop_it_and_one_text_is_tried_every_five_seconds(store, clock):
    carrier = Answering(answer=down)
    async with Yard(store, clock, carrier).running() as yard:
        for n in range(40):
            await yard.send(yard.wanted(str(n), to=n))
        assert len(carrier.got) == 5
        assert yard.lane.standing().broken_since == NOON
        assert yard.lane.standing().next_try == NOON + timedelta(seconds=5)
        for second in range(1, 31):
            await yard.passes(timedelta(seconds=1))
            assert len(carrier.got) == 5 + second // 5


async def test_waiting_texts_say_why_and_until_when(store, clock):
    carrier = Answering(answer=down)
    async with Yard(store, clock, carrier).running() as yard:
        for n in range(5):
            await yard.send(yard.wanted(str(n), to=n))
        made = await yard.send(yard.wanted("waits", to=50, urgency=Urgency.AGENT))
        assert await yard.row(made) == (State.HELD, Reason.CARRIER_HOLD, "main", NOON + timedelta(seconds=5))


async def test_everything_goes_on_once_the_carrier_answers(store, clock):
    carrier = Answering(answer=down)
    async with Yard(store, clock, carrier).running() as yard:
        made = [await yard.send(yard.wanted(str(n), to=n)) for n in range(30)]
        for _ in range(10):
            await yard.passes(timedelta(minutes=1))
        carrier.answer = up
        await yard.passes(timedelta(seconds=5))
        assert {await yard.state(one) for one in made} == {State.ACCEPTED}, "none waits out its own next try"
        assert yard.lane.standing().broken_since is None


@pytest.mark.parametrize(
    ("answer", "opens"),
    [
        pytest.param(Unconfirmed("500"), True, id="unclear answers"),
        pytest.param(Rejected("no such number"), False, id="a clear no"),
        pytest.param(ZeroDivisionError("a bug"), False, id="a fault of our own"),
    ],
)
async def test_what_counts_as_a_failure_of_the_carrier(store, clock, answer, opens):
    carrier = Answering(answer=lambda _text: answer)
    async with Yard(store, clock, carrier).running() as yard:
        await yard.put(*(yard.wanted(str(n), to=n) for n in range(40)))
        assert (yard.lane.standing().broken_since is not None) is opens
        # what was on its way when it opened had left already
        assert len(carrier.got) == (16 if opens else 40)


async def test_texts_that_never_left_go_by_the_fallback_within_seconds(store, clock):
    main, spare = two()
    async with Yard(store, clock, main, spare, house=WITH_FALLBACK).running() as yard:
        made = [await yard.send(yard.wanted(str(n), to=n)) for n in range(30)]
        await yard.passes(timedelta(seconds=5))
        assert {await yard.state(one) for one in made} == {State.ACCEPTED}
        assert sorted(spare.got, key=int) == [str(n) for n in range(30)]
        later = await yard.send(yard.wanted("later", to=50))
        assert (await yard.row(later))[2] == "spare"
        assert len(main.got) <= 7


async def test_the_story_says_that_a_text_went_another_way(store, clock):
    main, spare = two()
    async with Yard(store, clock, main, spare, house=WITH_FALLBACK).running() as yard:
        made = [await yard.send(yard.wanted(str(n), to=n)) for n in range(6)]
        assert "main cannot be reached, goes by spare" in await store.commit(lambda tx: details(made[5].message, tx))


def details(public_id, tx):
    from ringback.store.sql import Sql

    words = "SELECT detail FROM message_event e JOIN message m ON m.id = e.message_id WHERE m.public_id = {}"
    return [row[0] for row in tx.outbox._run.all(Sql(words.format(":id"), words.format("%(id)s")), id=public_id)]


async def test_a_text_in_doubt_never_goes_another_way(store, clock):
    main, spare = two(lambda text: Unconfirmed("cut") if text.text == "doubt" else Unreachable("refused"))
    async with Yard(store, clock, main, spare, house=WITH_FALLBACK).running() as yard:
        doubt = await yard.send(yard.wanted("doubt", to=99))
        for n in range(10):
            await yard.send(yard.wanted(str(n), to=n))
        for _ in range(5):
            await yard.passes(timedelta(minutes=1))
        assert await yard.state(doubt) is State.UNCONFIRMED
        assert "doubt" not in spare.got


async def test_nobody_gets_a_text_twice_while_a_carrier_comes_and_goes(fresh, record_property):
    """R26: down and up again and again, some of the failures unclear."""
    store, clock = await fresh()
    arrived: list[str] = []

    class Flapping(Answering):
        async def send(self, text):
            self.got.append(text.text)
            if self.answer(text) is not None:
                place = int(text.text)
                if place % 20 == 3:
                    arrived.append(text.text)
                    raise Unconfirmed("it arrived, the answer was lost")
                raise Unreachable("refused")
            arrived.append(text.text)
            return CarrierRef(f"{self.name}-{text.text}")

    main, spare = Flapping(answer=down), Flapping(name="spare")
    async with Yard(store, clock, main, spare, house=WITH_FALLBACK).running() as yard:
        made = []
        for flap in range(FLAPS):
            main.answer = down if flap % 2 == 0 else up
            for _ in range(6):
                made.append(await yard.send(yard.wanted(str(len(made)), to=len(made))))
            await yard.passes(timedelta(seconds=6))
        main.answer = up
        for _ in range(5):
            await yard.passes(timedelta(minutes=5))
        states = [await yard.state(one) for one in made]
    await store.close()
    record_property("flaps", FLAPS)
    record_property("texts", len(made))
    assert len(arrived) == len(set(arrived)) == len(made)
    assert set(states) <= {State.ACCEPTED, State.UNCONFIRMED}


@pytest.mark.parametrize("why", ["held", "broken", "too long"])
async def test_texts_stay_where_the_fallback_cannot_take_them(store, clock, why):
    main, spare = two()
    house = replace(WITH_FALLBACK, carrier_of={DID: "main", OTHER_DID: "spare"})
    async with Yard(store, clock, main, spare, house=house).running() as yard:
        if why == "held":
            yard.lane_of["spare"].hold("a test")
        if why == "broken":
            spare.answer = down
            for n in range(5):
                await yard.send(yard.wanted(str(n), to=100 + n, did=OTHER_DID))
        for n in range(5):
            await yard.send(yard.wanted(f"{n}" * (400 if why == "too long" else 1), to=n))
        made = await yard.send(yard.wanted("x" * 400 if why == "too long" else "x", to=50))
        await yard.passes(timedelta(seconds=3))
        assert (await yard.row(made))[2] == "main"


async def test_a_text_that_breaks_the_carriers_code_fails_alone(store, clock):
    carrier = Answering(window=4, answer=lambda text: ZeroDivisionError("bad") if text.text == "poison" else None)
    async with Yard(store, clock, carrier).running() as yard:
        words = ["poison" if n % 10 == 0 else str(n) for n in range(50)]
        made = await yard.put(*(yard.wanted(text, to=n) for n, text in enumerate(words)))
        for _ in range(5):
            await yard.passes(timedelta(minutes=10))
        states = [await yard.state(one) for one in made]
        assert [state for state, text in zip(states, words, strict=True) if text == "poison"] == [State.UNCONFIRMED] * 5
        assert states.count(State.ACCEPTED) == 45
        assert carrier.got.count("poison") == 5, "each once"


async def test_a_text_that_is_never_taken_is_tried_seldom_and_not_for_ever(store, clock):
    carrier = Answering(answer=lambda text: Unreachable("this one") if text.text == "poison" else None)
    async with Yard(store, clock, carrier).running() as yard:
        made = await yard.send(yard.wanted("poison", to=99))
        for n in range(50):
            await yard.send(yard.wanted(str(n), to=n))
            await yard.passes(timedelta(minutes=5))
        assert await yard.state(made) is State.EXPIRED
        assert carrier.got.count("poison") <= 22


async def test_a_text_expires_on_time_while_the_carrier_does_not_answer(store, clock):
    carrier = Answering(answer=down)
    async with Yard(store, clock, carrier).running() as yard:
        for n in range(5):
            await yard.send(yard.wanted(str(n), to=n))
        made = await yard.send(yard.wanted("waits", to=50, expires_at=NOON + timedelta(seconds=40)))
        await yard.passes(timedelta(seconds=37))
        assert await yard.state(made) is State.HELD
        await yard.passes(timedelta(seconds=1))
        assert await yard.state(made) is State.EXPIRED
