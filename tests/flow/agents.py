"""Agents at their phones, the queues they serve, and looks into their sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ringback.core.calls import Call, CallAnswered, CallEnded, CallStarted, Leg, Outcome, Rang
from ringback.core.permissions import Asker, Principal, Role
from ringback.core.presence import AgentNow, Presence
from ringback.core.sessions import Origin, Session, Why
from ringback.core.text_queues import Note, Plan, TextQueue
from ringback.flow.desk import Desk
from ringback.flow.replies import Reply, answer
from ringback.flow.session_desk import SessionDesk
from ringback.flow.session_timers import Fired, fire_due
from ringback.flow.sessions import ByCall, CallWords, Said, keep, open_by_call
from ringback.ports.people import Contact
from ringback.ports.sessions import Opening
from ringback.ports.storage import Tx
from tests.flow.world import DID, PAT, World, a_call, open_office

PHONE_OF = {"anna": "121", "bert": "122"}
NOTES = {note: {"en": f"{note} of {{{{ queue }}}}"} for note in Note}


class Quiet:
    """Nobody looks at who is there."""

    def __init__(self) -> None:
        self.touched = 0

    def touch(self) -> None:
        self.touched += 1


@dataclass
class Office:
    """A world with two agents, a supervisor, and the queue "sales" beside the main one."""

    world: World
    anna: Principal
    bert: Principal
    boss: Principal
    roll: Quiet

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    @property
    def desk(self) -> SessionDesk:
        return SessionDesk(
            self.world.house, self.world.store, self.world.clock, self.roll, nudge=self.world.lanes.nudge
        )

    async def do(self, step):
        return await self.world.ground.commit(step)

    async def session(self, did: str = DID, peer: str = PAT) -> Session:
        """The newest session of a pair, open or over."""
        now = self.now

        def step(tx: Tx) -> Session | None:
            return tx.sessions.last_of(tx.pairs.thread(did, peer, now).id)

        found = await self.do(step)
        assert found is not None, "there is no session"
        return found

    async def whys(self, did: str = DID, peer: str = PAT) -> list[Why]:
        """Its story."""
        return [Why(row["why"]) for row in await self.story(did, peer)]

    async def story(self, did: str = DID, peer: str = PAT) -> list[dict]:
        session = await self.session(did, peer)
        return await self.ask(f"SELECT * FROM session_event WHERE session_id = {session.id} ORDER BY id")

    async def ask(self, statement: str) -> list[dict]:
        def read(connection):
            found = connection.exec_driver_sql(statement)
            return [dict(row._mapping) for row in found.fetchall()]

        return await self.world.ground.read(read)

    async def queue(self, name: str = "sales") -> TextQueue:
        found = await self.do(lambda tx: tx.queues.all().named(name))
        assert found is not None
        return found

    async def plan(self, name: str = "sales", **change) -> None:
        """Have a queue work in another way."""
        now = self.now

        def step(tx: Tx) -> None:
            queue = tx.queues.all().named(name)
            tx.queues.change(queue, replace(queue.plan, **change), now)

        await self.do(step)

    async def fire(self, present: Mapping[int, AgentNow] | None = None) -> Fired:
        now, there = self.now, self.here() if present is None else present
        fired = await self.world.store.commit(lambda tx: fire_due(self.world.house, there, now, tx))
        for carrier in fired.waits_on:
            self.world.lanes.nudge(carrier)
        await self.world.settled()
        return fired

    def here(self, presence: Presence = Presence.READY) -> dict[int, AgentNow]:
        return {who.account: AgentNow(who.account, presence, self.now) for who in (self.anna, self.bert)}

    async def passes(self, span: timedelta, present: Mapping[int, AgentNow] | None = None) -> Fired:
        await self.world.passes(span)
        return await self.fire(present)

    async def replies(self, who: Principal, text: str = "Yes.", did: str = DID, peer: str = PAT) -> None:
        now = self.now

        def step(tx: Tx) -> None:
            thread = tx.pairs.thread(did, peer, now)
            answer(self.world.house, None, Reply(who, thread, text, f"{who.id} {now} {text}"), now, tx)

        await self.do(step)

    async def replies_at_the_desk(self, who: Principal, text: str = "Yes.", did: str = DID, peer: str = PAT) -> None:
        """The same by the door that pages use."""
        now = self.now
        thread = await self.do(lambda tx: tx.pairs.thread(did, peer, now))
        world = self.world
        desk = Desk(world.house, world.store, world.lanes, {"main": world.carrier}, world.clock)
        await desk.reply(who, thread.public_id, text, f"{who.id} {now}")
        await world.settled()

    # -- calls

    async def rings(self, uniqueid: str, caller: str = PAT, **change) -> Call:
        call = a_call(uniqueid, caller, self.now, ended_at=None, outcome=None, **change)
        await self.world.happens(CallStarted(call))
        return call

    async def picks_up(self, call: Call, phone: str) -> Call:
        leg = Leg(phone, self.now, None, Rang.ANSWER)
        taken = replace(call, answered_at=call.answered_at or self.now, legs=(*call.legs, leg))
        await self.world.happens(CallAnswered(taken))
        return taken

    async def hangs_up(self, call: Call) -> None:
        outcome = Outcome.ANSWERED if call.answered_at else Outcome.MISSED
        await self.world.happens(CallEnded(replace(call, ended_at=self.now, outcome=outcome)))

    async def accepts(self, call: Call, origin: Origin, queue: str = "sales", text: int | None = None) -> Session:
        """The caller presses a key."""
        now = self.now

        def step(tx: Tx) -> Session:
            thread = tx.pairs.thread(call.did, call.caller, now)
            row = tx.calls.row_of(call.pbx, call.uniqueid)
            words = CallWords("es", "main/2", "Pat")
            opened = open_by_call(thread, ByCall(tx.queues.all().named(queue), origin, row, words, "call"), now, tx)
            return keep(replace(opened, first_text=text), Said(Why.CALL_ACCEPTED), now, tx) if text else opened

        return await self.world.store.commit(step)


async def open_for(world: World, plan: Plan | None = None) -> Office:
    """Move in: the queue has both agents and the first of our numbers."""
    now = world.clock.now()

    def step(tx: Tx) -> list[Principal]:
        accounts = [tx.accounts.find("desk.anna"), tx.accounts.find("desk.bert")]
        accounts.append(tx.accounts.add("boss", "Boss", frozenset({Role.SUPERVISOR}), "x", "en", now))
        for account, phone in zip(accounts, ("121", "122", "123"), strict=True):
            tx.accounts.describe(account.id, account.login.capitalize(), Contact(extension=phone), now)
        queue = tx.queues.make("sales", plan or Plan(), now)
        tx.queues.put_members(queue, [account.id for account in accounts[:2]], now)
        tx.queues.put_numbers(queue, [DID], now)
        return [
            Principal(Asker.USER, account.public_id, account.login, account.roles, account=account.id)
            for account in accounts
        ]

    return Office(world, *await world.ground.commit(step), roll=Quiet())


__all__ = ["NOTES", "Office", "Opening", "open_for", "open_office"]
