"""Work that gave up: what a person may do with it, and what kills its workers."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

#: How often something was claimed without an outcome: after three times it is set aside.
CLAIMS = """
ALTER TABLE provider_event ADD COLUMN claims int NOT NULL DEFAULT 0
  CONSTRAINT ck_provider_event_claims CHECK (claims >= 0);
ALTER TABLE mail ADD COLUMN claims int NOT NULL DEFAULT 0
  CONSTRAINT ck_mail_claims CHECK (claims >= 0);
ALTER TABLE outbox_due ADD COLUMN claims int NOT NULL DEFAULT 0
  CONSTRAINT ck_outbox_due_claims CHECK (claims >= 0);
ALTER TABLE mail DROP CONSTRAINT ck_mail_status;
ALTER TABLE mail ADD CONSTRAINT ck_mail_status
  CHECK (status IN ('waiting', 'sent', 'failed', 'simulated', 'discarded'));
CREATE INDEX ix_provider_event_received_at_event_id
  ON provider_event (received_at DESC, event_id DESC);
CREATE INDEX ix_provider_event_open ON provider_event (received_at)
  WHERE processed_at IS NULL;
CREATE INDEX ix_mail_failed ON mail (id) WHERE status = 'failed';
CREATE INDEX ix_outbox_due_aside ON outbox_due (fact_id)
  WHERE due_at = '9999-01-01 00:00:00+00'::timestamptz;
"""

#: A person's answer to a call that nobody can answer any more; workers apply it like any other.
DECISION = """
ALTER TABLE provider_operation ADD COLUMN decision jsonb;
CREATE FUNCTION guard_answer_by_hand() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.decision IS NOT NULL AND current_user <> 'paydeck_owner' THEN
      RAISE EXCEPTION 'an operation begins undecided' USING ERRCODE = 'PD002';
    END IF;
  ELSIF NEW.decision IS DISTINCT FROM OLD.decision
      AND NOT (OLD.state = 'manual' AND NEW.state IN ('manual', 'unknown')) THEN
    RAISE EXCEPTION 'operation % does not wait for a decision', OLD.id USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_answer_by_hand BEFORE INSERT OR UPDATE ON provider_operation
  FOR EACH ROW EXECUTE FUNCTION guard_answer_by_hand();
"""

#: A decision that books money is taken up only as it was proposed before, signed by another admin.
SECOND = """
CREATE FUNCTION guard_second_signature() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE signature text[] := ARRAY['confirmed_by_id', 'confirmed_at'];
BEGIN
  IF NEW.decision ->> 'choice' NOT IN ('taken', 'held', 'refunded', 'pending')
     AND NEW.decision ->> 'needs_second' = 'false' THEN
    RETURN NEW;
  END IF;
  IF OLD.decision IS NULL OR OLD.decision ->> 'confirmed_by_id' IS NOT NULL
     OR OLD.decision - signature IS DISTINCT FROM NEW.decision - signature
     OR NEW.decision ->> 'by_id' IS NULL
     OR NEW.decision ->> 'by_id' IS NOT DISTINCT FROM NEW.decision ->> 'confirmed_by_id'
     OR NOT EXISTS (SELECT 1 FROM app_user
       WHERE id = NEW.decision ->> 'confirmed_by_id' AND is_admin AND status = 'active') THEN
    RAISE EXCEPTION 'the decision about operation % needs a second admin', OLD.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_second_signature BEFORE UPDATE ON provider_operation
  FOR EACH ROW WHEN (OLD.state = 'manual' AND NEW.state = 'unknown'
    AND NEW.decision IS NOT NULL AND current_user <> 'paydeck_owner')
  EXECUTE FUNCTION guard_second_signature();
"""

#: Messages that were signed with our secret and are yet not ours: refused, and listed.
REFUSED = """
CREATE TABLE refused_event (
  provider text NOT NULL, event_id text COLLATE "C" NOT NULL,
  reason text NOT NULL, kind text NOT NULL, account text, livemode boolean NOT NULL,
  received_at timestamptz NOT NULL,
  CONSTRAINT pk_refused_event PRIMARY KEY (provider, event_id),
  CONSTRAINT ck_refused_event_reason
    CHECK (reason IN ('other_mode', 'other_account', 'unreadable')));
CREATE INDEX ix_refused_event_received_at ON refused_event (received_at DESC);
"""

#: One list of what gave up; everybody reads it with their own rights.
LETTERS = """
CREATE VIEW dead_letter WITH (security_invoker = true) AS
  SELECT 'call' COLLATE "C" AS kind, id, kind COLLATE "C" AS what,
    split_part(coalesce(last_error, ''), ':', 1) COLLATE "C" AS reason,
    last_error COLLATE "C" AS error, subject_id, merchant_id, livemode, tries, claims,
    created_at AS began_at
  FROM provider_operation WHERE state = 'manual'
  UNION ALL
  SELECT 'event' COLLATE "C", event_id, kind COLLATE "C",
    split_part(coalesce(error, ''), ':', 1) COLLATE "C", error COLLATE "C",
    coalesce(subject_id, object_id), NULL COLLATE "C", livemode, tries, claims, received_at
  FROM provider_event WHERE processed_at IS NULL AND due_at IS NULL
  UNION ALL
  SELECT 'fact' COLLATE "C", due.fact_id || '_' || due.consumer COLLATE "C",
    fact.name || ' for ' || due.consumer COLLATE "C",
    split_part(coalesce(due.last_error, ''), ':', 1) COLLATE "C", due.last_error COLLATE "C",
    fact.subject_id, fact.merchant_id, fact.livemode, due.tries, due.claims, fact.at
  FROM outbox_due AS due JOIN fact ON fact.id = due.fact_id
  WHERE due.due_at = '9999-01-01 00:00:00+00'::timestamptz
  UNION ALL
  SELECT 'mail' COLLATE "C", id, template COLLATE "C",
    split_part(coalesce(last_error, ''), ':', 1) COLLATE "C", last_error COLLATE "C",
    about_id, NULL COLLATE "C", NULL, tries, claims, created_at
  FROM mail WHERE status = 'failed';
"""

#: An admin has a mail that failed sent again, or lets it be; nothing else about a mail is theirs.
MAIL_POLICY = """
CREATE POLICY admin_decides ON mail FOR UPDATE TO paydeck_admin
  USING (status = 'failed') WITH CHECK (status IN ('waiting', 'discarded'))
"""


def upgrade() -> None:
    """Let work that gave up be counted, listed, taken up again and decided by a person."""
    op.execute(CLAIMS)
    op.execute(DECISION)
    op.execute(SECOND)
    op.execute(REFUSED)
    guards.grant(op, "refused_event", web="INSERT", admin="SELECT", worker="INSERT")
    guards.append_only(op, "refused_event")
    op.execute("GRANT UPDATE (decision) ON provider_operation TO paydeck_admin, paydeck_worker")
    op.execute("GRANT UPDATE (processed_at, claims) ON provider_event TO paydeck_admin")
    op.execute("GRANT UPDATE (claims) ON provider_event TO paydeck_worker")
    op.execute("GRANT UPDATE (claims) ON mail TO paydeck_worker")
    op.execute("GRANT UPDATE (status, tries, claims, due_at, last_error) ON mail TO paydeck_admin")
    op.execute(MAIL_POLICY)
    op.execute(LETTERS)
    op.execute("GRANT SELECT ON dead_letter TO paydeck_admin")


def downgrade() -> None:
    """Take it away; what was discarded counts as failed again."""
    op.execute("DROP VIEW dead_letter")
    op.execute("DROP POLICY admin_decides ON mail")
    op.execute(
        "REVOKE UPDATE (status, tries, claims, due_at, last_error) ON mail FROM paydeck_admin"
    )
    op.execute("REVOKE UPDATE (processed_at, claims) ON provider_event FROM paydeck_admin")
    op.execute("DROP TABLE refused_event")
    op.execute("DROP TRIGGER guard_second_signature ON provider_operation")
    op.execute("DROP FUNCTION guard_second_signature()")
    op.execute("DROP TRIGGER guard_answer_by_hand ON provider_operation")
    op.execute("DROP FUNCTION guard_answer_by_hand()")
    op.execute("ALTER TABLE provider_operation DROP COLUMN decision")
    op.execute("DROP INDEX ix_provider_event_received_at_event_id, ix_provider_event_open")
    op.execute("DROP INDEX ix_mail_failed, ix_outbox_due_aside")
    op.execute("UPDATE mail SET status = 'failed' WHERE status = 'discarded'")
    op.execute("ALTER TABLE mail DROP CONSTRAINT ck_mail_status")
    op.execute(
        "ALTER TABLE mail ADD CONSTRAINT ck_mail_status"
        " CHECK (status IN ('waiting', 'sent', 'failed', 'simulated'))"
    )
    for table in ("provider_event", "mail", "outbox_due"):
        op.execute(f"ALTER TABLE {table} DROP COLUMN claims")
