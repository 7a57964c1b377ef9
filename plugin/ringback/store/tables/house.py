"""What the house keeps beside texts and calls: tasks, settings, counters, the record of who did what."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, text

from ringback.store.tables.columns import count, identifier, maybe_moment, metadata, moment, words

OPEN_TASK = text("done_at IS NULL")

DUE_TASK = text("done_at IS NULL AND due_at IS NOT NULL")

UNDATED_TASK = text("done_at IS NULL AND due_at IS NULL")

DONE_TASK = text("done_at IS NOT NULL")

# `did` is the number of ours that it is about, empty for none: who may not see the number does not see the task.
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
    words("did", ""),
    Index("ix_task_open", "at", sqlite_where=OPEN_TASK, postgresql_where=OPEN_TASK),
    Index("ix_task_due", "due_at", "id", sqlite_where=DUE_TASK, postgresql_where=DUE_TASK),
    Index("ix_task_done", "done_at", "id", sqlite_where=DONE_TASK, postgresql_where=DONE_TASK),
    Index("ix_task_did_due", "did", "due_at", "id", sqlite_where=DUE_TASK, postgresql_where=DUE_TASK),
    Index("ix_task_did_undated", "did", "at", "id", sqlite_where=UNDATED_TASK, postgresql_where=UNDATED_TASK),
    Index("ix_task_did_done", "did", "done_at", "id", sqlite_where=DONE_TASK, postgresql_where=DONE_TASK),
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

# `chain` seals this row and the chain before it. `before` and `after` are what was changed, `source` where the asker
# is, `request` the id of the request. Triggers keep rows as they are.
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
    words("source", ""),
    words("request", ""),
    words("before", ""),
    words("after", ""),
    Index("ix_audit_about", "about"),
    Index("ix_audit_who_id", "who", "id"),
    Index("ix_audit_action_id", "action", "id"),
    Index("ix_audit_at_id", "at", "id"),
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
