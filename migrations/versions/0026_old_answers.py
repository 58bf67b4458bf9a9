"""What receivers answered may be forgotten after thirty days; that they did, and how, never."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

GUARD = """
DROP TRIGGER append_only ON delivery_attempt;
CREATE FUNCTION guard_old_answer() RETURNS trigger LANGUAGE plpgsql
  SET search_path = public AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.started_at < clock_now() - interval '30 days'
      AND NEW.response_body = '' AND NEW.response_headers = '{}'
      AND to_jsonb(NEW) - 'response_body' - 'response_headers'
        = to_jsonb(OLD) - 'response_body' - 'response_headers' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'delivery_attempt is append-only: % refused', TG_OP USING ERRCODE = 'PD001';
END $$;
CREATE TRIGGER guard_old_answer BEFORE UPDATE OR DELETE ON delivery_attempt
  FOR EACH ROW EXECUTE FUNCTION guard_old_answer();
CREATE INDEX ix_delivery_attempt_answered ON delivery_attempt (id)
  WHERE response_body <> '' OR response_headers <> '{}';
"""


def upgrade() -> None:
    """Let the worker blank the answers of old tries, and find them quickly."""
    op.execute(GUARD)
    op.execute(
        f"GRANT UPDATE (response_body, response_headers) ON delivery_attempt TO {guards.WORKER}"
    )


def downgrade() -> None:
    """Keep everything for ever again."""
    op.execute("DROP INDEX ix_delivery_attempt_answered")
    op.execute("DROP TRIGGER guard_old_answer ON delivery_attempt")
    op.execute("DROP FUNCTION guard_old_answer()")
    op.execute(
        f"REVOKE UPDATE (response_body, response_headers) ON delivery_attempt FROM {guards.WORKER}"
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON delivery_attempt"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
