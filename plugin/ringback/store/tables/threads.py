"""Pairs of numbers, their threads, and what handsets wrote."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, text

from ringback.store.tables.columns import count, flag, identifier, maybe_moment, metadata, moment, ref, words

# Our numbers. `owner` and `fallback` are the public ids of a user or a department; whoever owns it sees what it gets.
number = Table(
    "number",
    metadata,
    identifier(),
    Column("e164", Text, nullable=False, unique=True),
    words("label", ""),
    Column("group_id", BigInteger, ForeignKey("number_group.id")),
    words("owner", ""),
    words("fallback", ""),
    flag("outbound"),
)

WAITS = text("waits_since_at IS NOT NULL")

# `wrote_at`: their last text; `waits_since_at`: their first text that nobody answered yet.
thread = Table(
    "thread",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    ref("number_id", "number"),
    words("peer"),
    moment("created_at"),
    moment("changed_at"),
    count("unread"),
    maybe_moment("wrote_at"),
    maybe_moment("waits_since_at"),
    UniqueConstraint("number_id", "peer"),
    Index("ix_thread_peer", "peer"),
    Index("ix_thread_changed_at_id", "changed_at", "id"),
    Index("ix_thread_waiting", "changed_at", "id", sqlite_where=WAITS, postgresql_where=WAITS),
    Index("ix_thread_number_id_changed_at_id", "number_id", "changed_at", "id"),
    Index("ix_thread_number_waiting", "number_id", "changed_at", "id", sqlite_where=WAITS, postgresql_where=WAITS),
)

# `consents` folds the ledger: what holds, for which class and scope, until when. `told_at`: when they were last told
# what they get and how to stop it.
pair_facts = Table(
    "pair_facts",
    metadata,
    Column("thread_id", BigInteger, ForeignKey("thread.id"), primary_key=True, autoincrement=False),
    maybe_moment("opted_out_at"),
    words("consents", ""),
    maybe_moment("told_at"),
)

opt_out_event = Table(
    "opt_out_event",
    metadata,
    identifier(),
    ref("thread_id", "thread"),
    moment("at"),
    words("kind"),
    words("method"),
    words("evidence", ""),
    Index("ix_opt_out_event_thread_id", "thread_id"),
)

_UNDONE = text("state = 'stored'")

_WITHOUT_ID = text("provider_id IS NULL")

_READ = text("incoming_id IS NOT NULL")

# What carriers brought, before anybody read it: the journal that dedupes.
inbound_raw = Table(
    "inbound_raw",
    metadata,
    identifier(),
    words("carrier"),
    Column("provider_id", Text),
    words("fingerprint"),
    moment("received_at"),
    Column("body", LargeBinary, nullable=False),
    words("state"),
    words("why", ""),
    Column("incoming_id", BigInteger, ForeignKey("incoming.id")),
    UniqueConstraint("carrier", "provider_id"),
    Index(
        "ix_inbound_raw_without_id",
        "carrier",
        "fingerprint",
        "received_at",
        sqlite_where=_WITHOUT_ID,
        postgresql_where=_WITHOUT_ID,
    ),
    Index("ix_inbound_raw_incoming_id", "incoming_id", sqlite_where=_READ, postgresql_where=_READ),
    Index("ix_inbound_raw_received_at", "received_at"),
    Index("ix_inbound_raw_undone", "received_at", sqlite_where=_UNDONE, postgresql_where=_UNDONE),
)

_IN_PIECES = text("state = 'waiting'")

_UNREAD = text("read_at IS NULL")

# A text from a handset, whole or as much of it as came. `at` is its place in the thread.
incoming = Table(
    "incoming",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    ref("thread_id", "thread"),
    words("carrier"),
    moment("at"),
    moment("received_at"),
    moment("carrier_at"),
    words("body"),
    words("state"),
    words("command", ""),
    Column("repeats_id", BigInteger, ForeignKey("incoming.id")),
    words("piece_ref", ""),
    count("pieces", "1"),
    count("media"),
    maybe_moment("read_at"),
    Index("ix_incoming_thread_id_at_id", "thread_id", "at", "id"),
    Index("ix_incoming_in_pieces", "received_at", sqlite_where=_IN_PIECES, postgresql_where=_IN_PIECES),
    Index("ix_incoming_unread", "thread_id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
)

incoming_piece = Table(
    "incoming_piece",
    metadata,
    Column("incoming_id", BigInteger, ForeignKey("incoming.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    words("body"),
)

media = Table(
    "media",
    metadata,
    identifier(),
    ref("incoming_id", "incoming"),
    count("seq"),
    words("url"),
    words("content_type"),
    words("state"),
    UniqueConstraint("incoming_id", "seq"),
)
