"""Text queues, their members, and agents as steps change them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ringback.core.ids import Kind
from ringback.core.presence import AtDesk
from ringback.core.queue_plans import write_plan
from ringback.core.text_queues import Plan, Queues, TextQueue, VoiceName
from ringback.entropy import entropy
from ringback.ports.changes import PRESENCE, QUEUES, Touch
from ringback.ports.queues import Agent
from ringback.store.book import TURN, WORD_BYTES
from ringback.store.departments import Numbers
from ringback.store.moments import micros
from ringback.store.queue_rows import KEY, load_agents, load_models, load_queues, version
from ringback.store.sql import Sql, insert, sql
from ringback.store.tx import Runner, new_id

MAKE = insert("text_queue", "public_id name plan created_at changed_at", "ON CONFLICT DO NOTHING RETURNING id")
RENAME = sql(
    """UPDATE text_queue SET name = :name, changed_at = :at WHERE id = :id AND NOT EXISTS
    (SELECT 1 FROM text_queue q WHERE q.name = :name AND q.removed_at IS NULL AND q.id <> :id)"""
)
CHANGE = sql("UPDATE text_queue SET plan = :plan, changed_at = :at WHERE id = :id")
REMOVE = sql("UPDATE text_queue SET removed_at = :at, changed_at = :at WHERE id = :id")
NO_MEMBERS = sql("DELETE FROM queue_member WHERE queue_id = :queue")
MEMBER = insert("queue_member", "queue_id account_id seq since_at")
NO_VOICE = sql("DELETE FROM queue_voice WHERE queue_id = :queue")
VOICE = insert("queue_voice", "pbx name queue_id", "ON CONFLICT (pbx, name) DO UPDATE SET queue_id = excluded.queue_id")
NO_NUMBERS = sql("DELETE FROM queue_number WHERE queue_id = :queue")
NUMBER = sql(
    """INSERT INTO queue_number (number_id, queue_id) SELECT n.id, :queue FROM number n WHERE n.e164 = :e164
    ON CONFLICT (number_id) DO UPDATE SET queue_id = excluded.queue_id"""
)
SET_UP = insert(
    "agent",
    "account_id capacity voice_weight follows_phone",
    """ON CONFLICT (account_id) DO UPDATE SET capacity = excluded.capacity, voice_weight = excluded.voice_weight,
    follows_phone = excluded.follows_phone""",
)
AT_DESK = insert(
    "agent",
    "account_id desk desk_since_at follows_phone",
    "ON CONFLICT (account_id) DO UPDATE SET desk = excluded.desk, desk_since_at = excluded.desk_since_at",
)
TOOK_TURN = insert(
    "agent", "account_id turn_at follows_phone", "ON CONFLICT (account_id) DO UPDATE SET turn_at = excluded.turn_at"
)
KEEP_MODEL = insert(
    "voice_queue",
    "pbx name model changed_at",
    "ON CONFLICT (pbx, name) DO UPDATE SET model = excluded.model, changed_at = excluded.changed_at",
)


class TextQueues:
    """Satisfies `ports.queues.TextQueues`. The queues that were read last are kept as long as they hold; whether they
    do is looked up once a transaction, and again after whatever may have changed them."""

    tables = frozenset({"setting", "agent", "account"})

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._numbers = Numbers(run)
        self._queues: Queues | None = None
        self._holds = False
        self._agents: Mapping[int, Agent] | None = None
        run.remember(self)

    def forget(self) -> None:
        self._holds = False
        self._agents = None

    def all(self) -> Queues:
        if self._queues is None or not self._holds:
            now = version(self._run)
            if self._queues is None or self._queues.version != now:
                self._queues = load_queues(self._run)
            self._holds = True
        return self._queues

    def make(self, name: str, plan: Plan, now: datetime) -> TextQueue:
        public_id, at = new_id(Kind.QUEUE, now), micros(now)
        row = self._run.one(MAKE, public_id=public_id, name=name, plan=write_plan(plan), created_at=at, changed_at=at)
        if row is None:
            raise LookupError(f"a queue is called {name}")
        self._turn(now)
        return TextQueue(row[0], public_id, name, plan)

    def rename(self, queue: TextQueue, name: str, now: datetime) -> None:
        if self._run.change(RENAME, id=queue.id, name=name, at=micros(now)) != 1:
            raise LookupError(f"a queue is called {name}")
        self._turn(now)

    def change(self, queue: TextQueue, plan: Plan, now: datetime) -> None:
        self._run.change(CHANGE, id=queue.id, plan=write_plan(plan), at=micros(now))
        self._turn(now)

    def remove(self, queue: TextQueue, now: datetime) -> None:
        if queue.main:
            raise ValueError("the main queue stays")
        for statement in (NO_MEMBERS, NO_VOICE, NO_NUMBERS):
            self._run.change(statement, queue=queue.id)
        self._run.change(REMOVE, id=queue.id, at=micros(now))
        self._turn(now)

    def put_members(self, queue: TextQueue, accounts: Sequence[int], now: datetime) -> None:
        rows: list[dict[str, object]] = [
            {"queue_id": queue.id, "account_id": account, "seq": seq, "since_at": micros(now)}
            for seq, account in enumerate(dict.fromkeys(accounts))
        ]
        self._put(NO_MEMBERS, queue, now)
        self._run.many(MEMBER, rows)

    def put_voice(self, queue: TextQueue, voice: Sequence[VoiceName], now: datetime) -> None:
        rows = [{"pbx": one.pbx, "name": one.queue, "queue_id": queue.id} for one in voice]
        self._put(NO_VOICE, queue, now)
        self._run.many(VOICE, rows)

    def put_numbers(self, queue: TextQueue, numbers: Sequence[str], now: datetime) -> None:
        self._numbers.know(numbers, now)
        self._put(NO_NUMBERS, queue, now)
        self._run.many(NUMBER, [{"e164": number, "queue": queue.id} for number in numbers])

    def agents(self) -> Mapping[int, Agent]:
        if self._agents is None:
            self._agents = load_agents(self._run)
        return self._agents

    def agent(self, account: int) -> Agent | None:
        return self.agents().get(account)

    def set_up(self, account: int, capacity: int, voice_weight: int, follows_phone: bool, now: datetime) -> None:
        values = {"capacity": capacity, "voice_weight": voice_weight, "follows_phone": follows_phone}
        self._run.change(SET_UP, account_id=account, **values)
        self._run.touch(Touch("agent", account))
        self._turn(now)

    def at_desk(self, account: int, desk: AtDesk, now: datetime) -> None:
        self._run.change(AT_DESK, account_id=account, desk=desk, desk_since_at=micros(now), follows_phone=True)
        self._run.touch(Touch("agent", account), PRESENCE)

    def took_turn(self, account: int, now: datetime) -> None:
        self._run.change(TOOK_TURN, account_id=account, turn_at=micros(now), follows_phone=True)

    def models(self) -> Mapping[VoiceName, str]:
        return load_models(self._run)

    def keep_models(self, models: Mapping[VoiceName, str], now: datetime) -> None:
        at = micros(now)
        rows: Iterable[dict[str, object]] = (
            {"pbx": voice.pbx, "name": voice.queue, "model": model, "changed_at": at} for voice, model in models.items()
        )
        self._run.many(KEEP_MODEL, list(rows))

    def _put(self, empty: Sql, queue: TextQueue, now: datetime) -> None:
        self._run.change(empty, queue=queue.id)
        self._turn(now)

    def _turn(self, now: datetime) -> None:
        """From now on the queues are others; a version is a random word, as that of the book of grants."""
        self._run.touch(QUEUES)
        self._run.change(TURN, key=KEY, value=entropy(WORD_BYTES).hex(), changed_at=micros(now), changed_by="")
