"""Runs to many people: the text, who gets it, and how far it is.

Items count from 1 without gaps and are made in order, so `made` is the place to go on from; an item and its text
change places in one transaction.
"""

from collections.abc import Sequence
from datetime import datetime

from ringback.core.grants import Reach, Way
from ringback.core.ids import Kind
from ringback.core.messages import Basis, MessageClass, OnDoubt, State
from ringback.core.reasons import Reason
from ringback.flow.holds import PREFIX
from ringback.ports.bulks import Item, Plan, Run, RunState, Tallied, Waits
from ringback.ports.changes import BULKS
from ringback.store.book import load
from ringback.store.moments import micros, moment_of
from ringback.store.reach import LITE, MINE, POST, as_json
from ringback.store.sql import insert, sql, sql_each
from ringback.store.tx import Question, Row, Runner, new_id

ITEM = ("bulk_id", "seq", "peer", "words")
COLUMNS = """id, public_id, asked_by, did, body, class_, basis, language, not_before, expires_at,
name, campaign, reference, doubt, state, created_at, changed_at, total, made, cancelled,
rejected, segments, account_id"""
BEGIN = insert(
    "bulk",
    """public_id name asked_by did body class_ basis language campaign reference doubt state created_at changed_at
    not_before expires_at account_id""",
    "RETURNING id",
)
OPEN = sql(
    """UPDATE bulk SET state = 'open', total = :total, rejected = :rejected, changed_at = :at
    WHERE id = :id AND state = 'reading'"""
)
FIND = sql(f"SELECT {COLUMNS} FROM bulk WHERE public_id = :public_id")
GET = sql(f"SELECT {COLUMNS} FROM bulk WHERE id = :id")
UNFINISHED = sql(
    f"""SELECT {COLUMNS} FROM bulk
    WHERE state IN ('reading', 'open', 'paused', 'cancelling', 'expiring', 'broken') ORDER BY not_before, id"""
)
LATEST = sql(f"SELECT {COLUMNS} FROM bulk WHERE id > 0 ORDER BY id DESC LIMIT :limit")
LATEST_WITHIN = sql_each(
    **{
        kind: f"SELECT {COLUMNS} FROM bulk WHERE id > 0 AND did IN ({mine}) ORDER BY id DESC LIMIT :limit"
        for kind, mine in (("sqlite", MINE[LITE]), ("postgres", MINE[POST]))
    }
)
TURN = sql("UPDATE bulk SET state = :new, changed_at = :at WHERE id = :id AND state = :old")
DROP = sql(
    "UPDATE bulk SET state = :new, cancelled = cancelled + :dropped, changed_at = :at WHERE id = :id AND state = :old"
)
ITEMS = sql("SELECT seq, peer, words FROM bulk_item WHERE bulk_id = :id AND seq > :after ORDER BY seq LIMIT :limit")
TAKEN = sql("DELETE FROM bulk_item WHERE bulk_id = :id AND seq > :after AND seq <= :last")
MADE = sql(
    """UPDATE bulk SET made = :last, segments = segments + :segments, changed_at = :at
    WHERE id = :id AND made = :after AND state = 'open' RETURNING id"""
)
FIRST_ITEM = sql("SELECT min(seq) FROM bulk_item WHERE bulk_id = :id")
FORGET = sql("DELETE FROM bulk WHERE id = :id AND state = 'broken'")
WAITING = sql(
    "SELECT count(*) FROM message WHERE bulk_id = :id AND state IN ('queued', 'held', 'submitting')",
)
UNSENT = sql("SELECT id, state FROM message WHERE bulk_id = :id AND state IN ('queued', 'held') LIMIT :limit")
HELD = sql(
    f"""SELECT CASE WHEN s.key IS NULL OR m.reason = '{Reason.PUT_BACK}' THEN m.reason ELSE '{Reason.HELD_BACK}' END,
    count(*), min(m.not_before)
    FROM message m LEFT JOIN setting s ON s.key = '{PREFIX}' || m.carrier
    WHERE m.bulk_id = :id AND (m.state = 'held' OR m.state = 'queued' AND s.key IS NOT NULL)
    GROUP BY 1 ORDER BY 2 DESC"""
)
STATES = sql("SELECT state, count(*) FROM message WHERE bulk_id = :id GROUP BY state")

PAUSED = sql("SELECT 1 FROM setting WHERE key IN ('pause:all', :number)")


class MovedOn(Exception):
    """Somebody changed this run since it was read."""


class Bulks:
    """Satisfies `ports.bulks.Bulks`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def begin(self, plan: Plan, now: datetime) -> tuple[int, str]:
        public_id = new_id(Kind.BULK, now)
        row = self._run.one(
            BEGIN,
            public_id=public_id,
            name=plan.name,
            asked_by=plan.asked_by,
            did=plan.did,
            body=plan.body,
            class_=plan.class_,
            basis=plan.basis,
            language=plan.language,
            campaign=plan.campaign,
            reference=plan.reference,
            doubt=plan.on_doubt,
            state=RunState.READING,
            created_at=micros(now),
            changed_at=micros(now),
            not_before=micros(plan.not_before),
            expires_at=micros(plan.expires_at),
            account_id=plan.account,
        )
        assert row is not None
        return row[0], public_id

    def add(self, run: int, items: Sequence[Item]) -> None:
        self._run.pour("bulk_item", ITEM, [(run, *item) for item in items])

    def open(self, run: int, total: int, rejected: int, now: datetime) -> bool:
        self._run.touch(BULKS)
        return self._run.change(OPEN, id=run, total=total, rejected=rejected, at=micros(now)) == 1

    def find(self, public_id: str) -> Run | None:
        row = self._run.one(FIND, public_id=public_id)
        return run_of(row) if row else None

    def get(self, run: int) -> Run | None:
        row = self._run.one(GET, id=run)
        return run_of(row) if row else None

    def unfinished(self) -> list[Run]:
        return [run_of(row) for row in self._run.all(UNFINISHED)]

    def latest(self, reach: Reach, limit: int) -> list[Run]:
        """Runs that people were told of, the newest first."""
        if reach.everything:
            rows = self._run.all(LATEST, limit=limit)
        else:
            rows = self._run.all(LATEST_WITHIN, reach=as_json(reach), limit=limit)
        return [run for row in rows if (run := run_of(row)).state not in UNTOLD]

    def turn(self, run: int, old: RunState, new: RunState, now: datetime) -> bool:
        self._run.touch(BULKS)
        return self._run.change(TURN, id=run, old=old, new=new, at=micros(now)) == 1

    def drop(self, run: int, old: RunState, new: RunState, dropped: int, now: datetime) -> bool:
        self._run.touch(BULKS)
        return self._run.change(DROP, id=run, old=old, new=new, dropped=dropped, at=micros(now)) == 1

    def ahead(self, run: Run, limit: int) -> tuple[list[Item], int]:
        items: Question = (ITEMS, {"id": run.id, "after": run.made, "limit": limit})
        found, ((waiting,),) = self._run.ask(items, (WAITING, {"id": run.id}))
        return [Item(*row) for row in found], int(waiting)

    def made(self, run: Run, last: int, segments: int, now: datetime) -> None:
        """Raises MovedOn, which undoes the texts, when the run is not where it was read."""
        values = {"id": run.id, "after": run.made, "last": last}
        made, _taken = self._run.ask((MADE, {**values, "segments": segments, "at": micros(now)}), (TAKEN, values))
        if not made:
            raise MovedOn(run.public_id)

    def drop_items(self, run: int, limit: int) -> bool:
        row = self._run.one(FIRST_ITEM, id=run)
        if row is None or row[0] is None:
            return False
        self._run.change(TAKEN, id=run, after=row[0] - 1, last=row[0] - 1 + limit)
        return True

    def forget(self, run: int) -> None:
        self._run.change(FORGET, id=run)

    def waiting(self, run: int) -> int:
        row = self._run.one(WAITING, id=run)
        assert row is not None
        return int(row[0])

    def unsent(self, run: int, limit: int) -> list[tuple[int, State]]:
        return [(row[0], State(row[1])) for row in self._run.all(UNSENT, id=run, limit=limit)]

    def held(self, run: int) -> list[Waits]:
        return [_waits(Reason(code) if code else None, texts, at) for code, texts, at in self._run.all(HELD, id=run)]

    def tallied(self, public_id: str) -> Tallied | None:
        """Everything that is shown of a run; None where nobody was told of one."""
        run = self.find(public_id)
        if run is None or run.state in UNTOLD:
            return None
        states = {State(row[0]): row[1] for row in self._run.all(STATES, id=run.id)}
        held = tuple(self.held(run.id))
        return Tallied(run, states, held, self._stopped(run, held) if run.state is RunState.OPEN else None)

    def _stopped(self, run: Run, held: tuple[Waits, ...]) -> Reason | None:
        if self._run.one(PAUSED, number=f"pause:number:{run.plan.did}"):
            return Reason.PAUSED
        account, plan = run.plan.account, run.plan
        if account is not None and not load(self._run).right(account, Way.BULK, plan.did, plan.class_).allowed:
            return Reason.PERMISSION_DENIED
        return next((waits.reason for waits in held if waits.reason is Reason.HELD_BACK), None)


def _waits(reason: Reason | None, texts: int, at: int) -> Waits:
    return Waits(reason, texts, None if reason in BY_A_PERSON else moment_of(at))


BY_A_PERSON = frozenset({Reason.HELD_BACK, Reason.PUT_BACK})
"""What waits so has no moment of its own: somebody lets it go."""
UNTOLD = frozenset({RunState.READING, RunState.BROKEN})


def run_of(row: Row) -> Run:
    plan = Plan(
        asked_by=row[2],
        did=row[3],
        body=row[4],
        class_=MessageClass(row[5]),
        basis=Basis(row[6]),
        language=row[7],
        not_before=moment_of(row[8]),
        expires_at=moment_of(row[9]),
        name=row[10],
        campaign=row[11],
        reference=row[12],
        on_doubt=OnDoubt(row[13]),
        account=row[22],
    )
    return Run(row[0], row[1], plan, RunState(row[14]), moment_of(row[15]), moment_of(row[16]), *row[17:22])
