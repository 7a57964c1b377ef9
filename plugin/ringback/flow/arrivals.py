"""What carriers bring, by hook or over a line of their own: stored before anybody is told that we have it."""

import base64
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import structlog

from ringback.core.numbers import mask
from ringback.errors import StoreBusy, told
from ringback.flow.gathering import Gathering
from ringback.flow.house import House
from ringback.flow.inbound import (
    Received,
    arrive,
    file,
    fingerprint,
    id_of,
    quarantine,
    receive,
    set_aside,
    show_what_came,
)
from ringback.flow.insist import insist, insist_one
from ringback.flow.receipts import apply_receipt, apply_receipts
from ringback.flow.sending import Lanes
from ringback.ports import CarrierEvent, Clock, Incoming, Listening, MediaLink, Piece, Receipt
from ringback.ports.storage import Step, Store, Tx

log = structlog.get_logger("inbound")

AT_ONCE = 256
"""Events in one commit; the writer takes only so many changes at a time."""

LOOK_EVERY = timedelta(seconds=30)

Receipts = tuple[Receipt, ...]


def pack(incoming: Incoming, raw: bytes) -> bytes:
    """What the journal keeps: the text as the carrier's file read it, and the bytes it read."""
    plain = {
        "provider_id": incoming.provider_id,
        "sender": incoming.sender,
        "to": incoming.to,
        "text": incoming.text,
        "carrier_at": incoming.carrier_at.isoformat(),
        "piece": asdict(incoming.piece) if incoming.piece else None,
        "media": [asdict(link) for link in incoming.media],
        "command": incoming.command,
    }
    return json.dumps({"incoming": plain, "raw": base64.b64encode(raw).decode()}).encode()


def unpack(packed: bytes) -> Incoming:
    """Read it back. Raises ValueError, KeyError or TypeError for what was not packed here."""
    plain = json.loads(packed)["incoming"]
    return Incoming(
        plain["provider_id"],
        plain["sender"],
        plain["to"],
        plain["text"],
        datetime.fromisoformat(plain["carrier_at"]),
        Piece(**plain["piece"]) if plain["piece"] else None,
        tuple(MediaLink(**link) for link in plain["media"]),
        plain["command"],
    )


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Takes what carriers bring. `take` and `quarantine` return when it is on disk."""

    house: House
    store: Store
    lanes: Lanes
    clock: Clock
    hooked: "dict[str, Gathering[Receipts, list[object]]]" = field(default_factory=dict)
    """Receipts that hooks brought, by carrier, on their way to disk."""

    async def take(self, carrier: str, events: Sequence[CarrierEvent], raw: bytes) -> None:
        """Store what a hook brought. Raises StoreBusy when it cannot be stored now: the carrier will come again."""
        now = self.clock.now()
        receipts = tuple(event for event in events if isinstance(event, Receipt))
        results: Sequence[object]
        if len(receipts) == len(events):
            results = await self._of(carrier).put(receipts)
        else:
            results = await self.store.commit_all([self._step(carrier, event, raw, now) for event in events])
        if busy := next((result for result in results if isinstance(result, StoreBusy)), None):
            raise busy
        await self._settle(carrier, events, results, raw, now)

    async def quarantine(self, carrier: str, raw: bytes, why: str) -> None:
        """Keep a hook that is signed and makes no sense. Raises StoreBusy."""
        await self.store.commit(partial(quarantine, carrier, raw, why, self.clock.now()))

    async def listen(self, carrier: str, source: Listening) -> None:
        """Store what a carrier brings by itself, for ever; events are done with once they are on disk."""
        async for events in source.batches():
            for start in range(0, len(events), AT_ONCE):
                batch = events[start : start + AT_ONCE]
                now = self.clock.now()
                await self._settle(carrier, batch, await self._store(carrier, batch, now), b"", now)

    async def _store(self, carrier: str, events: Sequence[CarrierEvent], now: datetime) -> Sequence[object]:
        receipts = [event for event in events if isinstance(event, Receipt)]
        if len(receipts) == len(events):
            return await self._store_receipts(carrier, receipts, partial(insist, self.store, self.clock))
        return await insist(self.store, self.clock, [self._step(carrier, event, b"", now) for event in events])

    def _of(self, carrier: str) -> "Gathering[Receipts, list[object]]":
        if carrier not in self.hooked:
            self.hooked[carrier] = Gathering(partial(self._store_hooked, carrier))
        return self.hooked[carrier]

    async def _store_hooked(self, carrier: str, hooks: "Sequence[Receipts]") -> "list[list[object]]":
        """Store what several hooks brought; who brought it comes again if that cannot be now."""
        receipts = [receipt for hook in hooks for receipt in hook]
        results = iter(await self._store_receipts(carrier, receipts, self.store.commit_all))
        return [[next(results) for _ in hook] for hook in hooks]

    async def _store_receipts(
        self, carrier: str, receipts: Sequence[Receipt], commit: "Callable[..., Awaitable[list[Any]]]"
    ) -> Sequence[object]:
        """Together; one by one if that fails, so that what is wrong with one fails alone."""
        now, ids = self.clock.now(), self.house.ids_of(carrier)
        if len(receipts) > 1:
            (states,) = await commit([partial(apply_receipts, carrier, receipts, now, ids=ids)])
            if isinstance(states, StoreBusy):
                return [states] * len(receipts)
            if not isinstance(states, Exception):
                return cast(Sequence[object], states)
            # whatever it is, it comes up again where it belongs
            log.warning("receipts could not be stored together", receipts=len(receipts), problem=told(states))
        return await commit([partial(apply_receipt, carrier, receipt, now, ids=ids) for receipt in receipts])

    def _step(self, carrier: str, event: CarrierEvent, raw: bytes, now: datetime) -> "Step[object]":
        if isinstance(event, Receipt):
            return partial(apply_receipt, carrier, event, now, ids=self.house.ids_of(carrier))
        return partial(receive, self.house, carrier, event, pack(event, raw), now)

    async def _settle(
        self, carrier: str, events: Sequence[CarrierEvent], results: Sequence[object], raw: bytes, now: datetime
    ) -> None:
        """Wake the lanes of answers; what could be stored and not understood is journalled for a second look."""
        for event, result in zip(events, results, strict=True):
            if isinstance(result, Exception):
                log.error(
                    "what a carrier brought could not be read",
                    carrier=carrier,
                    problem=told(result),
                )
                await insist_one(self.store, self.clock, self._bare(carrier, event, raw, now))
            elif isinstance(result, Received):
                self._after(carrier, event, result)
            else:
                log.debug("receipt", carrier=carrier, provider_id=event.provider_id, state=str(result))

    def _bare(self, carrier: str, event: CarrierEvent, raw: bytes, now: datetime) -> "Step[object]":
        if isinstance(event, Receipt):
            return partial(quarantine, carrier, raw or repr(event).encode(), "a receipt could not be stored", now)
        return partial(journal_only, self.house, carrier, event, pack(event, raw), now)

    def _after(self, carrier: str, event: CarrierEvent, received: Received) -> None:
        if received.submitted is not None:
            self.lanes.nudge(received.submitted.waits_on)
        if received.stored is None:
            log.info("a text came again", carrier=carrier, provider_id=event.provider_id)
            return
        peer = received.stored.thread.peer
        log.info(
            "text came in",
            carrier=carrier,
            text=received.stored.public_id,
            peer=mask(peer) if peer.startswith("+") else "not a number",
            did=received.stored.thread.did,
            command=str(received.heard.command) if received.heard else "",
            called_off=received.called_off,
        )

    async def look_after(self) -> None:
        """Now and then: read again what was only journalled, show texts that lack pieces."""
        while True:
            now = self.clock.now()
            for raw, carrier, packed in await insist_one(self.store, self.clock, undone):
                await self._second_look(raw, carrier, packed, now)
            await insist_one(self.store, self.clock, partial(show_what_came, self.house, now))
            await self.clock.sleep_until(now + LOOK_EVERY)

    async def _second_look(self, raw: int, carrier: str, packed: bytes, now: datetime) -> None:
        try:
            arrived = arrive(self.house, carrier, unpack(packed))
            received = await insist_one(self.store, self.clock, partial(file, self.house, arrived, raw, now))
        except Exception as problem:  # a text nobody can read must not hold up the ones behind it
            log.exception("a journalled text cannot be read", carrier=carrier)
            why = f"{type(problem).__name__}: {problem}"
            await insist_one(self.store, self.clock, partial(set_aside, raw, carrier, why, now))
        else:
            self._after(carrier, arrived.incoming, received)


def undone(tx: Tx) -> list[tuple[int, str, bytes]]:
    return tx.inbound.undone(100)


def journal_only(house: House, carrier: str, incoming: Incoming, packed: bytes, now: datetime, tx: Tx) -> None:
    """Keep a text whose reading failed, for the second look."""
    looks = fingerprint(arrive(house, carrier, incoming))
    tx.inbound.journal(carrier, id_of(incoming), looks, packed, now)
