"""What is owed and for what: customers, orders and their checkout sessions."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE customer (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C", email_sealed text NOT NULL, email_index text NOT NULL, name_sealed text,
  created_at timestamptz NOT NULL, metadata jsonb NOT NULL,
  CONSTRAINT pk_customer PRIMARY KEY (id),
  CONSTRAINT uq_customer_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_customer_merchant_id_livemode_email_index
    UNIQUE (merchant_id, livemode, email_index),
  CONSTRAINT fk_customer_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_customer_user_id FOREIGN KEY (user_id) REFERENCES app_user (id));

CREATE TABLE order_counter (
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, last int NOT NULL,
  CONSTRAINT pk_order_counter PRIMARY KEY (merchant_id, livemode),
  CONSTRAINT fk_order_counter_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id));

CREATE TABLE shop_order (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C", customer_id text COLLATE "C", kind text NOT NULL,
  number text NOT NULL, status text NOT NULL, version int NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL, description text NOT NULL,
  metadata jsonb NOT NULL, created_at timestamptz NOT NULL, completed_at timestamptz,
  created_by text COLLATE "C",
  CONSTRAINT pk_shop_order PRIMARY KEY (id),
  CONSTRAINT uq_shop_order_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_shop_order_merchant_id_livemode_number UNIQUE (merchant_id, livemode, number),
  CONSTRAINT ck_shop_order_status CHECK (status IN ('pending', 'completed', 'cancelled')),
  CONSTRAINT ck_shop_order_kind CHECK (kind IN ('sale', 'top_up')),
  CONSTRAINT ck_shop_order_amount_minor CHECK (amount_minor BETWEEN 1 AND 99999999999),
  CONSTRAINT ck_shop_order_currency CHECK (currency ~ '^[A-Z]{3}$'),
  CONSTRAINT ck_shop_order_completed_at CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
  CONSTRAINT fk_shop_order_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_shop_order_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT fk_shop_order_customer_id FOREIGN KEY (merchant_id, livemode, customer_id)
    REFERENCES customer (merchant_id, livemode, id));
CREATE INDEX ix_shop_order_merchant_id_livemode_status_id
  ON shop_order (merchant_id, livemode, status, id DESC);
CREATE INDEX ix_shop_order_merchant_id_livemode_id ON shop_order (merchant_id, livemode, id DESC);
CREATE INDEX ix_shop_order_user_id_id ON shop_order (user_id, id DESC) WHERE user_id IS NOT NULL;

CREATE TABLE checkout_session (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C", order_id text COLLATE "C" NOT NULL, token_hash text NOT NULL,
  status text NOT NULL, version int NOT NULL, opened_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL, closed_at timestamptz,
  CONSTRAINT pk_checkout_session PRIMARY KEY (id),
  CONSTRAINT uq_checkout_session_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_checkout_session_token_hash UNIQUE (token_hash),
  CONSTRAINT ck_checkout_session_status CHECK (status IN ('open', 'complete', 'expired')),
  CONSTRAINT ck_checkout_session_expires_at CHECK (expires_at > opened_at),
  CONSTRAINT fk_checkout_session_order_id FOREIGN KEY (merchant_id, livemode, order_id)
    REFERENCES shop_order (merchant_id, livemode, id));
CREATE UNIQUE INDEX uq_checkout_session_one_open ON checkout_session (order_id)
  WHERE status = 'open';
CREATE INDEX ix_checkout_session_expires_at ON checkout_session (expires_at) WHERE status = 'open';
CREATE INDEX ix_checkout_session_order_id ON checkout_session (order_id);
"""

LINK_DOOR = """
CREATE FUNCTION checkout_by_token(wanted text)
RETURNS TABLE (session_id text, order_id text, merchant_id text, livemode boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
  SELECT id, order_id, merchant_id, livemode FROM checkout_session WHERE token_hash = wanted
$$;
REVOKE ALL ON FUNCTION checkout_by_token(text) FROM PUBLIC;
"""


def upgrade() -> None:
    """Make the tables, their guards and the one door that a checkout's token opens."""
    op.execute(TABLES)
    op.execute(LINK_DOOR)
    op.execute(f"GRANT EXECUTE ON FUNCTION checkout_by_token(text) TO {guards.WEB}")
    guards.flow(op, "order", [("", "pending"), ("pending", "completed"), ("pending", "cancelled")])
    guards.flow(op, "checkout_session", [("", "open"), ("open", "complete"), ("open", "expired")])
    order_frozen = ["merchant_id", "livemode", "kind", "number", "amount_minor", "currency"]
    guards.moving(op, "shop_order", "order", frozen=[*order_frozen, "created_at"])
    session_frozen = [
        "merchant_id",
        "livemode",
        "order_id",
        "token_hash",
        "opened_at",
        "expires_at",
    ]
    guards.moving(op, "checkout_session", "checkout_session", frozen=session_frozen)
    guards.grant(op, "customer", web="SELECT, INSERT, UPDATE (user_id)", worker="SELECT")
    guards.grant(op, "order_counter", web="SELECT, INSERT, UPDATE", worker="SELECT")
    changes = "UPDATE (status, version, user_id, customer_id, completed_at)"
    guards.grant(op, "shop_order", web=f"SELECT, INSERT, {changes}", worker=f"SELECT, {changes}")
    closes = "UPDATE (status, version, user_id, closed_at)"
    guards.grant(
        op, "checkout_session", web=f"SELECT, INSERT, {closes}", worker=f"SELECT, {closes}"
    )
    for table in ("customer", "shop_order", "checkout_session"):
        guards.tenant_rows(op, table)
    guards.tenant_rows(op, "order_counter", or_user=False)


def downgrade() -> None:
    """Take everything away."""
    op.execute("DROP FUNCTION checkout_by_token(text)")
    op.execute("DROP TABLE checkout_session, shop_order, order_counter, customer")
    op.execute("DELETE FROM flow_edge WHERE noun IN ('order', 'checkout_session')")
