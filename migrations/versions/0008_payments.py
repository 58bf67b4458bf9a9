"""Payments, their attempts and anomalies, and the guards that span rooms."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

LIVE = "('created', 'awaiting_method', 'processing', 'requires_action', 'authorised')"

TABLES = f"""
CREATE TABLE payment (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C", order_id text COLLATE "C" NOT NULL, customer_id text COLLATE "C",
  checkout_session_id text COLLATE "C", status text NOT NULL, version int NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL, captured_minor bigint NOT NULL,
  fee_bps int NOT NULL, fee_minor bigint NOT NULL, method_kind text, method_label text,
  provider_intent_id text, provider_session_id text,
  pii_sealed text NOT NULL, email_index text, amount_sealed text NOT NULL,
  integrity_hash text NOT NULL, created_at timestamptz NOT NULL, captured_at timestamptz,
  finished_at timestamptz, check_at timestamptz, deadline_at timestamptz,
  last_decline_code text, attempt_count int NOT NULL, metadata jsonb NOT NULL,
  CONSTRAINT pk_payment PRIMARY KEY (id),
  CONSTRAINT uq_payment_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_payment_provider_intent_id UNIQUE (provider_intent_id),
  CONSTRAINT uq_payment_provider_session_id UNIQUE (provider_session_id),
  CONSTRAINT ck_payment_status CHECK (status IN ('created', 'awaiting_method', 'processing',
    'requires_action', 'authorised', 'captured', 'failed', 'cancelled', 'expired')),
  CONSTRAINT ck_payment_amount_minor CHECK (amount_minor BETWEEN 1 AND 99999999999),
  CONSTRAINT ck_payment_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
  CONSTRAINT ck_payment_captured_minor CHECK (captured_minor IN (0, amount_minor)),
  CONSTRAINT ck_payment_captured CHECK ((status = 'captured') = (captured_minor > 0)),
  CONSTRAINT ck_payment_captured_at CHECK ((status = 'captured') = (captured_at IS NOT NULL)),
  CONSTRAINT ck_payment_fee_bps CHECK (fee_bps BETWEEN 0 AND 2000),
  CONSTRAINT ck_payment_fee_minor CHECK (fee_minor BETWEEN 0 AND captured_minor),
  CONSTRAINT fk_payment_order_id FOREIGN KEY (merchant_id, livemode, order_id)
    REFERENCES shop_order (merchant_id, livemode, id),
  CONSTRAINT fk_payment_customer_id FOREIGN KEY (merchant_id, livemode, customer_id)
    REFERENCES customer (merchant_id, livemode, id),
  CONSTRAINT fk_payment_user_id FOREIGN KEY (user_id) REFERENCES app_user (id));
CREATE UNIQUE INDEX uq_payment_one_live ON payment (order_id) WHERE status IN {LIVE};
CREATE UNIQUE INDEX uq_payment_one_captured ON payment (order_id) WHERE status = 'captured';
CREATE INDEX ix_payment_merchant_id_livemode_id ON payment (merchant_id, livemode, id DESC);
CREATE INDEX ix_payment_merchant_id_livemode_status_id
  ON payment (merchant_id, livemode, status, id DESC);
CREATE INDEX ix_payment_order_id ON payment (order_id);
CREATE INDEX ix_payment_user_id_id ON payment (user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX ix_payment_check_at ON payment (check_at) WHERE check_at IS NOT NULL;
CREATE INDEX ix_payment_merchant_id_email_index ON payment (merchant_id, email_index);

CREATE TABLE attempt (
  id text COLLATE "C" NOT NULL, payment_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, user_id text COLLATE "C",
  number int NOT NULL, method_kind text NOT NULL, provider_method_id text, status text NOT NULL,
  card_brand text, card_last4 text, card_sealed text, decline_code text,
  return_sealed text, next_url_sealed text, three_d_secure text, charge_id text,
  started_at timestamptz NOT NULL, finished_at timestamptz,
  CONSTRAINT pk_attempt PRIMARY KEY (id),
  CONSTRAINT uq_attempt_payment_id_number UNIQUE (payment_id, number),
  CONSTRAINT uq_attempt_payment_id_provider_method_id UNIQUE (payment_id, provider_method_id),
  CONSTRAINT ck_attempt_method_kind CHECK (method_kind IN ('card', 'hosted', 'wallet')),
  CONSTRAINT ck_attempt_status CHECK (status IN ('processing', 'awaiting_shopper', 'succeeded',
    'declined', 'abandoned')),
  CONSTRAINT ck_attempt_card_last4 CHECK (card_last4 ~ '^[0-9]{{4}}$'),
  CONSTRAINT ck_attempt_finished_at CHECK (
    (status IN ('processing', 'awaiting_shopper')) = (finished_at IS NULL)),
  CONSTRAINT fk_attempt_payment_id FOREIGN KEY (merchant_id, livemode, payment_id)
    REFERENCES payment (merchant_id, livemode, id));
CREATE UNIQUE INDEX uq_attempt_one_open ON attempt (payment_id)
  WHERE status IN ('processing', 'awaiting_shopper');

CREATE TABLE anomaly (
  id text COLLATE "C" NOT NULL, payment_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, kind text NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL, note text NOT NULL,
  opened_at timestamptz NOT NULL, closed_at timestamptz,
  CONSTRAINT pk_anomaly PRIMARY KEY (id),
  CONSTRAINT uq_anomaly_payment_id_kind UNIQUE (payment_id, kind),
  CONSTRAINT ck_anomaly_kind CHECK (kind IN ('late_success', 'double_payment', 'amount_mismatch')),
  CONSTRAINT fk_anomaly_payment_id FOREIGN KEY (merchant_id, livemode, payment_id)
    REFERENCES payment (merchant_id, livemode, id));
CREATE INDEX ix_anomaly_opened_at ON anomaly (id DESC) WHERE closed_at IS NULL;
"""

GUARDS = """
CREATE FUNCTION guard_charge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
  IF NEW.subject_kind = 'payment' AND NEW.kind IN ('confirm', 'create_session') AND NOT EXISTS (
      SELECT 1 FROM payment WHERE id = NEW.subject_id AND merchant_id = NEW.merchant_id
        AND livemode = NEW.livemode AND status = 'processing') THEN
    RAISE EXCEPTION 'a charge needs a payment that is processing: %', NEW.subject_id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_charge BEFORE INSERT ON provider_operation
  FOR EACH ROW EXECUTE FUNCTION guard_charge();

CREATE FUNCTION guard_attempt() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'attempts are never deleted' USING ERRCODE = 'PD001';
  END IF;
  IF OLD.status NOT IN ('processing', 'awaiting_shopper') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'attempt % has ended as %', OLD.id, OLD.status USING ERRCODE = 'PD002';
  END IF;
  IF (OLD.id, OLD.payment_id, OLD.merchant_id, OLD.livemode, OLD.number, OLD.method_kind)
     IS DISTINCT FROM
     (NEW.id, NEW.payment_id, NEW.merchant_id, NEW.livemode, NEW.number, NEW.method_kind) THEN
    RAISE EXCEPTION 'what an attempt is never changes' USING ERRCODE = 'PD003';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_attempt BEFORE UPDATE OR DELETE ON attempt
  FOR EACH ROW EXECUTE FUNCTION guard_attempt();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON attempt
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_deleted BEFORE DELETE ON anomaly
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON anomaly
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

EDGES = [
    ("", "created"),
    ("created", "awaiting_method"),
    ("created", "processing"),
    ("created", "captured"),
    ("created", "failed"),
    ("created", "cancelled"),
    ("created", "expired"),
    ("awaiting_method", "processing"),
    ("awaiting_method", "captured"),
    ("awaiting_method", "failed"),
    ("awaiting_method", "cancelled"),
    ("awaiting_method", "expired"),
    ("processing", "requires_action"),
    ("processing", "authorised"),
    ("processing", "captured"),
    ("processing", "awaiting_method"),
    ("processing", "failed"),
    ("processing", "cancelled"),
    ("requires_action", "processing"),
    ("requires_action", "authorised"),
    ("requires_action", "captured"),
    ("requires_action", "awaiting_method"),
    ("requires_action", "failed"),
    ("requires_action", "cancelled"),
    ("authorised", "captured"),
    ("authorised", "failed"),
    ("authorised", "cancelled"),
    ("failed", "captured"),
    ("cancelled", "captured"),
    ("expired", "captured"),
]


def upgrade() -> None:
    """Make the tables and their guards."""
    op.execute(TABLES)
    op.execute(GUARDS)
    guards.flow(op, "payment", EDGES)
    guards.moving(
        op,
        "payment",
        "payment",
        frozen=[
            "merchant_id",
            "livemode",
            "order_id",
            "amount_minor",
            "currency",
            "fee_bps",
            "amount_sealed",
            "created_at",
        ],
    )
    guards.grant(op, "payment", web="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    guards.grant(op, "attempt", web="SELECT, INSERT, UPDATE", worker="SELECT, UPDATE")
    guards.grant(op, "anomaly", admin="SELECT, UPDATE (closed_at)", worker="SELECT, INSERT")
    guards.tenant_rows(op, "payment")
    guards.tenant_rows(op, "attempt")
    guards.tenant_rows(op, "anomaly", or_user=False)


def downgrade() -> None:
    """Take everything away."""
    op.execute("DROP TRIGGER guard_charge ON provider_operation")
    op.execute("DROP TABLE anomaly, attempt, payment")
    op.execute("DROP FUNCTION guard_charge(), guard_attempt()")
    op.execute("DELETE FROM flow_edge WHERE noun = 'payment'")
