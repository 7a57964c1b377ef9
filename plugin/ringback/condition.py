"""How the running daemon is: for its health page, the service manager and `ringback status`."""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from ringback import control
from ringback.asterisk.feed import AmiFeed
from ringback.asterisk.standing import State
from ringback.core.expected_wait import Errors
from ringback.core.text_queues import VoiceName
from ringback.course import Course
from ringback.dialplan import Counts as DialplanCounts
from ringback.errors import StoreFault
from ringback.findings import (
    clock_findings,
    dialplan_findings,
    findings,
    hold_findings,
    hook_findings,
    staging_findings,
)
from ringback.flow.holds import Holding
from ringback.flow.list_keeping import ListKeeper
from ringback.flow.pauses import Paused
from ringback.flow.retention import Retention
from ringback.flow.sending import Lane
from ringback.hooks import Reception
from ringback.metrics import kept_figures, waits_told
from ringback.panel.health import Finding, Health, PartState, Standing, as_json
from ringback.panel.say import Say
from ringback.panel.words import N_
from ringback.running import Parts
from ringback.store.database import Database
from ringback.waiting import Waiting

ANSWERS_WITHIN = timedelta(seconds=5)
"""A database that cannot write must not keep `ringback status` waiting."""

STANDINGS = {
    State.LIVE: Standing.WORKS,
    State.REFUSED: Standing.NEEDS_YOU,
    State.STARTING: Standing.STARTING,
    State.CONNECTING: Standing.STARTING,
    State.AWAY: Standing.AWAY,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """`pauses` says what is paused now, `wait_errors` how far expected waits were off, `dialplan` what it was
    answered."""

    course: Course
    database: Database
    parts: Parts
    lanes: Mapping[str, Lane]
    feeds: Mapping[str, AmiFeed]
    holding: Holding
    lists: ListKeeper
    reception: Reception
    waiting: Waiting
    retention: Retention
    pauses: Callable[[], tuple[Paused, ...]]
    wait_errors: Callable[[], Mapping[VoiceName, Errors]]
    dialplan: Callable[[], DialplanCounts]

    def health(self) -> Health:
        """How everything is now. Ready means that a missed call becomes a text."""
        parts = self.parts.all()
        needed = [part for part in parts if part.name.startswith(("asterisk ", "carrier ", "delays"))]
        works = bool(self.feeds and self.lanes) and all(part.standing is Standing.WORKS for part in needed)
        ready = works and not self.database.trouble and not self.course.stop.is_set()
        return Health(ready, parts, self._findings())

    def _findings(self) -> tuple[Finding, ...]:
        hostile = {name: feed.counts().hostile for name, feed in self.feeds.items()}
        url, now = self.course.settings.hooks.public_url, self.course.clock.now()
        return (
            *findings(self.database.trouble, self.waiting.tasks_of, self.pauses(), hostile),
            *staging_findings(self.lists.staged),
            *hold_findings(self.holding.held),
            *clock_findings(self.retention.doubted),
            *hook_findings(self.reception.counts(), url, self.reception.names, now),
            *dialplan_findings(self.dialplan(), now),
        )

    def line(self, name: str) -> PartState:
        standing = self.feeds[name].standing
        fix = "ringback check" if standing.state is State.REFUSED else ""
        why = standing.reason(self.course.clock.now())
        return PartState(f"asterisk {name}", STANDINGS[standing.state], standing.since, why, fix)

    def queues(self, name: str) -> PartState:
        """Whether the queues and phones of a PBX are known."""
        exchange, part = self.feeds[name].exchange, f"queues {name}"
        since = self.parts.since(part)
        if not exchange.heard:
            return PartState(part, Standing.IDLE, since, Say(N_("its queues and phones are not known yet")))
        if exchange.kept_from_us:
            fix = "copy ringback_manager.conf again, then `manager reload`"
            return PartState(part, Standing.NEEDS_YOU, since, Say(N_("it does not tell when phones change")), fix)
        return PartState(part, Standing.WORKS, since)

    def in_a_line(self) -> str:
        """How we are, for the service manager."""
        health = self.health()
        wrong = [part.name for part in health.parts if part.standing not in (Standing.WORKS, Standing.IDLE)]
        return "ready" if health.ready else f"not ready: {self.database.trouble or ', '.join(wrong) or 'stopping'}"

    async def status(self, _words: control.Words) -> control.Words:
        """How the daemon is, for when its pages cannot be reached; `health` is the JSON of /readyz."""
        return {
            "port": str(self.course.port),
            "hook_port": str(self.course.hook_port),
            "dialplan_port": str(self.course.dialplan_port),
            "agi_port": str(self.course.agi_port),
            "health": json.dumps(as_json(self.health())),
            "figures": json.dumps(await self._figures()),
        }

    async def _figures(self) -> dict[str, object]:
        """What `ringback status` shows beside health. A database that cannot write says so in health."""
        tasks = {str(kind): count for kind, count in self.waiting.tasks.items() if count}
        figures: dict[str, object] = {
            "start": self.course.epoch,
            "changes_waiting": self.database.waiting,
            "texts_in_flight": {name: lane.in_flight for name, lane in self.lanes.items()},
            "tasks": tasks,
            "expected_waits": waits_told(self.wait_errors()),
        }
        with suppress(StoreFault, TimeoutError):
            async with asyncio.timeout(ANSWERS_WITHIN.total_seconds()):
                figures |= await self.database.commit(kept_figures)
        return figures
