"""The session machine against its rules: anything may happen in any order, and the rules hold after every step.

Every step is one transaction of the real store, by the real functions of the flow. Some of them are lost with a crash,
and at any time the store is opened anew on the same file. SESSION_MODEL="examples steps" runs more than the usual,
other examples each time, and makes one that fails as small as it can, which takes minutes.
"""

import os
import shutil
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ringback.core.calls import CallAnswered, FeedBack, Leg, Outcome, Rang
from ringback.core.grants import ALL_NUMBERS, Cell, Effect, Level, Subject, Way
from ringback.core.messages import Basis, MessageClass, State, Wanted
from ringback.core.permissions import Asker, Principal, Role
from ringback.core.presence import AgentNow, AtDesk, Presence
from ringback.core.sessions import Origin, SessionState, Why
from ringback.core.text_queues import AfterHangUp, Note, Plan, Strategy
from ringback.flow import calls as flow_calls
from ringback.flow import session_acts as acts
from ringback.flow import sessions
from ringback.flow.giving import give, take_from_gone
from ringback.flow.house import Limits
from ringback.flow.inbound import receive
from ringback.flow.permits import Denied, NotThere, Unwritten
from ringback.flow.replies import Reply, answer
from ringback.flow.session_calls import text_settled
from ringback.flow.session_finding import Gone
from ringback.flow.session_leaving import empty_queue, leave, without_rights
from ringback.flow.session_timers import fire_due
from ringback.ports import Incoming
from ringback.ports.people import Contact
from ringback.ports.texts import Route
from ringback.store.sqlite import PRAGMAS, SqliteConnection
from tests.conftest import NOON
from tests.fakes.grants import let_everyone
from tests.flow.session_rules import broken
from tests.flow.world import DID, HOUSE, OTHER_DID, PAT, SAM, a_call

MORE = os.environ.get("SESSION_MODEL", "")
EXAMPLES, STEPS = map(int, (MORE or "120 50").split())
QUICK = tuple(text.replace("FULL", "OFF") for text in PRAGMAS)  # what a crash of ours leaves, not one of the machine
WITHOUT_END = 10**9
ROUNDS = 20
HOME = replace(HOUSE, limits=Limits(WITHOUT_END, WITHOUT_END, WITHOUT_END))
PHONES = ("121", "122", "123")
NOTES = {note: {"en": f"{note}"} for note in Note}
MINUTE = timedelta(minutes=1)
PLANS = (
    Plan(),
    Plan(strategy=Strategy.LONGEST_IDLE, offer_for=MINUTE, agent_idle=5 * MINUTE, wrap_up=MINUTE, notes=NOTES),
    Plan(
        strategy=Strategy.ROUND_ROBIN,
        at_once=True,
        queued_expiry=30 * MINUTE,
        customer_idle=20 * MINUTE,
        warn_before=5 * MINUTE,
        dismissed_for=10 * MINUTE,
        after_hang_up=AfterHangUp.CLOSE,
        transfer_for=timedelta(0),
        notes=NOTES,
    ),
    Plan(offer_for=timedelta(0), queued_expiry=timedelta(0), customer_idle=timedelta(0), dismissed_for=timedelta(0)),
)
NO = (Denied, NotThere, Unwritten, Gone)
"""What people may be told instead."""

AGENTS = [
    *["answer_an_offer"] * 3,
    *["answer_a_request"] * 3,
    *["ask_to_take"] * 2,
    *["claim", "put_away", "end", "reply"],
]
# who is sent away or may not any more does nothing until all come back
SUPERVISORS = [*["reassign", "take_over"] * 4, "send_away", "be", "disable", "revoke"]
TEXTS = [*["Is it ready?", "Hello"] * 4, "STOP", "START", "START", "HELP"]
SETTLED = (State.ACCEPTED, State.FAILED, State.UNCONFIRMED, State.EXPIRED)
kept = st.sampled_from([*[True] * 9, False])
presences = st.sampled_from([*[Presence.READY] * 6, *Presence])
which = st.integers(0, 10**6)
dids, peers = st.sampled_from([DID, OTHER_DID]), st.sampled_from([PAT, SAM])
lines = {"kept": kept, "did": dids, "peer": peers}


class Switchboard(RuleBasedStateMachine):
    """Two numbers, two customers, two agents and a supervisor, three queues beside the main one."""

    folder: Path
    template: Path
    seen: set[str]

    # -- one transaction

    @initialize()
    def begin(self):
        self.path = self.folder / "model.db"
        for old in self.folder.glob("model.db*"):
            old.unlink()
        shutil.copy(self.template, self.path)
        self.connection = SqliteConnection(self.path, QUICK)
        self.now = NOON
        self.names = count(1)
        self.live, self.last = {}, None
        self.do(self.move_in)
        self.begin_the_day()

    def begin_the_day(self):
        """Two of the four who may write are there already, and one of them has an agent."""
        self.came("Hello", True, DID, PAT)
        self.came("Hello", True, OTHER_DID, SAM)
        self.claim(0, kept=True)

    def teardown(self):
        if hasattr(self, "connection"):
            self.seen.update(row["why"] for row in self.ask("SELECT DISTINCT why FROM session_event"))
            self.connection.close()

    def do(self, step, kept=True):
        self.connection.begin()
        try:
            value = step(self.connection.nouns)
        except NO:
            self.connection.rollback()
            return None
        if not kept:
            self.connection.rollback()
            return None
        self.connection.commit(1)
        return value

    def move_in(self, tx):
        roles = (Role.AGENT, Role.AGENT, Role.SUPERVISOR)
        self.people = []
        for phone, role in zip(PHONES, roles, strict=True):
            account = tx.accounts.add(f"desk.{phone}", f"Desk {phone}", frozenset({role}), "x", "en", NOON)
            tx.accounts.describe(account.id, account.name, Contact(extension=phone), NOON)
            self.people.append(
                Principal(Asker.USER, account.public_id, account.name, frozenset({role}), account=account.id)
            )
        let_everyone(NOON, tx)
        tx.queues.change(tx.queues.all().main, PLANS[0], NOON)
        for number, plan in enumerate(PLANS[1:]):
            self.make_queue(f"queue {number}", plan, tx)
        for number, did in enumerate((DID, OTHER_DID)):
            tx.queues.put_numbers(tx.queues.all().named(f"queue {number}"), [did], NOON)

    def make_queue(self, name, plan, tx):
        queue = tx.queues.make(name, plan, self.now)
        tx.queues.put_members(queue, [one.account for one in self.people], self.now)

    def ask(self, statement):
        cursor = self.connection._connection.execute(statement)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def session(self, which):
        """The public id of some session, more likely an open one."""
        rows = self.ask("SELECT public_id FROM session ORDER BY ended_at IS NOT NULL, id LIMIT 6")
        return rows[which % len(rows)]["public_id"] if rows else "ses_0123456789abcdefghjkmnpqrs"

    def queues(self):
        return self.ask("SELECT id, public_id FROM text_queue WHERE removed_at IS NULL AND NOT main ORDER BY id")

    # -- what anybody may do, chosen by name; `which` says to what and by whom

    @rule(what=st.sampled_from(["ring", "ring", "pick_up", "hang_up", "hang_up", "lose_sight"]), which=which, kept=kept)
    def call(self, what, which, kept):
        getattr(self, what)(which, kept)

    @rule(what=st.sampled_from(["press_a_key", "press_a_key", "settle", "let_the_caller_go"]), which=which, kept=kept)
    def go_on_by_text(self, what, which, kept):
        getattr(self, what)(which, kept)

    @rule(what=st.sampled_from(AGENTS), which=which, kept=kept)
    def agent(self, what, which, kept):
        getattr(self, what)(which, kept)

    @rule(what=st.sampled_from(SUPERVISORS), which=which, kept=kept)
    def supervisor(self, what, which, kept):
        getattr(self, what)(which, kept)

    @rule(what=st.sampled_from(["remove_queue", "add_queue", "add_queue"]), which=which, kept=kept)
    def queue(self, what, which, kept):
        getattr(self, what)(which, kept)

    def pair(self, which):
        return (DID, OTHER_DID)[which % 2], (PAT, SAM)[which // 2 % 2]

    # -- customers

    @rule(text=st.sampled_from(TEXTS), **lines)
    def write(self, text, kept, did, peer):
        self.came(text, kept, did, peer)

    def came(self, text, kept, did, peer):
        came = Incoming(f"in-{next(self.names)}", peer, did, text, self.now)
        received = self.do(lambda tx: receive(HOME, "main", came, b"raw", self.now, tx), kept)
        if received is not None and text in ("Is it ready?", "Hello"):
            thread = received.stored.thread
            assert self.do(lambda tx: tx.sessions.of_thread(thread.id)) is not None

    def ring(self, which, kept):
        did, peer = self.pair(which)
        call = a_call(f"c{next(self.names)}", peer, self.now, did=did, ended_at=None, outcome=None)
        self.do(lambda tx: flow_calls.began(HOME, call, tx), kept)
        self.live[call.uniqueid] = call

    def pick_up(self, which, kept):
        phone = (*PHONES, *PHONES, "199")[which % 7]
        call = self.some_call(which)
        if call is None:
            return
        leg = Leg(phone, self.now, None, Rang.ANSWER)
        call = replace(call, answered_at=call.answered_at or self.now, legs=(*call.legs, leg))
        self.live[call.uniqueid] = call
        self.do(lambda tx: flow_calls.answered(HOME, CallAnswered(call).call, tx), kept)

    def hang_up(self, which, kept):
        call = self.some_call(which)
        if call is None:
            return
        outcome = Outcome.ANSWERED if call.answered_at else Outcome.MISSED
        over = replace(call, ended_at=self.now, outcome=outcome)
        self.do(lambda tx: flow_calls.conclude(HOME, None, over, self.now, tx), kept)
        if kept:
            self.last = self.live.pop(call.uniqueid)

    def lose_sight(self, which, kept):
        """The PBX was away; none of the calls of before goes on."""
        self.do(lambda tx: flow_calls.back(FeedBack("main", self.now, frozenset()), tx), kept)
        if kept:
            self.live.clear()

    def some_call(self, which):
        calls = list(self.live.values())
        return calls[which % len(calls)] if calls else None

    # -- callers who go on by text

    def press_a_key(self, which, kept):
        origin = (Origin.DEFLECTION, Origin.WAIT_TEXT, Origin.TEXT_BACK)[which % 3]
        # now and then somebody hangs up before what they pressed is heard of
        if not self.live:
            self.ring(which, kept=True)
        call = self.last if which % 4 == 0 and self.last is not None else self.some_call(which)
        self.do(partial(self.accept_by_key, call, origin, which), kept)

    def accept_by_key(self, call, origin, which, tx):
        thread = tx.pairs.thread(call.did, call.caller, self.now)
        queues = tx.queues.all().all
        row, words = tx.calls.row_of(call.pbx, call.uniqueid), sessions.CallWords("es", "menu/2", "Pat")
        queue = queues[which % len(queues)]
        session = sessions.open_by_call(thread, sessions.ByCall(queue, origin, row, words, "call 1"), self.now, tx)
        wanted = Wanted(
            did=thread.did,
            peer=HOME.read("", thread.peer),
            text=f"opening {next(self.names)}",
            language="en",
            class_=MessageClass.CONVERSATIONAL,
            basis=Basis.CONSENT,
            cause="call",
            automatic=False,
            expires_at=self.now + timedelta(hours=4),
        )
        stored = tx.outbox.put(wanted, thread, Route("main", 1), None, self.now)
        promised = replace(session, first_text=stored.id)
        sessions.keep(promised, sessions.Said(Why.CALL_ACCEPTED), self.now, tx)

    def settle(self, which, kept):
        state = SETTLED[which % len(SETTLED)]
        rows = self.ask("SELECT first_text_id FROM session WHERE first_text_id IS NOT NULL ORDER BY id DESC LIMIT 4")
        if rows:
            message = rows[which % len(rows)]["first_text_id"]
            self.do(lambda tx: text_settled(message, state, self.now, tx), kept)

    def let_the_caller_go(self, which, kept):
        name = self.session(which)

        def step(tx):
            session = tx.sessions.get(name)
            if session is not None and session.state in (SessionState.NEW, SessionState.QUEUED):
                sessions.queue_up(session, Why.TEXT_SENT, self.now, tx)

        self.do(step, kept)

    # -- agents

    def one_of(self, which, states):
        """The public id of a session in one of these states, and who has it or is asked to; any if there is none."""
        rows = self.ask(
            f"""SELECT public_id, coalesce(offered_to, agent_id) AS who FROM session WHERE state IN ({states})
            ORDER BY id DESC LIMIT 3"""
        )
        if not rows:
            return self.session(which), self.people[which % 3]
        row = rows[which % len(rows)]
        owner = next((one for one in self.people if one.account == row["who"]), None)
        # now and then somebody else tries
        return row["public_id"], owner if owner is not None and which % 5 else self.people[which % 3]

    def claim(self, which, kept):
        name, _ = self.one_of(which, "'queued', 'dismissed'")
        self.do(lambda tx: acts.claim(self.people[which % 3], name, self.now, tx), kept)

    def answer_an_offer(self, which, kept):
        what = ("accept", "accept", "decline", "claim")[which % 4]
        name, who = self.one_of(which, "'offered'")
        self.do(lambda tx: getattr(acts, what)(who, name, self.now, tx), kept)

    def put_away(self, which, kept):
        what = ("dismiss", "give_back")[which % 2]
        name, who = self.one_of(which, "'assigned', 'wrap_up'")
        self.do(lambda tx: getattr(acts, what)(who, name, self.now, tx), kept)

    def end(self, which, kept):
        name, who = self.one_of(which, "'assigned', 'wrap_up'")
        self.do(lambda tx: acts.end(HOME, who, name, self.now, tx), kept)

    def reply(self, which, kept):
        did, peer = self.pair(which)
        key = f"key {next(self.names)}"

        def step(tx):
            thread = tx.pairs.thread(did, peer, self.now)
            return answer(HOME, None, Reply(self.people[which % 3], thread, "Yes.", key), self.now, tx)

        self.do(step, kept)

    def ask_to_take(self, which, kept):
        queues, (name, who) = self.queues(), self.one_of(which, "'assigned'")
        if which % 2 and queues:
            wish = acts.Wish(to_queue=queues[which % len(queues)]["public_id"], note="please")
        else:
            wish = acts.Wish(to_agent=self.people[which % 3].id)
        self.do(lambda tx: acts.transfer(who, name, wish, self.now, tx), kept)

    def answer_a_request(self, which, kept):
        what = ("accept_transfer", "accept_transfer", "decline_transfer", "take_back")[which % 4]
        rows = self.ask(
            """SELECT s.public_id, t.by_agent, t.to_agent FROM transfer t JOIN session s ON s.id = t.session_id
            WHERE t.state = 'requested'"""
        )
        if not rows:
            return
        row = rows[which % len(rows)]
        due = row["by_agent"] if what == "take_back" else row["to_agent"]
        who = next((one for one in self.people if one.account == due and which % 5), self.people[which % 3])
        act = partial(acts.accept_transfer, HOME) if what == "accept_transfer" else getattr(acts, what)
        done = self.do(lambda tx: act(who, row["public_id"], self.now, tx), kept)
        if done is not None:
            assert done.session.agent == (who.account if what == "accept_transfer" else row["by_agent"])

    # -- supervisors

    def reassign(self, which, kept):
        name = self.session(which)
        self.do(lambda tx: acts.reassign(self.people[2], name, self.people[which % 3].id, self.now, tx), kept)

    def take_over(self, which, kept):
        name = self.session(which)
        self.do(lambda tx: acts.take_over(self.people[which % 3], name, self.now, tx), kept)

    def send_away(self, which, kept):
        self.do(lambda tx: acts.send_away(self.people[2], self.people[which % 3].id, self.now, tx), kept)

    def be(self, which, kept):
        self.do(lambda tx: acts.be(self.people[which % 3], tuple(AtDesk)[which % 2], self.now, tx), kept)

    def disable(self, which, kept):
        def step(tx):
            tx.accounts.disable(self.people[which % 3].account, self.now)
            leave(self.people[which % 3].account, self.now, tx)

        self.do(step, kept)

    @rule()
    def all_come_back(self):
        def step(tx):
            for one in self.people:
                tx.accounts.enable(one.account, self.now)
                tx.grants.put(self.cell(one), None, "for this test", "chg_test", "test", self.now)
                acts.be(one, AtDesk.READY, self.now, tx)

        self.do(step)

    def cell(self, who):
        return Cell(Subject(Level.USER, who.account), Way.SEND, ALL_NUMBERS)

    def revoke(self, which, kept):
        def step(tx):
            tx.grants.put(self.cell(self.people[which % 3]), Effect.DENY, "for this test", "chg_test", "test", self.now)
            without_rights(self.now, tx)

        self.do(step, kept)

    def remove_queue(self, which, kept):
        queues = self.queues()
        if queues:
            row = queues[which % len(queues)]["id"]
            self.do(partial(self.remove, row), kept)

    def remove(self, row, tx):
        queue = tx.queues.all().get(row)
        empty_queue(queue, self.now, tx)
        tx.queues.remove(queue, self.now)

    def add_queue(self, which, kept):
        if len(self.queues()) < 4:
            name = f"one more {next(self.names)}"
            self.do(partial(self.make_queue_of, (DID, OTHER_DID)[which % 2], name, PLANS[1 + which % 3]), kept)

    def make_queue_of(self, did, name, plan, tx):
        self.make_queue(name, plan, tx)
        tx.queues.put_numbers(tx.queues.all().named(name), [did], self.now)

    # -- what happens by itself

    @rule(
        span=st.sampled_from([timedelta(seconds=1), MINUTE, 6 * MINUTE, timedelta(hours=1), timedelta(hours=5)]),
        there=st.lists(presences, min_size=3, max_size=3),
        kept=kept,
    )
    def time_passes(self, span, there, kept):
        self.now += span
        present = {
            who.account: AgentNow(who.account, presence, self.now - MINUTE, presence is Presence.ON_CALL)
            for who, presence in zip(self.people, there, strict=True)
        }

        def step(tx):
            fired = fire_due(HOME, present, self.now, tx)
            take_from_gone(present, self.now, tx)
            give(HOME, present, self.now, tx)
            return fired

        for _ in range(ROUNDS):
            fired = self.do(step, kept)
            # what a round puts back into a queue may have waited too long there by now: the next round sees to that
            if fired is None or not (fired.more or fired.done):
                break
        else:
            raise AssertionError(f"{ROUNDS} rounds at one moment, and there is still more to do")
        if kept:
            late = self.ask("SELECT public_id FROM session WHERE due_at IS NOT NULL ORDER BY due_at")
            assert self.do(lambda tx: tx.sessions.due(self.now, 10)) == [], late

    @rule()
    def restart(self):
        self.connection.close()
        self.connection = SqliteConnection(self.path, QUICK)

    @invariant()
    def the_rules_hold(self):
        if hasattr(self, "people"):
            assert broken(self.ask) == []


usual = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, *([Phase.shrink] if MORE else [])],
    derandomize=not MORE,
    database=None,
    report_multiple_bugs=False,
)


@pytest.mark.timeout(3_600 if MORE else 300)
def test_session_model(tmp_path: Path, empty_sqlite: Path):
    class OnSqlite(Switchboard):
        folder, template, seen = tmp_path, empty_sqlite, set[str]()

    run_state_machine_as_test(OnSqlite, settings=usual)
    # it has been about: whys that it never came by prove nothing
    assert len(OnSqlite.seen) > len(Why) * 2 // 3, sorted(OnSqlite.seen)
