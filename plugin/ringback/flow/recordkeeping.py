"""Keeping the record honest: by the hour what happened to texts is sealed, the head is anchored outside, all is looked
through.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from ringback.core.permissions import Principal
from ringback.errors import StoreFault
from ringback.flow.insist import insist_one
from ringback.ports import Clock
from ringback.ports.record import Anchors, Checked, Head, Verifier
from ringback.ports.storage import Store, Tx

log = structlog.get_logger("record")

EVERY = timedelta(hours=1)
AT_ONCE = 2_000
"""Moves in one digest: so few that nobody waits for it."""


@dataclass(slots=True)
class Recordkeeping:
    """`run` is a part. `checked` is what came of looking last, None as long as nobody looked."""

    store: Store
    clock: Clock
    anchors: Anchors
    verifier: Verifier
    checked: Checked | None = None

    async def run(self) -> None:
        """At the start the head is anchored; the rest waits for the hour, since a start has better things to do."""
        await self.anchor()
        while True:
            await self.clock.sleep_until(self.clock.now() + EVERY)
            await self.each_hour()

    async def each_hour(self) -> None:
        """Digests of what happened to texts, for ever; then the anchor, which holds them too."""
        while await insist_one(self.store, self.clock, partial(_seal, self.clock.now())) == AT_ONCE:
            pass
        await self.anchor()
        await self.check()

    async def anchor(self) -> None:
        """Write down outside the database where the record is: in a file, and in the log."""
        head = await insist_one(self.store, self.clock, _head)
        try:
            if self.anchors.keep(head, self.clock.now()) and head.row:
                log.info("the record is anchored", row=head.row, seal=head.seal)
        except StoreFault as problem:
            log.error("the record cannot be anchored", row=head.row, seal=head.seal, problem=str(problem))

    async def check(self) -> Checked | None:
        """Look through all of it; what is wrong is an error in the log."""
        try:
            self.checked = await self.verifier.check(self.clock.now())
        except StoreFault as problem:
            log.warning("the record cannot be looked through", problem=str(problem))
            return None
        if self.checked.fault is not None:
            log.error("the record was changed by hand", row=self.checked.fault.row, what=self.checked.fault.what)
        return self.checked


def _seal(now: datetime, tx: Tx) -> int:
    return tx.audit.seal(AT_ONCE, now)


def _head(tx: Tx) -> Head:
    return tx.audit.head()


def note_export(who: Principal, what: str, detail: str, now: datetime, tx: Tx) -> None:
    """That somebody took a table away; `detail` says which rows of it."""
    tx.audit.note(who.label, "export", what, detail, now)
