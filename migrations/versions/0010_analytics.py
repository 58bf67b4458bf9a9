"""Analytics: the rollup of payments by quarter hour, which the dashboards read."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE rollup_quarter (
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL, currency char(3) NOT NULL,
  quarter timestamptz NOT NULL, outcome text NOT NULL, method_kind text NOT NULL,
  count bigint NOT NULL, amount_minor bigint NOT NULL, fee_minor bigint NOT NULL,
  CONSTRAINT pk_rollup_quarter
    PRIMARY KEY (merchant_id, livemode, currency, quarter, outcome, method_kind),
  CONSTRAINT ck_rollup_quarter_quarter CHECK (mod(extract(epoch FROM quarter), 900) = 0),
  CONSTRAINT ck_rollup_quarter_outcome
    CHECK (outcome IN ('captured', 'failed', 'expired', 'cancelled', 'declined_attempt')));
"""


def upgrade() -> None:
    """Make the rollup; the worker alone adds to it."""
    op.execute(TABLE)
    guards.grant(op, "rollup_quarter", web="SELECT", worker="SELECT, INSERT, UPDATE")
    guards.tenant_rows(op, "rollup_quarter", or_user=False)


def downgrade() -> None:
    """Take the rollup away."""
    op.execute("DROP TABLE rollup_quarter")
