"""Refunds, and the guards that keep them within what was captured.

What is refunded or about to be is counted on the payment's own row by a trigger, under a check:
two refunds of one payment therefore wait for each other, and the second finds what is left.
"""

from __future__ import annotations

from alembic import op

from migrations import guards, refund_guards

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE refund (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C", payment_id text COLLATE "C" NOT NULL, anomaly_id text COLLATE "C",
  status text NOT NULL, version int NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL,
  reason text NOT NULL, note text NOT NULL,
  destination text NOT NULL, target_order_id text COLLATE "C",
  needs_approval boolean NOT NULL,
  requested_by_kind text NOT NULL, requested_by_id text,
  approved_by_kind text, approved_by_id text,
  leaves_at timestamptz, sent_at timestamptz, finished_at timestamptz,
  provider_refund_id text, bank_reference text, failure_code text, expected_by date,
  check_at timestamptz, deadline_at timestamptz, created_at timestamptz NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT pk_refund PRIMARY KEY (id),
  CONSTRAINT uq_refund_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_refund_provider_refund_id UNIQUE (provider_refund_id),
  CONSTRAINT ck_refund_status CHECK (status IN ('requested', 'approved', 'unsent', 'sent',
    'succeeded', 'failed', 'cancelled')),
  CONSTRAINT ck_refund_amount_minor CHECK (amount_minor BETWEEN 1 AND 99999999999),
  CONSTRAINT ck_refund_currency CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT ck_refund_reason CHECK (reason IN ('duplicate', 'fraudulent',
    'requested_by_customer', 'other')),
  CONSTRAINT ck_refund_note CHECK (length(note) <= 500),
  CONSTRAINT ck_refund_destination CHECK (destination IN ('original', 'wallet', 'order_credit')),
  CONSTRAINT ck_refund_target CHECK (
    (destination = 'order_credit') = (target_order_id IS NOT NULL)),
  CONSTRAINT ck_refund_set_aside CHECK (anomaly_id IS NULL OR destination = 'original'),
  CONSTRAINT ck_refund_two_people CHECK (
    approved_by_id IS NULL OR approved_by_id IS DISTINCT FROM requested_by_id),
  CONSTRAINT ck_refund_approval CHECK (NOT needs_approval OR approved_by_kind IS NOT NULL
    OR status IN ('requested', 'cancelled')),
  CONSTRAINT ck_refund_leaves_at CHECK (
    status IN ('requested', 'cancelled') OR leaves_at IS NOT NULL),
  CONSTRAINT ck_refund_sent_at CHECK (
    status NOT IN ('sent', 'succeeded') OR sent_at IS NOT NULL),
  CONSTRAINT ck_refund_finished_at CHECK (
    (status IN ('succeeded', 'failed', 'cancelled')) = (finished_at IS NOT NULL)),
  CONSTRAINT ck_refund_failure_code CHECK ((status = 'failed') = (failure_code IS NOT NULL)),
  CONSTRAINT fk_refund_payment_id FOREIGN KEY (merchant_id, livemode, payment_id)
    REFERENCES payment (merchant_id, livemode, id),
  CONSTRAINT fk_refund_target_order_id FOREIGN KEY (merchant_id, livemode, target_order_id)
    REFERENCES shop_order (merchant_id, livemode, id),
  CONSTRAINT fk_refund_anomaly_id FOREIGN KEY (anomaly_id) REFERENCES anomaly (id),
  CONSTRAINT fk_refund_user_id FOREIGN KEY (user_id) REFERENCES app_user (id));
CREATE UNIQUE INDEX uq_refund_one_of_anomaly ON refund (anomaly_id)
  WHERE anomaly_id IS NOT NULL AND status NOT IN ('failed', 'cancelled');
CREATE UNIQUE INDEX uq_refund_one_credit_of_order ON refund (target_order_id)
  WHERE target_order_id IS NOT NULL AND status NOT IN ('failed', 'cancelled');
CREATE INDEX ix_refund_merchant_id_livemode_id ON refund (merchant_id, livemode, id DESC);
CREATE INDEX ix_refund_merchant_id_livemode_status_id
  ON refund (merchant_id, livemode, status, id DESC);
CREATE INDEX ix_refund_payment_id ON refund (payment_id);
CREATE INDEX ix_refund_user_id_id ON refund (user_id, id DESC) WHERE user_id IS NOT NULL;
CREATE INDEX ix_refund_leaves_at ON refund (leaves_at) WHERE status = 'approved';
CREATE INDEX ix_refund_check_at ON refund (check_at) WHERE check_at IS NOT NULL;

CREATE TABLE refund_freeze (
  only_row boolean NOT NULL, frozen_at timestamptz, because text NOT NULL,
  by_kind text NOT NULL, by_id text,
  CONSTRAINT pk_refund_freeze PRIMARY KEY (only_row),
  CONSTRAINT ck_refund_freeze_only_row CHECK (only_row));
INSERT INTO refund_freeze (only_row, because, by_kind) VALUES (true, '', 'system');

ALTER TABLE payment
  ADD COLUMN refund_reserved_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN refunded_minor bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT ck_payment_refund_reserved_minor
    CHECK (refund_reserved_minor BETWEEN 0 AND captured_minor),
  ADD CONSTRAINT ck_payment_refunded_minor
    CHECK (refunded_minor BETWEEN 0 AND refund_reserved_minor);
"""

#: What the rooms below must know of refunds.
WIDER = """
ALTER TABLE ledger_account DROP CONSTRAINT ck_ledger_account_kind;
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_kind
  CHECK (kind IN ('payable', 'fees', 'wallet', 'suspense', 'refunds_in_transit', 'store_credit')
         OR kind ~ '^clearing_[a-z]+$');
ALTER TABLE provider_operation DROP CONSTRAINT ck_provider_operation_kind;
ALTER TABLE provider_operation ADD CONSTRAINT ck_provider_operation_kind
  CHECK (kind IN ('create_intent', 'confirm', 'capture', 'cancel', 'create_session',
    'expire_session', 'look_up', 'refund', 'look_up_refund'));
CREATE UNIQUE INDEX uq_provider_operation_one_refund ON provider_operation (subject_id)
  WHERE kind = 'refund' AND state <> 'failed';
DROP INDEX uq_provider_operation_one_question;
CREATE UNIQUE INDEX uq_provider_operation_one_question ON provider_operation (subject_id, kind)
  WHERE kind IN ('look_up', 'cancel', 'look_up_refund')
    AND state IN ('pending', 'in_flight', 'unknown');
"""

NARROWER = """
DROP INDEX uq_provider_operation_one_question;
CREATE UNIQUE INDEX uq_provider_operation_one_question ON provider_operation (subject_id, kind)
  WHERE kind IN ('look_up', 'cancel') AND state IN ('pending', 'in_flight', 'unknown');
DROP INDEX uq_provider_operation_one_refund;
ALTER TABLE provider_operation DROP CONSTRAINT ck_provider_operation_kind;
ALTER TABLE provider_operation ADD CONSTRAINT ck_provider_operation_kind
  CHECK (kind IN ('create_intent', 'confirm', 'capture', 'cancel', 'create_session',
    'expire_session', 'look_up'));
ALTER TABLE ledger_account DROP CONSTRAINT ck_ledger_account_kind;
ALTER TABLE ledger_account ADD CONSTRAINT ck_ledger_account_kind
  CHECK (kind IN ('payable', 'fees', 'wallet', 'suspense') OR kind ~ '^clearing_[a-z]+$');
"""

GUARDS = f"""
CREATE FUNCTION refunds_are_frozen() RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
  SELECT frozen_at IS NOT NULL FROM refund_freeze FOR SHARE
$$;
GRANT EXECUTE ON FUNCTION refunds_are_frozen() TO {guards.WORKER};

CREATE FUNCTION guard_refund() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF current_user = 'paydeck_owner' THEN RETURN NEW; END IF;
    IF NEW.approved_by_kind IS NOT NULL OR NEW.provider_refund_id IS NOT NULL
       OR NEW.sent_at IS NOT NULL THEN
      RAISE EXCEPTION 'a refund begins undecided and unsent' USING ERRCODE = 'PD002';
    END IF;
    IF NEW.leaves_at < clock_now() - interval '10 s' THEN
      RAISE EXCEPTION 'refund % cannot have left already', NEW.id USING ERRCODE = 'PD005';
    END IF;
    RETURN NEW;
  END IF;
  IF NEW.leaves_at IS DISTINCT FROM OLD.leaves_at THEN
    IF OLD.status = 'requested' AND NEW.status = 'approved' THEN
      IF NEW.leaves_at < clock_now() - interval '10 s' THEN
        RAISE EXCEPTION 'refund % cannot have left already', OLD.id USING ERRCODE = 'PD005';
      END IF;
    ELSIF NOT (current_user = '{guards.WORKER}' AND NEW.leaves_at > OLD.leaves_at
               AND OLD.status = 'approved' AND NEW.status = 'approved') THEN
      RAISE EXCEPTION 'refund % can be undone until it was said to leave', OLD.id
        USING ERRCODE = 'PD003';
    END IF;
  END IF;
  IF OLD.provider_refund_id IS NOT NULL
     AND NEW.provider_refund_id IS DISTINCT FROM OLD.provider_refund_id THEN
    RAISE EXCEPTION 'refund % is one refund at the provider', OLD.id USING ERRCODE = 'PD003';
  END IF;
  IF OLD.approved_by_kind IS NOT NULL AND (OLD.approved_by_kind, OLD.approved_by_id)
     IS DISTINCT FROM (NEW.approved_by_kind, NEW.approved_by_id) THEN
    RAISE EXCEPTION 'who approved refund % stays on record', OLD.id USING ERRCODE = 'PD003';
  END IF;
  IF NEW.status = OLD.status THEN RETURN NEW; END IF;
  IF NEW.status NOT IN ('approved', 'cancelled')
     AND current_user IN ('{guards.WEB}', '{guards.ADMIN}') THEN
    RAISE EXCEPTION 'a page does not send refund %', OLD.id USING ERRCODE = 'PD005';
  END IF;
  IF OLD.status = 'requested' AND NEW.status = 'approved' AND NEW.approved_by_kind IS NULL THEN
    RAISE EXCEPTION 'somebody approves refund %', OLD.id USING ERRCODE = 'PD005';
  END IF;
  IF OLD.status = 'approved' AND NEW.status IN ('unsent', 'succeeded') THEN
    IF NEW.leaves_at > clock_now() THEN
      RAISE EXCEPTION 'refund % can still be undone', OLD.id USING ERRCODE = 'PD005';
    END IF;
    IF refunds_are_frozen() THEN
      RAISE EXCEPTION 'refunds are frozen' USING ERRCODE = 'PD008';
    END IF;
  END IF;
  IF OLD.status = 'failed' AND OLD.provider_refund_id IS NOT NULL THEN
    RAISE EXCEPTION 'refund % has failed at the provider', OLD.id USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_refund BEFORE INSERT OR UPDATE ON refund
  FOR EACH ROW EXECUTE FUNCTION guard_refund();

CREATE FUNCTION guard_approver() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM app_user u WHERE u.id = NEW.approved_by_id AND u.status = 'active'
      AND (u.is_admin OR EXISTS (SELECT 1 FROM membership m WHERE m.user_id = u.id
        AND m.merchant_id = NEW.merchant_id AND m.ended_at IS NULL
        AND m.role IN ('owner', 'admin')))) THEN
    RAISE EXCEPTION 'refund % is approved by somebody who may not', NEW.id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_approver BEFORE UPDATE ON refund FOR EACH ROW
  WHEN (OLD.approved_by_kind IS NULL AND NEW.approved_by_kind IS NOT NULL)
  EXECUTE FUNCTION guard_approver();

CREATE FUNCTION refund_reserves() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE reserved bigint; refunded bigint;
BEGIN
  IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT 1 FROM payment
      WHERE id = NEW.payment_id AND user_id IS NOT DISTINCT FROM NEW.user_id) THEN
    RAISE EXCEPTION 'refund % is for whoever paid', NEW.id USING ERRCODE = 'PD005';
  END IF;
  IF NEW.anomaly_id IS NOT NULL THEN
    IF TG_OP = 'INSERT' AND NOT EXISTS (SELECT 1 FROM anomaly a WHERE a.id = NEW.anomaly_id
        AND (a.payment_id, a.merchant_id, a.livemode, a.currency, a.amount_minor)
          = (NEW.payment_id, NEW.merchant_id, NEW.livemode, NEW.currency, NEW.amount_minor)) THEN
      RAISE EXCEPTION 'what was set aside goes back whole' USING ERRCODE = 'PD005';
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.status = 'failed' AND NOT EXISTS (
        SELECT 1 FROM anomaly a WHERE a.id = NEW.anomaly_id AND a.status = 'refunding') THEN
      RAISE EXCEPTION 'what was set aside as % is used otherwise', NEW.anomaly_id
        USING ERRCODE = 'PD005';
    END IF;
    RETURN NULL;
  END IF;
  reserved := CASE WHEN NEW.status IN ('failed', 'cancelled') THEN 0 ELSE NEW.amount_minor END;
  refunded := CASE WHEN NEW.status = 'succeeded' THEN NEW.amount_minor ELSE 0 END;
  IF TG_OP = 'UPDATE' THEN
    reserved := reserved
      - CASE WHEN OLD.status IN ('failed', 'cancelled') THEN 0 ELSE OLD.amount_minor END;
    refunded := refunded - CASE WHEN OLD.status = 'succeeded' THEN OLD.amount_minor ELSE 0 END;
  END IF;
  IF reserved = 0 AND refunded = 0 AND TG_OP = 'UPDATE' THEN RETURN NULL; END IF;
  UPDATE payment SET refund_reserved_minor = refund_reserved_minor + reserved,
                     refunded_minor = refunded_minor + refunded
    WHERE id = NEW.payment_id AND currency = NEW.currency AND status = 'captured';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a refund is of a captured payment in its currency' USING ERRCODE = 'PD005';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER reserves AFTER INSERT OR UPDATE OF status ON refund
  FOR EACH ROW EXECUTE FUNCTION refund_reserves();

CREATE FUNCTION guard_returning() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM refund WHERE anomaly_id = NEW.id
             AND status NOT IN ('failed', 'cancelled')) THEN
    RAISE EXCEPTION 'what was set aside as % is on its way back', NEW.id USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_returning BEFORE UPDATE OF status ON anomaly
  FOR EACH ROW WHEN (NEW.status = 'applying') EXECUTE FUNCTION guard_returning();

CREATE FUNCTION guard_refunded() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' AND (NEW.refund_reserved_minor <> 0 OR NEW.refunded_minor <> 0) THEN
    RAISE EXCEPTION 'a payment begins with nothing refunded' USING ERRCODE = 'PD001';
  END IF;
  IF TG_OP = 'UPDATE' AND pg_trigger_depth() < 2
     AND (NEW.refund_reserved_minor <> OLD.refund_reserved_minor
          OR NEW.refunded_minor <> OLD.refunded_minor) THEN
    RAISE EXCEPTION 'what was refunded moves with a refund only' USING ERRCODE = 'PD001';
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.status = 'captured' AND OLD.method_kind = 'credit'
     AND NEW.metadata IS DISTINCT FROM OLD.metadata THEN
    RAISE EXCEPTION 'where the money of payment % came from stays on record', OLD.id
      USING ERRCODE = 'PD003';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_refunded BEFORE INSERT OR UPDATE ON payment
  FOR EACH ROW EXECUTE FUNCTION guard_refunded();
"""

EDGES = [
    ("", "requested"),
    ("", "approved"),
    ("requested", "approved"),
    ("requested", "cancelled"),
    ("approved", "unsent"),
    ("approved", "succeeded"),
    ("approved", "failed"),
    ("approved", "cancelled"),
    ("unsent", "sent"),
    ("unsent", "succeeded"),
    ("unsent", "failed"),
    ("sent", "succeeded"),
    ("sent", "failed"),
    ("succeeded", "failed"),
    ("failed", "sent"),
    ("failed", "succeeded"),
]

FROZEN = [
    "merchant_id",
    "livemode",
    "user_id",
    "payment_id",
    "anomaly_id",
    "amount_minor",
    "currency",
    "reason",
    "note",
    "destination",
    "target_order_id",
    "needs_approval",
    "requested_by_kind",
    "requested_by_id",
    "created_at",
    "metadata",
]
DECIDED = (
    "status, version, approved_by_kind, approved_by_id, leaves_at, finished_at, expected_by,"
    " check_at, deadline_at"
)


def upgrade() -> None:
    """Make refunds, and teach the rooms below what they must know of them."""
    op.execute(TABLES)
    op.execute(WIDER)
    op.execute(GUARDS)
    op.execute(refund_guards.CALLS)
    op.execute(refund_guards.DECISION_OR_BACK)
    guards.flow(op, "refund", EDGES)
    guards.moving(op, "refund", "refund", frozen=FROZEN)
    decides = f"SELECT, INSERT, UPDATE ({DECIDED})"
    guards.grant(op, "refund", web=decides, admin=decides, worker="SELECT, INSERT, UPDATE")
    guards.tenant_rows(op, "refund", or_user=False)
    op.execute(
        f"CREATE POLICY own_rows ON refund FOR SELECT TO {guards.WEB} USING ({guards.USER_MATCHES})"
    )
    guards.grant(
        op,
        "refund_freeze",
        web="SELECT",
        admin="SELECT, UPDATE (frozen_at, because, by_kind, by_id)",
        worker="SELECT",
    )
    op.execute(
        "CREATE TRIGGER never_emptied BEFORE DELETE OR TRUNCATE ON refund_freeze"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    # To lock a payment's row one must be allowed to change some of it; this column is guarded.
    op.execute(f"GRANT UPDATE (refund_reserved_minor) ON payment TO {guards.ADMIN}")


def downgrade() -> None:
    """Take refunds away."""
    op.execute(f"REVOKE UPDATE (refund_reserved_minor) ON payment FROM {guards.ADMIN}")
    op.execute("DROP TRIGGER guard_refund_operation ON provider_operation")
    op.execute("DROP TRIGGER guard_refund_sending ON provider_operation")
    op.execute("DROP TRIGGER guard_refunded ON payment")
    op.execute("DROP TRIGGER guard_returning ON anomaly")
    op.execute(refund_guards.DECISION)
    op.execute("DROP TABLE refund_freeze, refund")
    op.execute("ALTER TABLE payment DROP COLUMN refunded_minor, DROP COLUMN refund_reserved_minor")
    op.execute(
        "DROP FUNCTION guard_refund(), refunds_are_frozen(), refund_reserves(), guard_refunded(),"
        " guard_refund_operation(), guard_returning(), guard_approver(),"
        " guard_refund_sending(), origin_intent(text)"
    )
    op.execute(NARROWER)
    op.execute("DELETE FROM flow_edge WHERE noun = 'refund'")
