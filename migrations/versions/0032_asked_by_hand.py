"""A request that a person made in the explorer is told apart from a program's."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Note it of each request; of those before nothing is known."""
    op.execute("ALTER TABLE api_request ADD COLUMN is_by_hand boolean NOT NULL DEFAULT false")


def downgrade() -> None:
    """Forget it."""
    op.execute("ALTER TABLE api_request DROP COLUMN is_by_hand")
