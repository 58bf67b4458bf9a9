"""Gateway: operations (calls to the provider) with their guards, and the inbox of its messages."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE provider_operation (
  id text COLLATE "C" NOT NULL,
  kind text NOT NULL, provider text NOT NULL,
  subject_kind text NOT NULL, subject_id text COLLATE "C" NOT NULL, purpose text NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  request jsonb NOT NULL,
  state text NOT NULL, tries int NOT NULL, claims int NOT NULL,
  lease_token bigint, lease_until timestamptz, due_at timestamptz, first_sent_at timestamptz,
  provider_object_id text COLLATE "C", result jsonb, last_error text,
  created_at timestamptz NOT NULL, closed_at timestamptz,
  CONSTRAINT pk_provider_operation PRIMARY KEY (id),
  CONSTRAINT ck_provider_operation_kind CHECK (kind IN ('create_intent', 'confirm', 'capture',
    'cancel', 'create_session', 'expire_session', 'look_up')),
  CONSTRAINT ck_provider_operation_state CHECK (state IN ('pending', 'in_flight', 'unknown',
    'succeeded', 'failed', 'manual')),
  CONSTRAINT ck_provider_operation_lease CHECK ((state = 'in_flight') = (lease_until IS NOT NULL)),
  CONSTRAINT ck_provider_operation_end
    CHECK ((state IN ('succeeded', 'failed')) = (closed_at IS NOT NULL)),
  CONSTRAINT ck_provider_operation_due
    CHECK ((state IN ('pending', 'in_flight', 'unknown')) = (due_at IS NOT NULL)),
  CONSTRAINT ck_provider_operation_counts CHECK (tries >= 0 AND claims >= 0));
CREATE UNIQUE INDEX uq_provider_operation_live_charge ON provider_operation (subject_id)
  WHERE kind IN ('confirm', 'capture', 'create_session')
    AND state IN ('pending', 'in_flight', 'unknown', 'manual');
CREATE UNIQUE INDEX uq_provider_operation_one_intent ON provider_operation (subject_id)
  WHERE kind = 'create_intent' AND state <> 'failed';
CREATE UNIQUE INDEX uq_provider_operation_one_question ON provider_operation (subject_id, kind)
  WHERE kind IN ('look_up', 'cancel') AND state IN ('pending', 'in_flight', 'unknown');
CREATE INDEX ix_provider_operation_due_at_id ON provider_operation (due_at, id)
  WHERE state IN ('pending', 'in_flight', 'unknown');
CREATE INDEX ix_provider_operation_manual ON provider_operation (id) WHERE state = 'manual';
CREATE INDEX ix_provider_operation_subject_id_id ON provider_operation (subject_id, id);

CREATE TABLE provider_event (
  provider text NOT NULL, event_id text COLLATE "C" NOT NULL,
  kind text NOT NULL, object_id text COLLATE "C" NOT NULL, subject_id text COLLATE "C",
  livemode boolean NOT NULL, payload jsonb NOT NULL,
  received_at timestamptz NOT NULL, processed_at timestamptz, error text,
  tries int NOT NULL, due_at timestamptz,
  CONSTRAINT pk_provider_event PRIMARY KEY (provider, event_id),
  CONSTRAINT ck_provider_event_due CHECK (processed_at IS NULL OR due_at IS NULL),
  CONSTRAINT ck_provider_event_tries CHECK (tries >= 0));
CREATE INDEX ix_provider_event_due_at ON provider_event (due_at, event_id)
  WHERE due_at IS NOT NULL;
CREATE INDEX ix_provider_event_subject_id ON provider_event (subject_id);
"""

GUARDS = """
CREATE FUNCTION guard_operation() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
DECLARE field text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'operations are never deleted' USING ERRCODE = 'PD001';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF current_user = 'paydeck_owner' THEN RETURN NEW; END IF;
    IF NEW.state <> 'pending' OR NEW.tries <> 0 OR NEW.claims <> 0 OR NEW.result IS NOT NULL
       OR NEW.first_sent_at IS NOT NULL OR NEW.lease_token IS NOT NULL
       OR NEW.provider_object_id IS NOT NULL THEN
      RAISE EXCEPTION 'an operation begins pending and unsent' USING ERRCODE = 'PD002';
    END IF;
    RETURN NEW;
  END IF;
  FOREACH field IN ARRAY ARRAY['id', 'kind', 'provider', 'subject_kind', 'subject_id', 'purpose',
      'merchant_id', 'livemode', 'request', 'created_at'] LOOP
    IF to_jsonb(OLD) -> field IS DISTINCT FROM to_jsonb(NEW) -> field THEN
      RAISE EXCEPTION 'provider_operation.% never changes', field USING ERRCODE = 'PD003';
    END IF;
  END LOOP;
  IF OLD.state IN ('succeeded', 'failed') THEN
    RAISE EXCEPTION 'operation % is closed', OLD.id USING ERRCODE = 'PD002';
  END IF;
  IF OLD.first_sent_at IS NOT NULL AND NEW.first_sent_at IS DISTINCT FROM OLD.first_sent_at
     AND NOT (NEW.first_sent_at IS NULL AND OLD.state = 'in_flight' AND NEW.state = 'pending') THEN
    RAISE EXCEPTION 'operation % was sent before; that stays on record', OLD.id
      USING ERRCODE = 'PD003';
  END IF;
  IF OLD.lease_token IS NOT NULL
     AND (NEW.lease_token IS NULL OR NEW.lease_token < OLD.lease_token) THEN
    RAISE EXCEPTION 'operation %: a fence only grows', OLD.id USING ERRCODE = 'PD003';
  END IF;
  IF (OLD.state, NEW.state) NOT IN (
      ('pending', 'pending'), ('pending', 'in_flight'), ('pending', 'failed'),
      ('unknown', 'unknown'), ('unknown', 'in_flight'), ('unknown', 'manual'),
      ('in_flight', 'in_flight'), ('in_flight', 'pending'), ('in_flight', 'unknown'),
      ('in_flight', 'succeeded'), ('in_flight', 'failed'), ('in_flight', 'manual'),
      ('manual', 'manual'), ('manual', 'unknown')) THEN
    RAISE EXCEPTION 'operation % cannot move from % to %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER guard_operation BEFORE INSERT OR UPDATE OR DELETE ON provider_operation
  FOR EACH ROW EXECUTE FUNCTION guard_operation();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON provider_operation
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_provider_event() RETURNS trigger LANGUAGE plpgsql
SET search_path = public AS $$
DECLARE field text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'provider events are never deleted' USING ERRCODE = 'PD001';
  END IF;
  FOREACH field IN ARRAY ARRAY['provider', 'event_id', 'kind', 'object_id', 'subject_id',
      'livemode', 'payload', 'received_at'] LOOP
    IF to_jsonb(OLD) -> field IS DISTINCT FROM to_jsonb(NEW) -> field THEN
      RAISE EXCEPTION 'provider_event.% never changes', field USING ERRCODE = 'PD003';
    END IF;
  END LOOP;
  IF OLD.processed_at IS NOT NULL THEN
    RAISE EXCEPTION 'provider event % was processed', OLD.event_id USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER guard_provider_event BEFORE UPDATE OR DELETE ON provider_event
  FOR EACH ROW EXECUTE FUNCTION guard_provider_event();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON provider_event
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

WORKED = (
    "state, tries, claims, lease_token, lease_until, due_at, first_sent_at,"
    " provider_object_id, result, last_error, closed_at"
)
TAKEN_UP = "state, tries, claims, due_at, last_error"
READ = "processed_at, error, tries, due_at"


def upgrade() -> None:
    """Make operations and the inbox: the web role plans and receives, the worker works."""
    op.execute(TABLES)
    op.execute(GUARDS)
    guards.grant(
        op,
        "provider_operation",
        web="SELECT, INSERT",
        admin=f"SELECT, INSERT, UPDATE ({TAKEN_UP})",
        worker=f"SELECT, INSERT, UPDATE ({WORKED})",
    )
    guards.tenant_rows(op, "provider_operation", or_user=False)
    guards.grant(
        op,
        "provider_event",
        web="INSERT",
        admin="SELECT, UPDATE (error, tries, due_at)",
        worker=f"SELECT, INSERT, UPDATE ({READ})",
    )


def downgrade() -> None:
    """Take both away."""
    op.execute("DROP TABLE provider_event, provider_operation")
    op.execute("DROP FUNCTION guard_operation(), guard_provider_event()")
