"""Endpoints of merchants, the events they are sent, and every try to deliver them."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

EDGES = [
    ("", "enabled"),
    ("enabled", "paused"),
    ("enabled", "disabled"),
    ("enabled", "deleted"),
    ("paused", "enabled"),
    ("paused", "disabled"),
    ("paused", "deleted"),
    ("disabled", "enabled"),
    ("disabled", "deleted"),
]

ENDPOINTS = """
CREATE TABLE webhook_endpoint (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, user_id text COLLATE "C",
  status text NOT NULL, version int NOT NULL,
  url text NOT NULL, events jsonb NOT NULL, description text NOT NULL, api_version text NOT NULL,
  secret_sealed text NOT NULL, old_secret_sealed text, old_secret_until timestamptz,
  is_built_in boolean NOT NULL, receiver_answer text, disabled_reason text,
  listens_since timestamptz NOT NULL, created_at timestamptz NOT NULL, metadata jsonb NOT NULL,
  CONSTRAINT pk_webhook_endpoint PRIMARY KEY (id),
  CONSTRAINT uq_webhook_endpoint_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT fk_webhook_endpoint_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT ck_webhook_endpoint_status
    CHECK (status IN ('enabled', 'paused', 'disabled', 'deleted')),
  CONSTRAINT ck_webhook_endpoint_version CHECK (version >= 1),
  CONSTRAINT ck_webhook_endpoint_url
    CHECK (length(url) <= 2000 AND (is_built_in OR url LIKE 'https://%')),
  CONSTRAINT ck_webhook_endpoint_events
    CHECK (jsonb_typeof(events) = 'array' AND jsonb_array_length(events) BETWEEN 1 AND 100),
  CONSTRAINT ck_webhook_endpoint_old_secret
    CHECK ((old_secret_sealed IS NULL) = (old_secret_until IS NULL)),
  CONSTRAINT ck_webhook_endpoint_receiver CHECK ((receiver_answer IS NOT NULL) = is_built_in));
CREATE INDEX ix_webhook_endpoint_listening ON webhook_endpoint (merchant_id, livemode)
  WHERE status <> 'deleted';

CREATE TABLE webhook_health (
  endpoint_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  failures int NOT NULL, failing_since timestamptz, open_until timestamptz,
  is_slow boolean NOT NULL, changed_at timestamptz NOT NULL,
  CONSTRAINT pk_webhook_health PRIMARY KEY (endpoint_id),
  CONSTRAINT fk_webhook_health_endpoint FOREIGN KEY (merchant_id, livemode, endpoint_id)
    REFERENCES webhook_endpoint (merchant_id, livemode, id),
  CONSTRAINT ck_webhook_health_failures CHECK (failures >= 0),
  CONSTRAINT ck_webhook_health_failing CHECK ((failures > 0) = (failing_since IS NOT NULL)));
"""

EVENTS = """
CREATE SEQUENCE webhook_event_order AS bigint;
CREATE TABLE webhook_event (
  id text COLLATE "C" NOT NULL, fact_id text COLLATE "C",
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  name text NOT NULL, subject_kind text NOT NULL, subject_id text COLLATE "C" NOT NULL,
  subject_version int NOT NULL, at timestamptz NOT NULL, place bigint NOT NULL,
  is_test boolean NOT NULL,
  CONSTRAINT pk_webhook_event PRIMARY KEY (id),
  CONSTRAINT uq_webhook_event_fact_id UNIQUE (fact_id),
  CONSTRAINT uq_webhook_event_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT fk_webhook_event_fact_id FOREIGN KEY (fact_id) REFERENCES fact (id),
  CONSTRAINT ck_webhook_event_is_test CHECK (is_test = (fact_id IS NULL)));
CREATE INDEX ix_webhook_event_place ON webhook_event (merchant_id, livemode, place);
CREATE INDEX ix_webhook_event_subject ON webhook_event (subject_id);

CREATE TABLE webhook_body (
  event_id text COLLATE "C" NOT NULL, api_version text NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, body text NOT NULL,
  CONSTRAINT pk_webhook_body PRIMARY KEY (event_id, api_version),
  CONSTRAINT fk_webhook_body_event FOREIGN KEY (merchant_id, livemode, event_id)
    REFERENCES webhook_event (merchant_id, livemode, id));
"""

DELIVERIES = """
CREATE TABLE delivery (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  event_id text COLLATE "C" NOT NULL, endpoint_id text COLLATE "C" NOT NULL,
  api_version text NOT NULL, resend_of text COLLATE "C",
  state text NOT NULL, tries int NOT NULL, claims int NOT NULL, last_error text,
  due_at timestamptz, lease_token bigint, lease_until timestamptz,
  created_at timestamptz NOT NULL, finished_at timestamptz,
  CONSTRAINT pk_delivery PRIMARY KEY (id),
  CONSTRAINT uq_delivery_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT fk_delivery_endpoint FOREIGN KEY (merchant_id, livemode, endpoint_id)
    REFERENCES webhook_endpoint (merchant_id, livemode, id),
  CONSTRAINT fk_delivery_body FOREIGN KEY (event_id, api_version)
    REFERENCES webhook_body (event_id, api_version),
  CONSTRAINT fk_delivery_event FOREIGN KEY (merchant_id, livemode, event_id)
    REFERENCES webhook_event (merchant_id, livemode, id),
  CONSTRAINT fk_delivery_resend_of FOREIGN KEY (merchant_id, livemode, resend_of)
    REFERENCES delivery (merchant_id, livemode, id),
  CONSTRAINT ck_delivery_state
    CHECK (state IN ('due', 'delivered', 'dead', 'resent', 'discarded')),
  CONSTRAINT ck_delivery_counts CHECK (tries BETWEEN 0 AND 11 AND claims BETWEEN 0 AND 3),
  CONSTRAINT ck_delivery_due CHECK ((state = 'due') = (due_at IS NOT NULL)),
  CONSTRAINT ck_delivery_finished CHECK ((state = 'due') = (finished_at IS NULL)),
  CONSTRAINT ck_delivery_lease CHECK (lease_until IS NULL OR state = 'due'));
-- A fact told twice makes one delivery; sending again is a row of its own.
CREATE UNIQUE INDEX uq_delivery_event_id_endpoint_id ON delivery (event_id, endpoint_id)
  WHERE resend_of IS NULL;
CREATE INDEX ix_delivery_event_id_endpoint_id ON delivery (event_id, endpoint_id);
CREATE INDEX ix_delivery_due ON delivery (endpoint_id, due_at, id) WHERE state = 'due';
CREATE INDEX ix_delivery_leased ON delivery (endpoint_id) WHERE lease_until IS NOT NULL;
CREATE INDEX ix_delivery_endpoint_id_id ON delivery (endpoint_id, id DESC);
CREATE INDEX ix_delivery_merchant_id_livemode_id ON delivery (merchant_id, livemode, id DESC);
CREATE INDEX ix_delivery_dead ON delivery (id) WHERE state = 'dead';

CREATE TABLE delivery_attempt (
  id text COLLATE "C" NOT NULL, delivery_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  number int NOT NULL, is_late boolean NOT NULL,
  started_at timestamptz NOT NULL, duration_ms int NOT NULL,
  url text NOT NULL, address text, request_headers jsonb NOT NULL,
  status int, response_headers jsonb NOT NULL, response_body text NOT NULL,
  is_cut boolean NOT NULL, error text,
  CONSTRAINT pk_delivery_attempt PRIMARY KEY (id),
  CONSTRAINT fk_delivery_attempt_delivery FOREIGN KEY (merchant_id, livemode, delivery_id)
    REFERENCES delivery (merchant_id, livemode, id),
  CONSTRAINT ck_delivery_attempt_number CHECK (number >= 1 AND duration_ms >= 0),
  CONSTRAINT ck_delivery_attempt_status CHECK (status BETWEEN 100 AND 999),
  CONSTRAINT ck_delivery_attempt_error
    CHECK ((error IS NULL) = (coalesce(status, 0) BETWEEN 200 AND 299)));
CREATE UNIQUE INDEX uq_delivery_attempt_number ON delivery_attempt (delivery_id, number)
  WHERE NOT is_late;
CREATE INDEX ix_delivery_attempt_delivery_id ON delivery_attempt (delivery_id, id);

CREATE TABLE webhook_receipt (
  id text COLLATE "C" NOT NULL, endpoint_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  webhook_id text NOT NULL, at timestamptz NOT NULL, answered int NOT NULL,
  is_signed boolean NOT NULL, headers jsonb NOT NULL, body text NOT NULL,
  CONSTRAINT pk_webhook_receipt PRIMARY KEY (id),
  CONSTRAINT fk_webhook_receipt_endpoint FOREIGN KEY (merchant_id, livemode, endpoint_id)
    REFERENCES webhook_endpoint (merchant_id, livemode, id));
CREATE INDEX ix_webhook_receipt_endpoint_id_id ON webhook_receipt (endpoint_id, id DESC);
"""

#: A delivery begins due and untried, is delivered by an answer that says so, and never goes back.
GUARD = """
CREATE FUNCTION guard_delivery() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a delivery is never deleted' USING ERRCODE = 'PD001';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF current_user <> 'paydeck_owner' AND (NEW.state, NEW.tries, NEW.claims) <> ('due', 0, 0) THEN
      RAISE EXCEPTION 'a delivery begins due and untried'
        USING ERRCODE = 'PD002';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.merchant_id, NEW.livemode, NEW.event_id, NEW.endpoint_id, NEW.api_version,
      NEW.created_at, coalesce(NEW.resend_of, ''))
     IS DISTINCT FROM (OLD.id, OLD.merchant_id, OLD.livemode, OLD.event_id, OLD.endpoint_id,
      OLD.api_version, OLD.created_at, coalesce(OLD.resend_of, '')) THEN
    RAISE EXCEPTION 'what a delivery delivers never changes' USING ERRCODE = 'PD003';
  END IF;
  IF NEW.state <> OLD.state AND NOT (
      (OLD.state = 'due' AND NEW.state IN ('delivered', 'dead', 'discarded'))
      OR (OLD.state = 'dead' AND NEW.state IN ('resent', 'discarded'))) THEN
    RAISE EXCEPTION 'a delivery that is % cannot become %', OLD.state, NEW.state
      USING ERRCODE = 'PD002';
  END IF;
  IF NEW.state = OLD.state AND OLD.state <> 'due' THEN
    RAISE EXCEPTION 'a delivery that is % never changes', OLD.state
      USING ERRCODE = 'PD002';
  END IF;
  IF NEW.state = 'delivered' AND NOT EXISTS (
      SELECT FROM delivery_attempt WHERE delivery_id = NEW.id AND status BETWEEN 200 AND 299) THEN
    RAISE EXCEPTION 'nobody answered that this delivery arrived'
      USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery BEFORE INSERT OR UPDATE OR DELETE ON delivery
  FOR EACH ROW EXECUTE FUNCTION guard_delivery();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON delivery
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_delivery_attempt() RETURNS trigger LANGUAGE plpgsql
  SET search_path = public AS $$
BEGIN
  IF NOT NEW.is_late AND NEW.number IS DISTINCT FROM
      (SELECT tries + 1 FROM delivery WHERE id = NEW.delivery_id) THEN
    RAISE EXCEPTION 'tries are counted one by one' USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_delivery_attempt BEFORE INSERT ON delivery_attempt
  FOR EACH ROW EXECUTE FUNCTION guard_delivery_attempt();
"""

#: The built-in receiver is asked by whoever knows its address; it is told whose it is.
RECEIVER = """
CREATE FUNCTION webhook_receiver(endpoint text)
  RETURNS TABLE (merchant_id text, livemode boolean)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT merchant_id, livemode FROM webhook_endpoint
  WHERE id = endpoint AND is_built_in AND status <> 'deleted' $$;
REVOKE ALL ON FUNCTION webhook_receiver(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION webhook_receiver(text) TO paydeck_web;
"""

LETTERS = """
CREATE OR REPLACE VIEW dead_letter WITH (security_invoker = true) AS
  {before}
  UNION ALL
  SELECT 'delivery' COLLATE "C", d.id, e.name COLLATE "C",
    split_part(coalesce(d.last_error, ''), ':', 1) COLLATE "C", d.last_error COLLATE "C",
    d.endpoint_id, d.merchant_id, d.livemode, d.tries, d.claims, d.created_at
  FROM delivery AS d JOIN webhook_event AS e ON e.id = d.event_id WHERE d.state = 'dead'
"""

FROZEN = ["merchant_id", "livemode", "is_built_in", "created_at"]
FENCED = "state, tries, claims, last_error, due_at, lease_token, lease_until, finished_at"
CHOSEN = (
    "status, version, url, events, description, api_version, secret_sealed, old_secret_sealed,"
    " old_secret_until, receiver_answer, disabled_reason, listens_since, metadata"
)


def upgrade() -> None:
    """Make the tables, their guards and policies; let dead deliveries join the dead letters."""
    op.execute(ENDPOINTS)
    op.execute(EVENTS)
    op.execute(DELIVERIES)
    op.execute(GUARD)
    op.execute(RECEIVER)
    guards.flow(op, "webhook_endpoint", EDGES)
    guards.moving(op, "webhook_endpoint", "webhook_endpoint", frozen=FROZEN)
    guards.append_only(op, "webhook_event")
    guards.append_only(op, "webhook_body")
    guards.append_only(op, "delivery_attempt")
    _grant()
    for table in (
        "webhook_endpoint",
        "webhook_health",
        "webhook_event",
        "webhook_body",
        "delivery",
        "delivery_attempt",
        "webhook_receipt",
    ):
        guards.tenant_rows(op, table, or_user=False)
    op.execute(_letters())
    op.execute("GRANT SELECT ON dead_letter TO paydeck_admin")


def _grant() -> None:
    insert, select = "SELECT, INSERT", "SELECT"
    guards.grant(
        op,
        "webhook_endpoint",
        web=f"SELECT, INSERT, UPDATE ({CHOSEN})",
        admin="SELECT, UPDATE (status, version, disabled_reason)",
        worker="SELECT, UPDATE (status, version, disabled_reason)",
    )
    guards.grant(
        op,
        "webhook_health",
        web="SELECT, UPDATE (open_until, failures, failing_since)",
        worker="SELECT, INSERT, UPDATE",
    )
    guards.grant(op, "webhook_event", web=insert, admin=select, worker=insert)
    guards.grant(op, "webhook_body", web=insert, admin=insert, worker=insert)
    guards.grant(
        op,
        "delivery",
        web=f"SELECT, INSERT, UPDATE ({FENCED})",
        admin=f"SELECT, INSERT, UPDATE ({FENCED})",
        worker=f"SELECT, INSERT, UPDATE ({FENCED})",
    )
    guards.grant(op, "delivery_attempt", web=select, worker=insert)
    guards.grant(op, "webhook_receipt", web="SELECT, INSERT", worker="SELECT, DELETE")
    for role in (guards.WEB, guards.WORKER):
        op.execute(f"GRANT USAGE ON SEQUENCE webhook_event_order TO {role}")


def _letters() -> str:
    return LETTERS.format(before=_letters_before())


def _letters_before() -> str:
    view = op.get_bind().exec_driver_sql("SELECT pg_get_viewdef('dead_letter'::regclass)").scalar()
    return str(view).rstrip().rstrip(";")


def downgrade() -> None:
    """Take it all away; what endpoints told of themselves goes with them."""
    before = _letters_before().rpartition("UNION ALL")[0]
    op.execute("DROP VIEW dead_letter")
    op.execute(f"CREATE VIEW dead_letter WITH (security_invoker = true) AS {before}")
    op.execute("GRANT SELECT ON dead_letter TO paydeck_admin")
    op.execute(
        "DROP TABLE webhook_receipt, delivery_attempt, delivery, webhook_body, webhook_event,"
        " webhook_health, webhook_endpoint"
    )
    op.execute("DROP SEQUENCE webhook_event_order")
    op.execute("DROP FUNCTION webhook_receiver(text)")
    op.execute("DROP FUNCTION guard_delivery(), guard_delivery_attempt()")
    op.execute("DELETE FROM flow_edge WHERE noun = 'webhook_endpoint'")
