"""What was asked through the API, kept for thirty days."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

#: What a merchant's program may write on an object beyond moving it.
NAMED = {
    "shop_order": "description, metadata",
    "payment": "metadata",
    "refund": "metadata",
}


def upgrade() -> None:
    """Let programs name things."""
    for table, columns in NAMED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO paydeck_web")


def downgrade() -> None:
    """Take it away again."""
    for table, columns in NAMED.items():
        op.execute(f"REVOKE UPDATE ({columns}) ON {table} FROM paydeck_web")
