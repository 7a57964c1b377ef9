"""Calls, the texts they ask for, and when nobody listened to a PBX."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from ringback.store.tables.columns import count, flag, identifier, maybe_moment, metadata, moment, ref, words

# Calls from outside that ended without a person, also those that ended out of sight; of these, where a text was asked
# for and not refused, and where none was. The pages read these words again, so that they meet the same index.
UNANSWERED = text(
    "direction = 'inbound' AND ended_at IS NOT NULL"
    " AND coalesce(outcome, '') NOT IN ('deflected', 'answered', 'answered_elsewhere', 'failed')"
)

WITH_TEXT = text("decision IN ('send', 'defer')")

WITHOUT_TEXT = text(f"{UNANSWERED.text} AND decision IN ('suppress', 'none')")

call = Table(
    "call",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    words("pbx"),
    words("uniqueid"),
    words("linkedid"),
    words("direction"),
    words("caller"),
    words("did"),
    Column("peer", Text),
    words("presentation"),
    words("verstat", ""),
    flag("vetoed"),
    words("language", ""),
    Column("queue", Text),
    words("extensions", ""),
    moment("started_at"),
    maybe_moment("answered_at"),
    maybe_moment("ended_at"),
    Column("rang_us", BigInteger),
    Column("waited_us", BigInteger),
    Column("outcome", Text),
    flag("transfer_unanswered"),
    Column("decision", Text),
    Column("reason", Text),
    Column("rule", Text),
    Column("rule_version", Text),
    maybe_moment("due_at"),
    maybe_moment("until_at"),
    words("tried", ""),
    words("answered_by", ""),
    UniqueConstraint("pbx", "uniqueid"),
    Index("ix_call_linkedid", "linkedid"),
    Index("ix_call_peer_started_at", "peer", "started_at"),
    Index("ix_call_started_at_id", "started_at", "id"),
    Index("ix_call_did_started_at_id", "did", "started_at", "id"),
    Index("ix_call_unanswered", "started_at", "id", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    Index("ix_call_with_text", "started_at", "id", sqlite_where=WITH_TEXT, postgresql_where=WITH_TEXT),
    Index("ix_call_without_text", "started_at", "id", sqlite_where=WITHOUT_TEXT, postgresql_where=WITHOUT_TEXT),
    Index("ix_call_did_unanswered", "did", "started_at", "id", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    Index("ix_call_did_with_text", "did", "started_at", "id", sqlite_where=WITH_TEXT, postgresql_where=WITH_TEXT),
    Index(
        "ix_call_did_without_text",
        "did",
        "started_at",
        "id",
        sqlite_where=WITHOUT_TEXT,
        postgresql_where=WITHOUT_TEXT,
    ),
    Index("ix_call_open", "pbx", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)

call_leg = Table(
    "call_leg",
    metadata,
    Column("call_id", BigInteger, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    words("phone"),
    moment("at"),
    maybe_moment("ended_at"),
    words("rang"),
)

call_event = Table(
    "call_event",
    metadata,
    Column("call_id", BigInteger, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    moment("at"),
    words("kind"),
    words("detail", ""),
)

_PENDING = text("state = 'pending'")

pending_text = Table(
    "pending_text",
    metadata,
    identifier(),
    ref("call_id", "call"),
    words("rule"),
    words("group_"),
    words("did"),
    words("peer"),
    words("language"),
    words("body"),
    Column("cool_down_us", BigInteger, nullable=False),
    moment("due_at"),
    moment("expires_at"),
    words("state"),
    Column("cause", Text),
    words("windows", ""),
    UniqueConstraint("call_id", "rule"),
    Index("ix_pending_text_due_at", "due_at", sqlite_where=_PENDING, postgresql_where=_PENDING),
    Index("ix_pending_text_peer", "peer", sqlite_where=_PENDING, postgresql_where=_PENDING),
)

cool_down = Table(
    "cool_down",
    metadata,
    Column("peer", Text, primary_key=True),
    Column("group_", Text, primary_key=True),
    Column("number_id", BigInteger, ForeignKey("number.id"), primary_key=True, autoincrement=False),
    moment("until_at"),
    Index("ix_cool_down_until_at", "until_at"),
)

pbx_gap = Table(
    "pbx_gap",
    metadata,
    identifier(),
    words("pbx"),
    moment("from_at"),
    maybe_moment("to_at"),
    count("calls"),
    count("recovered"),
    words("recovered_from", ""),
    Index("ix_pbx_gap_pbx_from_at", "pbx", "from_at"),
)
