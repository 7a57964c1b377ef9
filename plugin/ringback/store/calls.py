"""Calls as rows: begun when the channel appears, finished once, closed unseen when the PBX was out of sight."""

from collections.abc import Collection, Iterable
from datetime import datetime

from ringback.core.calls import Call, Leg
from ringback.core.ids import Kind
from ringback.core.triggers import CallDecision
from ringback.ports.callings import Gap, StoredCall
from ringback.ports.changes import ANY_CALL, Touch
from ringback.ports.offers import LiveCall
from ringback.ports.texts import CallFactsRow
from ringback.store.endings import Endings
from ringback.store.moments import maybe_micros, maybe_moment_of, micros, moment_of, span_micros
from ringback.store.sql import insert, rows, sql
from ringback.store.tx import Runner, new_id

_BEGINNING = "id public_id pbx uniqueid linkedid direction caller did peer presentation verstat language started_at"
_END = """vetoed queue extensions answered_at ended_at rang_us waited_us outcome transfer_unanswered decision reason
    rule rule_version due_at until_at tried answered_by"""
BEGIN = insert("call", _BEGINNING, "ON CONFLICT (pbx, uniqueid) DO NOTHING RETURNING id")
NEW = insert("call", f"{_BEGINNING} {_END}")
NOT_OVER: dict[str, object] = dict.fromkeys(_END.split()) | {
    "vetoed": False,
    "extensions": "",
    "transfer_unanswered": False,
    "tried": "",
    "answered_by": "",
}
# Handed on to another phone, a call was answered when it first was, by whoever has them now.
ANSWERED = sql(
    """UPDATE call SET answered_at = coalesce(answered_at, :at), answered_by = coalesce(nullif(:by, ''), answered_by)
    WHERE pbx = :pbx AND uniqueid = :uniqueid AND ended_at IS NULL RETURNING peer"""
)
KNOWN = sql("SELECT id, ended_at FROM call WHERE pbx = :pbx AND uniqueid = :uniqueid")
FINISH = sql(
    """UPDATE call SET caller = :caller, did = :did, peer = :peer, presentation = :presentation, verstat = :verstat,
    vetoed = :vetoed, language = :language, queue = :queue, extensions = :extensions, answered_at = :answered_at,
    ended_at = :ended_at, rang_us = :rang_us, waited_us = :waited_us, outcome = :outcome,
    transfer_unanswered = :transfer_unanswered, decision = :decision, reason = :reason, rule = :rule,
    rule_version = :rule_version, due_at = :due_at, until_at = :until_at, tried = :tried,
    answered_by = coalesce(nullif(:answered_by, ''), answered_by) WHERE id = :id"""
)
REDECIDED = sql("UPDATE call SET decision = :decision, reason = :reason, until_at = :until_at WHERE id = :id")
LEG = rows("call_leg", "call_id seq phone at ended_at rang")
EVENT = rows("call_event", "call_id seq at kind detail")
OPEN = sql(
    """SELECT id, uniqueid, direction, did, peer, answered_at FROM call
    WHERE pbx = :pbx AND ended_at IS NULL AND started_at <= :at"""
)
CLOSE_UNSEEN = sql(
    "UPDATE call SET ended_at = :at, outcome = :outcome, decision = 'none', reason = :reason WHERE id = :id"
)
GAP_OPEN = sql("SELECT id FROM pbx_gap WHERE pbx = :pbx AND to_at IS NULL")
GAP_BEGIN = insert("pbx_gap", "pbx from_at")
GAP_END = sql("UPDATE pbx_gap SET to_at = :at, calls = :calls WHERE pbx = :pbx AND to_at IS NULL")


GAPS = sql(
    """SELECT id, from_at, to_at FROM pbx_gap
    WHERE pbx = :pbx AND from_at >= :at AND to_at IS NOT NULL AND recovered_from = '' ORDER BY from_at"""
)
LOOKED_INTO = sql("UPDATE pbx_gap SET recovered_from = :records, recovered = :recovered WHERE id = :id")
DOUBTFUL = sql(
    """SELECT id, presentation, verstat, vetoed FROM call
    WHERE pbx = :pbx AND uniqueid = :uniqueid AND (ended_at IS NULL OR reason = 'unseen')"""
)
IS_OVER = sql("SELECT 1 FROM call WHERE id = :id AND ended_at IS NOT NULL")
# Among the newest of a person: who rings often has many, and none of them goes on.
LIVE_WITH = sql(
    """SELECT id, public_id, pbx, uniqueid, did, answered_by, started_at, answered_at FROM
    (SELECT id, public_id, pbx, uniqueid, did, answered_by, started_at, answered_at, ended_at FROM call
      WHERE peer = :peer ORDER BY started_at DESC LIMIT 50) AS latest
    WHERE ended_at IS NULL ORDER BY started_at DESC LIMIT 1"""
)
REOPEN = sql("UPDATE call SET ended_at = NULL, outcome = NULL, decision = NULL, reason = NULL WHERE id = :id")


class Calls:
    def __init__(self, run: Runner) -> None:
        self._run = run
        self._endings = Endings(run)
        self._last: dict[str, object] = {}  # the row of the call that a batch began last

    def read_ahead(self, calls: Iterable[Call]) -> None:
        """Read what is known of calls whose beginnings and ends come next."""
        self._endings.read((call.pbx, call.uniqueid) for call in calls)

    def begin(self, call: Call, did: str, peer: str | None) -> int | None:
        """Store a call that just appeared; None when it is known already."""
        known = self._endings.of(call.pbx, call.uniqueid)
        if known is not None and known.id is not None:
            return None
        id_ = self._run.next_id("call")
        row = {
            "id": id_,
            "public_id": new_id(Kind.CALL, call.started_at),
            "pbx": call.pbx,
            "uniqueid": call.uniqueid,
            "linkedid": call.linkedid,
            "direction": call.direction.value,
            "caller": call.caller,
            "did": did,
            "peer": peer,
            "presentation": call.presentation.value,
            "verstat": call.verstat,
            "language": call.language,
            "started_at": micros(call.started_at),
        }
        self._touch(peer)
        if known is None:
            found = self._run.one(BEGIN, **row)
            return found[0] if found else None
        known.id = id_
        self._last = self._run.change_later(NEW, **row, **NOT_OVER)
        return id_

    def _touch(self, peer: str | None) -> None:
        self._run.touch(ANY_CALL, *((Touch("peer", peer),) if peer else ()))

    def answered(self, pbx: str, uniqueid: str, at: datetime, by: str) -> None:
        row = self._run.one(ANSWERED, pbx=pbx, uniqueid=uniqueid, at=micros(at), by=by)
        if row is not None:
            self._touch(row[0])

    def live_with(self, peer: str) -> LiveCall | None:
        row = self._run.one(LIVE_WITH, peer=peer)
        if row is None:
            return None
        id_, public_id, pbx, uniqueid, did, by, started_at, answered_at = row
        return LiveCall(id_, public_id, pbx, uniqueid, did, by, moment_of(started_at), maybe_moment_of(answered_at))

    def row_of(self, pbx: str, uniqueid: str) -> int | None:
        known = self._endings.of(pbx, uniqueid)
        if known is not None:
            return known.id
        row = self._run.one(KNOWN, pbx=pbx, uniqueid=uniqueid)
        return row[0] if row else None

    def is_over(self, call_id: int) -> bool:
        return self._run.one(IS_OVER, id=call_id) is not None

    def ending(self, call: Call, did: str, peer: str | None) -> int | None:
        """The row of a call that ends now, made if it had no beginning; None when its end is known already."""
        known = self._endings.of(call.pbx, call.uniqueid)
        if known is not None:
            if known.over:
                return None
            known.over = True
            return known.id or self.begin(call, did, peer)
        row = self._run.one(KNOWN, pbx=call.pbx, uniqueid=call.uniqueid)
        if row is None:
            return self.begin(call, did, peer)
        return row[0] if row[1] is None else None

    def finish(self, call_id: int, call: Call, did: str, peer: str | None, decision: CallDecision) -> None:
        """Store how a call ended, with the decision and its whole reason chain beside it."""
        row = {
            "id": call_id,
            "caller": call.caller,
            "did": did,
            "peer": peer,
            "presentation": call.presentation.value,
            "verstat": call.verstat,
            "vetoed": call.vetoed,
            "language": call.language,
            "queue": call.queue,
            "extensions": " ".join(call.extensions),
            "answered_at": maybe_micros(call.answered_at),
            "ended_at": micros(call.ended_at or call.started_at),
            "rang_us": span_micros(call.rang),
            "waited_us": None if call.waited is None else span_micros(call.waited),
            "outcome": call.outcome.value if call.outcome else None,
            "transfer_unanswered": call.transfer_unanswered,
            "decision": decision.verdict.value,
            "reason": decision.reason.value,
            "rule": decision.rule.name if decision.rule else None,
            "rule_version": decision.rule.version if decision.rule else None,
            "due_at": maybe_micros(decision.at),
            "until_at": maybe_micros(decision.until),
            "tried": "\n".join([f"{tried.reason.value} {tried.rule}" for tried in decision.tried]),
            "answered_by": call.answered_by,
        }
        if self._last.get("id") == call_id and self._run.waits(NEW, self._last):
            self._last.update(row)
        else:
            self._run.change_later(FINISH, **row)
        self._touch(peer)
        self._run.count("calls", call.pbx, call.outcome or "", decision.verdict, decision.reason)
        for seq, leg in enumerate(call.legs):
            self._run.later(LEG, _leg(call_id, seq, leg))
        for seq, seen in enumerate(call.seen):
            self._run.later(EVENT, (call_id, seq, micros(seen.at), seen.kind, seen.detail))

    def redecided(self, call_id: int, decision: CallDecision) -> None:
        """The text that waited was taken back or put off when it came due."""
        self._run.touch(ANY_CALL)
        self._run.count("redecided", decision.verdict, decision.reason)
        self._run.change(
            REDECIDED,
            id=call_id,
            decision=decision.verdict,
            reason=decision.reason,
            until_at=maybe_micros(decision.until),
        )

    def open_before(self, pbx: str, at: datetime, live: Collection[str]) -> list[StoredCall]:
        """Calls that began by `at` and are still open here but not among the live ones of the PBX."""
        rows = self._run.all(OPEN, pbx=pbx, at=micros(at))
        return [
            StoredCall(id_, direction, did, peer, None if answered is None else moment_of(answered))
            for id_, uniqueid, direction, did, peer, answered in rows
            if uniqueid not in live
        ]

    def close_unseen(self, call_id: int, at: datetime, outcome: str | None, reason: str) -> None:
        self._run.change(CLOSE_UNSEEN, id=call_id, at=micros(at), outcome=outcome, reason=reason)
        self._run.count("unseen", reason)

    def lose_sight(self, pbx: str, at: datetime) -> None:
        """Open a gap, unless one is open."""
        if self._run.one(GAP_OPEN, pbx=pbx) is None:
            self._run.change(GAP_BEGIN, pbx=pbx, from_at=micros(at))
            self._run.count("gaps", pbx)

    def see_again(self, pbx: str, at: datetime, calls: int) -> None:
        """Close the open gap, with the number of calls that ended in it."""
        self._run.change(GAP_END, pbx=pbx, at=micros(at), calls=calls)

    def gaps(self, pbx: str, since: datetime) -> list[Gap]:
        return [
            Gap(row[0], moment_of(row[1]), moment_of(row[2])) for row in self._run.all(GAPS, pbx=pbx, at=micros(since))
        ]

    def look_into(self, gap: int, records: str, recovered: int) -> None:
        self._run.change(LOOKED_INTO, id=gap, records=records, recovered=recovered)

    def doubtful(self, pbx: str, uniqueid: str) -> tuple[int, CallFactsRow] | None:
        row = self._run.one(DOUBTFUL, pbx=pbx, uniqueid=uniqueid)
        return (row[0], CallFactsRow(row[1], row[2], bool(row[3]))) if row else None

    def reopen(self, call_id: int) -> None:
        self._touch(None)
        self._run.change(REOPEN, id=call_id)


def _leg(call_id: int, seq: int, leg: Leg) -> tuple[object, ...]:
    return call_id, seq, leg.to, micros(leg.at), maybe_micros(leg.ended_at), leg.rang.value
