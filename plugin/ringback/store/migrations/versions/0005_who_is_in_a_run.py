"""Whoever is erased is found in the runs they were to get a text of, without a look at everybody."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_bulk_item_peer", "bulk_item", ["peer"])


def downgrade() -> None:
    op.drop_index("ix_bulk_item_peer", "bulk_item")
