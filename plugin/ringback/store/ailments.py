"""What the doctor asks: one statement a check, each row of which is something that is wrong."""

from dataclasses import dataclass
from datetime import timedelta

from ringback.core.messages import PartState, State
from ringback.core.sessions import OVER, SessionState

OPEN_LONG = timedelta(minutes=5)
UNREAD_LONG = timedelta(hours=1)
PARKED_LONG = timedelta(days=7)
EXPIRED_LONG = timedelta(minutes=2)
NO_WORD = timedelta(hours=73)


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing that is wrong: which check found it, where, what. `cure` names the fold that mends it, if one does."""

    check: str
    where: str
    what: str
    cure: str = ""
    id: int = 0


@dataclass(frozen=True, slots=True)
class Query:
    """A check that is one question: each row it gives is an ailment. Its columns: id, name, and what `says` wants."""

    name: str
    statement: str
    says: str
    cure: str = ""


_STATES = ", ".join(f"'{state}'" for state in State)
_PART_STATES = ", ".join(f"'{state}'" for state in PartState)
# The parts of a text that is not with a carrier wait, whatever became of it.
UNSENT = "'held', 'queued', 'expired', 'cancelled', 'refused'"

_SESSION_STATES = ", ".join(f"'{state}'" for state in SessionState)
_OVER = ", ".join(f"'{state}'" for state in sorted(OVER))

QUERIES: tuple[Query, ...] = (
    Query(
        "states",
        f"SELECT id, public_id, state FROM message WHERE state NOT IN ({_STATES})",
        "is in a state nobody knows: {!r}",
    ),
    Query(
        "states",
        f"""SELECT p.message_id, m.public_id, p.state FROM part p JOIN message m ON m.id = p.message_id
        WHERE p.state NOT IN ({_PART_STATES})""",
        "has a part in a state nobody knows: {!r}",
    ),
    Query(
        "parts",
        """SELECT m.id, m.public_id, m.state FROM message m
        WHERE NOT EXISTS (SELECT 1 FROM part p WHERE p.message_id = m.id)""",
        "has no part, so it can never be sent (it is {})",
    ),
    Query(
        "parts",
        """SELECT m.id, m.public_id, p.state FROM message m JOIN part p ON p.message_id = m.id
        WHERE m.state IN ('queued', 'held') AND p.state <> 'queued'""",
        "waits to be sent, and its part is {}",
        "message",
    ),
    Query(
        "attempts",
        """SELECT m.id, m.public_id, m.state FROM message m WHERE m.state = 'submitting'
        AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.message_id = m.id AND a.outcome IS NULL)""",
        "is on its way, and no attempt is open",
    ),
    Query(
        "attempts",
        """SELECT a.id, a.public_id, m.public_id FROM attempt a JOIN message m ON m.id = a.message_id
        WHERE a.outcome IS NULL AND a.opened_at < :open_long""",
        "is open for more than five minutes ({})",
    ),
    Query(
        "attempts",
        """SELECT a.id, a.public_id, a.message_id FROM attempt a LEFT JOIN part p ON p.id = a.part_id
        WHERE p.id IS NULL OR p.message_id <> a.message_id""",
        "belongs to no part of its text (row {})",
    ),
    Query(
        "attempts",
        """SELECT m.id, m.public_id, m.state FROM message m WHERE m.state IN ('accepted', 'sent', 'delivered')
        AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.message_id = m.id AND a.outcome = 'accepted')""",
        "is {}, and no attempt was taken by a carrier",
    ),
    Query(
        "receipts",
        """SELECT m.id, m.public_id, p.state FROM receipt r JOIN attempt a ON a.id = r.attempt_id
        JOIN part p ON p.id = a.part_id JOIN message m ON m.id = p.message_id
        WHERE r.status = 'delivered' AND p.state <> 'delivered'""",
        "has a receipt that it arrived, and its part is {}",
    ),
    Query(
        "deadlines",
        "SELECT id, public_id, state FROM message WHERE state IN ('queued', 'held') AND expires_at < :expired_long",
        "is {} though its time is over",
    ),
    Query(
        "deadlines",
        "SELECT id, public_id, state FROM message WHERE state = 'unconfirmed' AND state_at < :no_word",
        "is {} for more than 72 hours",
    ),
    Query(
        "inbound",
        "SELECT id, carrier, received_at FROM inbound_raw WHERE state = 'stored' AND received_at < :unread_long",
        "brought something an hour ago or more that nobody read (row of {})",
    ),
    Query(
        "inbound",
        """SELECT min(id), carrier, count(*) FROM receipt_parked WHERE received_at < :parked_long GROUP BY carrier""",
        "has receipts for texts nobody knows, a week old or more: {}",
    ),
    Query(
        "runs",
        """SELECT b.id, b.public_id, count(*) FROM bulk b JOIN bulk_item i ON i.bulk_id = b.id
        WHERE b.state <> 'open' GROUP BY b.id, b.public_id""",
        "is over, and {} of its people are still to be texted",
    ),
    Query(
        "threads",
        """SELECT t.id, t.public_id, t.unread FROM thread t WHERE t.unread <> (SELECT count(*) FROM incoming i
        WHERE i.thread_id = t.id AND i.read_at IS NULL AND i.state <> 'waiting')""",
        "counts {} unread, which is not so",
        "unread",
    ),
    Query(
        "opt-outs",
        """SELECT t.id, t.public_id, e.kind FROM thread t JOIN opt_out_event e ON e.id =
        (SELECT max(x.id) FROM opt_out_event x WHERE x.thread_id = t.id)
        LEFT JOIN pair_facts f ON f.thread_id = t.id
        WHERE (e.kind = 'opt_out') <> (f.opted_out_at IS NOT NULL)""",
        "said {} last, and its block says otherwise",
        "opt_out",
    ),
    Query(
        "opt-outs",
        """SELECT f.thread_id, t.public_id, f.opted_out_at FROM pair_facts f JOIN thread t ON t.id = f.thread_id
        WHERE f.opted_out_at IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM opt_out_event e WHERE e.thread_id = f.thread_id)""",
        "is blocked since {}, and nobody said STOP",
    ),
    Query(
        "queues",
        """SELECT 0, 'main', count(*) FROM text_queue WHERE main AND removed_at IS NULL HAVING count(*) <> 1""",
        "is the queue of everything else, and there are {} of it",
    ),
    Query(
        "sessions",
        f"SELECT id, public_id, state FROM session WHERE state NOT IN ({_SESSION_STATES})",
        "is in a state nobody knows: {!r}",
    ),
    Query(
        "sessions",
        f"""SELECT id, public_id, state FROM session
        WHERE (state IN ({_OVER})) <> (ended_at IS NOT NULL) AND state IN ({_SESSION_STATES})""",
        "is {}, and its end says otherwise",
    ),
    Query(
        "sessions",
        """SELECT min(s.id), t.public_id, count(*) FROM session s JOIN thread t ON t.id = s.thread_id
        WHERE s.ended_at IS NULL GROUP BY t.public_id HAVING count(*) > 1""",
        "has {} sessions that go on; one may",
    ),
    Query(
        "sessions",
        """SELECT s.id, s.public_id, s.state FROM session s LEFT JOIN text_queue q ON q.id = s.queue_id
        WHERE s.ended_at IS NULL AND (q.id IS NULL OR q.removed_at IS NOT NULL)""",
        "is {} and falls back to a queue that is not there",
    ),
    Query(
        "sessions",
        """SELECT id, public_id, state FROM session WHERE ended_at IS NULL
        AND ((state IN ('assigned', 'wrap_up') AND agent_id IS NULL) OR (state = 'offered' AND offered_to IS NULL)
          OR (state <> 'offered' AND offered_to IS NOT NULL))""",
        "is {}, and who it is with says otherwise",
    ),
    Query(
        "sessions",
        """SELECT s.id, s.public_id, a.login FROM session s JOIN account a ON a.id = coalesce(s.offered_to, s.agent_id)
        WHERE s.ended_at IS NULL AND s.state IN ('assigned', 'wrap_up', 'offered') AND a.disabled_at IS NOT NULL
        AND a.disabled_at < :open_long AND s.changed_at < :open_long""",
        "is with {}, whose account is closed",
    ),
    Query(
        "sessions",
        "SELECT id, public_id, due FROM session WHERE ended_at IS NULL AND due_at < :expired_long",
        "waits for {} though its time is over",
    ),
    Query(
        "transfers",
        """SELECT r.id, s.public_id, s.state FROM transfer r JOIN session s ON s.id = r.session_id
        WHERE r.state = 'requested' AND s.ended_at IS NOT NULL""",
        "is {}, and somebody is still asked to take it",
    ),
    Query(
        "consents",
        """SELECT t.id, t.public_id, f.consents FROM pair_facts f JOIN thread t ON t.id = f.thread_id
        WHERE f.consents <> '' AND NOT EXISTS (SELECT 1 FROM consent_event e WHERE e.thread_id = t.id)""",
        "has what nobody said yes to: {}",
        "consents",
    ),
)
