"""When an endpoint was last given a turn, and from when on a claim is to look at it again."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None

#: `number` is the newest fence handed out for the endpoint. Whoever has something for an endpoint
#: rings and waits for nobody; the claimer alone answers the rings and keeps the turns.
TABLES = """
CREATE TABLE webhook_turn (
  endpoint_id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL,
  number bigint NOT NULL, wakes_at timestamptz NOT NULL,
  CONSTRAINT pk_webhook_turn PRIMARY KEY (endpoint_id),
  CONSTRAINT fk_webhook_turn_endpoint_id FOREIGN KEY (endpoint_id) REFERENCES webhook_endpoint (id),
  CONSTRAINT ck_webhook_turn_number CHECK (number >= 0));
CREATE INDEX ix_webhook_turn_wakes_at ON webhook_turn (wakes_at);
CREATE INDEX ix_webhook_turn_merchant_id ON webhook_turn (merchant_id);
CREATE TABLE webhook_ring (endpoint_id text COLLATE "C" NOT NULL);
INSERT INTO webhook_ring SELECT DISTINCT endpoint_id FROM delivery WHERE state = 'due';
"""

#: New deliveries ring, and whatever makes one due earlier: also a resumed or rested endpoint.
RINGS = """
CREATE FUNCTION ring_for_new() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO webhook_ring SELECT DISTINCT endpoint_id FROM fresh;
  RETURN NULL;
END $$;
CREATE FUNCTION ring() RETURNS trigger LANGUAGE plpgsql
  SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO webhook_ring
    VALUES (coalesce(to_jsonb(NEW) ->> 'endpoint_id', to_jsonb(NEW) ->> 'id'));
  RETURN NULL;
END $$;
CREATE TRIGGER rings AFTER INSERT ON delivery REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION ring_for_new();
CREATE TRIGGER rings_earlier AFTER UPDATE OF due_at ON delivery
  FOR EACH ROW WHEN (NEW.due_at < OLD.due_at) EXECUTE FUNCTION ring();
CREATE TRIGGER rings AFTER UPDATE OF status ON webhook_endpoint
  FOR EACH ROW WHEN (NEW.status = 'enabled' AND OLD.status <> 'enabled') EXECUTE FUNCTION ring();
CREATE TRIGGER rings AFTER UPDATE OF open_until ON webhook_health
  FOR EACH ROW WHEN (OLD.open_until IS NOT NULL
    AND (NEW.open_until IS NULL OR NEW.open_until < OLD.open_until)) EXECUTE FUNCTION ring();
"""


def upgrade() -> None:
    """Make both tables, of the sender alone, and let endpoints with something due ring."""
    op.execute(TABLES)
    op.execute(RINGS)
    guards.grant(op, "webhook_turn", admin="SELECT", worker="SELECT, INSERT, UPDATE")
    guards.grant(op, "webhook_ring", admin="SELECT", worker="SELECT, DELETE")


def downgrade() -> None:
    """Let claims look at every endpoint again, the oldest first."""
    op.execute("DROP TRIGGER rings ON webhook_health")
    op.execute("DROP TRIGGER rings ON webhook_endpoint")
    op.execute("DROP TRIGGER rings_earlier ON delivery")
    op.execute("DROP TRIGGER rings ON delivery")
    op.execute("DROP FUNCTION ring_for_new(), ring()")
    op.execute("DROP TABLE webhook_ring, webhook_turn")
