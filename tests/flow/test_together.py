"""What is done to many texts at once comes out as if it were done one by one, on both databases."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.core.messages import Basis, MessageClass, ReceiptStatus, State, Urgency, Wanted
from ringback.errors import Rejected, Unconfirmed, Unreachable
from ringback.flow.arrivals import Arrivals
from ringback.flow.attempts import TooLate, record, record_all
from ringback.flow.claiming import claim
from ringback.flow.governor import Room
from ringback.flow.house import Campaign, Destination, Limits
from ringback.flow.opt_outs import stop
from ringback.flow.outbound import Slot, submit, submit_many
from ringback.flow.receipts import apply_receipt, apply_receipts
from ringback.ports import CarrierRef, Receipt
from ringback.store.sql import Sql
from tests.flow.lanes import Answering, Yard
from tests.flow.undoing import Undo, alone, runner
from tests.flow.world import DID, HOUSE, OTHER_DID

TIGHT = replace(
    HOUSE,
    limits=Limits(per_number_per_minute=5, automatic_per_hour=2, texts_per_minute=4),
    pace_of={OTHER_DID: 2.0},
    campaign_of={DID: "spring"},
    campaigns={"spring": Campaign(per_minute=4, per_day=5)},
    destinations=(Destination("texas", ("+1512",), 2),),
)
TABLES = {
    "message": """m.state, m.reason, m.not_before, m.tries, m.segments, m.body, t.peer, n.e164, m.urgency, m.call_id
        FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id ORDER BY m.id""",
    "part": "p.state, m.body FROM part p JOIN message m ON m.id = p.message_id ORDER BY p.id",
    "attempt": """a.carrier, a.outcome, a.cause, a.provider_id, a.provider_key, a.closed_at, m.body
        FROM attempt a JOIN message m ON m.id = a.message_id ORDER BY a.id""",
    "message_event": """e.at, e.state, e.reason, e.detail, m.body FROM message_event e
        JOIN message m ON m.id = e.message_id ORDER BY m.id, e.id""",
    "meter": "key, slot, n FROM meter ORDER BY key, slot",
    "receipt": "a.carrier, r.provider_id, r.status FROM receipt r JOIN attempt a ON a.id = r.attempt_id ORDER BY 2, 3",
    "receipt_parked": "provider_id, status FROM receipt_parked ORDER BY 1, 2",
    "thread": "peer, changed_at FROM thread ORDER BY number_id, peer",
    "task": "kind, done_at FROM task ORDER BY id",
    "pair_facts": "opted_out_at FROM pair_facts ORDER BY 1",
}
NUMBERS = (*[DID, OTHER_DID] * 7, "+12025550199")
wishes = st.lists(
    st.fixed_dictionaries(
        {
            "slot": st.sampled_from([True, True, True, False]),
            "did": st.sampled_from(NUMBERS),
            "peer": st.sampled_from(["+15125550123", "+15125550124", "+442079460958", "+12125550100"]),
            "urgency": st.sampled_from(list(Urgency)),
            "wait": st.sampled_from([None, None, None, -1, 30]),
            "words": st.sampled_from(["Hello.", "Hello.", "x" * 200, "y" * 2_000]),
            "lasts": st.sampled_from([240, 240, 240, 0]),
            "automatic": st.sampled_from([False] * 15 + [True]),
            "rule": st.sampled_from([None] * 15 + ["missed"]),
            "campaign": st.sampled_from(["", "", "spring"]),
        }
    ),
    min_size=4,
    max_size=14,
)
ANSWERS = st.sampled_from(
    [
        *[CarrierRef(name) for name in ("", "A", "A", "B", "B", "C", "C")],
        Unreachable("away"),
        Rejected("no"),
        Unconfirmed("who knows"),
        TooLate("never left us"),
    ]
)
RECEIPTS = st.lists(
    st.tuples(st.sampled_from("ABC"), st.sampled_from(list(ReceiptStatus)), st.sampled_from([None, 1])),
    min_size=3,
    max_size=12,
)
__all__ = ["runner"]
quiet = settings(
    max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Main:
    name = "main"


def wanted(place, drawn, now) -> Wanted:
    return Wanted(
        did=drawn["did"],
        peer=HOUSE.read("", drawn["peer"]),
        text=f"{place} {drawn['words']}",
        language="en",
        class_=MessageClass.TRANSACTIONAL,
        basis=Basis.NONE,
        cause="test",
        automatic=drawn["automatic"],
        expires_at=now + timedelta(minutes=drawn["lasts"]),
        rule=drawn["rule"],
        urgency=drawn["urgency"],
        not_before=None if drawn["wait"] is None else now + timedelta(minutes=drawn["wait"]),
        campaign=drawn["campaign"],
    )


def stored(tx) -> dict[str, list[tuple[object, ...]]]:
    texts = {name: f"SELECT {rest}" for name, rest in TABLES.items()}
    return {name: tx.outbox._run.all(Sql(text, text)) for name, text in texts.items()}


def life(asked, answers, receipts, early, together, now, seen, tx):
    """A whole batch from the wish to the receipts, together or one by one; then it is taken back."""
    carrier = Main()
    stop(tx.pairs.thread(DID, "+12125550100", now), "sms", "STOP", now, tx)
    wishes = [(Slot("main") if drawn["slot"] else None, wanted(n, drawn, now)) for n, drawn in enumerate(asked)]
    if together:
        made = submit_many(TIGHT, wishes, now, tx)
    else:
        made = [alone(submit(TIGHT, slot, wish, None, now, tx), tx) for slot, wish in wishes]
    orders = [one.order for one in made if one.order is not None]
    told = list(zip(orders, answers, strict=False))
    said = [Receipt(name, status, now + timedelta(seconds=at) if at else None) for name, status, at in receipts]
    for batch in (said[:early], said[early:]):
        if together:
            moved = apply_receipts("main", batch, now, tx)
        else:
            moved = [alone(apply_receipt("main", receipt, now, tx), tx) for receipt in batch]
        seen.append(moved)
        if together:
            seen.append(record_all(carrier, told, now, tx))
        else:
            seen.append([alone(record(carrier, *one, now, tx), tx) for one in told])
        told = told[:1]  # recorded once more, it is fenced
    seen.append([(one.verdict, one.waits_on, one.order is None) for one in made])
    seen.append(stored(tx))
    raise Undo


@quiet
@given(wishes, st.lists(ANSWERS, min_size=14, max_size=14), RECEIPTS, st.integers(0, 10))
def test_many_at_once_come_out_as_one_by_one(runner, clock, asked, answers, receipts, early):
    seen = {}
    for together in (True, False):
        seen[together] = []
        runner(partial(life, asked, answers, receipts, early, together, clock.now(), seen[together]))
    assert seen[True] == seen[False]


def crossing(now, seen, tx):
    """Texts of programs are opened, and a person's answer to one of their readers comes in the same transaction."""
    drawn = {"did": DID, "words": "", "automatic": False, "lasts": 240, "rule": None, "wait": None, "campaign": ""}
    for place, peer in enumerate(("+15125550123", "+15125550124")):
        wish = wanted(place, {**drawn, "peer": peer, "urgency": Urgency.TRANSACTIONAL}, now)
        submit(HOUSE, None, wish, None, now, tx)
    opened = claim(HOUSE, "main", Room(texts=2, bulk=0), now, tx).orders
    reply = wanted(2, {**drawn, "peer": "+15125550123", "urgency": Urgency.AGENT}, now)
    seen.append((len(opened), submit(HOUSE, Slot("main"), reply, None, now, tx).order))
    raise Undo


def test_a_text_that_was_just_opened_is_waited_for_whatever_is_more_urgent(runner, clock):
    seen = []
    runner(partial(crossing, clock.now(), seen))
    assert seen == [(2, None)]


@pytest.fixture
def yard(store, clock):
    return Yard(store, clock, Answering())


async def test_a_text_whose_time_is_over_when_its_commit_ends_is_not_sent(yard, clock):
    async with yard.running():
        slot = yard.lanes.reserve("main")
        wish = yard.wanted("Your table is free now.", expires_at=clock.now() + timedelta(minutes=2))
        made = await yard.store.commit(partial(submit, yard.house, slot, wish, None, clock.now()))
        clock.move(timedelta(minutes=2))
        yard.lanes.settle(slot, made.order)
        await yard.settled()
    (attempt,) = await yard.store.commit(lambda tx: stored(tx)["attempt"])
    (part,) = await yard.store.commit(lambda tx: stored(tx)["part"])
    assert yard.carriers["main"].got == []
    assert (await yard.state(made), attempt[1:3], part[0]) == (State.EXPIRED, ("not_sent", "never left us"), "queued")
    assert (yard.lane.in_flight, yard.lane.governor.broken) == (0, False)


async def test_what_is_answered_while_an_outcome_is_written_is_recorded_together(yard, clock):
    yard.carriers["main"].wait = asyncio.Event()
    async with yard.running():
        made = [await yard.send(yard.wanted("Hello.", to=number)) for number in range(9)]
        before = yard.store.tally.steps.up_to()[-1][1]
        yard.carriers["main"].wait.set()
        await yard.settled()
        after = yard.store.tally.steps.up_to()[-1][1]
    assert {await yard.state(one) for one in made} == {State.ACCEPTED}
    assert after - before < len(made) + 7, "nine outcomes, and the looks of `settled`"


async def test_receipts_of_hooks_that_come_at_once_are_stored_together_and_a_bad_one_alone(yard, clock):
    async with yard.running():
        made = [await yard.send(yard.wanted("Hello.", to=number)) for number in range(9)]
        await yard.settled()
        names = await yard.store.commit(lambda tx: [row[3] for row in stored(tx)["attempt"]])
        arrivals = Arrivals(yard.house, yard.store, yard.lanes, clock)
        errors = [*[""] * 8, "\ud800 no database takes this"]
        before = yard.store.tally.steps.up_to()[-1][1]
        brought = [
            arrivals.take("main", [Receipt(name, ReceiptStatus.DELIVERED, None, error=error)], b"raw")
            for name, error in zip(names, errors, strict=True)
        ]
        await asyncio.gather(*brought[:8])
        together = yard.store.tally.steps.up_to()[-1][1]
        assert together - before < 4, "eight receipts"
        again = arrivals.take("main", [Receipt(names[0], ReceiptStatus.DELIVERED, None)], b"raw")
        await asyncio.gather(*brought[8:], again)
    assert [await yard.state(one) for one in made] == [*[State.DELIVERED] * 8, State.ACCEPTED]
    assert [row[1] for row in await yard.store.commit(lambda tx: stored(tx)["receipt"])] == sorted(names[:8])
