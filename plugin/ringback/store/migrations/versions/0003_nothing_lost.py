"""Nothing lost: urgency, doubts, runs to many people, keys of programs, the chain of the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WAITING = sa.text("state IN ('queued', 'held')")
OPEN_RUN = sa.text("state IN ('reading', 'open', 'paused', 'cancelling', 'expiring', 'broken')")
AWAITED = sa.text("state IN ('accepted', 'sent')")
ONCE_AWAITED = sa.text("state IN ('accepted', 'sent', 'unconfirmed')")
NEW_INDEXES = {
    "ix_message_expiring": (["expires_at"], WAITING),
    "ix_message_put_off": (["carrier"], sa.text("state = 'held' AND reason = 'carrier_hold'")),
    "ix_message_in_doubt": (["state_at"], sa.text("state = 'unconfirmed'")),
    "ix_message_unasked": (["carrier", "state_at"], sa.text("state = 'unconfirmed' AND asked_at IS NULL")),
    "ix_message_reference_id": (["reference", "id"], sa.text("reference <> ''")),
    "ix_message_bulk_id_state": (["bulk_id", "state"], sa.text("bulk_id IS NOT NULL")),
}
NEW_COLUMNS = {
    "message": ("urgency", "campaign", "reference", "doubt", "resends", "asked_at", "bulk_id"),
    "attempt": ("provider_key",),
    "receipt_parked": ("provider_key",),
    "audit": ("chain",),
    "pbx_gap": ("recovered", "recovered_from"),
}


def words(name: str, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), server_default=default, nullable=False)


def count(name: str, default: str = "0") -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), server_default=default, nullable=False)


def moment(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "bulk",
        sa.Column("id", BIG, nullable=False),
        words("public_id"),
        words("name", ""),
        *(words(name) for name in ("asked_by", "did", "body", "class_", "basis", "language")),
        words("campaign", ""),
        words("reference", ""),
        words("doubt", "once"),
        words("state"),
        *(moment(name) for name in ("created_at", "changed_at", "not_before", "expires_at")),
        *(count(name) for name in ("total", "made", "cancelled", "rejected", "segments")),
        sa.PrimaryKeyConstraint("id", name="pk_bulk"),
        sa.UniqueConstraint("public_id", name="uq_bulk_public_id"),
    )
    _partial("ix_bulk_open", "bulk", ["not_before", "id"], OPEN_RUN)
    op.create_table(
        "bulk_item",
        sa.Column("bulk_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        words("peer"),
        words("words", ""),
        sa.PrimaryKeyConstraint("bulk_id", "seq", name="pk_bulk_item"),
        sa.ForeignKeyConstraint(["bulk_id"], ["bulk.id"], name="fk_bulk_item_bulk_id"),
    )
    op.create_table(
        "api_key",
        sa.Column("id", BIG, nullable=False),
        *(words(name) for name in ("public_id", "token_hash", "name", "scopes", "created_by")),
        moment("created_at"),
        *(sa.Column(name, sa.BigInteger(), nullable=True) for name in ("expires_at", "revoked_at", "seen_at")),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
        sa.UniqueConstraint("public_id", name="uq_api_key_public_id"),
        sa.UniqueConstraint("token_hash", name="uq_api_key_token_hash"),
    )
    _change_message()
    op.add_column("attempt", sa.Column("provider_key", sa.Text(), nullable=True))
    op.execute("UPDATE attempt SET provider_key = provider_id")
    op.drop_index("ix_attempt_carrier_provider_id", "attempt")
    op.create_index("ix_attempt_carrier_provider_key", "attempt", ["carrier", "provider_key"])
    _partial("ix_attempt_in_doubt", "attempt", ["carrier", "closed_at"], sa.text("outcome = 'unconfirmed'"))
    op.add_column("receipt_parked", words("provider_key", ""))
    op.execute("UPDATE receipt_parked SET provider_key = provider_id")
    op.create_index("ix_receipt_parked_carrier_provider_key", "receipt_parked", ["carrier", "provider_key"])
    op.add_column("audit", words("chain", ""))
    op.add_column("pbx_gap", count("recovered"))
    op.add_column("pbx_gap", words("recovered_from", ""))


def _change_message() -> None:
    for column in (count("urgency", "2"), words("campaign", ""), words("reference", ""), words("doubt", "once")):
        op.add_column("message", column)
    op.add_column("message", count("resends"))
    op.add_column("message", sa.Column("asked_at", sa.BigInteger(), nullable=True))
    # both databases know this form, and neither rewrites the table for it
    op.execute("ALTER TABLE message ADD COLUMN bulk_id BIGINT CONSTRAINT fk_message_bulk_id REFERENCES bulk (id)")
    op.execute("UPDATE message SET urgency = CASE WHEN command <> '' THEN 0 ELSE 1 END WHERE call_id IS NULL")
    op.drop_index("ix_message_waiting", "message")
    _partial("ix_message_waiting", "message", ["carrier", "urgency", "not_before", "id"], WAITING)
    op.drop_index("ix_message_awaited", "message")
    _partial("ix_message_awaited", "message", ["carrier", "state_at"], AWAITED)
    for name, (columns, where) in NEW_INDEXES.items():
        _partial(name, "message", columns, where)


def _partial(name: str, table: str, columns: list[str], where: sa.TextClause) -> None:
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    for name in NEW_INDEXES:
        op.drop_index(name, "message")
    op.drop_index("ix_message_waiting", "message")
    op.drop_index("ix_message_awaited", "message")
    op.drop_index("ix_attempt_carrier_provider_key", "attempt")
    op.drop_index("ix_attempt_in_doubt", "attempt")
    op.drop_index("ix_receipt_parked_carrier_provider_key", "receipt_parked")
    for table, columns in NEW_COLUMNS.items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column)
    _partial("ix_message_waiting", "message", ["carrier", "not_before", "id"], WAITING)
    _partial("ix_message_awaited", "message", ["state_at"], ONCE_AWAITED)
    op.create_index("ix_attempt_carrier_provider_id", "attempt", ["carrier", "provider_id"])
    for table in ("api_key", "bulk_item", "bulk"):
        op.drop_table(table)
