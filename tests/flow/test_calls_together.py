"""Calls that are taken together come out as if they were taken one by one, on both databases; a bad one fails alone."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.core.calls import (
    CallAnswered,
    CallEnded,
    CallStarted,
    Leg,
    Outcome,
    Presentation,
    Rang,
    Sighting,
)
from ringback.core.templates import TextKind, parse
from ringback.flow import calls, following
from ringback.flow.following import step_for, take_all
from ringback.flow.house import Limits
from ringback.flow.opt_outs import stop
from ringback.flow.outbound import Slot
from ringback.store.sql import Sql
from tests.flow.undoing import Undo, alone, runner
from tests.flow.world import DID, HOUSE, OTHER_DID, RULE, World, a_call, life_of

WAITS = replace(
    RULE,
    name="waits",
    when=frozenset({Outcome.BUSY}),
    text={"en": parse("We will call you, {{ business }}.", TextKind.CALL_TEXT)},
    delay=timedelta(seconds=20),
)
FREE = replace(RULE, name="free", when=frozenset({Outcome.UNREACHABLE}), group="free", cool_down=timedelta())
LONELY = replace(RULE, name="lonely", when=frozenset({Outcome.DECLINED}), group="lonely", cool_down=timedelta())
TIGHT = replace(HOUSE, rules=(WAITS, RULE, FREE, LONELY), limits=Limits(automatic_per_hour=2, texts_per_minute=4))
TABLES = {
    "call": """pbx, uniqueid, linkedid, direction, caller, did, peer, presentation, verstat, vetoed, language, queue,
        extensions, started_at, answered_at, ended_at, rang_us, waited_us, outcome, transfer_unanswered, decision,
        reason, rule, rule_version, due_at, until_at, tried FROM call ORDER BY uniqueid""",
    "call_leg": """c.uniqueid, l.seq, l.phone, l.at, l.ended_at, l.rang FROM call_leg l
        JOIN call c ON c.id = l.call_id ORDER BY 1, 2""",
    "call_event": """c.uniqueid, e.seq, e.at, e.kind, e.detail FROM call_event e
        JOIN call c ON c.id = e.call_id ORDER BY 1, 2""",
    "pending_text": """c.uniqueid, p.rule, p.group_, p.did, p.peer, p.body, p.due_at, p.expires_at, p.state, p.cause
        FROM pending_text p JOIN call c ON c.id = p.call_id ORDER BY p.id""",
    "cool_down": """c.peer, c.group_, n.e164, c.until_at FROM cool_down c
        JOIN number n ON n.id = c.number_id ORDER BY 1, 2, 3""",
    "message": """m.state, m.reason, m.not_before, m.tries, m.body, t.peer, n.e164, c.uniqueid, m.rule
        FROM message m JOIN thread t ON t.id = m.thread_id JOIN number n ON n.id = t.number_id
        JOIN call c ON c.id = m.call_id ORDER BY m.id""",
    "part": "p.state, m.body FROM part p JOIN message m ON m.id = p.message_id ORDER BY p.id",
    "attempt": """a.carrier, c.uniqueid FROM attempt a JOIN message m ON m.id = a.message_id
        JOIN call c ON c.id = m.call_id ORDER BY a.id""",
    "message_event": """e.at, e.state, e.reason, e.detail FROM message_event e ORDER BY e.message_id, e.id""",
    "meter": "key, slot, n FROM meter ORDER BY key, slot",
    "thread": "peer, changed_at FROM thread ORDER BY number_id, peer",
    "task": "kind, detail FROM task ORDER BY id",
}
OUTCOMES = [*[Outcome.MISSED, Outcome.BUSY, Outcome.UNREACHABLE] * 3, Outcome.DECLINED, Outcome.ANSWERED]
HAPPENED = st.lists(
    st.fixed_dictionaries(
        {
            "call": st.integers(0, 7),
            "kind": st.sampled_from([CallStarted, CallEnded, CallEnded, CallEnded, CallAnswered]),
            "slot": st.sampled_from([True, True, False]),
            "caller": st.sampled_from(["+15125550123", "+15125550124", "+12125550100", "anonymous"]),
            "did": st.sampled_from([DID, DID, DID, OTHER_DID, "+12025550199"]),
            "outcome": st.sampled_from(OUTCOMES),
            "age": st.sampled_from([0, 0, 0, 0, 3600]),
            "phones": st.integers(0, 2),
        }
    ),
    min_size=4,
    max_size=16,
)
__all__ = ["runner"]
quiet = settings(
    max_examples=50, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def event_of(drawn, now):
    at = now - timedelta(seconds=drawn["age"])
    call = a_call(
        f"1.{drawn['call']}",
        drawn["caller"],
        at,
        did=drawn["did"],
        outcome=drawn["outcome"],
        presentation=Presentation.SHOWN,
        extensions=("101",) * drawn["phones"],
        legs=tuple(Leg(f"10{n}", at, None, Rang.NO_ANSWER) for n in range(drawn["phones"])),
        seen=(Sighting(at, "queue_joined", "sales"),) * drawn["phones"],
    )
    if drawn["kind"] is not CallEnded:
        call = replace(call, ended_at=None, outcome=None)
    return drawn["kind"](call)


def told(concluded):
    """What a step said, without the ids that are drawn anew."""
    sent = concluded.submitted
    return concluded.decision, sent and (sent.verdict, sent.order is not None, sent.waits_on)


def life(batches, together, now, seen, tx):
    """Some batches of events, together or one by one; then all is taken back."""
    stop(tx.pairs.thread(DID, "+12125550100", now), "sms", "STOP", now, tx)
    tx.settings.put("pause:rule:lonely", "", now, "test")
    said = []
    for drawn in batches:
        happened = [(event_of(one, now), Slot("main") if one["slot"] else None) for one in drawn]
        if together:
            said += take_all(TIGHT, happened, now, tx)
        else:
            said += [alone(step_for(TIGHT, slot, event, now)(tx), tx) for event, slot in happened]
        alone(None, tx)
    texts = {name: f"SELECT {rest}" for name, rest in TABLES.items()}
    rows = {name: tx.outbox._run.all(Sql(text, text)) for name, text in texts.items()}
    seen.append(([told(one) for one in said], rows))
    raise Undo


@quiet
@given(st.lists(HAPPENED, min_size=1, max_size=2))
def test_calls_taken_together_come_out_as_one_by_one(runner, clock, batches):
    seen = {}
    for together in (True, False):
        seen[together] = []
        runner(partial(life, batches, together, clock.now(), seen[together]))
    assert seen[True] == seen[False]


ONE = {"call": 0, "kind": CallEnded, "slot": True, "caller": "+15125550123", "did": DID, "age": 0, "phones": 1}
SOMEBODY_ELSE = {**ONE, "call": 9, "caller": "+15125550900", "outcome": Outcome.MISSED}
AGAIN = {
    "a caller who was texted is cooling down": (Outcome.MISSED, ["allowed", *["cool_down"] * 4]),
    "a caller whose text waits gets no second one": (Outcome.BUSY, ["allowed", *["already_pending"] * 4]),
    "a pair gets few texts an hour without a cool-down": (Outcome.UNREACHABLE, ["allowed", "allowed", *["loop"] * 3]),
    "a rule that is paused says nothing": (Outcome.DECLINED, ["paused"] * 5),
}


@pytest.mark.parametrize(("outcome", "reasons"), AGAIN.values(), ids=AGAIN.keys())
def test_what_one_call_of_a_batch_changes_the_next_one_knows(runner, clock, outcome, reasons):
    five = [{**ONE, "call": n, "outcome": outcome} for n in range(5)]
    seen = []
    runner(partial(life, [[*five, SOMEBODY_ELSE]], True, clock.now(), seen))
    decisions = [decision.reason for decision, _sent in seen[0][0]]
    assert decisions[:5] == reasons


def test_a_storm_within_a_batch_is_held_back(runner, clock):
    many = [{**ONE, "call": n, "caller": f"+1512555010{n}", "outcome": Outcome.MISSED} for n in range(6)]
    seen = []
    runner(partial(life, [many], True, clock.now(), seen))
    assert [decision.reason for decision, _sent in seen[0][0]] == [*["allowed"] * 4, "storm", "storm"]


def test_a_call_whose_end_comes_twice_has_one_text(runner, clock):
    twice = [{**ONE, "outcome": Outcome.MISSED}, {**ONE, "outcome": Outcome.MISSED}, SOMEBODY_ELSE]
    seen = []
    runner(partial(life, [twice], True, clock.now(), seen))
    assert [decision and decision.reason for decision, _sent in seen[0][0]][:2] == ["allowed", None]
    assert len(seen[0][1]["message"]) == 2


def ended(clock, numbers):
    return [CallEnded(a_call(f"1.{n}", f"+1512555{n:04}", clock.now())) for n in numbers]


async def test_a_call_that_cannot_be_stored_is_left_out_of_its_batch_alone(store, clock, tmp_path, monkeypatch):
    right = calls.prepare

    def prepare(house, call):
        if call.uniqueid == "1.3":
            raise ZeroDivisionError("a bug")
        return right(house, call)

    monkeypatch.setattr(calls, "prepare", prepare)
    monkeypatch.setattr(following, "prepare", prepare)
    world = World(store, clock, tmp_path)
    async with world.running():
        await world.happens(*ended(clock, range(7)))
        handsets = [world.handset(f"+1512555{n:04}") for n in range(7)]
        assert [len(texts) for texts in handsets] == [1, 1, 1, 0, 1, 1, 1]
        assert world.lane.in_flight == 0


async def test_a_call_whose_row_goes_wrong_is_left_out_of_its_batch_alone(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    async with world.running():
        bad = CallEnded(a_call("1.9", "+15125559999", clock.now(), queue="\x00\ud800"))
        await world.happens(*ended(clock, range(3)), bad, *ended(clock, range(3, 6)))
        assert [len(world.handset(f"+1512555{n:04}")) for n in range(6)] == [1] * 6
        assert world.lane.in_flight == 0


async def test_a_burst_costs_a_commit_for_many_calls_not_for_each(store, clock, tmp_path):
    world = World(store, clock, tmp_path)
    async with world.running():
        before = store.tally.steps.up_to()[-1][1]
        await world.happens(*[event for end in ended(clock, range(40)) for event in life_of(end.call)])
        async with asyncio.timeout(10):
            while [len(world.handset(f"+1512555{n:04}")) for n in range(40)] != [1] * 40:
                await asyncio.sleep(0.01)
        assert store.tally.steps.up_to()[-1][1] - before < 40
