"""Texts from handsets: the journal that dedupes them (I-D1), and the threads they are filed under (I-D2)."""

from datetime import datetime

from ringback.core.ids import Kind
from ringback.ports import Incoming
from ringback.ports.changes import ANY_THREAD, Touch
from ringback.ports.inbox import Arrival, StoredIncoming
from ringback.ports.pairs import Thread
from ringback.store.moments import maybe_micros, micros, moment_of
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner, new_id

# Without an id of the carrier's nothing conflicts: two such texts are two rows, whatever they say.
JOURNAL = insert(
    "inbound_raw",
    "carrier provider_id fingerprint received_at body state",
    "ON CONFLICT (carrier, provider_id) DO NOTHING RETURNING id",
)
KNOWN = sql("SELECT fingerprint FROM inbound_raw WHERE carrier = :carrier AND provider_id = :provider_id")
LOOKS_THE_SAME = sql(
    """SELECT incoming_id FROM inbound_raw WHERE carrier = :carrier AND provider_id IS NULL
    AND fingerprint = :fingerprint AND received_at >= :since AND id <> :but AND incoming_id IS NOT NULL
    ORDER BY received_at DESC LIMIT 1"""
)
DONE = sql("UPDATE inbound_raw SET state = 'done', incoming_id = :incoming WHERE id = :id")
QUARANTINE = sql("UPDATE inbound_raw SET state = 'quarantined', why = :why WHERE id = :id RETURNING carrier")
UNDONE = sql("SELECT id, carrier, body FROM inbound_raw WHERE state = 'stored' ORDER BY received_at LIMIT :limit")
# What was not read yet was acknowledged all the same, and may be a STOP.
FORGET = sql(
    """DELETE FROM inbound_raw WHERE id IN (SELECT id FROM inbound_raw
    WHERE received_at < :before AND state <> 'stored' ORDER BY received_at LIMIT :limit)"""
)

NEW = insert(
    "incoming",
    "public_id thread_id carrier at received_at carrier_at body state repeats_id piece_ref pieces media",
    "RETURNING id",
)
MEDIA = insert("media", "incoming_id seq url content_type state")
PIECE = insert("incoming_piece", "incoming_id seq body", "ON CONFLICT (incoming_id, seq) DO NOTHING")
PIECES = sql("SELECT seq, body FROM incoming_piece WHERE incoming_id = :id ORDER BY seq")
OTHER_WORDS = sql("SELECT 1 FROM incoming_piece WHERE incoming_id = :id AND seq = :seq AND body <> :body")
BEGUN = sql(
    """SELECT id, public_id, state FROM incoming WHERE thread_id = :thread AND piece_ref = :ref AND pieces = :pieces
    AND state IN ('waiting', 'partial') AND at >= :since ORDER BY at DESC LIMIT 1"""
)
JOINED = sql("UPDATE incoming SET body = :body, state = :state WHERE id = :id")
LACKING = sql(
    """SELECT i.id, i.public_id, i.body, t.id, t.public_id, t.number_id, n.e164, t.peer FROM incoming i
    JOIN thread t ON t.id = i.thread_id JOIN number n ON n.id = t.number_id
    WHERE i.state = 'waiting' AND i.received_at < :before ORDER BY i.received_at LIMIT :limit"""
)
AGAIN = sql("INSERT INTO search_again (incoming_id) VALUES (:id) ON CONFLICT (incoming_id) DO NOTHING")
PARTIAL = sql("UPDATE incoming SET state = 'partial' WHERE id = :id AND state || '' = 'waiting'")
COMMAND = sql("UPDATE incoming SET command = :command WHERE id = :id")
SHOWN = sql(
    """UPDATE thread SET unread = unread + 1, wrote_at = :at, changed_at = :at,
    waits_since_at = coalesce(waits_since_at, :at) WHERE id = :id"""
)
FIRST_SINCE = sql(
    """SELECT body FROM incoming WHERE thread_id = :thread AND at >= :since AND state <> 'waiting'
    ORDER BY at, id LIMIT 1"""
)
READ = sql("UPDATE incoming SET read_at = :at WHERE thread_id = :thread AND read_at IS NULL AND state <> 'waiting'")
ALL_READ = sql("UPDATE thread SET unread = 0 WHERE id = :thread AND unread > 0")
ANSWERED = sql("UPDATE thread SET waits_since_at = NULL WHERE id = :thread AND waits_since_at >= :since")
WAITING = sql(
    """SELECT ours.e164, (SELECT count(*) FROM (SELECT 1 AS one FROM thread WHERE thread.number_id = ours.id
      AND thread.waits_since_at IS NOT NULL LIMIT :most) AS waiting) FROM number ours"""
)
OFFERED = sql(
    """SELECT windows, created_at FROM (SELECT windows, created_at, state FROM message WHERE thread_id = :thread
    AND created_at >= :since ORDER BY created_at DESC, id DESC LIMIT 50) AS latest
    WHERE windows <> '' AND state <> 'refused' LIMIT 1"""
)

PIECES_WITHIN_US = 24 * 3600 * 1_000_000
"""Pieces that come later than this belong to another text that took the same reference."""


class Inbound:
    def __init__(self, run: Runner) -> None:
        self._run = run

    def journal(self, carrier: str, provider_id: str, fingerprint: str, body: bytes, now: datetime) -> Arrival:
        """Keep what came as it came; a second copy of the same id changes nothing, and says if it is none."""
        row = self._run.one(
            JOURNAL,
            carrier=carrier,
            provider_id=provider_id or None,
            fingerprint=fingerprint,
            received_at=micros(now),
            body=body,
            state="stored",
        )
        self._run.count("inbound", carrier, "new" if row else "again")
        if row:
            return Arrival(True, row[0])
        (known,) = self._run.one(KNOWN, carrier=carrier, provider_id=provider_id) or ("",)
        return Arrival(False, same=known == fingerprint)

    def repeats(self, carrier: str, fingerprint: str, since: datetime, but: int) -> int | None:
        """Return the text that looks the same and came a moment ago."""
        row = self._run.one(LOOKS_THE_SAME, carrier=carrier, fingerprint=fingerprint, since=micros(since), but=but)
        return row[0] if row else None

    def file(
        self, incoming: Incoming, carrier: str, thread: Thread, at: datetime, repeats: int | None, now: datetime
    ) -> StoredIncoming:
        """Put a text into its thread; a piece goes to the pieces that came before it."""
        if incoming.piece is None or incoming.piece.total <= 1:
            id_, public_id = self._new(incoming, carrier, thread, at, repeats, now)
            self._show(thread, now)
            return StoredIncoming(id_, public_id, thread, incoming.text, whole=True)
        return self._add_piece(incoming, carrier, thread, at, now)

    def _add_piece(
        self, incoming: Incoming, carrier: str, thread: Thread, at: datetime, now: datetime
    ) -> StoredIncoming:
        piece = incoming.piece
        assert piece is not None
        begun = self._run.one(
            BEGUN, thread=thread.id, ref=piece.ref, pieces=piece.total, since=micros(at) - PIECES_WITHIN_US
        )
        # senders count to 255 and begin anew: another text may take the reference of one that never came whole
        if begun and self._run.one(OTHER_WORDS, id=begun[0], seq=piece.number, body=incoming.text):
            begun = None
        id_, public_id, state = begun or (*self._new(incoming, carrier, thread, at, None, now), "waiting")
        self._run.change(PIECE, incoming_id=id_, seq=piece.number, body=incoming.text)
        have = self._run.all(PIECES, id=id_)
        whole = len(have) == piece.total
        body = "".join(row[1] for row in have)
        self._run.change(JOINED, id=id_, body=body, state="whole" if whole else state)
        self._run.change(AGAIN, id=id_)
        if whole and state == "waiting":
            self._show(thread, now)
        return StoredIncoming(id_, public_id, thread, body, whole)

    def _new(
        self, incoming: Incoming, carrier: str, thread: Thread, at: datetime, repeats: int | None, now: datetime
    ) -> tuple[int, str]:
        piece = incoming.piece if incoming.piece and incoming.piece.total > 1 else None
        public_id = new_id(Kind.INCOMING, now)
        row = self._run.one(
            NEW,
            public_id=public_id,
            thread_id=thread.id,
            carrier=carrier,
            at=micros(at),
            received_at=micros(now),
            carrier_at=micros(incoming.carrier_at),
            body="" if piece else incoming.text,
            state="waiting" if piece else "whole",
            repeats_id=repeats,
            piece_ref=piece.ref if piece else "",
            pieces=piece.total if piece else 1,
            media=len(incoming.media),
        )
        assert row is not None
        links = [
            {"incoming_id": row[0], "seq": seq, "url": link.url, "content_type": link.content_type, "state": "kept"}
            for seq, link in enumerate(incoming.media)
        ]
        self._run.many(MEDIA, links)
        return row[0], public_id

    def _show(self, thread: Thread, now: datetime) -> None:
        self._run.touch(ANY_THREAD, Touch("thread", thread.id))
        self._run.change(SHOWN, id=thread.id, at=micros(now))

    def read_as(self, incoming_id: int, command: str) -> None:
        """Say which command a text was."""
        self._run.change(COMMAND, id=incoming_id, command=command)
        self._run.count("commands", command)

    def done(self, raw: int, incoming_id: int) -> None:
        self._run.change(DONE, id=raw, incoming=incoming_id)

    def quarantine(self, raw: int, why: str) -> None:
        row = self._run.one(QUARANTINE, id=raw, why=why)
        self._run.count("inbound", row[0] if row else "", "quarantined")

    def undone(self, limit: int) -> list[tuple[int, str, bytes]]:
        """What is journalled and was never read, oldest first."""
        return [(row[0], row[1], bytes(row[2])) for row in self._run.all(UNDONE, limit=limit)]

    def lacking(self, before: datetime, limit: int) -> list[StoredIncoming]:
        """Texts that wait for pieces since before then."""
        return [self._lacks(row) for row in self._run.all(LACKING, before=micros(before), limit=limit)]

    def _lacks(self, row: Row) -> StoredIncoming:
        id_, public_id, body, thread_id, thread, number_id, did, peer = row
        return StoredIncoming(id_, public_id, Thread(thread_id, thread, number_id, did, peer), body, whole=False)

    def show_partial(self, text: StoredIncoming, now: datetime) -> None:
        """Show what came of a text although pieces are missing; those that come later are added."""
        if self._run.change(PARTIAL, id=text.id) == 1:
            self._run.change(AGAIN, id=text.id)
            self._show(text.thread, now)

    def first_since(self, thread_id: int, since: datetime) -> str | None:
        row = self._run.one(FIRST_SINCE, thread=thread_id, since=micros(since))
        return row[0] if row else None

    def mark_read(self, thread_id: int, now: datetime) -> None:
        """Somebody looked at the thread."""
        self._run.change(READ, thread=thread_id, at=micros(now))
        if self._run.change(ALL_READ, thread=thread_id) == 1:
            self._run.touch(ANY_THREAD, Touch("thread", thread_id))

    def mark_answered(self, thread_id: int, since: datetime | None = None) -> None:
        """Nobody waits for an answer here any more; with `since`, nobody who began to wait then or later."""
        if self._run.change(ANSWERED, thread=thread_id, since=maybe_micros(since) or 0) == 1:
            self._run.touch(ANY_THREAD, Touch("thread", thread_id))

    def waiting(self, most: int) -> dict[str, int]:
        """How many threads wait for an answer, by number of ours, each counted up to `most`."""
        return {e164: count for e164, count in self._run.all(WAITING, most=most) if count}

    def offered(self, thread_id: int, since: datetime) -> tuple[str, datetime] | None:
        """Return the call-back windows last offered to this person, as stored, and when."""
        row = self._run.one(OFFERED, thread=thread_id, since=micros(since))
        return (row[0], moment_of(row[1])) if row else None

    def forget_raw(self, before: datetime, limit: int) -> int:
        """Drop old journal rows, some at a time; returns how many."""
        return self._run.change(FORGET, before=micros(before), limit=limit)
