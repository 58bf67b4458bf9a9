"""Second looks: failed refunds dealt with, references that come late, two signatures."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

#: A failed refund leaves the list of what waits once a person says so, and comes back if they do.
DEALT_WITH = """
ALTER TABLE refund ADD COLUMN dealt_with_at timestamptz,
  ADD COLUMN dealt_with_by text COLLATE "C",
  ADD CONSTRAINT ck_refund_dealt_with CHECK (dealt_with_at IS NULL
    OR (status = 'failed' AND dealt_with_by IS NOT NULL))
"""


def upgrade() -> None:
    """Let people say that a failed refund needs nobody any more."""
    op.execute(DEALT_WITH)
    guards.flow(op, "refund", [("succeeded", "succeeded")])
    for role in (guards.WEB, guards.ADMIN):
        op.execute(f"GRANT UPDATE (dealt_with_at, dealt_with_by) ON refund TO {role}")


def downgrade() -> None:
    """Forget what people said of failed refunds."""
    op.execute(
        "DELETE FROM flow_edge WHERE (noun, source, target) = ('refund', 'succeeded', 'succeeded')"
    )
    op.execute("ALTER TABLE refund DROP COLUMN dealt_with_at, DROP COLUMN dealt_with_by")
