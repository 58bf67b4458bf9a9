"""What was asked through the API, kept for thirty days; and what programs may name."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE api_request (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C", livemode boolean NOT NULL,
  key_id text COLLATE "C", user_id text COLLATE "C",
  method text NOT NULL, path text NOT NULL, query text NOT NULL,
  status int NOT NULL, duration_ms int NOT NULL, at timestamptz NOT NULL,
  request_body text NOT NULL, response_body text NOT NULL,
  error_code text, object_id text COLLATE "C",
  version text NOT NULL, idempotency_key text, is_replay boolean NOT NULL,
  CONSTRAINT pk_api_request PRIMARY KEY (id),
  CONSTRAINT ck_api_request_status CHECK (status BETWEEN 100 AND 599),
  CONSTRAINT ck_api_request_request_body CHECK (octet_length(request_body) <= 8192),
  CONSTRAINT ck_api_request_response_body CHECK (octet_length(response_body) <= 8192),
  CONSTRAINT ck_api_request_whose CHECK (merchant_id IS NOT NULL OR user_id IS NOT NULL));
CREATE INDEX ix_api_request_merchant_id_livemode_id
  ON api_request (merchant_id, livemode, id DESC);
"""
#: A merchant's requests are the merchant's; those that name none are the person's.
WHOSE = f"{guards.MERCHANT_MATCHES} OR (merchant_id IS NULL AND {guards.USER_MATCHES})"
#: What a merchant's program may write on an object beyond moving it.
NAMED = {"shop_order": "description, metadata", "payment": "metadata", "refund": "metadata"}


def upgrade() -> None:
    """Make the log, and let programs name things."""
    op.execute(TABLE)
    guards.grant(
        op, "api_request", web="SELECT, INSERT", admin="SELECT, INSERT", worker="SELECT, DELETE"
    )
    guards.row_policy(op, "api_request", WHOSE)
    for table, columns in NAMED.items():
        op.execute(f"GRANT UPDATE ({columns}) ON {table} TO paydeck_web")


def downgrade() -> None:
    """Take it all away again."""
    for table, columns in NAMED.items():
        op.execute(f"REVOKE UPDATE ({columns}) ON {table} FROM paydeck_web")
    op.execute("DROP TABLE api_request")
