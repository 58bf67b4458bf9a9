"""Wallets: stored value, one per person, mode and currency; its money is in the ledger."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

PLATFORM = "mer_00000000000000000000000000"

TABLES = f"""
CREATE TABLE wallet (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C" NOT NULL, currency char(3) NOT NULL,
  status text NOT NULL, version int NOT NULL, created_at timestamptz NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT pk_wallet PRIMARY KEY (id),
  CONSTRAINT uq_wallet_user_id_livemode_currency UNIQUE (user_id, livemode, currency),
  CONSTRAINT fk_wallet_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_wallet_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_wallet_merchant_id CHECK (merchant_id = '{PLATFORM}'),
  CONSTRAINT ck_wallet_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
  CONSTRAINT ck_wallet_status CHECK (status IN ('active', 'inactive')),
  CONSTRAINT ck_wallet_version CHECK (version >= 1));
"""


def upgrade() -> None:
    """Make wallets."""
    op.execute(TABLES)
    edges = [("", "active"), ("active", "inactive"), ("inactive", "active")]
    guards.flow(op, "wallet", edges)
    frozen = ["merchant_id", "livemode", "user_id", "currency", "created_at"]
    guards.moving(op, "wallet", "wallet", frozen=frozen)
    guards.grant(
        op,
        "wallet",
        web="SELECT, INSERT",
        admin="SELECT, UPDATE (status, version)",
        worker="SELECT, INSERT",
    )
    guards.row_policy(op, "wallet", guards.USER_MATCHES)


def downgrade() -> None:
    """Take wallets away."""
    op.execute("DROP TABLE wallet")
    op.execute("DELETE FROM flow_edge WHERE noun = 'wallet'")
