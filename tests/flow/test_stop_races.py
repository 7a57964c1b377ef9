"""STOP, START and texts in any order, alone or sharing a flush: after a STOP no attempt is opened to that person."""

import asyncio
import itertools
import shutil
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ringback.core.messages import Basis, MessageClass, Wanted
from ringback.errors import Unreachable
from ringback.flow.attempts import record
from ringback.flow.claiming import claim
from ringback.flow.governor import Room
from ringback.flow.house import Limits
from ringback.flow.opt_outs import start, stop
from ringback.flow.outbound import Slot, submit
from ringback.flow.replies import Reply, answer
from ringback.ports import CarrierRef
from ringback.store.database import Database
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.flow.office import ANNA
from tests.flow.world import DID, HOUSE, PAT

HOUSE = replace(HOUSE, limits=Limits(automatic_per_hour=1000))
_names = itertools.count()


class Main:
    name = "main"


def reply(slot, number, now, tx):
    """An agent answers, with a free slot of the carrier or without."""
    thread = tx.pairs.thread(DID, PAT, now)
    _, sent = answer(HOUSE, slot, Reply(ANNA, thread, "We open at 9.", f"key {number}"), now, tx)
    return [sent.order] if sent is not None and sent.order else []


def says_stop(number, now, tx):
    """They say STOP, and hear that it was understood."""
    thread = tx.pairs.thread(DID, PAT, now)
    stop(thread, "text", f"inb_{number}", now, tx)
    submit(HOUSE, None, confirmation("stop", now), None, now, tx)
    return []


def says_start(slot, _number, now, tx):
    """They say START, and hear it at once if the carrier has a free slot."""
    start(tx.pairs.thread(DID, PAT, now), "text", "inb_2", now, tx)
    sent = submit(HOUSE, slot, confirmation("start", now), None, now, tx)
    return [sent.order] if sent.order else []


def confirmation(command, now):
    return Wanted(
        did=DID,
        peer=HOUSE.read("", PAT),
        text=f"You said {command}.",
        language="en",
        class_=MessageClass.SYSTEM,
        basis=Basis.CONVERSATION,
        cause=f"command {command}",
        automatic=True,
        expires_at=now + timedelta(hours=4),
        command=command,
    )


def claims(_number, now, tx):
    """A lane looks for what is due."""
    return list(claim(HOUSE, "main", Room(8, 8), now, tx).orders)


OPS = {
    "reply at once": partial(reply, Slot("main")),
    "reply later": partial(reply, None),
    "stop": says_stop,
    "start": partial(says_start, None),
    "start, told at once": partial(says_start, Slot("main")),
    "claim": claims,
    "carrier takes it": None,
    "carrier is away": None,
}
ANSWERS = {
    "carrier takes it": CarrierRef(""),
    "carrier is away": Unreachable("no route"),
}
EVENTS = """SELECT at, kind FROM (
    SELECT at, kind FROM opt_out_event
    UNION ALL SELECT a.opened_at AS at, m.command || '!' AS kind FROM attempt a JOIN message m ON m.id = a.message_id
) AS events ORDER BY at"""


async def run(url, batches) -> tuple[list[tuple], list[tuple]]:
    """Commit batch by batch, each in one flush; returns opt-outs and opened attempts in order, and all texts."""
    clock = HandClock(NOON)
    database = Database(url, clock)
    await database.open()
    in_air: list[object] = []
    number = 0
    for batch in batches:
        steps = []
        for op in batch:
            clock.move(timedelta(seconds=1))
            number += 1
            if op in ANSWERS:
                steps += [partial(ended, order, ANSWERS[op], clock.now()) for order in in_air]
                in_air = []
            else:
                steps.append(partial(OPS[op], number, clock.now()))
        for result in await database.commit_all(steps) if steps else ():
            assert not isinstance(result, Exception), result
            in_air += result
    events = await database.read(lambda at: at.exec_driver_sql(EVENTS).fetchall())
    texts = await database.read(
        lambda at: at.exec_driver_sql("SELECT command, state, reason, tries FROM message").fetchall()
    )
    await database.close()
    return [tuple(row) for row in events], [tuple(row) for row in texts]


def ended(order, result, now, tx):
    record(Main(), order, result, now, tx)
    return []


def check(events, texts) -> None:
    out = False
    for _at, kind in events:
        if kind in ("!", "start!"):
            assert not out, "an attempt was opened after a STOP"
        elif kind in ("opt_out", "opt_in"):
            out = kind == "opt_out"
    for command, state, reason, tries in texts:
        # one that came back from its carrier waits until its lane looks, and is refused then
        waits = command != "stop" and not tries and state in ("queued", "held")
        assert not (out and waits), "a text still waits for somebody who said STOP"
        assert not (command == "stop" and state in ("refused", "cancelled")), (
            f"the confirmation was held back: {reason}"
        )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.sampled_from(sorted(OPS)), min_size=1, max_size=5), max_size=8))
def test_no_order_of_events_opens_an_attempt_after_a_stop(tmp_path, empty_sqlite, batches):
    path = tmp_path / f"{next(_names)}.db"
    shutil.copy(empty_sqlite, path)
    check(*asyncio.run(run(f"sqlite:///{path}", batches)))
    path.unlink()


@pytest.mark.parametrize(
    "order", list(itertools.permutations(["reply at once", "reply later", "stop", "claim"])), ids=" then ".join
)
async def test_every_order_of_the_four_that_matter(url, order):
    check(*await run(url, [[op] for op in order]))


async def test_a_text_that_comes_back_from_its_carrier_after_a_stop_goes_no_more(url):
    events, texts = await run(url, [["reply at once"], ["stop"], ["carrier is away"], *[["claim"]] * 20])
    check(events, texts)
    assert ("", "refused", "opted_out", 1) in texts


async def test_the_answer_to_a_start_that_comes_back_after_a_stop_goes_no_more(url):
    events, texts = await run(
        url,
        [["stop"], ["claim"], ["carrier takes it"], ["start, told at once"], ["stop"], ["carrier is away"]]
        + [["claim"]] * 20,
    )
    check(events, texts)
    assert ("start", "refused", "opted_out", 1) in texts


async def test_the_check_itself_sees_an_attempt_after_a_stop():
    with pytest.raises(AssertionError, match="after a STOP"):
        check([(1, "opt_out"), (2, "!")], [])
    with pytest.raises(AssertionError, match="still waits"):
        check([(1, "opt_out")], [("", "queued", None, 0)])
    check([(1, "opt_out"), (2, "stop!"), (3, "opt_in"), (4, "!")], [("stop", "accepted", None, 1)])
