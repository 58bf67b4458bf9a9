"""Money set aside that went back in the provider's own pages: two admins turn its booking round."""

from __future__ import annotations

from alembic import op

from migrations import guards
from migrations.refund_guards import DECISION_OR_BACK

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

#: Who approves the correction ends what waits, once the money has left suspense; nobody before.
TURNED_ROUND = """
BEGIN
  IF OLD.status = 'open' AND NEW.status = 'refunded' THEN
    IF current_user = 'paydeck_admin' AND EXISTS (
        SELECT 1 FROM transfer AS first JOIN transfer AS undoes ON undoes.reverses = first.id
         WHERE first.reference = 'payment.suspense:' || NEW.payment_id) THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'people decide; that money has moved is said by who moved it'
      USING ERRCODE = 'PD005';
  END IF;"""
EDGE = "('anomaly', 'open', 'refunded')"


def upgrade() -> None:
    """Let money set aside end with the correction that turns its booking round."""
    op.execute(DECISION_OR_BACK.replace("\nBEGIN", TURNED_ROUND, 1))
    guards.flow(op, "anomaly", [("open", "refunded")])


def downgrade() -> None:
    """Leave such money to wait; what ended so stays as it ended."""
    op.execute(DECISION_OR_BACK)
    op.execute(f"DELETE FROM flow_edge WHERE (noun, source, target) = {EDGE}")
