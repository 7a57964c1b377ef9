"""STOP, START, lists and texts in any order, alone or sharing a flush: after a STOP no attempt is opened to them."""

import asyncio
import itertools
import shutil
from contextlib import suppress
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
from ringback.flow.lists import ListRefused, Turn, add, remove, turn_staging
from ringback.flow.opt_outs import start, stop
from ringback.flow.outbound import Slot, submit
from ringback.flow.replies import Reply, answer
from ringback.ports import CarrierRef
from ringback.ports.lists import ListName
from ringback.store.database import Database
from tests.conftest import NOON
from tests.fakes.hand_clock import HandClock
from tests.flow.office import ANNA
from tests.flow.world import DID, HOUSE, PAT, open_office

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


def lists(name, number, now, tx):
    """Somebody puts them on a list, or takes them off."""
    add(ANNA, ListName(name), PAT, f"because {number}", now, tx)
    return []


def unlists(name, _number, now, tx):
    with suppress(ListRefused):
        remove(ANNA, ListName(name), PAT, "they asked", now, tx)
    return []


def stages(way, _number, now, tx):
    turn_staging(ANNA, Turn(way), now, tx)
    return []


OPS = {
    "reply at once": partial(reply, Slot("main")),
    "reply later": partial(reply, None),
    "stop": says_stop,
    "start": partial(says_start, None),
    "start, told at once": partial(says_start, Slot("main")),
    "claim": claims,
    "never": partial(lists, "never"),
    "not never": partial(unlists, "never"),
    "stop everywhere": partial(lists, "stopped"),
    "not everywhere": partial(unlists, "stopped"),
    "only them": partial(lists, "only"),
    "not only them": partial(unlists, "only"),
    "staging on": partial(stages, "on"),
    "staging off": partial(stages, "off"),
    "carrier takes it": None,
    "carrier is away": None,
}
ANSWERS = {
    "carrier takes it": CarrierRef(""),
    "carrier is away": Unreachable("no route"),
}
# what a step says stands before the attempt that it opens
EVENTS = """SELECT at, kind FROM (
    SELECT at, kind, 0 AS turn FROM opt_out_event
    UNION ALL SELECT at, action || ' ' || detail AS kind, 0 AS turn FROM audit
    WHERE action IN ('list_add', 'list_remove')
    UNION ALL SELECT at, 'staging ' || about AS kind, 0 AS turn FROM audit WHERE action = 'staging'
    UNION ALL SELECT a.opened_at AS at, m.command || '!' AS kind, 1 AS turn FROM attempt a
    JOIN message m ON m.id = a.message_id
) AS events ORDER BY at, turn"""


async def run(url, batches) -> tuple[list[tuple], list[tuple]]:
    """Commit batch by batch, each in one flush; returns opt-outs and opened attempts in order, and all texts."""
    clock = HandClock(NOON)
    database = Database(url, clock)
    await database.open()
    await database.commit(partial(open_office, NOON))
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
    said, everywhere, on, staging = False, False, set(), False
    for _at, kind in events:
        word, _, more = kind.partition(" ")
        name = more.partition(":")[0]
        if kind in ("!", "start!"):
            assert not (said or everywhere), "an attempt was opened after a STOP"
            assert "never" not in on, "an attempt was opened to somebody who is never texted"
            assert not staging or "only" in on, "an attempt was opened past staging"
        elif kind == "opt_out":
            said = True
        elif kind == "opt_in":
            said = everywhere = False
        elif word == "staging":
            staging = more == "on"
        elif name == "stopped":
            everywhere = word == "list_add"
        elif word == "list_add":
            on.add(name)
        else:
            on.discard(name)
    out = said or everywhere
    for command, state, reason, tries in texts:
        # one that came back from its carrier waits until its lane looks, and is refused then
        waits = command != "stop" and not tries and state in ("queued", "held")
        assert not (out and waits), "a text still waits for somebody who said STOP"
        assert not (command == "stop" and state in ("refused", "cancelled")), (
            f"the confirmation was held back: {reason}"
        )


@pytest.mark.parametrize(
    "order",
    [
        *itertools.permutations(["reply at once", "reply later", "never", "claim"]),
        *itertools.permutations(["reply at once", "reply later", "stop everywhere", "claim"]),
        *itertools.permutations(["reply later", "staging on", "claim", "only them"]),
    ],
    ids=" then ".join,
)
async def test_every_order_of_a_text_and_a_list(url, order):
    check(*await run(url, [[op] for op in order]))


@pytest.mark.parametrize(
    ("listed", "reason"),
    [("never", "never_text"), ("staging on", "staging"), ("stop everywhere", "opted_out")],
)
async def test_what_a_list_says_between_submit_and_open_holds(url, listed, reason):
    events, texts = await run(url, [["reply later"], [listed], ["claim"]])
    check(events, texts)
    assert [(text[1], text[2]) for text in texts] in ([("refused", reason)], [("cancelled", reason)])


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        pytest.param([(1, "list_add never: x"), (2, "!")], "never texted", id="never"),
        pytest.param([(1, "staging on"), (2, "!")], "past staging", id="staging"),
        pytest.param([(1, "list_add stopped"), (2, "!")], "after a STOP", id="everywhere"),
    ],
)
async def test_the_check_itself_sees_an_attempt_past_a_list(events, fault):
    with pytest.raises(AssertionError, match=fault):
        check(events, [])
    check([(1, "list_add never: x"), (2, "list_remove never"), (3, "staging on"), (4, "list_add only"), (5, "!")], [])


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
