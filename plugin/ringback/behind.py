"""What stands behind the pages of one run: everything they read and ask, in one value."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ringback.config import Settings
from ringback.flow.asking import Asking
from ringback.flow.bulks import Runs
from ringback.flow.desk import Desk
from ringback.flow.house import House
from ringback.flow.imports import Imports
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.presence import Roll
from ringback.flow.recordkeeping import Recordkeeping
from ringback.flow.retention import Retention
from ringback.flow.session_desk import SessionDesk
from ringback.flow.waits import Waits
from ringback.panel.carriers import Reins
from ringback.panel.dashboard import Switch
from ringback.panel.health import Health
from ringback.ports import Carrier, Clock
from ringback.ports.directory import AskPbx
from ringback.ports.exchange import Exchange
from ringback.store.database import Database
from ringback.waiting import Waiting


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the pages."""

    settings: Settings
    house: House
    database: Database
    carriers: Mapping[str, Carrier]
    desk: Desk
    asking: Asking
    runs: Runs
    lists: ListKeeper
    waiting: Waiting
    health: Callable[[], Health]
    metrics: Callable[[], Awaitable[bytes]]
    switch: Switch
    reins: Reins
    recordkeeping: Recordkeeping
    retention: Retention
    askers: AskPbx
    imports: Imports
    sessions: SessionDesk
    roll: Roll
    exchanges: Mapping[str, Exchange]
    waits: Waits
    clock: Clock
