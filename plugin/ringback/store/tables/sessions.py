"""Sessions, text queues and agents, what callers were offered and what they said yes to."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, UniqueConstraint, text

from ringback.store.tables.columns import count, flag, identifier, maybe_moment, metadata, moment, ref, words

OPEN_SESSION = text("ended_at IS NULL")

QUEUED_SESSION = text("state = 'queued'")

_HAS_AGENT = text("agent_id IS NOT NULL AND ended_at IS NULL")

_OFFERED = text("offered_to IS NOT NULL AND ended_at IS NULL")

_DUE = text("due_at IS NOT NULL")

_OF_CALL = text("call_id IS NOT NULL")

_WITH_CALL = text("call_id IS NOT NULL AND ended_at IS NULL")

_PROMISED = text("first_text_id IS NOT NULL")

_ASKED = text("state = 'requested'")

# `plan` is a Plan of the core as JSON; `main` is the queue of what no other is for. `removed_at`: no longer there,
# kept for the stories of old sessions.
text_queue = Table(
    "text_queue",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    words("name"),
    flag("main"),
    words("plan"),
    moment("created_at"),
    moment("changed_at"),
    maybe_moment("removed_at"),
    Index(
        "ix_text_queue_name",
        "name",
        unique=True,
        sqlite_where=text("removed_at IS NULL"),
        postgresql_where=text("removed_at IS NULL"),
    ),
)

queue_voice = Table(
    "queue_voice",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    ref("queue_id", "text_queue"),
    Index("ix_queue_voice_queue_id", "queue_id"),
)

queue_number = Table(
    "queue_number",
    metadata,
    Column("number_id", BigInteger, ForeignKey("number.id"), primary_key=True, autoincrement=False),
    ref("queue_id", "text_queue"),
    Index("ix_queue_number_queue_id", "queue_id"),
)

queue_member = Table(
    "queue_member",
    metadata,
    Column("queue_id", BigInteger, ForeignKey("text_queue.id"), primary_key=True, autoincrement=False),
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    count("seq"),
    moment("since_at"),
    Index("ix_queue_member_account_id", "account_id"),
)

# `desk` is what they said at the panel; `turn_at` when a session was last given or offered to them.
agent = Table(
    "agent",
    metadata,
    Column("account_id", BigInteger, ForeignKey("account.id"), primary_key=True, autoincrement=False),
    count("capacity", "3"),
    count("voice_weight", "1"),
    flag("follows_phone"),
    words("desk", "ready"),
    maybe_moment("desk_since_at"),
    maybe_moment("turn_at"),
)

MAIN_QUEUE = """INSERT INTO text_queue (public_id, name, main, plan, created_at, changed_at)
VALUES ('que_00000000000000000000000000', 'main', true, '{}', 0, 0)"""
"""There from the beginning, and the same everywhere."""

# `did` and `peer` are those of its thread. `first_text_id` is the text a caller was promised.
session = Table(
    "session",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    ref("thread_id", "thread"),
    words("did"),
    words("peer"),
    words("state"),
    ref("queue_id", "text_queue"),
    words("start"),
    words("origin", ""),
    Column("agent_id", BigInteger, ForeignKey("account.id")),
    Column("offered_to", BigInteger, ForeignKey("account.id")),
    words("waiting_on", ""),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    maybe_moment("released_at"),
    moment("opened_at"),
    moment("changed_at"),
    maybe_moment("queued_at"),
    maybe_moment("assigned_at"),
    maybe_moment("replied_at"),
    maybe_moment("ended_at"),
    maybe_moment("wait_told_at"),
    words("due", ""),
    maybe_moment("due_at"),
    words("language", ""),
    words("ivr_path", ""),
    words("caller_name", ""),
    Column("first_text_id", BigInteger, ForeignKey("message.id")),
    Index("ix_session_open_thread", "thread_id", unique=True, sqlite_where=OPEN_SESSION, postgresql_where=OPEN_SESSION),
    Index("ix_session_thread_id_id", "thread_id", "id"),
    Index("ix_session_due", "due_at", sqlite_where=_DUE, postgresql_where=_DUE),
    Index(
        "ix_session_queued", "queue_id", "queued_at", "id", sqlite_where=QUEUED_SESSION, postgresql_where=QUEUED_SESSION
    ),
    Index("ix_session_agent", "agent_id", sqlite_where=_HAS_AGENT, postgresql_where=_HAS_AGENT),
    Index("ix_session_offered_to", "offered_to", sqlite_where=_OFFERED, postgresql_where=_OFFERED),
    Index("ix_session_with_call", "call_id", sqlite_where=_WITH_CALL, postgresql_where=_WITH_CALL),
    Index("ix_session_call_id", "call_id", sqlite_where=_OF_CALL, postgresql_where=_OF_CALL),
    Index("ix_session_first_text_id", "first_text_id", sqlite_where=_PROMISED, postgresql_where=_PROMISED),
    Index("ix_session_peer_id", "peer", "id"),
    Index("ix_session_agent_id_assigned_at", "agent_id", "assigned_at"),
    Index("ix_session_ended_at_queue_id", "ended_at", "queue_id"),
)

session_event = Table(
    "session_event",
    metadata,
    identifier(),
    ref("session_id", "session"),
    moment("at"),
    words("why"),
    words("state"),
    words("by_", ""),
    Column("agent_id", BigInteger, ForeignKey("account.id")),
    Column("queue_id", BigInteger, ForeignKey("text_queue.id")),
    words("detail", ""),
    Index("ix_session_event_session_id_id", "session_id", "id"),
)

transfer = Table(
    "transfer",
    metadata,
    identifier(),
    ref("session_id", "session"),
    ref("by_agent", "account"),
    Column("to_agent", BigInteger, ForeignKey("account.id")),
    Column("to_queue", BigInteger, ForeignKey("text_queue.id")),
    words("note", ""),
    words("state"),
    moment("asked_at"),
    moment("due_at"),
    maybe_moment("closed_at"),
    words("why", ""),
    Index("ix_transfer_session_id", "session_id"),
    Index("ix_transfer_to_agent", "to_agent", sqlite_where=_ASKED, postgresql_where=_ASKED),
    Index("ix_transfer_to_queue", "to_queue", sqlite_where=_ASKED, postgresql_where=_ASKED),
    Index("ix_transfer_due_at", "due_at", sqlite_where=_ASKED, postgresql_where=_ASKED),
)

# What a call was offered, or why not. Waits are in microseconds; `expected_us` is null where nobody could say.
call_offer = Table(
    "call_offer",
    metadata,
    identifier(),
    words("pbx"),
    words("uniqueid"),
    words("kind"),
    words("did"),
    words("peer"),
    words("queue"),
    count("waiting"),
    count("agents"),
    Column("expected_us", BigInteger),
    Column("position", BigInteger),
    words("reason"),
    words("prompt", ""),
    moment("at"),
    words("answer", ""),
    maybe_moment("answered_at"),
    words("text", ""),
    words("session", ""),
    Column("waited_us", BigInteger),
    UniqueConstraint("pbx", "uniqueid", "kind"),
    Index("ix_call_offer_peer", "peer"),
    Index("ix_call_offer_at", "at"),
)

# What Ringback learned of a voice queue's waits, as JSON of the core's model.
voice_queue = Table(
    "voice_queue",
    metadata,
    Column("pbx", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    words("model"),
    moment("changed_at"),
)

consent_event = Table(
    "consent_event",
    metadata,
    identifier(),
    ref("thread_id", "thread"),
    moment("at"),
    words("kind"),
    words("class_"),
    words("scope"),
    words("method"),
    words("prompt", ""),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    words("evidence", ""),
    words("by_", ""),
    maybe_moment("until_at"),
    Index("ix_consent_event_thread_id_id", "thread_id", "id"),
    Index("ix_consent_event_call_id", "call_id", sqlite_where=_OF_CALL, postgresql_where=_OF_CALL),
)

# Numbers that texts were found not to reach, while that is believed.
not_textable = Table(
    "not_textable",
    metadata,
    Column("peer", Text, primary_key=True),
    words("reason"),
    moment("since_at"),
    moment("until_at"),
    count("times", "1"),
    Index("ix_not_textable_until_at", "until_at"),
)
