"""Sessions as pages read them: an agent's work, one session's story, those of a thread, and what a call was offered."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from ringback.core import ids
from ringback.core.grants import Reach
from ringback.core.offers import Offer
from ringback.core.permissions import Asker
from ringback.core.sessions import SessionState, Why
from ringback.ports.sessions import ALL_SESSIONS, MOST_MORE, Board, Narrowed, SessionRow, SessionStory, StepRow, Work
from ringback.store.database import Database
from ringback.store.moments import moment_of
from ringback.store.offers import OFFER, offer_of
from ringback.store.reach import LITE, POST
from ringback.store.read_board import read_board
from ringback.store.session_lists import read_rows, within
from ringback.store.tx import Row

STORIES = 10
"""So many sessions of a thread are told."""
MOST_STEPS = 200
"""So many steps of a session a page tells, the newest; one that nobody takes gets two a minute."""
ALL_STEPS = 2**31 - 1
USER = f"{Asker.USER} "
_MY_QUEUES = """(SELECT queue_id FROM queue_member WHERE account_id = :account
      UNION SELECT id FROM text_queue WHERE removed_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM queue_member x WHERE x.queue_id = text_queue.id))"""
"""A queue that has no members is everybody's."""
_OPEN = "SELECT * FROM session s WHERE s.ended_at IS NULL"
MINE_NOW = f"{_OPEN} AND s.agent_id = :account AND s.state IN ('assigned', 'wrap_up') {{mine}} LIMIT :most"
OFFERED = f"{_OPEN} AND s.offered_to = :account {{mine}} LIMIT :most"
SET_ASIDE = f"{_OPEN} AND s.agent_id = :account AND s.state = 'dismissed' {{mine}} LIMIT :most"
QUEUED = f"""SELECT * FROM session s WHERE s.state = 'queued' AND s.queue_id IN {_MY_QUEUES} {{mine}}
    ORDER BY s.queued_at, s.id LIMIT :most"""
QUEUED_MANY = f"""SELECT count(*) FROM (SELECT 1 FROM session s WHERE s.state = 'queued'
    AND s.queue_id IN {_MY_QUEUES} {{mine}} LIMIT :most) AS few"""
ONE = "SELECT * FROM session s WHERE s.public_id = :public_id {mine}"
OF_THREAD = """SELECT s.* FROM thread own CROSS JOIN session s WHERE own.public_id = :thread AND s.thread_id = own.id
    {mine} ORDER BY s.id DESC LIMIT :most"""
_IDS = {
    LITE: "SELECT value FROM json_each(:ids)",
    POST: "SELECT value FROM json_array_elements_text(CAST(:ids AS json))",
}
ABOUT = {
    kind: f"""SELECT s.* FROM
    (SELECT x.id FROM session x WHERE x.thread_id IN (SELECT id FROM thread WHERE public_id IN ({ids}))
     UNION SELECT x.id FROM session x WHERE x.call_id IN (SELECT id FROM call WHERE public_id IN ({ids}))) AS few
    CROSS JOIN session s WHERE s.id = few.id {{mine}} ORDER BY s.id DESC LIMIT :most"""
    for kind, ids in _IDS.items()
}
"""Those of some threads and calls, by their public ids."""
HANDED = f"""SELECT s.* FROM
    (SELECT * FROM transfer x WHERE x.state = 'requested' AND x.to_agent = :account UNION ALL
     SELECT * FROM transfer x WHERE x.state = 'requested' AND x.to_queue IN {_MY_QUEUES}) AS asked
    JOIN session s ON s.id = asked.session_id WHERE s.ended_at IS NULL
    AND asked.by_agent <> :account {{mine}} ORDER BY asked.asked_at, asked.id LIMIT :most"""
_THESE = {
    LITE: "SELECT value FROM json_each(:sessions)",
    POST: "SELECT CAST(value AS bigint) FROM json_array_elements_text(CAST(:sessions AS json))",
}
STEPS = """WITH few AS MATERIALIZED (SELECT s.id, coalesce((SELECT x.id FROM session_event x
      WHERE x.session_id = s.id ORDER BY x.id DESC LIMIT 1 OFFSET :beyond), 0) AS first
      FROM session s WHERE s.id IN ({these}))
    SELECT e.session_id, e.at, e.why, e.state, e.by_, coalesce(nullif(a.name, ''), a.login, ''),
    coalesce(q.name, ''), e.detail FROM few CROSS JOIN session_event e LEFT JOIN account a ON a.id = e.agent_id
    LEFT JOIN text_queue q ON q.id = e.queue_id WHERE e.session_id = few.id AND e.id >= few.first
    ORDER BY e.session_id, e.id"""
"""The newest of each; where they begin is looked up once a session, not once a step."""
HOW_MANY = "SELECT e.session_id, count(*) FROM session_event e WHERE e.session_id IN ({these}) GROUP BY e.session_id"
CALLS = "SELECT s.id, c.public_id FROM session s JOIN call c ON c.id = s.call_id WHERE s.id IN ({these})"
OFFERS = f"""SELECT s.id, {", ".join(f"w.{name.strip()}" for name in OFFER.split(","))} FROM session s
    JOIN call c ON c.id = s.call_id JOIN call_offer w ON w.pbx = c.pbx AND w.uniqueid = c.uniqueid
    AND w.session = s.public_id WHERE s.id IN ({{these}})"""
OFFERS_OF_CALL = text(
    f"""SELECT {", ".join(f"w.{name.strip()}" for name in OFFER.split(","))} FROM call c
    JOIN call_offer w ON w.pbx = c.pbx AND w.uniqueid = c.uniqueid WHERE c.public_id = :call ORDER BY w.at, w.id"""
)
NAMES_OF = {
    LITE: text("SELECT public_id, name, login FROM account WHERE public_id IN (SELECT value FROM json_each(:users))"),
    POST: text(
        """SELECT public_id, name, login FROM account
        WHERE public_id IN (SELECT value FROM json_array_elements_text(CAST(:users AS json)))"""
    ),
}


class StoredSessions:
    """Satisfies `ports.sessions.ReadSessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def work(self, reach: Reach, account: int, most: int = 100) -> Work:
        return await self._database.read(lambda connection: read_work(connection, reach, account, most))

    async def story(self, reach: Reach, public_id: str, account: int | None = None) -> SessionStory | None:
        if ids.kind_of(public_id) is not ids.Kind.SESSION:
            return None
        found = await self._database.read(
            lambda connection: read_stories(
                connection, read_rows(connection, reach, ONE, public_id=public_id, account=account), MOST_STEPS
            )
        )
        return next(iter(found), None)

    async def of_thread(self, reach: Reach, thread: str, account: int | None = None) -> Sequence[SessionStory]:
        if ids.kind_of(thread) is not ids.Kind.THREAD:
            return ()
        return await self._database.read(
            lambda connection: read_stories(
                connection,
                read_rows(connection, reach, OF_THREAD, "few.id DESC", thread=thread, most=STORIES, account=account),
                MOST_STEPS,
            )
        )

    async def board(
        self,
        reach: Reach,
        midnight: datetime,
        most: int = 200,
        only: Narrowed = ALL_SESSIONS,
        texts: tuple[int, int] | None = None,
    ) -> Board:
        return await self._database.read(lambda connection: read_board(connection, reach, midnight, most, only, texts))

    async def offers_of_call(self, call: str) -> Sequence[Offer]:
        return await self._database.read(lambda connection: read_offers(connection, call))


def read_work(connection: Connection, reach: Reach, account: int, most: int) -> Work:
    def rows(chosen: str, order: str) -> tuple[SessionRow, ...]:
        return read_rows(connection, reach, chosen, order, account=account, most=most)

    queued = rows(QUEUED, "few.queued_at, few.id")
    return Work(
        rows(MINE_NOW, "few.changed_at DESC, few.id"),
        rows(OFFERED, "few.id"),
        rows(HANDED, "r.asked_at, r.id"),
        queued,
        rows(SET_ASIDE, "few.changed_at DESC, few.id"),
        _more(connection, reach, account, most) if len(queued) == most else 0,
    )


def _more(connection: Connection, reach: Reach, account: int, shown: int) -> int:
    statement, values = within(connection, reach, QUEUED_MANY)
    most = {"account": account, "most": shown + MOST_MORE}
    return max(0, (connection.scalar(statement, {**values, **most}) or 0) - shown)


def read_stories(connection: Connection, rows: Iterable[SessionRow], most: int = ALL_STEPS) -> list[SessionStory]:
    """The story of each of these sessions, with so many of its newest steps."""
    known = list(rows)
    if not known:
        return []
    kind, values = connection.dialect.name, {"sessions": json.dumps([row.session.id for row in known])}

    def ask(statement: str, **more: int) -> list[Row]:
        asked = text(statement.replace("{these}", _THESE[kind]))
        return [tuple(row) for row in connection.execute(asked, {**values, **more})]

    calls: dict[int, str] = {row[0]: row[1] for row in ask(CALLS)}
    offers: dict[int, Offer] = {row[0]: offer_of(row[1:]) for row in ask(OFFERS)}
    steps: dict[int, list[Row]] = {}
    for row in ask(STEPS, beyond=most - 1):
        steps.setdefault(row[0], []).append(row[1:])
    many: dict[int, int] = {row[0]: row[1] for row in ask(HOW_MANY)} if _cut(steps, most) else {}
    names = read_names(connection, {step[3] for told in steps.values() for step in told})
    return [
        SessionStory(
            row,
            tuple(_step(step, names) for step in steps.get(row.session.id, ())),
            calls.get(row.session.id, ""),
            offers.get(row.session.id),
            max(0, many.get(row.session.id, 0) - most),
        )
        for row in known
    ]


def _cut(steps: Mapping[int, list[Row]], most: int) -> bool:
    """Whether some may have more steps than were read."""
    return any(len(told) == most for told in steps.values())


def read_offers(connection: Connection, call: str) -> list[Offer]:
    """What a call was offered, or why nothing, in its order."""
    return [offer_of(tuple(row)) for row in connection.execute(OFFERS_OF_CALL, {"call": call})]


def read_names(connection: Connection, labels: Iterable[str]) -> Mapping[str, str]:
    """The names of the people behind labels of the form `user usr_...`."""
    users = [label.removeprefix(USER) for label in labels if label.startswith(USER)]
    if not users:
        return {}
    rows = connection.execute(NAMES_OF[connection.dialect.name], {"users": json.dumps(users)})
    return {f"{USER}{public_id}": name or login for public_id, name, login in rows}


def _step(step: Row, names: Mapping[str, str]) -> StepRow:
    at, why, state, by, agent, queue, detail = step
    return StepRow(moment_of(at), Why(why), SessionState(state), names.get(by, by), agent, queue, detail)
