"""Guards of refunds over what is not theirs: calls to the provider, and money set aside."""

from __future__ import annotations

#: Money goes back for a refund that leaves, as much, and where it came from; not while frozen.
CALLS = """
CREATE FUNCTION origin_intent(payment_id text) RETURNS text LANGUAGE sql STABLE
SET search_path = public, pg_temp AS $$
  WITH RECURSIVE way AS (
    SELECT p.*, 0 AS step FROM payment p WHERE p.id = payment_id
    UNION ALL
    SELECT p.*, way.step + 1 FROM way JOIN payment p ON p.id = way.metadata ->> 'payment'
       AND (p.merchant_id, p.livemode, p.currency) = (way.merchant_id, way.livemode, way.currency)
       AND p.user_id IS NOT DISTINCT FROM way.user_id
     WHERE way.method_kind = 'credit' AND way.step < 10)
  SELECT provider_intent_id FROM way ORDER BY step DESC LIMIT 1
$$;

CREATE FUNCTION guard_refund_operation() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.kind = 'refund' AND NEW.state = 'pending' AND NOT EXISTS (
      SELECT 1 FROM refund r JOIN payment p ON p.id = r.payment_id
       WHERE NEW.subject_kind = 'refund' AND r.id = NEW.subject_id AND r.status = 'unsent'
         AND (r.merchant_id, r.livemode) = (NEW.merchant_id, NEW.livemode)
         AND r.amount_minor = (NEW.request ->> 'amount_minor')::bigint
         AND r.currency = NEW.request ->> 'currency'
         AND origin_intent(p.id) = NEW.request ->> 'intent_id') THEN
    RAISE EXCEPTION 'money goes back for a refund that leaves, as much and there: %',
      NEW.subject_id USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_refund_operation BEFORE INSERT ON provider_operation
  FOR EACH ROW EXECUTE FUNCTION guard_refund_operation();

CREATE FUNCTION guard_refund_sending() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF refunds_are_frozen() THEN
    RAISE EXCEPTION 'refunds are frozen' USING ERRCODE = 'PD008';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_refund_sending BEFORE UPDATE ON provider_operation FOR EACH ROW
  WHEN (NEW.kind = 'refund' AND OLD.first_sent_at IS NULL AND NEW.first_sent_at IS NOT NULL)
  EXECUTE FUNCTION guard_refund_sending();
"""

#: Who decides about set-aside money may take back that it goes back, while nothing of it does.
DECISION = """
CREATE OR REPLACE FUNCTION guard_decision() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF current_user IN ('paydeck_web', 'paydeck_admin') AND NEW.status <> OLD.status
     AND NEW.status NOT IN ('refunding', 'applying') THEN
    RAISE EXCEPTION 'people decide; that money has moved is said by who moved it'
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
"""
TAKEN_BACK = """
    IF OLD.status = 'refunding' AND NEW.status = 'open' AND NOT EXISTS (SELECT 1 FROM refund
        WHERE anomaly_id = NEW.id AND status NOT IN ('failed', 'cancelled')) THEN
      RETURN NEW;
    END IF;
    RAISE EXCEPTION 'people decide"""
DECISION_OR_BACK = DECISION.replace("\n    RAISE EXCEPTION 'people decide", TAKEN_BACK)
