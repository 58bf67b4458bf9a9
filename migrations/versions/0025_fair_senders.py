"""How an endpoint earns its share of the sender, and when it last failed."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

#: Quick successes in a row are counted up to ten; then the endpoint has shown that it is quick.
HEALTH = """
ALTER TABLE webhook_health
  ADD COLUMN quick int NOT NULL DEFAULT 0, ADD COLUMN failed_at timestamptz,
  ADD CONSTRAINT ck_webhook_health_quick CHECK (quick BETWEEN 0 AND 10);
"""


def upgrade() -> None:
    """Add both to what is known of an endpoint; a person who changes its address begins anew."""
    op.execute(HEALTH)
    op.execute(f"GRANT UPDATE (quick, failed_at) ON webhook_health TO {guards.WEB}")


def downgrade() -> None:
    """Forget both."""
    op.execute(f"REVOKE UPDATE (quick, failed_at) ON webhook_health FROM {guards.WEB}")
    op.execute("ALTER TABLE webhook_health DROP COLUMN quick, DROP COLUMN failed_at")
