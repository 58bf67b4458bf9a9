"""What the money checks found, and corrections to the books with two signatures."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE invariant_result (
  name text NOT NULL, reach text NOT NULL, due_at timestamptz NOT NULL,
  ran_at timestamptz, milliseconds int, found int, rows jsonb NOT NULL, red_since timestamptz,
  CONSTRAINT pk_invariant_result PRIMARY KEY (name, reach),
  CONSTRAINT ck_invariant_result_reach CHECK (reach IN ('hour', 'all')),
  CONSTRAINT ck_invariant_result_found CHECK (found >= 0),
  CONSTRAINT ck_invariant_result_red CHECK (coalesce(found > 0, false) = (red_since IS NOT NULL)));

CREATE TABLE correction (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, user_id text COLLATE "C",
  status text NOT NULL, version int NOT NULL,
  transfer_id text COLLATE "C" NOT NULL, kind text NOT NULL, lines jsonb NOT NULL,
  because text NOT NULL,
  requested_by text COLLATE "C" NOT NULL, approved_by text COLLATE "C",
  decided_by text COLLATE "C", answer text NOT NULL,
  created_at timestamptz NOT NULL, decided_at timestamptz, deadline_at timestamptz,
  CONSTRAINT pk_correction PRIMARY KEY (id),
  CONSTRAINT ck_correction_status
    CHECK (status IN ('requested', 'posted', 'refused', 'withdrawn')),
  CONSTRAINT ck_correction_kind CHECK (kind IN ('reversal', 'adjustment')),
  CONSTRAINT ck_correction_lines CHECK (jsonb_array_length(lines) BETWEEN 1 AND 20),
  CONSTRAINT ck_correction_because CHECK (length(because) BETWEEN 3 AND 300),
  CONSTRAINT ck_correction_answer CHECK (length(answer) <= 300),
  CONSTRAINT ck_correction_two_people CHECK (approved_by <> requested_by),
  CONSTRAINT ck_correction_approved CHECK ((status = 'posted') = (approved_by IS NOT NULL)),
  CONSTRAINT ck_correction_decided CHECK ((status = 'requested') = (decided_at IS NULL)),
  CONSTRAINT ck_correction_deadline CHECK ((status = 'requested') = (deadline_at IS NOT NULL)),
  CONSTRAINT fk_correction_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_correction_requested_by FOREIGN KEY (requested_by) REFERENCES app_user (id),
  CONSTRAINT fk_correction_approved_by FOREIGN KEY (approved_by) REFERENCES app_user (id),
  CONSTRAINT fk_correction_decided_by FOREIGN KEY (decided_by) REFERENCES app_user (id),
  CONSTRAINT fk_correction_transfer_id FOREIGN KEY (transfer_id) REFERENCES transfer (id)
    DEFERRABLE INITIALLY DEFERRED);
CREATE UNIQUE INDEX uq_correction_one_waiting ON correction (transfer_id)
  WHERE status = 'requested';
CREATE INDEX ix_correction_transfer_id ON correction (transfer_id);
CREATE INDEX ix_correction_merchant_id_livemode ON correction (merchant_id, livemode);

ALTER TABLE transfer ADD COLUMN corrects text COLLATE "C",
  ADD CONSTRAINT fk_transfer_corrects FOREIGN KEY (corrects) REFERENCES transfer (id),
  ADD CONSTRAINT ck_transfer_corrects CHECK (corrects <> id);
CREATE INDEX ix_transfer_corrects ON transfer (corrects) WHERE corrects IS NOT NULL;
"""

#: A correction is asked for and approved by two admins, about a transfer of its own merchant.
GUARDS = f"""
CREATE FUNCTION guard_correction() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT 1 FROM transfer WHERE id = NEW.transfer_id
      AND merchant_id = NEW.merchant_id AND livemode = NEW.livemode) THEN
    RAISE EXCEPTION 'correction % is not of that transfer''s merchant and mode', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  IF EXISTS (SELECT 1 FROM unnest(ARRAY[NEW.requested_by, NEW.approved_by]) AS signed (by)
      WHERE signed.by IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM app_user WHERE id = signed.by AND is_admin AND status = 'active')) THEN
    RAISE EXCEPTION 'correction % is signed by somebody who may not', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER signed_by_admins BEFORE INSERT OR UPDATE ON correction
  FOR EACH ROW WHEN (current_user <> 'paydeck_owner') EXECUTE FUNCTION guard_correction();

CREATE FUNCTION guard_correcting() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  asking text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  its correction;
BEGIN
  IF NEW.reference NOT LIKE 'correction:%' THEN
    IF NEW.corrects IS NOT NULL OR asking = '{guards.ADMIN}' THEN
      RAISE EXCEPTION 'an admin books approved corrections only' USING ERRCODE = 'PD005';
    END IF;
    RETURN NEW;
  END IF;
  SELECT * INTO its FROM correction WHERE id = split_part(NEW.reference, ':', 2);
  IF NOT FOUND OR its.status <> 'posted'
     OR (its.merchant_id, its.livemode) <> (NEW.merchant_id, NEW.livemode)
     OR NEW.reverses IS DISTINCT FROM
        (CASE its.kind WHEN 'reversal' THEN its.transfer_id END) THEN
    RAISE EXCEPTION '% was not approved like this', NEW.reference USING ERRCODE = 'PD005';
  END IF;
  NEW.corrects := its.transfer_id;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_correcting BEFORE INSERT ON transfer
  FOR EACH ROW EXECUTE FUNCTION guard_correcting();

CREATE FUNCTION guard_posted_correction() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.status = 'posted' AND EXISTS (
    SELECT 1 FROM (
      SELECT a.name, sum(e.amount_minor) AS amount
        FROM transfer t JOIN entry e ON e.transfer_id = t.id
        JOIN ledger_account a ON a.id = e.account_id
       WHERE t.reference = 'correction:' || NEW.id GROUP BY a.name) booked
    FULL JOIN (
      SELECT side.name, sum(side.amount) AS amount
        FROM jsonb_to_recordset(NEW.lines) AS line (source text, target text, amount bigint),
             LATERAL (VALUES (source, -amount), (target, amount)) AS side (name, amount)
       GROUP BY side.name) approved
      ON approved.name = booked.name COLLATE "C"
    WHERE approved.amount IS DISTINCT FROM booked.amount) THEN
    RAISE EXCEPTION 'correction % was not booked as it was approved', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER booked_as_approved AFTER INSERT OR UPDATE ON correction
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_posted_correction();
"""

EDGES = [
    ("", "requested"),
    ("requested", "posted"),
    ("requested", "refused"),
    ("requested", "withdrawn"),
]
FROZEN = [
    "merchant_id",
    "livemode",
    "transfer_id",
    "kind",
    "lines",
    "because",
    "requested_by",
    "created_at",
]
LEDGER_POST = "ledger_post(text, text, text, text, boolean, timestamptz, text, text, jsonb)"
DECIDED = "status, version, decided_at, deadline_at, decided_by, answer"
#: What the metrics tell, without the rows behind a check.
COUNTED = "name, reach, due_at, ran_at, milliseconds, found, red_since"


def upgrade() -> None:
    """Make room for what checks found, and for corrections."""
    op.execute(TABLES)
    op.execute(GUARDS)
    guards.flow(op, "correction", EDGES)
    guards.moving(op, "correction", "correction", frozen=FROZEN)
    guards.row_policy(op, "correction", guards.MERCHANT_MATCHES)
    guards.grant(
        op,
        "correction",
        admin=f"SELECT, INSERT, UPDATE ({DECIDED}, approved_by)",
        worker=f"SELECT, UPDATE ({DECIDED})",
    )
    op.execute(f"GRANT EXECUTE ON FUNCTION {LEDGER_POST} TO {guards.ADMIN}")
    guards.grant(
        op,
        "invariant_result",
        web=f"SELECT ({COUNTED})",
        admin="SELECT, UPDATE (due_at)",
        worker="SELECT, INSERT, UPDATE",
    )


def downgrade() -> None:
    """Take both away; transfers that correct others stay, without their link."""
    op.execute(f"REVOKE EXECUTE ON FUNCTION {LEDGER_POST} FROM {guards.ADMIN}")
    op.execute("DROP TRIGGER guard_correcting ON transfer")
    op.execute("DROP INDEX ix_transfer_corrects")
    op.execute("ALTER TABLE transfer DROP COLUMN corrects")
    op.execute("DROP TABLE correction, invariant_result")
    op.execute("DROP FUNCTION guard_correction(), guard_correcting(), guard_posted_correction()")
    op.execute("DELETE FROM flow_edge WHERE noun = 'correction'")
