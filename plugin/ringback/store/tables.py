"""The schema, described once: migrations, page reads and the tests of the hot statements go by it.

Times are integer microseconds since 1970 UTC and end in `_at`. `id` joins, `public_id` is what people and programs see.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up only a column that is declared INTEGER, whose values are 64 bits wide all the same.
_Big = BigInteger().with_variant(Integer(), "sqlite")


def _id() -> Column[int]:
    return Column("id", _Big, primary_key=True)


def _words(name: str, default: str | None = None) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _moment(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False)


def _maybe_moment(name: str) -> Column[int]:
    return Column(name, BigInteger)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False, server_default=text("false"))


def _count(name: str, default: str = "0") -> Column[int]:
    return Column(name, Integer, nullable=False, server_default=default)


def _ref(name: str, target: str, nullable: str = "never") -> Column[int]:
    return Column(name, BigInteger, ForeignKey(f"{target}.id"), nullable=nullable == "maybe")


number = Table("number", metadata, _id(), Column("e164", Text, nullable=False, unique=True))

WAITS = text("waits_since_at IS NOT NULL")
# `wrote_at`: their last text; `waits_since_at`: their first text that nobody answered yet.
thread = Table(
    "thread",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _ref("number_id", "number"),
    _words("peer"),
    _moment("created_at"),
    _moment("changed_at"),
    _count("unread"),
    _maybe_moment("wrote_at"),
    _maybe_moment("waits_since_at"),
    UniqueConstraint("number_id", "peer"),
    Index("ix_thread_peer", "peer"),
    Index("ix_thread_changed_at_id", "changed_at", "id"),
    Index("ix_thread_waiting", "changed_at", "id", sqlite_where=WAITS, postgresql_where=WAITS),
)

pair_facts = Table(
    "pair_facts",
    metadata,
    Column("thread_id", BigInteger, ForeignKey("thread.id"), primary_key=True, autoincrement=False),
    _maybe_moment("opted_out_at"),
)

opt_out_event = Table(
    "opt_out_event",
    metadata,
    _id(),
    _ref("thread_id", "thread"),
    _moment("at"),
    _words("kind"),
    _words("method"),
    _words("evidence", ""),
    Index("ix_opt_out_event_thread_id", "thread_id"),
)

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
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _words("pbx"),
    _words("uniqueid"),
    _words("linkedid"),
    _words("direction"),
    _words("caller"),
    _words("did"),
    Column("peer", Text),
    _words("presentation"),
    _words("verstat", ""),
    _flag("vetoed"),
    _words("language", ""),
    Column("queue", Text),
    _words("extensions", ""),
    _moment("started_at"),
    _maybe_moment("answered_at"),
    _maybe_moment("ended_at"),
    Column("rang_us", BigInteger),
    Column("waited_us", BigInteger),
    Column("outcome", Text),
    _flag("transfer_unanswered"),
    Column("decision", Text),
    Column("reason", Text),
    Column("rule", Text),
    Column("rule_version", Text),
    _maybe_moment("due_at"),
    _maybe_moment("until_at"),
    _words("tried", ""),
    UniqueConstraint("pbx", "uniqueid"),
    Index("ix_call_linkedid", "linkedid"),
    Index("ix_call_peer_started_at", "peer", "started_at"),
    Index("ix_call_started_at_id", "started_at", "id"),
    Index("ix_call_unanswered", "started_at", "id", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    Index("ix_call_with_text", "started_at", "id", sqlite_where=WITH_TEXT, postgresql_where=WITH_TEXT),
    Index("ix_call_without_text", "started_at", "id", sqlite_where=WITHOUT_TEXT, postgresql_where=WITHOUT_TEXT),
    Index("ix_call_open", "pbx", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)

call_leg = Table(
    "call_leg",
    metadata,
    Column("call_id", BigInteger, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _words("phone"),
    _moment("at"),
    _maybe_moment("ended_at"),
    _words("rang"),
)

call_event = Table(
    "call_event",
    metadata,
    Column("call_id", BigInteger, ForeignKey("call.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _moment("at"),
    _words("kind"),
    _words("detail", ""),
)

_PENDING = text("state = 'pending'")
pending_text = Table(
    "pending_text",
    metadata,
    _id(),
    _ref("call_id", "call"),
    _words("rule"),
    _words("group_"),
    _words("did"),
    _words("peer"),
    _words("language"),
    _words("body"),
    Column("cool_down_us", BigInteger, nullable=False),
    _moment("due_at"),
    _moment("expires_at"),
    _words("state"),
    Column("cause", Text),
    _words("windows", ""),
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
    _moment("until_at"),
    Index("ix_cool_down_until_at", "until_at"),
)

pbx_gap = Table(
    "pbx_gap",
    metadata,
    _id(),
    _words("pbx"),
    _moment("from_at"),
    _maybe_moment("to_at"),
    _count("calls"),
    Index("ix_pbx_gap_pbx_from_at", "pbx", "from_at"),
)

_WAITING = text("state IN ('queued', 'held')")
_FLYING = text("state IN ('queued', 'held', 'submitting')")
_DOUBTFUL = text("state IN ('held', 'unconfirmed', 'unresolved')")
_AWAITED = text("state IN ('accepted', 'sent', 'unconfirmed')")
message = Table(
    "message",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _ref("thread_id", "thread"),
    _words("carrier"),
    _words("class_"),
    _words("basis"),
    _words("language"),
    _words("pbx", ""),
    _words("cause"),
    _flag("automatic"),
    _words("body"),
    _count("segments", "1"),
    _words("state"),
    Column("reason", Text),
    _moment("not_before"),
    _moment("created_at"),
    _moment("state_at"),
    _moment("expires_at"),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    Column("rule", Text),
    _count("step"),
    _count("tries"),
    Column("account_id", BigInteger, ForeignKey("account.id")),
    Column("answers_id", BigInteger, ForeignKey("incoming.id")),
    _words("command", ""),
    _words("windows", ""),
    UniqueConstraint("call_id", "rule", "step"),
    UniqueConstraint("answers_id"),
    Index("ix_message_thread_id_created_at_id", "thread_id", "created_at", "id"),
    Index("ix_message_doubtful", "thread_id", sqlite_where=_DOUBTFUL, postgresql_where=_DOUBTFUL),
    Index("ix_message_waiting", "carrier", "not_before", "id", sqlite_where=_WAITING, postgresql_where=_WAITING),
    Index("ix_message_open", "thread_id", sqlite_where=_FLYING, postgresql_where=_FLYING),
    Index("ix_message_awaited", "state_at", sqlite_where=_AWAITED, postgresql_where=_AWAITED),
)

part = Table(
    "part",
    metadata,
    _id(),
    _ref("message_id", "message"),
    _count("seq"),
    _words("body"),
    _words("state"),
    Index("ix_part_message_id", "message_id"),
)

attempt = Table(
    "attempt",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _ref("part_id", "part"),
    _ref("message_id", "message"),
    _words("carrier"),
    _count("epoch"),
    _moment("opened_at"),
    _maybe_moment("closed_at"),
    Column("outcome", Text),
    Column("cause", Text),
    Column("provider_id", Text),
    Index("ix_attempt_message_id", "message_id"),
    Index("ix_attempt_carrier_provider_id", "carrier", "provider_id"),
    Index("ix_attempt_open", "carrier", sqlite_where=text("outcome IS NULL"), postgresql_where=text("outcome IS NULL")),
)

receipt = Table(
    "receipt",
    metadata,
    _id(),
    _ref("attempt_id", "attempt"),
    _words("carrier"),
    _words("provider_id"),
    _words("status"),
    _moment("carrier_at"),
    _moment("received_at"),
    _words("error", ""),
    UniqueConstraint("carrier", "provider_id", "status", "carrier_at"),
    Index("ix_receipt_attempt_id", "attempt_id"),
)

receipt_parked = Table(
    "receipt_parked",
    metadata,
    _id(),
    _words("carrier"),
    _words("provider_id"),
    _words("status"),
    _moment("carrier_at"),
    _moment("received_at"),
    _words("error", ""),
    UniqueConstraint("carrier", "provider_id", "status", "carrier_at"),
    Index("ix_receipt_parked_received_at", "received_at"),
)

message_event = Table(
    "message_event",
    metadata,
    _id(),
    _ref("message_id", "message"),
    _moment("at"),
    _words("state"),
    Column("reason", Text),
    _words("detail", ""),
    Index("ix_message_event_message_id", "message_id"),
)

OPEN_TASK = text("done_at IS NULL")
DUE_TASK = text("done_at IS NULL AND due_at IS NOT NULL")
DONE_TASK = text("done_at IS NOT NULL")
task = Table(
    "task",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("key", Text, nullable=False, unique=True),
    _words("kind"),
    _moment("at"),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    Column("message_id", BigInteger, ForeignKey("message.id")),
    _words("detail", ""),
    Column("thread_id", BigInteger, ForeignKey("thread.id")),
    Column("incoming_id", BigInteger, ForeignKey("incoming.id")),
    _maybe_moment("due_at"),
    _maybe_moment("done_at"),
    _words("done_by", ""),
    Index("ix_task_open", "at", sqlite_where=OPEN_TASK, postgresql_where=OPEN_TASK),
    Index("ix_task_due", "due_at", "id", sqlite_where=DUE_TASK, postgresql_where=DUE_TASK),
    Index("ix_task_done", "done_at", "id", sqlite_where=DONE_TASK, postgresql_where=DONE_TASK),
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    _words("value"),
    _moment("changed_at"),
    _words("changed_by"),
)

meter = Table(
    "meter",
    metadata,
    Column("key", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    _count("n"),
)

_UNDONE = text("state = 'stored'")
_WITHOUT_ID = text("provider_id IS NULL")
_READ = text("incoming_id IS NOT NULL")
# What carriers brought, before anybody read it: the journal that dedupes.
inbound_raw = Table(
    "inbound_raw",
    metadata,
    _id(),
    _words("carrier"),
    Column("provider_id", Text),
    _words("fingerprint"),
    _moment("received_at"),
    Column("body", LargeBinary, nullable=False),
    _words("state"),
    _words("why", ""),
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
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _ref("thread_id", "thread"),
    _words("carrier"),
    _moment("at"),
    _moment("received_at"),
    _moment("carrier_at"),
    _words("body"),
    _words("state"),
    _words("command", ""),
    Column("repeats_id", BigInteger, ForeignKey("incoming.id")),
    _words("piece_ref", ""),
    _count("pieces", "1"),
    _count("media"),
    _maybe_moment("read_at"),
    Index("ix_incoming_thread_id_at_id", "thread_id", "at", "id"),
    Index("ix_incoming_in_pieces", "received_at", sqlite_where=_IN_PIECES, postgresql_where=_IN_PIECES),
    Index("ix_incoming_unread", "thread_id", sqlite_where=_UNREAD, postgresql_where=_UNREAD),
)

incoming_piece = Table(
    "incoming_piece",
    metadata,
    Column("incoming_id", BigInteger, ForeignKey("incoming.id"), primary_key=True, autoincrement=False),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    _words("body"),
)

media = Table(
    "media",
    metadata,
    _id(),
    _ref("incoming_id", "incoming"),
    _count("seq"),
    _words("url"),
    _words("content_type"),
    _words("state"),
    UniqueConstraint("incoming_id", "seq"),
)

account = Table(
    "account",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("login", Text, nullable=False, unique=True),
    _words("name"),
    _words("role"),
    _words("password"),
    _words("language", ""),
    _moment("created_at"),
    _moment("changed_at"),
    _maybe_moment("disabled_at"),
)

# Who is logged in. Only hashes of the two tokens are kept.
login = Table(
    "login",
    metadata,
    _id(),
    Column("token_hash", Text, nullable=False, unique=True),
    _ref("account_id", "account"),
    _moment("created_at"),
    _moment("seen_at"),
    _moment("expires_at"),
    _maybe_moment("ended_at"),
    _words("address", ""),
    _words("browser", ""),
    Index("ix_login_account_id", "account_id"),
    Index("ix_login_expires_at", "expires_at"),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    _moment("at"),
    _words("who"),
    _words("action"),
    _words("about"),
    _words("detail", ""),
    Index("ix_audit_about", "about"),
)

# What was asked with a key of the asker's own, so that asking twice does it once.
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    _words("asked"),
    _words("answer"),
    _moment("at"),
    Index("ix_idempotency_at", "at"),
)
