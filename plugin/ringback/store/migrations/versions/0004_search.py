"""What texts say, by their words. Texts that are there already are put in behind, not here."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDEXES = ("search_out", "search_in")


def upgrade() -> None:
    op.create_table(
        "search_again",
        sa.Column("incoming_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("incoming_id", name="pk_search_again"),
        sa.ForeignKeyConstraint(["incoming_id"], ["incoming.id"], name="fk_search_again_incoming_id"),
    )
    for name in INDEXES:
        for statement in STATEMENTS[op.get_bind().dialect.name]:
            op.execute(statement.format(name=name))


STATEMENTS = {
    "sqlite": (
        """CREATE VIRTUAL TABLE {name} USING fts5(words, whose, columnsize=0, prefix='2 3',
    tokenize='unicode61 remove_diacritics 2')""",
    ),
    "postgresql": (
        """CREATE TABLE {name} (
    id BIGINT NOT NULL,
    words TSVECTOR NOT NULL,
    CONSTRAINT pk_{name} PRIMARY KEY (id)
)""",
        "CREATE INDEX ix_{name}_words ON {name} USING gin (words) WITH (fastupdate=off)",
    ),
}


def downgrade() -> None:
    for name in (*INDEXES, "search_again"):
        op.drop_table(name)
    op.execute("DELETE FROM setting WHERE key IN ('search:out', 'search:in')")
