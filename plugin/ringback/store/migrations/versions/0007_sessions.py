"""Sessions with agents: text queues beside Asterisk's, agents, offers to callers, and the ledger of what people said."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPEN = sa.text("ended_at IS NULL")
QUEUED = sa.text("state = 'queued'")
HAS_AGENT = sa.text("agent_id IS NOT NULL AND ended_at IS NULL")
OFFERED = sa.text("offered_to IS NOT NULL AND ended_at IS NULL")
DUE = sa.text("due_at IS NOT NULL")
OF_CALL = sa.text("call_id IS NOT NULL")
WITH_CALL = sa.text("call_id IS NOT NULL AND ended_at IS NULL")
PROMISED = sa.text("first_text_id IS NOT NULL")
ASKED = sa.text("state = 'requested'")
STILL_THERE = sa.text("removed_at IS NULL")

NEW_INDEXES = {
    "ix_text_queue_name": ("text_queue", ["name"], STILL_THERE),
    "ix_queue_voice_queue_id": ("queue_voice", ["queue_id"], None),
    "ix_queue_number_queue_id": ("queue_number", ["queue_id"], None),
    "ix_queue_member_account_id": ("queue_member", ["account_id"], None),
    "ix_session_open_thread": ("session", ["thread_id"], OPEN),
    "ix_session_thread_id_id": ("session", ["thread_id", "id"], None),
    "ix_session_due": ("session", ["due_at"], DUE),
    "ix_session_queued": ("session", ["queue_id", "queued_at", "id"], QUEUED),
    "ix_session_agent": ("session", ["agent_id"], HAS_AGENT),
    "ix_session_offered_to": ("session", ["offered_to"], OFFERED),
    "ix_session_with_call": ("session", ["call_id"], WITH_CALL),
    "ix_session_call_id": ("session", ["call_id"], OF_CALL),
    "ix_session_first_text_id": ("session", ["first_text_id"], PROMISED),
    "ix_session_peer_id": ("session", ["peer", "id"], None),
    "ix_session_agent_id_assigned_at": ("session", ["agent_id", "assigned_at"], None),
    "ix_session_ended_at_queue_id": ("session", ["ended_at", "queue_id"], None),
    "ix_session_event_session_id_id": ("session_event", ["session_id", "id"], None),
    "ix_transfer_session_id": ("transfer", ["session_id"], None),
    "ix_transfer_to_agent": ("transfer", ["to_agent"], ASKED),
    "ix_transfer_to_queue": ("transfer", ["to_queue"], ASKED),
    "ix_transfer_due_at": ("transfer", ["due_at"], ASKED),
    "ix_call_offer_peer": ("call_offer", ["peer"], None),
    "ix_call_offer_at": ("call_offer", ["at"], None),
    "ix_consent_event_thread_id_id": ("consent_event", ["thread_id", "id"], None),
    "ix_consent_event_call_id": ("consent_event", ["call_id"], OF_CALL),
    "ix_not_textable_until_at": ("not_textable", ["until_at"], None),
}
UNIQUE = frozenset({"ix_text_queue_name", "ix_session_open_thread"})
# Each after those it refers to.
NEW_TABLES = (
    "text_queue",
    "queue_voice",
    "queue_number",
    "queue_member",
    "agent",
    "session",
    "session_event",
    "transfer",
    "call_offer",
    "voice_queue",
    "consent_event",
    "not_textable",
)
MAIN = """INSERT INTO text_queue (public_id, name, main, plan, created_at, changed_at)
VALUES ('que_00000000000000000000000000', 'main', true, '{}', 0, 0)"""


def words(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def count(name: str, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def moment(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def maybe(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=True)


def flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean(), server_default=sa.text("false"), nullable=False)


def row(name: str) -> sa.Column[int]:
    """A number that is a key and is not counted up."""
    return sa.Column(name, sa.BigInteger(), autoincrement=False, nullable=False)


def identifier() -> sa.Column[int]:
    return sa.Column("id", BIG, nullable=False)


def key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def refers(table: str, **columns: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=f"fk_{table}_{column}")
        for column, target in columns.items()
    ]


def upgrade() -> None:
    op.add_column("call", words("answered_by", ""))
    op.add_column("pair_facts", words("consents", ""))
    op.add_column("pair_facts", maybe("told_at"))
    _queues()
    _sessions()
    _offers()
    _consents()
    for name, (table, columns, where) in NEW_INDEXES.items():
        op.create_index(name, table, columns, unique=name in UNIQUE, sqlite_where=where, postgresql_where=where)
    op.execute(MAIN)


def _queues() -> None:
    op.create_table(
        "text_queue",
        identifier(),
        words("public_id"),
        words("name"),
        flag("main"),
        words("plan"),
        moment("created_at"),
        moment("changed_at"),
        maybe("removed_at"),
        key("text_queue", "id"),
        sa.UniqueConstraint("public_id", name="uq_text_queue_public_id"),
    )
    op.create_table(
        "queue_voice",
        words("pbx"),
        words("name"),
        moment("queue_id"),
        key("queue_voice", "pbx", "name"),
        *refers("queue_voice", queue_id="text_queue"),
    )
    op.create_table(
        "queue_number",
        row("number_id"),
        moment("queue_id"),
        key("queue_number", "number_id"),
        *refers("queue_number", number_id="number", queue_id="text_queue"),
    )
    op.create_table(
        "queue_member",
        row("queue_id"),
        row("account_id"),
        count("seq"),
        moment("since_at"),
        key("queue_member", "queue_id", "account_id"),
        *refers("queue_member", queue_id="text_queue", account_id="account"),
    )
    op.create_table(
        "agent",
        row("account_id"),
        count("capacity", "3"),
        count("voice_weight", "1"),
        flag("follows_phone"),
        words("desk", "ready"),
        maybe("desk_since_at"),
        maybe("turn_at"),
        key("agent", "account_id"),
        *refers("agent", account_id="account"),
    )


def _sessions() -> None:
    op.create_table(
        "session",
        identifier(),
        words("public_id"),
        moment("thread_id"),
        words("did"),
        words("peer"),
        words("state"),
        moment("queue_id"),
        words("start"),
        words("origin", ""),
        maybe("agent_id"),
        maybe("offered_to"),
        words("waiting_on", ""),
        maybe("call_id"),
        maybe("released_at"),
        moment("opened_at"),
        moment("changed_at"),
        maybe("queued_at"),
        maybe("assigned_at"),
        maybe("replied_at"),
        maybe("ended_at"),
        maybe("wait_told_at"),
        words("due", ""),
        maybe("due_at"),
        words("language", ""),
        words("ivr_path", ""),
        words("caller_name", ""),
        maybe("first_text_id"),
        key("session", "id"),
        sa.UniqueConstraint("public_id", name="uq_session_public_id"),
        *refers("session", thread_id="thread", queue_id="text_queue", agent_id="account", offered_to="account"),
        *refers("session", call_id="call", first_text_id="message"),
    )
    op.create_table(
        "session_event",
        identifier(),
        moment("session_id"),
        moment("at"),
        words("why"),
        words("state"),
        words("by_", ""),
        maybe("agent_id"),
        maybe("queue_id"),
        words("detail", ""),
        key("session_event", "id"),
        *refers("session_event", session_id="session", agent_id="account", queue_id="text_queue"),
    )
    op.create_table(
        "transfer",
        identifier(),
        moment("session_id"),
        moment("by_agent"),
        maybe("to_agent"),
        maybe("to_queue"),
        words("note", ""),
        words("state"),
        moment("asked_at"),
        moment("due_at"),
        maybe("closed_at"),
        words("why", ""),
        key("transfer", "id"),
        *refers("transfer", session_id="session", by_agent="account", to_agent="account", to_queue="text_queue"),
    )


def _offers() -> None:
    op.create_table(
        "call_offer",
        identifier(),
        *(words(name) for name in ("pbx", "uniqueid", "kind", "did", "peer", "queue")),
        count("waiting"),
        count("agents"),
        maybe("expected_us"),
        maybe("position"),
        words("reason"),
        words("prompt", ""),
        moment("at"),
        words("answer", ""),
        maybe("answered_at"),
        words("text", ""),
        words("session", ""),
        maybe("waited_us"),
        key("call_offer", "id"),
        sa.UniqueConstraint("pbx", "uniqueid", "kind", name="uq_call_offer_pbx_uniqueid_kind"),
    )
    op.create_table(
        "voice_queue",
        words("pbx"),
        words("name"),
        words("model"),
        moment("changed_at"),
        key("voice_queue", "pbx", "name"),
    )


def _consents() -> None:
    op.create_table(
        "consent_event",
        identifier(),
        moment("thread_id"),
        moment("at"),
        *(words(name) for name in ("kind", "class_", "scope", "method")),
        words("prompt", ""),
        maybe("call_id"),
        words("evidence", ""),
        words("by_", ""),
        maybe("until_at"),
        key("consent_event", "id"),
        *refers("consent_event", thread_id="thread", call_id="call"),
    )
    op.create_table(
        "not_textable",
        words("peer"),
        words("reason"),
        moment("since_at"),
        moment("until_at"),
        count("times", "1"),
        key("not_textable", "peer"),
    )


def downgrade() -> None:
    for name, (table, _columns, _where) in NEW_INDEXES.items():
        op.drop_index(name, table)
    for table in reversed(NEW_TABLES):
        op.drop_table(table)
    with op.batch_alter_table("pair_facts") as batch:
        batch.drop_column("told_at")
        batch.drop_column("consents")
    with op.batch_alter_table("call") as batch:
        batch.drop_column("answered_by")
