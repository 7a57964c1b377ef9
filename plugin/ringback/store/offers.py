"""What callers were offered, and what they chose. Rows are of calls by their uniqueid: they are there before the call's
row may be."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from ringback.core.offers import Offer, OfferAnswer, OfferKind, Situation
from ringback.core.reasons import Reason
from ringback.ports.changes import ANY_CALL, Touch
from ringback.store.moments import maybe_moment_of, maybe_span_of, micros, moment_of, span_micros
from ringback.store.sql import insert, sql
from ringback.store.tx import Row, Runner

OFFER = """pbx, uniqueid, kind, did, peer, queue, waiting, agents, expected_us, position, reason, at, prompt, answer,
    answered_at, text, session, waited_us"""
"""What `offer_of` reads."""
PUT = insert(
    "call_offer",
    "pbx uniqueid kind did peer queue waiting agents expected_us position reason prompt at",
    """ON CONFLICT (pbx, uniqueid, kind) DO UPDATE SET queue = excluded.queue, waiting = excluded.waiting,
    agents = excluded.agents, expected_us = excluded.expected_us, position = excluded.position,
    reason = excluded.reason, prompt = excluded.prompt, at = excluded.at WHERE call_offer.reason <> 'allowed'""",
)
OF = sql(f"SELECT {OFFER} FROM call_offer WHERE pbx = :pbx AND uniqueid = :uniqueid AND kind = :kind")
OF_CALL = sql(f"SELECT {OFFER} FROM call_offer WHERE pbx = :pbx AND uniqueid = :uniqueid ORDER BY at, id")
ANSWER = sql(
    """UPDATE call_offer SET answer = :answer, answered_at = :at, text = :text, session = :session, prompt = :prompt
    WHERE pbx = :pbx AND uniqueid = :uniqueid AND kind = :kind"""
)
WAITED = sql("UPDATE call_offer SET waited_us = :waited WHERE pbx = :pbx AND uniqueid = :uniqueid")


class Offers:
    """Satisfies `ports.offers.Offers`."""

    def __init__(self, run: Runner) -> None:
        self._run = run

    def put(self, offer: Offer) -> None:
        seen = offer.situation
        self._run.change(
            PUT,
            pbx=offer.pbx,
            uniqueid=offer.uniqueid,
            kind=offer.kind,
            did=offer.did,
            peer=offer.peer,
            queue=seen.queue,
            waiting=seen.waiting,
            agents=seen.agents,
            expected_us=None if seen.expected is None else span_micros(seen.expected),
            position=seen.position,
            reason=offer.reason,
            prompt=offer.prompt,
            at=micros(offer.at),
        )
        self._run.touch(Touch("peer", offer.peer))

    def of(self, pbx: str, uniqueid: str, kind: OfferKind) -> Offer | None:
        row = self._run.one(OF, pbx=pbx, uniqueid=uniqueid, kind=kind)
        return offer_of(row) if row else None

    def of_call(self, pbx: str, uniqueid: str) -> Sequence[Offer]:
        return [offer_of(row) for row in self._run.all(OF_CALL, pbx=pbx, uniqueid=uniqueid)]

    def answer(self, offer: Offer, answer: OfferAnswer, text: str, session: str, now: datetime) -> None:
        """Keep what they chose; `text` and `session` are public ids, and `offer.prompt` is what they heard."""
        self._run.change(
            ANSWER,
            pbx=offer.pbx,
            uniqueid=offer.uniqueid,
            kind=offer.kind,
            answer=answer,
            at=micros(now),
            text=text,
            session=session,
            prompt=offer.prompt,
        )
        self._run.touch(ANY_CALL, Touch("peer", offer.peer))

    def waited(self, pbx: str, uniqueid: str, waited: timedelta) -> None:
        self._run.change(WAITED, pbx=pbx, uniqueid=uniqueid, waited=span_micros(waited))


def offer_of(row: Row) -> Offer:
    """The offer in a row of these columns."""
    pbx, uniqueid, kind, did, peer, queue, waiting, agents, expected, position, *more = row
    reason, at, prompt, answer, answered, text, session, waited = more
    return Offer(
        pbx,
        uniqueid,
        OfferKind(kind),
        did,
        peer,
        Situation(queue, waiting, agents, maybe_span_of(expected), position),
        Reason(reason),
        moment_of(at),
        prompt,
        OfferAnswer(answer),
        maybe_moment_of(answered),
        text,
        session,
        maybe_span_of(waited),
    )
