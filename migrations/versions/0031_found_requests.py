"""Requests are found by the object or the key that they name, however many a merchant makes."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

BY = ("object_id", "idempotency_key")


def upgrade() -> None:
    """Index what people look for by name."""
    for column in BY:
        op.execute(
            f"CREATE INDEX ix_api_request_{column} ON api_request"
            f" (merchant_id, livemode, {column}, id DESC) WHERE {column} IS NOT NULL"
        )


def downgrade() -> None:
    """Leave it to a walk through all of a merchant's requests."""
    for column in BY:
        op.execute(f"DROP INDEX ix_api_request_{column}")
