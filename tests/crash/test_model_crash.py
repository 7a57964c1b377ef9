"""The outbox against a plain model: anything may happen in any order, and the books balance after every step.

Every step runs in one transaction of the real store, by the real functions of the flow; a crash drops the connection
and everything in memory. MODEL="examples steps" runs more than the usual.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ringback.core import policy
from ringback.core.doubts import Seen, Step
from ringback.core.messages import Basis, MessageClass, OnDoubt, PartState, ReceiptStatus, State, Urgency, Wanted
from ringback.core.numbers import NumberFormat, read_number
from ringback.core.permissions import at_the_shell
from ringback.core.policy import Defer, Refuse
from ringback.errors import Blocked, Rejected, SendFailed, Throttled, Unconfirmed, Unreachable
from ringback.flow.attempts import record, recover
from ringback.flow.claiming import claim
from ringback.flow.doubts import due_of, facts_of, give_up, settle
from ringback.flow.governor import Room
from ringback.flow.house import Limits
from ringback.flow.inbound import receive
from ringback.flow.outbound import PROGRAMS, Slot, submit
from ringback.flow.pauses import Pause, Scope, pause, resume
from ringback.flow.receipts import apply_receipt
from ringback.flow.settling import Resolution, Settled, resolve, undo
from ringback.flow.wishes import call_off
from ringback.ports import CarrierRef, Incoming, Receipt
from ringback.ports.storage import Step as TxStep
from ringback.ports.texts import Order
from ringback.store import outbox, outcomes
from ringback.store.moments import moment_of
from ringback.store.postgres import PostgresConnection
from ringback.store.sql import Sql
from ringback.store.sqlite import PRAGMAS, SqliteConnection
from ringback.store.writer import Connection
from tests.conftest import NOON
from tests.crash.model_outbox import IN_DOUBT, LATE, MARGIN, WAITING, WINDOW, Books, Row, Text, Try
from tests.flow.world import DID, HOUSE
from tests.postgres import Cluster

T = TypeVar("T")
S = State
EXAMPLES, STEPS = map(int, os.environ.get("MODEL", "100 40").split())
WITHOUT_END = 10**9
HOME = replace(
    HOUSE,
    limits=Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END),
    carriers_that_answer=frozenset({"main"}),
    carriers_with_receipts=frozenset({"main"}),
)
PEERS = ["+15125550123", "+15125550124"]
ALL = Pause(Scope.ALL)
WHO = at_the_shell("pat")
QUICK = tuple(text.replace("FULL", "OFF") for text in PRAGMAS)  # what a crash of ours leaves, not one of the machine

TEXTS = Sql(
    *[
        """SELECT m.public_id, m.id, m.state, m.reason, m.not_before,
    (SELECT e.state FROM message_event e WHERE e.message_id = m.id ORDER BY e.id DESC LIMIT 1) FROM message m"""
    ]
    * 2
)
ATTEMPTS = Sql(
    *[
        """SELECT a.public_id, m.public_id, coalesce(a.outcome, '') FROM attempt a
    JOIN message m ON m.id = a.message_id ORDER BY a.id"""
    ]
    * 2
)
TASKS = Sql(*["SELECT count(*) FROM task WHERE kind = 'unconfirmed' AND done_at IS NULL"] * 2)

spans = st.sampled_from([timedelta(seconds=1), timedelta(seconds=30), timedelta(minutes=3), timedelta(hours=1)])
which = st.integers(0, 10**6)


class Carrier:
    name = "main"


class Outbox(RuleBasedStateMachine):
    """`connect` opens a connection to this example's own database; a subclass says how one is made."""

    def empty(self) -> Callable[[], Connection]:
        raise NotImplementedError

    @initialize()
    def begin(self) -> None:
        self.connect = self.empty()
        self.connection = self.connect()
        self.books = Books(NOON)
        self.names = count(1)
        self.in_hand: list[Try] = []
        self.lost: list[Try] = []
        self.do(lambda tx: None)

    def teardown(self) -> None:
        if hasattr(self, "connection"):
            self.connection.close()

    # -- one transaction

    def do(self, step: "TxStep[T]", kept: bool = True) -> T:
        self.connection.begin()
        value = step(self.connection.nouns)
        if kept:
            self.connection.commit(1)
        else:
            self.connection.rollback()
        return value

    def rows(self) -> dict[str, Row]:
        read = partial(_all, TEXTS)
        return {
            row[0]: Row(row[0], row[1], State(row[2]), row[3] or "", moment_of(row[4]), row[5]) for row in self.do(read)
        }

    @property
    def now(self) -> datetime:
        return self.books.now

    # -- texts are asked for

    @rule(
        peer=st.sampled_from(PEERS),
        urgency=st.sampled_from(Urgency),
        automatic=st.booleans(),
        lasts=st.sampled_from([timedelta(seconds=2), timedelta(seconds=40), timedelta(hours=4), timedelta(days=9)]),
        later=st.sampled_from([timedelta(), timedelta(), timedelta(minutes=5)]),
        policy=st.sampled_from(OnDoubt),
        room=st.booleans(),
        kept=st.sampled_from([True, True, True, False]),
    )
    def ask(self, peer, urgency, automatic, lasts, later, policy, room, kept):
        """Anybody asks for anything; some of it falls away with a crash before it is on disk."""
        self._ask(peer, urgency, automatic, lasts, later, policy, room, kept)

    def _ask(self, peer, urgency, automatic, lasts, later, policy, room, kept):
        books, slot = self.books, Slot("main") if room else None
        wanted = Wanted(
            DID,
            read_number(peer, NumberFormat.E164, "US", extension_digits=4),
            f"text {next(self.names)}",
            "en",
            MessageClass.TRANSACTIONAL,
            Basis.CONSENT if urgency in PROGRAMS else Basis.CONVERSATION,
            "test",
            automatic,
            self.now + lasts,
            urgency=urgency,
            not_before=self.now + later if later else None,
            on_doubt=policy,
        )
        ahead = self._ahead(peer, urgency)
        done = self.do(partial(submit, HOME, slot, wanted, None, self.now), kept)
        if not kept:
            return
        text = Text(done.message, 0, peer, urgency, automatic, wanted.expires_at, policy, S.QUEUED, self.now)
        if (books.paused and text.pausable) or peer in books.stopped:
            assert isinstance(done.verdict, Refuse)
            state = S.REFUSED
        elif later:
            assert isinstance(done.verdict, Defer)
            state = S.HELD
        else:
            assert done.verdict is None
            state = S.SUBMITTING if done.order else S.QUEUED
        text.becomes(state, self.now)
        if done.order:
            assert slot is not None and not ahead, "born in flight without room, or before others"
            assert wanted.expires_at - MARGIN > self.now, "born in flight when it was over"
            self._open(text, done.order)
        text.number = self.rows()[done.message].number
        books.texts[done.message] = text

    @rule(peer=st.sampled_from(PEERS), policy=st.sampled_from(OnDoubt))
    def write_twice(self, peer, policy):
        """Somebody writes two texts to one person, and there is no room for them now."""
        for _ in range(2):
            self._ask(peer, Urgency.AGENT, False, timedelta(hours=4), timedelta(), policy, False, True)

    def _ahead(self, peer: str, urgency: Urgency) -> list[Text]:
        """Texts to this person that are on their way, or wait and go first."""
        rows = self.rows()
        return [
            text
            for text in self.books.of_pair(peer)
            if text.state is S.SUBMITTING
            or (text.state in WAITING and text.urgency <= urgency and rows[text.id].reason != "scheduled")
        ]

    def _open(self, text: Text, order: Order) -> None:
        text.becomes(S.SUBMITTING, self.now)
        one = Try(order.text.attempt, text, order)
        text.tries.append(one)
        self.books.tries.append(one)
        self.in_hand.append(one)

    # -- the lane

    @rule(room=st.integers(1, 5), kept=st.sampled_from([True, True, True, False]))
    def look(self, room, kept):
        """The lane claims what is due."""
        books, before = self.books, {text.id: text for text in self.books.waiting()}
        rows = {name: row for name, row in self.rows().items() if name in before}
        found = self.do(partial(claim, HOME, "main", Room(room, room), self.now), kept)
        assert len(found.orders) <= room
        if not kept:
            return
        after = self.rows()
        competing = {name: row for name, row in rows.items() if after[name].state in WAITING | {S.SUBMITTING}}
        faults = []
        for order in found.orders:
            text = books.texts[order.text.message]
            faults += books.opened(text, rows[text.id], competing)
            self._open(text, order)
        moved = {text.peer for name, text in before.items() if after[name].state != rows[name].state}
        for name, text in before.items():
            self._follow(text, after[name])
        assert not faults
        if room == 5:
            self._nobody_is_forgotten(before, after, moved)

    def _follow(self, text: Text, row: Row) -> None:
        """What else a claim may do with a text that waited."""
        match row.state:
            case S.EXPIRED:
                assert text.expires - MARGIN <= self.now
            case S.REFUSED:
                assert text.pausable and self.books.paused
            case _:
                return
        text.becomes(row.state, self.now)

    def _nobody_is_forgotten(self, before: dict[str, Text], after: dict[str, Row], moved: set[str]) -> None:
        for name, text in before.items():
            due = after[name].state in WAITING and after[name].not_before <= self.now
            assert not due or text.peer in moved or self.books.is_busy(text.peer), f"text {text.number} was passed over"

    @precondition(lambda self: self.in_hand)
    @rule(which=which, took=st.booleans())
    def leave(self, which, took):
        """The bytes leave; the carrier takes the text, or it does not."""
        one = self.in_hand[which % len(self.in_hand)]
        if not one.left:
            self._leaves(one, took)

    def _leaves(self, one: Try, took: bool) -> None:
        one.left, one.took = True, took
        one.sid = f"SM{next(self.names):032x}" if took else ""

    @precondition(lambda self: self.in_hand)
    @rule(which=which, clear=st.booleans(), no=st.sampled_from([Rejected, Blocked, Throttled]))
    def answer(self, which, clear, no):
        """The carrier answers, or what it said is lost."""
        one = self.in_hand.pop(which % len(self.in_hand))
        result: CarrierRef | SendFailed
        if not clear:
            result = Unconfirmed("cut")
        elif not one.left:
            result = Unreachable("away")
        elif one.took:
            result = CarrierRef(one.sid)
        else:
            result = Throttled("busy", 7) if no is Throttled else no("no")
        self.do(partial(record, Carrier(), one.order, result, self.now))
        self._recorded(one, result)

    @precondition(lambda self: self.in_hand)
    @rule(which=which, took=st.booleans())
    def lose(self, which, took):
        """The bytes leave and the line is cut: nobody knows."""
        one = self.in_hand.pop(which % len(self.in_hand))
        if not one.left:
            self._leaves(one, took)
        result = Unconfirmed("cut")
        self.do(partial(record, Carrier(), one.order, result, self.now))
        self._recorded(one, result)

    def _recorded(self, one: Try, result: "CarrierRef | SendFailed") -> None:
        text = one.text
        if not one.open:
            return  # a receipt was faster
        match result:
            case CarrierRef():
                one.outcome, one.known = "accepted", True
                self._evidence(text, S.ACCEPTED)
                for status in sorted(one.parked, key=lambda status: State(status)):
                    one.heard.add(status)
                    self._evidence(text, State(status))
            case Unreachable() | Rejected() if one.order.again:
                self._not_again(one, result)
            case Unreachable():
                one.outcome = "not_sent"
                if text.state is S.SUBMITTING:
                    text.becomes(S.HELD, self.now)
            case Rejected():
                one.outcome = "rejected"
                if text.state is S.SUBMITTING:
                    text.becomes(S.FAILED, self.now)
                if isinstance(result, Blocked):
                    self._stopped(text.peer)
            case _:
                one.outcome = "unconfirmed"
                self._in_doubt(text)

    def _not_again(self, one: Try, result: "Unreachable | Rejected") -> None:
        """The second attempt failed for sure: of the first nobody knows, as before."""
        one.outcome = "not_sent" if isinstance(result, Unreachable) else "rejected"
        one.text.resends -= isinstance(result, Unreachable)
        if one.text.state is S.SUBMITTING:
            one.text.becomes(S.UNCONFIRMED, self.now)
        if isinstance(result, Blocked):
            self._stopped(one.text.peer)

    def _evidence(self, text: Text, status: State) -> None:
        text.hears(status, self.now)

    def _in_doubt(self, text: Text) -> None:
        self.books.doubts += 1
        if text.state is S.SUBMITTING:
            text.becomes(S.UNCONFIRMED, self.now)
            text.asked = False

    @rule()
    def crash(self):
        """Everything in memory is gone; the next start looks at what it left open."""
        self.connection.begin()
        self.connection.close()
        self.connection = self.connect()
        self.lost += self.in_hand
        self.in_hand = []
        self.do(partial(recover, "main", self.now))
        for one in self.books.open_tries():
            one.outcome = "unconfirmed"
            self._in_doubt(one.text)

    @precondition(lambda self: self.lost)
    @rule(which=which)
    def answer_late(self, which):
        """A daemon that was thought dead writes its outcome: nobody listens."""
        one = self.lost.pop(which % len(self.lost))
        assert self.do(partial(record, Carrier(), one.order, CarrierRef(f"late{one.id}"), self.now)) is None

    # -- receipts, people, programs

    @precondition(lambda self: any(one.took for one in self.books.tries))
    @rule(which=which, status=st.sampled_from(ReceiptStatus), named=st.booleans())
    def receipt(self, which, status, named):
        """The carrier says what became of a text it took, by its id, with ours beside it or not."""
        took = [one for one in self.books.tries if one.took]
        one = took[which % len(took)]
        self.do(partial(apply_receipt, "main", Receipt(one.sid, status, None, one.id if named else ""), self.now))
        if not named and not one.known:
            one.parked.add(str(status))
            return
        if str(status) in one.heard:
            return
        one.heard.add(str(status))
        one.known = True
        one.outcome = "accepted"
        self._evidence(one.text, State(status))

    @rule(peer=st.sampled_from(PEERS))
    def stop(self, peer):
        self._hear(peer, "STOP")
        self._stopped(peer)

    def _stopped(self, peer: str) -> None:
        self.books.stopped.add(peer)
        for text in self.books.of_pair(peer):
            if text.state in WAITING:
                text.becomes(S.CANCELLED, self.now)

    @rule(peer=st.sampled_from(PEERS))
    def start(self, peer):
        self._hear(peer, "START")
        self.books.stopped.discard(peer)

    def _hear(self, peer: str, words: str) -> None:
        incoming = Incoming(f"IN{next(self.names)}", peer, DID, words, self.now)
        self.do(partial(receive, HOME, "main", incoming, b"raw", self.now))

    @rule()
    def hold_back(self):
        self.do(partial(pause, ALL, "pat", self.now))
        self.books.paused = True

    @rule()
    def go_on(self):
        self.do(partial(resume, ALL))
        self.books.paused = False

    @precondition(lambda self: self.books.texts)
    @rule(which=which)
    def cancel(self, which):
        text = self._any(which)
        said = self.do(partial(call_off, WHO, text.id, self.now))
        if text.state in WAITING:
            text.becomes(S.CANCELLED, self.now)
        assert said is text.state

    @precondition(lambda self: self.books.texts)
    @rule(which=which, how=st.sampled_from(Resolution))
    def say(self, which, how):
        """A person says what became of a text."""
        text = self._any(which)
        settled = self.do(partial(resolve, WHO, text.id, how, self.now))
        if text.state in IN_DOUBT:
            assert settled is Settled.DONE
            text.becomes(S.ACCEPTED if how is Resolution.SENT else S.FAILED, self.now)
            text.said = True

    @precondition(lambda self: any(text.said for text in self.books.texts.values()))
    @rule(which=which)
    def take_back(self, which):
        said = [text for text in self.books.texts.values() if text.said]
        text = said[which % len(said)]
        settled = self.do(partial(undo, WHO, text.id, self.now))
        if text.state in (S.ACCEPTED, S.FAILED):
            assert settled is Settled.DONE
            text.becomes(S.UNCONFIRMED, self.now)
            text.said = False

    def _any(self, which: int) -> Text:
        texts = list(self.books.texts.values())
        return texts[which % len(texts)]

    # -- time

    @rule(span=spans)
    def pass_time(self, span):
        self.books.now += span

    @rule(span=spans)
    def set_clock_back(self, span):
        self.books.now -= span

    @rule()
    def three_days_pass(self):
        self.books.now += LATE + timedelta(hours=1)
        self.do(partial(give_up, HOME, self.now))
        for text in self.books.texts.values():
            if self.now - text.at > LATE:
                if text.state is S.UNCONFIRMED:
                    text.becomes(S.UNRESOLVED, self.now)
                elif text.state in (S.ACCEPTED, S.SENT):
                    text.becomes(S.NO_RECEIPT, self.now)

    @rule(seen=st.sampled_from([Seen.ABSENT, Seen.UNNAMED, Seen.AWAY]), room=st.booleans())
    def follow_policies(self, seen, room):
        """What is in doubt for long enough is left to a person, or sent once more."""
        self._follow_policies(seen, room)

    @precondition(lambda self: any(text.state is S.UNCONFIRMED for text in self.books.texts.values()))
    @rule(seen=st.sampled_from([Seen.ABSENT, Seen.UNNAMED]))
    def ripen(self, seen):
        """The same, when their time has come."""
        self.books.now += timedelta(minutes=3)
        self._follow_policies(seen, room=True)

    def _follow_policies(self, seen, room):
        for doubt in self.do(partial(due_of, "main", self.now - WINDOW)):
            text = self.books.texts[doubt.public_id]
            assert text.state is S.UNCONFIRMED
            facts = facts_of(doubt, "main", seen, WINDOW, self.now)
            slot = Slot("main") if room else None
            settled = self.do(partial(settle, HOME, doubt, facts, self.now, slot))
            if settled.order is None:
                continue
            assert settled.step is Step.RESEND and settled.order.again
            assert text.policy is OnDoubt.DELIVER or (text.policy is OnDoubt.CHECK and seen is Seen.ABSENT)
            assert text.peer not in self.books.stopped
            assert self.now < text.expires - MARGIN
            text.resends += 1
            self._open(text, settled.order)

    # -- what always holds

    @invariant()
    def the_books_balance(self):
        if not hasattr(self, "books"):
            return
        attempts = self.do(partial(_all, ATTEMPTS))
        assert list(self.books.faults(self.rows(), attempts)) == []


def _all(statement: Sql, tx):
    return tx.outbox._run.all(statement)


usual = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
    derandomize=EXAMPLES <= 100,
    database=None,
    report_multiple_bugs=False,
)


def on_sqlite(folder: Path, empty: Path, made: "count[int]") -> type[Outbox]:
    class OnSqlite(Outbox):
        def empty(self):
            path = folder / "model.db"
            for old in folder.glob("model.db*"):
                old.unlink()
            shutil.copy(empty, path)
            next(made)
            return partial(SqliteConnection, path, QUICK)

    return OnSqlite


def test_model_crash_on_sqlite(tmp_path: Path, empty_sqlite: Path):
    made: count[int] = count()
    run_state_machine_as_test(on_sqlite(tmp_path, empty_sqlite, made), settings=usual)
    assert next(made) >= EXAMPLES // 2


def test_model_crash_on_postgres(postgres: Cluster):
    names = count()

    class OnPostgres(Outbox):
        def empty(self):
            address = postgres.create(f"model{os.getpid()}_{next(names)}", "template")
            return partial(PostgresConnection, address, lock=None)  # the server lets go of a lock when it likes

    run_state_machine_as_test(OnPostgres, settings=settings(usual, max_examples=max(EXAMPLES // 10, 5)))


def without(statement: Sql, words: str, instead: str = "") -> Sql:
    assert words in statement.sqlite
    return Sql(statement.sqlite.replace(words, instead), statement.postgres.replace(words, instead))


def queue_again(carrier: str, now: datetime, tx) -> int:
    """What most gateways do with a text whose line was cut."""
    for attempt, part, message, _at in tx.outbox.left_open(carrier):
        tx.outcomes.close(attempt, "unconfirmed", "crash", None, now)
        tx.outcomes.part_moves(part, message, PartState.QUEUED, None, "", now)
    return 0


FENCE, DUE = without(outcomes.CLOSE, " AND outcome IS NULL"), outbox.DUE
NO_STOP = tuple(gate for gate in policy.AT_OPEN if gate is not policy.opt_out)
PAT = PEERS[0]


def twice(machine: Outbox) -> None:
    machine.write_twice(PAT, OnDoubt.DELIVER)


def short(machine: Outbox) -> None:
    lasts = timedelta(seconds=2)
    machine.ask(PAT, Urgency.AGENT, False, lasts, timedelta(), OnDoubt.ONCE, room=False, kept=True)


def urgent(machine: Outbox) -> None:
    lasts = timedelta(hours=4)
    machine.ask(PAT, Urgency.COMMAND, False, lasts, timedelta(), OnDoubt.ONCE, room=False, kept=True)


def look(machine: Outbox) -> None:
    machine.look(5, kept=True)


def lose(machine: Outbox) -> None:
    machine.lose(0, took=False)


def ripen(machine: Outbox) -> None:
    machine.ripen(Seen.ABSENT)


def sent(machine: Outbox) -> None:
    machine.leave(0, took=True)
    machine.answer(0, clear=True, no=Rejected)


PLANTED = {
    "a start forgets what was open": ([("recover", lambda *_: 0)], [twice, look, Outbox.crash]),
    "a start queues again what was open": ([("recover", queue_again)], [twice, look, Outbox.crash]),
    "an outcome is written by whoever comes": (
        [("ringback.store.outcomes.CLOSE", FENCE)],
        [twice, look, Outbox.crash, lambda machine: machine.answer_late(0)],
    ),
    "STOP holds for what is asked for later": (
        [("ringback.flow.opt_outs._call_off_queued", lambda *_: 0), ("ringback.flow.claiming.AT_OPEN", NO_STOP)],
        [twice, lambda machine: machine.stop(PAT), look],
    ),
    "a policy never tires": (
        [("ringback.core.doubts.MOST_RESENDS", 99)],
        [twice, look, lose, ripen, lose, ripen],
    ),
    "texts overtake each other": (
        [("ringback.store.outbox.DUE", without(DUE, "e.id < m.id", "1 = 0"))],
        [twice, look],
    ),
    "a text leaves while another is on its way": (
        [("ringback.store.outbox.DUE", without(DUE, "e.state = 'submitting' OR (", "1 = 0 OR ("))],
        [twice, look, urgent, look],
    ),
    "the end of a text is when it ends": ([("ringback.flow.claiming.WRITE_MARGIN", timedelta())], [short, look]),
    "the last receipt wins": (
        [("ringback.flow.receipts.may_move", lambda _old, _new: True)],
        [
            twice,
            look,
            sent,
            lambda machine: machine.receipt(0, ReceiptStatus.DELIVERED, named=False),
            lambda machine: machine.receipt(0, ReceiptStatus.SENT, named=False),
        ],
    ),
}
"""Faults, and the shortest way to each."""


def go(machine: Outbox, way) -> None:
    """Take a way by hand; the books are looked at after each step."""
    try:
        machine.begin()
        for step in way:
            step(machine)
            machine.the_books_balance()
    finally:
        machine.teardown()


@pytest.mark.parametrize(("planted", "way"), PLANTED.values(), ids=PLANTED)
def test_the_model_catches(planted, way, tmp_path: Path, empty_sqlite: Path, monkeypatch: pytest.MonkeyPatch):
    made = on_sqlite(tmp_path, empty_sqlite, count())
    go(made(), way)
    for place, instead in planted:
        if "." not in place:
            monkeypatch.setitem(globals(), place, instead)  # what this module itself has imported
        else:
            monkeypatch.setattr(place, instead)
    with pytest.raises(AssertionError):
        go(made(), way)
