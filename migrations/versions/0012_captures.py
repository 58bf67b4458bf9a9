"""Money that is held first and taken later, in part or in whole; what waits for a decision."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ORDERS = """
ALTER TABLE shop_order ADD COLUMN capture_later boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT ck_shop_order_capture_later CHECK (kind = 'sale' OR NOT capture_later);
"""

PAYMENTS = """
ALTER TABLE payment
  ADD COLUMN authorised_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN capture_before timestamptz,
  ADD COLUMN capturing_minor bigint,
  ADD COLUMN void_because text;
ALTER TABLE payment DISABLE TRIGGER USER;
UPDATE payment SET authorised_minor = captured_minor WHERE captured_minor > 0;
ALTER TABLE payment ENABLE TRIGGER USER;
ALTER TABLE payment DROP CONSTRAINT ck_payment_captured_minor,
  ADD CONSTRAINT ck_payment_captured_minor CHECK (captured_minor BETWEEN 0 AND authorised_minor),
  ADD CONSTRAINT ck_payment_authorised_minor CHECK (authorised_minor BETWEEN 0 AND amount_minor),
  ADD CONSTRAINT ck_payment_authorised CHECK (status <> 'authorised' OR authorised_minor > 0),
  ADD CONSTRAINT ck_payment_capture_before
    CHECK (status <> 'authorised' OR capture_before IS NOT NULL),
  ADD CONSTRAINT ck_payment_capturing_minor
    CHECK (capturing_minor BETWEEN 1 AND authorised_minor),
  ADD CONSTRAINT ck_payment_taken_or_released
    CHECK (capturing_minor IS NULL OR void_because IS NULL);
ALTER TABLE attempt DROP CONSTRAINT ck_attempt_method_kind,
  ADD CONSTRAINT ck_attempt_method_kind
    CHECK (method_kind IN ('card', 'hosted', 'wallet', 'credit'));
"""

#: What was taken stays what it was, of whom and by what; only held money can be taken, and a call
#: is about the provider's own object of its payment.
GUARDS = f"""
CREATE FUNCTION guard_captured() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.status = 'captured' AND
     (OLD.captured_minor, OLD.authorised_minor, OLD.fee_minor, OLD.captured_at, OLD.user_id,
      OLD.customer_id, OLD.method_kind) IS DISTINCT FROM
     (NEW.captured_minor, NEW.authorised_minor, NEW.fee_minor, NEW.captured_at, NEW.user_id,
      NEW.customer_id, NEW.method_kind) THEN
    RAISE EXCEPTION 'what was taken of payment % never changes', OLD.id USING ERRCODE = 'PD003';
  END IF;
  IF (OLD.provider_intent_id IS NOT NULL
      AND NEW.provider_intent_id IS DISTINCT FROM OLD.provider_intent_id)
     OR (OLD.provider_session_id IS NOT NULL
      AND NEW.provider_session_id IS DISTINCT FROM OLD.provider_session_id) THEN
    RAISE EXCEPTION 'payment % is one payment at the provider', OLD.id USING ERRCODE = 'PD003';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_captured BEFORE UPDATE ON payment
  FOR EACH ROW EXECUTE FUNCTION guard_captured();

CREATE FUNCTION guard_provider_ids() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_user IN ('{guards.WEB}', '{guards.ADMIN}') AND (TG_OP = 'INSERT'
     OR (NEW.provider_intent_id, NEW.provider_session_id)
        IS DISTINCT FROM (OLD.provider_intent_id, OLD.provider_session_id)) THEN
    RAISE EXCEPTION 'what payment % is at the provider is said by the provider', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_provider_ids BEFORE UPDATE ON payment
  FOR EACH ROW EXECUTE FUNCTION guard_provider_ids();
CREATE TRIGGER guard_new_provider_ids BEFORE INSERT ON payment
  FOR EACH ROW WHEN (NEW.provider_intent_id IS NOT NULL OR NEW.provider_session_id IS NOT NULL)
  EXECUTE FUNCTION guard_provider_ids();

CREATE FUNCTION guard_capture() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.subject_kind = 'payment' AND NEW.kind = 'capture' AND NOT EXISTS (
      SELECT 1 FROM payment WHERE id = NEW.subject_id AND merchant_id = NEW.merchant_id
        AND livemode = NEW.livemode AND status = 'authorised'
        AND capturing_minor = (NEW.request ->> 'amount_minor')::bigint) THEN
    RAISE EXCEPTION 'only held money can be taken: %', NEW.subject_id USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_capture BEFORE INSERT ON provider_operation
  FOR EACH ROW EXECUTE FUNCTION guard_capture();

CREATE FUNCTION guard_call() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
      SELECT 1 FROM payment WHERE id = NEW.subject_id AND merchant_id = NEW.merchant_id
        AND livemode = NEW.livemode
        AND coalesce(NEW.request ->> 'intent_id' = provider_intent_id,
                     NEW.request ->> 'intent_id' IS NULL)
        AND coalesce(NEW.request ->> 'session_id' = provider_session_id,
                     NEW.request ->> 'session_id' IS NULL)) THEN
    RAISE EXCEPTION 'a call about % names another object of the provider', NEW.subject_id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_call BEFORE INSERT ON provider_operation
  FOR EACH ROW WHEN (NEW.subject_kind = 'payment') EXECUTE FUNCTION guard_call();

CREATE FUNCTION guard_call_kind() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_user IN ('{guards.WEB}', '{guards.ADMIN}') THEN
    RAISE EXCEPTION 'a call about a payment says so: %', NEW.subject_id USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_call_kind BEFORE INSERT ON provider_operation
  FOR EACH ROW WHEN (NEW.subject_kind NOT IN ('payment', 'refund')
    AND (NEW.request ? 'intent_id' OR NEW.request ? 'session_id'))
  EXECUTE FUNCTION guard_call_kind();
CREATE TRIGGER guard_refund_call_kind BEFORE INSERT ON provider_operation
  FOR EACH ROW WHEN (NEW.subject_kind = 'refund'
    AND NEW.kind NOT IN ('refund', 'look_up_refund')) EXECUTE FUNCTION guard_call_kind();

CREATE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_user IN ('paydeck_web', 'paydeck_admin') AND NEW.status <> OLD.status
     AND NEW.status NOT IN ('refunding', 'applying') THEN
    RAISE EXCEPTION 'people decide; that money has moved is said by who moved it'
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_decision BEFORE UPDATE ON anomaly
  FOR EACH ROW EXECUTE FUNCTION guard_decision();
"""

#: Money in suspense moves to its end like everything else; older rows get the story they lacked.
ANOMALIES = """
ALTER TABLE anomaly
  ADD COLUMN user_id text COLLATE "C",
  ADD COLUMN status text NOT NULL DEFAULT 'open',
  ADD COLUMN version int NOT NULL DEFAULT 1,
  ADD COLUMN target_order_id text COLLATE "C";
ALTER TABLE anomaly ALTER COLUMN status DROP DEFAULT, ALTER COLUMN version DROP DEFAULT;
UPDATE anomaly SET closed_at = NULL,
  user_id = (SELECT user_id FROM payment WHERE payment.id = anomaly.payment_id);
INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,
                  merchant_id, livemode, user_id, at)
  SELECT 'mov_' || right(id, 26), 'anomaly', id, 1, '', 'open', note, 'provider',
         merchant_id, livemode, user_id, opened_at FROM anomaly;
INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, livemode, user_id,
                  snapshot, because, actor_kind, at)
  SELECT 'fact_' || right(id, 26), 'anomaly.opened', 'anomaly', id, 1, merchant_id, livemode,
         user_id, jsonb_build_object('id', id, 'payment', payment_id, 'kind', kind, 'status',
         'OPEN', 'amount', amount_minor, 'currency', currency, 'order', NULL, 'at', opened_at),
         note, 'provider', opened_at FROM anomaly;
DROP INDEX ix_anomaly_opened_at;
ALTER TABLE anomaly DROP CONSTRAINT ck_anomaly_kind,
  ADD CONSTRAINT ck_anomaly_kind CHECK (kind IN
    ('late_success', 'double_payment', 'amount_mismatch', 'overpaid', 'underpaid')),
  ADD CONSTRAINT ck_anomaly_amount_minor CHECK (amount_minor > 0),
  ADD CONSTRAINT ck_anomaly_status CHECK (status IN
    ('open', 'refunding', 'refunded', 'applying', 'applied', 'accepted')),
  ADD CONSTRAINT ck_anomaly_closed_at
    CHECK ((status = 'refunded' OR status = 'applied' OR status = 'accepted')
      = (closed_at IS NOT NULL)),
  ADD CONSTRAINT ck_anomaly_target CHECK (
    (status = 'applying' OR status = 'applied' OR status = 'accepted')
      = (target_order_id IS NOT NULL)),
  ADD CONSTRAINT uq_anomaly_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  ADD CONSTRAINT fk_anomaly_target_order_id FOREIGN KEY (merchant_id, livemode, target_order_id)
    REFERENCES shop_order (merchant_id, livemode, id);
CREATE INDEX ix_anomaly_open ON anomaly (id DESC) WHERE closed_at IS NULL;
CREATE INDEX ix_anomaly_merchant_id_livemode_id ON anomaly (merchant_id, livemode, id DESC);
DROP TRIGGER never_deleted ON anomaly;
DROP TRIGGER never_emptied ON anomaly;
"""

PAYMENT_EDGES = [("created", "authorised"), ("awaiting_method", "authorised")]
ANOMALY_EDGES = [
    ("", "open"),
    ("open", "refunding"),
    ("open", "applying"),
    ("refunding", "refunded"),
    ("refunding", "open"),
    ("refunded", "open"),
    ("applying", "applied"),
    ("applying", "accepted"),
    ("applying", "open"),
]
DECIDED = "UPDATE (status, version, target_order_id, closed_at)"


def upgrade() -> None:
    """Let money be held and taken later, and let what was set aside move to its end."""
    op.execute(ORDERS)
    op.execute(PAYMENTS)
    op.execute(GUARDS)
    op.execute(ANOMALIES)
    guards.flow(op, "payment", PAYMENT_EDGES)
    guards.flow(op, "anomaly", ANOMALY_EDGES)
    frozen = ["merchant_id", "livemode", "payment_id", "kind", "amount_minor", "currency"]
    guards.moving(op, "anomaly", "anomaly", frozen=[*frozen, "opened_at"])
    op.execute(
        "CREATE TRIGGER guard_capture_later BEFORE UPDATE ON shop_order FOR EACH ROW"
        " WHEN (OLD.capture_later <> NEW.capture_later) EXECUTE FUNCTION refuse_change()"
    )
    guards.grant(op, "anomaly", web=f"SELECT, {DECIDED}", admin=DECIDED, worker=DECIDED)
    for table in ("payment", "attempt"):
        guards.grant(op, table, admin="", worker="INSERT")


def downgrade() -> None:
    """Take it away; what was taken in part cannot be told of any more, so it must not be there."""
    for table in ("payment", "attempt"):
        op.execute(f"REVOKE INSERT ON {table} FROM {guards.WORKER}")
    op.execute("DROP TRIGGER guard_capture_later ON shop_order")
    op.execute("DROP TRIGGER guard_capture ON provider_operation")
    op.execute("DROP TRIGGER guard_captured ON payment")
    op.execute("DROP TRIGGER guard_decision ON anomaly")
    op.execute("DROP FUNCTION guard_capture(), guard_captured(), guard_decision()")
    op.execute("DROP FUNCTION guard_provider_ids(), guard_call(), guard_call_kind() CASCADE")
    op.execute(BACK)


BACK = f"""
REVOKE ALL ON anomaly FROM {guards.WEB};
REVOKE UPDATE ON anomaly FROM {guards.ADMIN}, {guards.WORKER};
REVOKE UPDATE (status, version, target_order_id, closed_at) ON anomaly
  FROM {guards.WEB}, {guards.ADMIN}, {guards.WORKER};
DROP TRIGGER guard_flow ON anomaly;
DROP TRIGGER has_story ON anomaly;
DROP TRIGGER never_emptied ON anomaly;
DROP INDEX ix_anomaly_open, ix_anomaly_merchant_id_livemode_id;
ALTER TABLE anomaly DROP CONSTRAINT fk_anomaly_target_order_id,
  DROP CONSTRAINT uq_anomaly_merchant_id_livemode_id,
  DROP CONSTRAINT ck_anomaly_target, DROP CONSTRAINT ck_anomaly_closed_at,
  DROP CONSTRAINT ck_anomaly_status, DROP CONSTRAINT ck_anomaly_amount_minor,
  DROP CONSTRAINT ck_anomaly_kind;
UPDATE anomaly SET kind = 'amount_mismatch' WHERE kind IN ('overpaid', 'underpaid');
ALTER TABLE anomaly DROP COLUMN user_id, DROP COLUMN status, DROP COLUMN version,
  DROP COLUMN target_order_id,
  ADD CONSTRAINT ck_anomaly_kind CHECK (kind IN
    ('late_success', 'double_payment', 'amount_mismatch'));
CREATE INDEX ix_anomaly_opened_at ON anomaly (id DESC) WHERE closed_at IS NULL;
CREATE TRIGGER never_deleted BEFORE DELETE ON anomaly
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON anomaly
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
GRANT UPDATE (closed_at) ON anomaly TO {guards.ADMIN};
DELETE FROM flow_edge WHERE noun = 'anomaly'
  OR (noun = 'payment' AND target = 'authorised' AND source IN ('created', 'awaiting_method'));
ALTER TABLE attempt DROP CONSTRAINT ck_attempt_method_kind,
  ADD CONSTRAINT ck_attempt_method_kind CHECK (method_kind IN ('card', 'hosted', 'wallet'));
ALTER TABLE payment DROP CONSTRAINT ck_payment_taken_or_released,
  DROP CONSTRAINT ck_payment_capturing_minor, DROP CONSTRAINT ck_payment_capture_before,
  DROP CONSTRAINT ck_payment_authorised, DROP CONSTRAINT ck_payment_authorised_minor,
  DROP CONSTRAINT ck_payment_captured_minor,
  DROP COLUMN authorised_minor, DROP COLUMN capture_before, DROP COLUMN capturing_minor,
  DROP COLUMN void_because,
  ADD CONSTRAINT ck_payment_captured_minor CHECK (captured_minor IN (0, amount_minor));
ALTER TABLE shop_order DROP CONSTRAINT ck_shop_order_capture_later, DROP COLUMN capture_later;
"""
