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

thread = Table(
    "thread",
    metadata,
    _id(),
    Column("public_id", Text, nullable=False, unique=True),
    _ref("number_id", "number"),
    _words("peer"),
    _moment("created_at"),
    _moment("changed_at"),
    UniqueConstraint("number_id", "peer"),
    Index("ix_thread_peer", "peer"),
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
    UniqueConstraint("call_id", "rule", "step"),
    Index("ix_message_thread_id_id", "thread_id", "id"),
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
    _maybe_moment("done_at"),
    Index("ix_task_open", "at", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
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
