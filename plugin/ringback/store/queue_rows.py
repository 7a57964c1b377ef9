"""Text queues and agents as they stand in the tables, for the writer and beside it."""

from collections.abc import Mapping
from dataclasses import replace

from ringback.core.presence import AtDesk
from ringback.core.queue_plans import read_plan
from ringback.core.text_queues import Queues, TextQueue, VoiceName
from ringback.ports.queues import Agent
from ringback.store.moments import maybe_moment_of
from ringback.store.sql import sql
from ringback.store.tx import Row, Runner

KEY = "queues:version"

VERSION = sql("SELECT value FROM setting WHERE key = 'queues:version'")
QUEUES = sql("SELECT id, public_id, name, plan, main FROM text_queue WHERE removed_at IS NULL ORDER BY name")
VOICES = sql("SELECT queue_id, pbx, name FROM queue_voice ORDER BY pbx, name")
NUMBERS = sql("SELECT q.queue_id, n.e164 FROM queue_number q JOIN number n ON n.id = q.number_id ORDER BY n.e164")
MEMBERS = sql("SELECT queue_id, account_id FROM queue_member ORDER BY queue_id, seq, account_id")
_AGENT = """a.id, a.public_id, a.login, a.name, a.endpoint, a.extension, a.disabled_at, g.capacity, g.voice_weight,
    g.follows_phone, g.desk, g.desk_since_at, g.turn_at"""
_ANYBODY = """FROM (SELECT account_id FROM agent UNION SELECT account_id FROM queue_member) AS few
    JOIN account a ON a.id = few.account_id LEFT JOIN agent g ON g.account_id = a.id"""
AGENTS = sql(f"SELECT {_AGENT} {_ANYBODY} ORDER BY a.name, a.id")
MODELS = sql("SELECT pbx, name, model FROM voice_queue ORDER BY pbx, name")


def version(run: Runner) -> str:
    """Which queues hold now; empty before the first change."""
    row = run.one(VERSION)
    return row[0] if row else ""


def load_queues(run: Runner) -> Queues:
    """Read all of them: as many as a house has, whatever it ever texted."""
    # first, so that what changes meanwhile makes it an old one
    held = version(run)
    voices: dict[int, list[VoiceName]] = {}
    numbers: dict[int, list[str]] = {}
    members: dict[int, list[int]] = {}
    for queue, pbx, name in run.all(VOICES):
        voices.setdefault(queue, []).append(VoiceName(pbx, name))
    for queue, number in run.all(NUMBERS):
        numbers.setdefault(queue, []).append(number)
    for queue, account in run.all(MEMBERS):
        members.setdefault(queue, []).append(account)
    queues = (
        TextQueue(
            id_,
            public_id,
            name,
            read_plan(plan),
            bool(main),
            tuple(voices.get(id_, ())),
            tuple(numbers.get(id_, ())),
            tuple(members.get(id_, ())),
        )
        for id_, public_id, name, plan, main in run.all(QUEUES)
    )
    return Queues(tuple(queues), held)


def load_agents(run: Runner) -> Mapping[int, Agent]:
    """Everybody who is a member of a queue, or was set up as an agent, by their row."""
    return {row[0]: _agent(row) for row in run.all(AGENTS)}


def load_models(run: Runner) -> Mapping[VoiceName, str]:
    """What was learned of the waits of Asterisk's queues."""
    return {VoiceName(pbx, name): model for pbx, name, model in run.all(MODELS)}


def _agent(row: Row) -> Agent:
    account, public_id, login, name, endpoint, extension, disabled_at, capacity, *more = row
    someone = Agent(
        account,
        public_id,
        login,
        name,
        phone=endpoint.rpartition("/")[2] or extension,
        disabled=disabled_at is not None,
    )
    if capacity is None:
        return someone
    weight, follows, desk, since, turn = more
    return replace(
        someone,
        capacity=capacity,
        voice_weight=weight,
        follows_phone=bool(follows),
        desk=AtDesk(desk),
        desk_since=maybe_moment_of(since),
        turn=maybe_moment_of(turn),
    )
