"""Links that a merchant makes once and shares: whoever opens one gets an order of its own."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

LINKS = """
CREATE TABLE payment_link (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, user_id text COLLATE "C",
  status text NOT NULL, version int NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL, description text NOT NULL,
  max_payments int, ends_at timestamptz, ended_at timestamptz,
  token_sealed text NOT NULL, token_index text NOT NULL,
  created_at timestamptz NOT NULL, created_by text COLLATE "C", metadata jsonb NOT NULL,
  CONSTRAINT pk_payment_link PRIMARY KEY (id),
  CONSTRAINT uq_payment_link_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_payment_link_token_index UNIQUE (token_index),
  CONSTRAINT fk_payment_link_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT ck_payment_link_status CHECK (status IN ('active', 'ended')),
  CONSTRAINT ck_payment_link_amount_minor CHECK (amount_minor BETWEEN 1 AND 99999999999),
  CONSTRAINT ck_payment_link_currency CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT ck_payment_link_description CHECK (length(description) BETWEEN 1 AND 200),
  CONSTRAINT ck_payment_link_max_payments CHECK (max_payments BETWEEN 1 AND 10000),
  CONSTRAINT ck_payment_link_ends_at CHECK (ends_at > created_at),
  CONSTRAINT ck_payment_link_ended_at CHECK ((status = 'ended') = (ended_at IS NOT NULL)));
CREATE INDEX ix_payment_link_merchant_id_livemode_id
  ON payment_link (merchant_id, livemode, id DESC);
CREATE INDEX ix_payment_link_ends_at ON payment_link (ends_at) WHERE status = 'active';
"""

ORDERS = """
ALTER TABLE shop_order ADD COLUMN payment_link_id text COLLATE "C",
  ADD CONSTRAINT ck_shop_order_payment_link
    CHECK (payment_link_id IS NULL OR (kind = 'sale' AND NOT capture_later)),
  ADD CONSTRAINT fk_shop_order_payment_link FOREIGN KEY (merchant_id, livemode, payment_link_id)
    REFERENCES payment_link (merchant_id, livemode, id);
CREATE INDEX ix_shop_order_payment_link_id ON shop_order (payment_link_id, id DESC)
  WHERE payment_link_id IS NOT NULL;
CREATE INDEX ix_shop_order_payment_link_paid ON shop_order (payment_link_id)
  WHERE payment_link_id IS NOT NULL AND status = 'completed';
"""

#: What a link's token opens: ids, and nothing of the link itself.
DOOR = f"""
CREATE FUNCTION payment_link_by_token(wanted text)
RETURNS TABLE (link_id text, merchant_id text, livemode boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT id, merchant_id, livemode FROM payment_link WHERE token_index = wanted
$$;
REVOKE ALL ON FUNCTION payment_link_by_token(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION payment_link_by_token(text) TO {guards.WEB};
"""

#: An order of a link asks for what the link asks for, and is made while the link may be used.
OF_A_LINK = """
CREATE FUNCTION guard_order_of_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
      SELECT 1 FROM payment_link WHERE id = NEW.payment_link_id AND status = 'active'
        AND (ends_at IS NULL OR ends_at > NEW.created_at)
        AND amount_minor = NEW.amount_minor AND currency = NEW.currency) THEN
    RAISE EXCEPTION 'no order like this is made by payment link %', NEW.payment_link_id
      USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION guard_order_of_link() FROM PUBLIC;
CREATE TRIGGER guard_order_of_link BEFORE INSERT ON shop_order
  FOR EACH ROW WHEN (NEW.payment_link_id IS NOT NULL) EXECUTE FUNCTION guard_order_of_link();
CREATE TRIGGER guard_payment_link BEFORE UPDATE ON shop_order
  FOR EACH ROW WHEN (OLD.payment_link_id IS DISTINCT FROM NEW.payment_link_id)
  EXECUTE FUNCTION refuse_change();
"""
#: What a link is and asks for; its metadata alone may be written anew, and it may end.
FROZEN = (
    "merchant_id",
    "livemode",
    "amount_minor",
    "currency",
    "description",
    "max_payments",
    "ends_at",
    "token_index",
    "created_at",
    "created_by",
)


def upgrade() -> None:
    """Make links, and the column by which an order says which one it came by."""
    op.execute(LINKS)
    op.execute(ORDERS)
    op.execute(DOOR)
    op.execute(OF_A_LINK)
    guards.flow(op, "payment_link", [("", "active"), ("active", "ended")])
    guards.moving(op, "payment_link", "payment_link", frozen=FROZEN)
    ends = "UPDATE (status, version, ended_at)"
    guards.grant(
        op,
        "payment_link",
        web=f"SELECT, INSERT, {ends}, UPDATE (metadata)",
        worker=f"SELECT, {ends}",
    )
    guards.tenant_rows(op, "payment_link", or_user=False)


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TRIGGER guard_order_of_link ON shop_order")
    op.execute("DROP TRIGGER guard_payment_link ON shop_order")
    op.execute("DROP FUNCTION guard_order_of_link(), payment_link_by_token(text)")
    op.execute(
        "ALTER TABLE shop_order DROP CONSTRAINT fk_shop_order_payment_link,"
        " DROP CONSTRAINT ck_shop_order_payment_link, DROP COLUMN payment_link_id"
    )
    op.execute("DROP TABLE payment_link")
    op.execute("DELETE FROM flow_edge WHERE noun = 'payment_link'")
