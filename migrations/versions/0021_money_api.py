"""What a bank calls a payment, and tokens of test cards that programs keep for their users."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

REFERENCES = """
ALTER TABLE attempt ADD COLUMN approval_code text, ADD COLUMN network_reference text;
"""

#: `user_ref` is what the merchant's own system calls its user. No row is of live mode: live cards
#: are typed into the provider's own fields.
METHODS = """
CREATE TABLE payment_method (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_ref text NOT NULL, kind text NOT NULL, display_name text NOT NULL,
  card_sealed text NOT NULL, card_brand text NOT NULL, card_last4 text NOT NULL,
  created_at timestamptz NOT NULL, metadata jsonb NOT NULL,
  CONSTRAINT pk_payment_method PRIMARY KEY (id),
  CONSTRAINT uq_payment_method_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT ck_payment_method_test_only CHECK (NOT livemode),
  CONSTRAINT ck_payment_method_kind CHECK (kind IN ('card')),
  CONSTRAINT ck_payment_method_card_last4 CHECK (card_last4 ~ '^[0-9]{4}$'),
  CONSTRAINT ck_payment_method_user_ref CHECK (length(user_ref) BETWEEN 1 AND 64),
  CONSTRAINT fk_payment_method_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id));
CREATE INDEX ix_payment_method_merchant_id_livemode_user_ref_id
  ON payment_method (merchant_id, livemode, user_ref, id DESC);
"""

#: What a merchant's program may change of a customer.
OF_CUSTOMERS = "UPDATE (metadata, email_sealed, email_index, name_sealed)"


def upgrade() -> None:
    """Make room for the bank's references and for tokens, and let programs name customers."""
    op.execute(REFERENCES)
    op.execute(f"GRANT {OF_CUSTOMERS} ON customer TO {guards.WEB}")
    op.execute(METHODS)
    guards.grant(op, "payment_method", web="SELECT, INSERT", worker="SELECT")
    guards.tenant_rows(op, "payment_method", or_user=False)
    guards.append_only(op, "payment_method")


def downgrade() -> None:
    """Take them away."""
    op.execute("DROP TABLE payment_method")
    op.execute(f"REVOKE {OF_CUSTOMERS} ON customer FROM {guards.WEB}")
    op.execute("ALTER TABLE attempt DROP COLUMN approval_code, DROP COLUMN network_reference")
