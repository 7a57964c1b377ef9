"""What always holds of sessions, asked of the tables themselves: each rule names what breaks it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ringback.core.sessions import MOVES, OVER, Due, SessionState

Row = dict[str, Any]
Ask = Callable[[str], Sequence[Row]]
"""Runs a statement and returns its rows by name."""

_S = SessionState
FITS: dict[SessionState, frozenset[Due]] = {
    _S.NEW: frozenset({Due.CALL_LOST}),
    _S.QUEUED: frozenset({Due.QUEUED_EXPIRY, Due.NONE}),
    _S.OFFERED: frozenset({Due.OFFER_OVER, Due.NONE}),
    _S.ASSIGNED: frozenset({Due.CALL_LOST, Due.AGENT_IDLE, Due.WARN, Due.CUSTOMER_IDLE, Due.NONE}),
    _S.WRAP_UP: frozenset({Due.WRAP_UP_OVER, Due.NONE}),
    _S.DISMISSED: frozenset({Due.DISMISSED_OVER, Due.NONE}),
}
"""What may happen by itself to a session in each state."""


def one_open_session_a_thread(ask: Ask) -> Iterator[str]:
    for row in ask("SELECT thread_id, count(*) AS n FROM session WHERE ended_at IS NULL GROUP BY thread_id"):
        if row["n"] != 1:
            yield f"thread {row['thread_id']} has {row['n']} open sessions"


def a_living_queue(ask: Ask) -> Iterator[str]:
    yield from (
        f"{row['public_id']} is open, and its queue is gone"
        for row in ask(
            """SELECT s.public_id FROM session s LEFT JOIN text_queue q ON q.id = s.queue_id AND q.removed_at IS NULL
            WHERE s.ended_at IS NULL AND q.id IS NULL"""
        )
    )


def one_main_queue(ask: Ask) -> Iterator[str]:
    (row,) = ask("SELECT count(*) AS n FROM text_queue WHERE main AND removed_at IS NULL")
    if row["n"] != 1:
        yield f"{row['n']} main queues"


def who_has_it_fits_its_state(ask: Ask) -> Iterator[str]:
    for row in ask("SELECT * FROM session WHERE ended_at IS NULL"):
        state, agent, offered = _S(row["state"]), row["agent_id"], row["offered_to"]
        if (state is _S.OFFERED) is not (offered is not None):
            yield f"{row['public_id']} is {state}, offered to {offered}"
        if state in (_S.ASSIGNED, _S.WRAP_UP) and agent is None:
            yield f"{row['public_id']} is {state} without an agent"
        if state in (_S.NEW, _S.QUEUED, _S.OFFERED) and agent is not None:
            yield f"{row['public_id']} is {state}, and has agent {agent}"
        if (row["queued_at"] is not None) is not (state in (_S.QUEUED, _S.OFFERED)):
            yield f"{row['public_id']} is {state}, queued at {row['queued_at']}"


def ends_are_written(ask: Ask) -> Iterator[str]:
    for row in ask("SELECT * FROM session"):
        if (_S(row["state"]) in OVER) is not (row["ended_at"] is not None):
            yield f"{row['public_id']} is {row['state']}, ended at {row['ended_at']}"
        if row["ended_at"] is not None and (row["due"] or row["due_at"] is not None or row["offered_to"] is not None):
            yield f"{row['public_id']} is over, and waits for {row['due']}"


def deadlines_fit(ask: Ask) -> Iterator[str]:
    for row in ask("SELECT * FROM session WHERE ended_at IS NULL"):
        due = Due(row["due"])
        if (due is Due.NONE) is not (row["due_at"] is None):
            yield f"{row['public_id']} waits for {due or 'nothing'} at {row['due_at']}"
        if due not in FITS[_S(row["state"])]:
            yield f"{row['public_id']} is {row['state']}, and waits for {due or 'nothing'}"
        in_call = row["call_id"] is not None and row["released_at"] is None
        if row["state"] in (_S.NEW, _S.ASSIGNED) and in_call and due is not Due.CALL_LOST:
            yield f"{row['public_id']} is in a call, and waits for {due or 'nothing'}"


def no_call_outlives_itself(ask: Ask) -> Iterator[str]:
    yield from (
        f"{row['public_id']} is {row['state']}, and does not know that its call is over"
        for row in ask(
            """SELECT s.public_id, s.state FROM session s JOIN call c ON c.id = s.call_id
            WHERE s.ended_at IS NULL AND s.released_at IS NULL AND c.ended_at IS NOT NULL"""
        )
    )


def requests_are_of_who_has_it(ask: Ask) -> Iterator[str]:
    for row in ask(
        """SELECT s.public_id, s.state, s.agent_id, t.by_agent, t.to_agent, t.to_queue FROM transfer t
        JOIN session s ON s.id = t.session_id WHERE t.state = 'requested'"""
    ):
        if row["state"] != _S.ASSIGNED or row["agent_id"] != row["by_agent"]:
            yield f"{row['public_id']} is {row['state']} with {row['agent_id']}, asked for by {row['by_agent']}"
        if (row["to_agent"] is None) is (row["to_queue"] is None):
            yield f"{row['public_id']} is asked of nobody, or of two"
    for row in ask("SELECT session_id, count(*) AS n FROM transfer WHERE state = 'requested' GROUP BY session_id"):
        if row["n"] != 1:
            yield f"session {row['session_id']} has {row['n']} open requests"


def asking_alone_moves_nothing(ask: Ask) -> Iterator[str]:
    """It stays with who asks, whatever becomes of the request, until somebody takes it."""
    yield from (
        f"session {row['session_id']} was {row['state']} after {row['why']}"
        for row in ask("SELECT session_id, state, why FROM session_event")
        if row["why"].startswith("transfer") and row["state"] != _S.ASSIGNED
    )


def only_allowed_moves(ask: Ask) -> Iterator[str]:
    """The story of each session, line by line."""
    before: dict[int, SessionState] = {}
    for row in ask("SELECT session_id, state, why FROM session_event ORDER BY session_id, id"):
        session, state = row["session_id"], _S(row["state"])
        old = before.get(session)
        if old is not None and state is not old and state not in MOVES[old]:
            yield f"session {session} went from {old} to {state}: {row['why']}"
        if old in OVER:
            yield f"session {session} was over, and has a line more: {row['why']}"
        before[session] = state
    for row in ask("SELECT id, state FROM session"):
        if before.get(row["id"]) is not _S(row["state"]):
            yield f"session {row['id']} is {row['state']}, and its story says {before.get(row['id'])}"


def every_text_went_somewhere(ask: Ask) -> Iterator[str]:
    """What a customer wrote, but for commands, stands in the story of a session of its thread."""
    yield from (
        f"{row['public_id']} is in no session"
        for row in ask(
            """SELECT i.public_id FROM incoming i WHERE i.command = '' AND NOT EXISTS
            (SELECT 1 FROM session_event e JOIN session s ON s.id = e.session_id
             WHERE s.thread_id = i.thread_id AND e.detail = i.public_id)"""
        )
    )


def nobody_has_it_who_may_not(ask: Ask) -> Iterator[str]:
    yield from (
        f"{row['public_id']} is with somebody who works here no more"
        for row in ask(
            """SELECT s.public_id FROM session s JOIN account a ON a.id IN (s.agent_id, s.offered_to)
            WHERE s.ended_at IS NULL AND s.state <> 'dismissed' AND a.disabled_at IS NOT NULL"""
        )
    )


RULES = (
    one_open_session_a_thread,
    a_living_queue,
    one_main_queue,
    who_has_it_fits_its_state,
    ends_are_written,
    deadlines_fit,
    no_call_outlives_itself,
    requests_are_of_who_has_it,
    asking_alone_moves_nothing,
    only_allowed_moves,
    every_text_went_somewhere,
    nobody_has_it_who_may_not,
)


def broken(ask: Ask) -> list[str]:
    """Everything that does not hold."""
    return [f"{rule.__name__}: {what}" for rule in RULES for what in rule(ask)]
