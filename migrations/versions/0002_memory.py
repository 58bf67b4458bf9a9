"""Memory: who did what, sealed into a chain; and remembered answers to repeated requests."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

AUDIT = """
CREATE TABLE audit_entry (
  id text COLLATE "C" NOT NULL,
  at timestamptz NOT NULL,
  actor_kind text NOT NULL, actor_id text,
  action text NOT NULL,
  subject_kind text NOT NULL, subject_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C", livemode boolean,
  data jsonb NOT NULL, request_id text,
  CONSTRAINT pk_audit_entry PRIMARY KEY (id));
CREATE INDEX ix_audit_entry_subject_kind_subject_id_id
  ON audit_entry (subject_kind, subject_id, id DESC);
CREATE INDEX ix_audit_entry_merchant_id_livemode_id
  ON audit_entry (merchant_id, livemode, id DESC);

CREATE TABLE audit_unsealed (
  audit_id text COLLATE "C" NOT NULL,
  CONSTRAINT pk_audit_unsealed PRIMARY KEY (audit_id),
  CONSTRAINT fk_audit_unsealed_audit_id FOREIGN KEY (audit_id) REFERENCES audit_entry (id));

CREATE TABLE audit_seal (
  seq bigint NOT NULL,
  audit_id text COLLATE "C" NOT NULL,
  hash text NOT NULL, previous text NOT NULL,
  CONSTRAINT pk_audit_seal PRIMARY KEY (seq),
  CONSTRAINT uq_audit_seal_audit_id UNIQUE (audit_id),
  CONSTRAINT fk_audit_seal_audit_id FOREIGN KEY (audit_id) REFERENCES audit_entry (id),
  CONSTRAINT ck_audit_seal_hash CHECK (hash ~ '^[0-9a-f]{64}$'));

CREATE FUNCTION audit_awaits_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
  INSERT INTO audit_unsealed (audit_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
CREATE TRIGGER awaits_seal AFTER INSERT ON audit_entry
  FOR EACH ROW EXECUTE FUNCTION audit_awaits_seal();

CREATE FUNCTION audit_seal_continues() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
DECLARE last audit_seal;
BEGIN
  SELECT * INTO last FROM audit_seal ORDER BY seq DESC LIMIT 1;
  IF NEW.seq <> coalesce(last.seq, 0) + 1 OR NEW.previous <> coalesce(last.hash, '') THEN
    RAISE EXCEPTION 'seal % does not continue the chain at %', NEW.seq, coalesce(last.seq, 0)
      USING ERRCODE = 'PD001';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER continues BEFORE INSERT ON audit_seal
  FOR EACH ROW EXECUTE FUNCTION audit_seal_continues();
"""

IDEMPOTENCY = """
CREATE TABLE idempotency_key (
  actor_kind text NOT NULL, actor_id text NOT NULL, livemode boolean NOT NULL, key text NOT NULL,
  request_hash text NOT NULL,
  status int NOT NULL, body bytea NOT NULL, headers jsonb NOT NULL,
  merchant_id text COLLATE "C", user_id text COLLATE "C",
  created_at timestamptz NOT NULL,
  CONSTRAINT pk_idempotency_key PRIMARY KEY (actor_kind, actor_id, livemode, key),
  CONSTRAINT ck_idempotency_key_key CHECK (key ~ '^[\\x20-\\x7e]{1,255}$'),
  CONSTRAINT ck_idempotency_key_status CHECK (status BETWEEN 200 AND 499));
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
"""

#: A transaction that announced a merchant writes nothing about another one.
AUDIT_WRITES = (
    "merchant_id IS NULL OR nullif(current_setting('app.merchant', true), '') IS NULL"
    " OR merchant_id = current_setting('app.merchant', true)"
)
#: An answer is found again only for whom it was given.
SAME_SCOPE = (
    "merchant_id IS NOT DISTINCT FROM nullif(current_setting('app.merchant', true), '')"
    " AND user_id IS NOT DISTINCT FROM nullif(current_setting('app.user', true), '')"
)
KEPT = "interval '72 hours'"


def upgrade() -> None:
    """Make audit and idempotency."""
    op.execute(AUDIT)
    guards.grant(op, "audit_entry", web="INSERT", admin="SELECT, INSERT", worker="SELECT, INSERT")
    guards.grant(op, "audit_unsealed", worker="SELECT, DELETE")
    guards.grant(op, "audit_seal", worker="SELECT, INSERT")
    guards.row_policy(op, "audit_entry", AUDIT_WRITES)
    for table in ("audit_entry", "audit_seal"):
        guards.append_only(op, table)
    op.execute(IDEMPOTENCY)
    guards.grant(
        op,
        "idempotency_key",
        web="SELECT, INSERT",
        admin="SELECT, INSERT",
        worker="SELECT, INSERT, DELETE",
    )
    guards.row_policy(op, "idempotency_key", SAME_SCOPE)
    op.execute(
        "CREATE POLICY only_old ON idempotency_key AS RESTRICTIVE FOR DELETE"
        f" TO {guards.WORKER} USING (created_at < clock_now() - {KEPT})"
    )


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE idempotency_key, audit_seal, audit_unsealed, audit_entry")
    op.execute("DROP FUNCTION audit_awaits_seal(), audit_seal_continues()")
