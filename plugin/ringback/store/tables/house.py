"""What the house keeps beside texts and calls: people, tasks, settings, counters."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from ringback.store.tables.columns import count, identifier, maybe_moment, metadata, moment, ref, words

OPEN_TASK = text("done_at IS NULL")

DUE_TASK = text("done_at IS NULL AND due_at IS NOT NULL")

DONE_TASK = text("done_at IS NOT NULL")

task = Table(
    "task",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("key", Text, nullable=False, unique=True),
    words("kind"),
    moment("at"),
    Column("call_id", BigInteger, ForeignKey("call.id")),
    Column("message_id", BigInteger, ForeignKey("message.id")),
    words("detail", ""),
    Column("thread_id", BigInteger, ForeignKey("thread.id")),
    Column("incoming_id", BigInteger, ForeignKey("incoming.id")),
    maybe_moment("due_at"),
    maybe_moment("done_at"),
    words("done_by", ""),
    Index("ix_task_open", "at", sqlite_where=OPEN_TASK, postgresql_where=OPEN_TASK),
    Index("ix_task_due", "due_at", "id", sqlite_where=DUE_TASK, postgresql_where=DUE_TASK),
    Index("ix_task_done", "done_at", "id", sqlite_where=DONE_TASK, postgresql_where=DONE_TASK),
)

setting = Table(
    "setting",
    metadata,
    Column("key", Text, primary_key=True),
    words("value"),
    moment("changed_at"),
    words("changed_by"),
)

meter = Table(
    "meter",
    metadata,
    Column("key", Text, primary_key=True),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    count("n"),
)

account = Table(
    "account",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("login", Text, nullable=False, unique=True),
    words("name"),
    words("role"),
    words("password"),
    words("language", ""),
    moment("created_at"),
    moment("changed_at"),
    maybe_moment("disabled_at"),
)

# Who is logged in. Only hashes of the two tokens are kept.
login = Table(
    "login",
    metadata,
    identifier(),
    Column("token_hash", Text, nullable=False, unique=True),
    ref("account_id", "account"),
    moment("created_at"),
    moment("seen_at"),
    moment("expires_at"),
    maybe_moment("ended_at"),
    words("address", ""),
    words("browser", ""),
    Index("ix_login_account_id", "account_id"),
    Index("ix_login_expires_at", "expires_at"),
)

# A program that may ask us. Only the hash of its key is kept; `scopes` are words with spaces between them.
api_key = Table(
    "api_key",
    metadata,
    identifier(),
    Column("public_id", Text, nullable=False, unique=True),
    Column("token_hash", Text, nullable=False, unique=True),
    words("name"),
    words("scopes"),
    words("created_by"),
    moment("created_at"),
    maybe_moment("expires_at"),
    maybe_moment("revoked_at"),
    maybe_moment("seen_at"),
)

# `chain` is the hash of this row and of the chain before it.
audit = Table(
    "audit",
    metadata,
    identifier(),
    moment("at"),
    words("who"),
    words("action"),
    words("about"),
    words("detail", ""),
    words("chain", ""),
    Index("ix_audit_about", "about"),
)

# What was asked with a key of the asker's own, so that asking twice does it once.
idempotency = Table(
    "idempotency",
    metadata,
    Column("principal", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    words("asked"),
    words("answer"),
    moment("at"),
    Index("ix_idempotency_at", "at"),
)
