"""Tampered test events: deliveries whose signature does not fit, tried once."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

#: Never tried again: its answer is the result of the test. Nobody may change the mark later.
MARKED = """
ALTER TABLE delivery ADD COLUMN is_tampered boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT ck_delivery_tampered CHECK (NOT is_tampered OR tries <= 1);
CREATE INDEX ix_delivery_tampered ON delivery (merchant_id, livemode, id DESC) WHERE is_tampered;
"""


def upgrade() -> None:
    """Mark the deliveries whose signature was made not to fit."""
    op.execute(MARKED)


def downgrade() -> None:
    """Forget which deliveries were tampered with."""
    op.execute("ALTER TABLE delivery DROP COLUMN is_tampered")
