"""The pages of text queues and of the board, with what they read. Loaded when somebody first looks at one of them."""

from datetime import timedelta
from functools import partial

from ringback.assembly import surroundings_of
from ringback.behind import Behind
from ringback.panel.app import PageSet
from ringback.panel.board import BoardPages, BoardParts
from ringback.panel.board_acts import BoardActs
from ringback.panel.board_view import Sources
from ringback.panel.door import Door
from ringback.panel.live import Streams
from ringback.panel.queue_agents import AgentPages
from ringback.panel.queue_map import MapPages
from ringback.panel.queue_parts import QueueOffice
from ringback.panel.queues import QueuePages
from ringback.ports.changes import SESSIONS
from ringback.store.grants import ReadGrants
from ringback.store.late import read_queues, read_sessions
from ringback.store.read_people import StoredPeople


def supervision_pages(behind: Behind, door: Door, streams: Streams) -> list[PageSet]:
    """Everything below /queues and /board. What has a fixed name comes before what is an id."""
    database, changes = behind.database, behind.database.changes
    office = QueueOffice(
        door,
        read_queues(database),
        StoredPeople(database),
        ReadGrants(database).numbers,
        surroundings_of(behind.settings),
        behind.exchanges,
    )
    sources = Sources(behind.exchanges, behind.roll.now, partial(_wait, behind), partial(_able, behind))
    parts = BoardParts(read_sessions(database), read_queues(database), sources, behind.clock)
    board = BoardPages(door.shell, parts, streams)
    changes.at_once(SESSIONS, board.forget)
    acts = BoardActs(door.shell, parts, behind.sessions)
    return [AgentPages(office), MapPages(office), QueuePages(office), board, acts]


def _wait(behind: Behind, pbx: str, queue: str) -> timedelta | None:
    return behind.waits.expected(pbx, queue).wait


def _able(behind: Behind, queue: int) -> int:
    return behind.roll.able(queue, "")
