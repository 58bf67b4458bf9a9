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

#: What books much money set aside is proposed by one person and approved by another who may.
TWO_PEOPLE = """
ALTER TABLE anomaly ADD COLUMN proposed_order_id text COLLATE "C",
  ADD COLUMN proposed_by text COLLATE "C", ADD COLUMN approved_by text COLLATE "C",
  ADD CONSTRAINT ck_anomaly_proposed
    CHECK ((proposed_order_id IS NULL) = (proposed_by IS NULL)),
  ADD CONSTRAINT ck_anomaly_two_people CHECK (approved_by IS NULL OR approved_by <> proposed_by),
  ADD CONSTRAINT ck_anomaly_approved CHECK (proposed_by IS NULL
    OR status IN ('open', 'refunding', 'refunded')
    OR (approved_by IS NOT NULL AND target_order_id = proposed_order_id));

CREATE FUNCTION guard_anomaly_approver() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.proposed_by IS NULL OR NOT EXISTS (
      SELECT 1 FROM app_user u WHERE u.id = NEW.approved_by AND u.status = 'active'
      AND (u.is_admin OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = u.id
        AND m.merchant_id = NEW.merchant_id AND m.ended_at IS NULL
        AND m.role IN ('owner', 'admin')))) THEN
    RAISE EXCEPTION 'what becomes of % is approved by somebody who may not', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_anomaly_approver BEFORE UPDATE ON anomaly FOR EACH ROW
  WHEN (OLD.approved_by IS DISTINCT FROM NEW.approved_by AND NEW.approved_by IS NOT NULL)
  EXECUTE FUNCTION guard_anomaly_approver();
"""
COUNTED = """
ALTER TABLE rollup_quarter DROP CONSTRAINT ck_rollup_quarter_outcome;
ALTER TABLE rollup_quarter ADD CONSTRAINT ck_rollup_quarter_outcome CHECK (outcome IN
  ('captured', 'failed', 'expired', 'cancelled', 'declined_attempt'{more}));
"""
ONE_IS_ENOUGH = """
DROP TRIGGER guard_anomaly_approver ON anomaly;
DROP FUNCTION guard_anomaly_approver();
ALTER TABLE anomaly DROP COLUMN proposed_order_id, DROP COLUMN proposed_by,
  DROP COLUMN approved_by;
"""
SELF_EDGES = "('refund', 'succeeded', 'succeeded'), ('anomaly', 'open', 'open')"


def upgrade() -> None:
    """Let people deal with failed refunds, and have two of them decide about much money."""
    op.execute(DEALT_WITH)
    guards.flow(op, "refund", [("succeeded", "succeeded")])
    op.execute(TWO_PEOPLE)
    op.execute(COUNTED.format(more=", 'refunded'"))
    guards.flow(op, "anomaly", [("open", "open")])
    for role in guards.PORTAL_ROLES:
        op.execute(
            f"GRANT UPDATE (proposed_order_id, proposed_by, approved_by) ON anomaly TO {role}"
        )
    for role in (guards.WEB, guards.ADMIN):
        op.execute(f"GRANT UPDATE (dealt_with_at, dealt_with_by) ON refund TO {role}")


def downgrade() -> None:
    """Forget what people said of failed refunds, and who proposed what."""
    op.execute("DELETE FROM rollup_quarter WHERE outcome = 'refunded'")
    op.execute(COUNTED.format(more=""))
    op.execute(ONE_IS_ENOUGH)
    op.execute(f"DELETE FROM flow_edge WHERE (noun, source, target) IN ({SELF_EDGES})")
    op.execute("ALTER TABLE refund DROP COLUMN dealt_with_at, DROP COLUMN dealt_with_by")
