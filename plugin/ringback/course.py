"""What one run is told, and what it tells."""

import asyncio
from dataclasses import dataclass, field

from ringback.config import Settings
from ringback.errors import RingbackError
from ringback.ports import Clock
from ringback.service import Service


@dataclass(slots=True)
class Course:
    """What a run is told, and what it tells: `stop` ends it, `failure` says why it refused to go on."""

    settings: Settings
    clock: Clock
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    failure: RingbackError | None = None
    port: int = 0
    """Where the pages really are, once they are: the configured port may be 0."""
    hook_port: int = 0
    """The same for the hooks of carriers."""
    dialplan_port: int = 0
    agi_port: int = 0
    """The same for what the dialplan asks, by CURL() and by FastAGI."""
    service: Service = field(default_factory=Service)
    epoch: int = 0
    """The number of this start of this database's daemon."""

    def give_up(self, fault: RingbackError) -> None:
        """The database must not be used any more: stop, and let whoever starts us again look at it first."""
        self.failure = self.failure or fault
        self.stop.set()
