"""Money that people send each other: from wallet to wallet, each sending booked as it is told."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

PLATFORM = "mer_00000000000000000000000000"

TABLES = f"""
CREATE TABLE wallet_transfer (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  user_id text COLLATE "C" NOT NULL, recipient_id text COLLATE "C" NOT NULL,
  amount_minor bigint NOT NULL, currency char(3) NOT NULL, note text NOT NULL,
  status text NOT NULL, version int NOT NULL, created_at timestamptz NOT NULL,
  metadata jsonb NOT NULL,
  CONSTRAINT pk_wallet_transfer PRIMARY KEY (id),
  CONSTRAINT fk_wallet_transfer_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_wallet_transfer_recipient_id
    FOREIGN KEY (recipient_id) REFERENCES app_user (id),
  CONSTRAINT fk_wallet_transfer_sender FOREIGN KEY (user_id, livemode, currency)
    REFERENCES wallet (user_id, livemode, currency),
  CONSTRAINT ck_wallet_transfer_merchant_id CHECK (merchant_id = '{PLATFORM}'),
  CONSTRAINT ck_wallet_transfer_two_people CHECK (recipient_id <> user_id),
  CONSTRAINT ck_wallet_transfer_amount_minor CHECK (amount_minor > 0),
  CONSTRAINT ck_wallet_transfer_note CHECK (length(note) <= 140),
  CONSTRAINT ck_wallet_transfer_status CHECK (status = 'completed'),
  CONSTRAINT ck_wallet_transfer_version CHECK (version >= 1));
CREATE INDEX ix_wallet_transfer_user_id ON wallet_transfer (user_id, id DESC);
CREATE INDEX ix_wallet_transfer_recipient_id ON wallet_transfer (recipient_id, id DESC);
"""

#: Whoever writes a sending has moved just that money, out of the sender's wallet into the other's.
BOOKED = """
CREATE FUNCTION guard_wallet_transfer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF (SELECT count(*) = 2
         AND bool_and((e.account_kind, e.currency, e.livemode)
                      = ('wallet', NEW.currency, NEW.livemode))
         AND bool_or(e.user_id = NEW.user_id AND e.amount_minor = -NEW.amount_minor)
         AND bool_or(e.user_id = NEW.recipient_id AND e.amount_minor = NEW.amount_minor)
        FROM transfer t JOIN entry e ON e.transfer_id = t.id
       WHERE t.reference = 'wallet.transferred:' || NEW.id) IS NOT TRUE THEN
    RAISE EXCEPTION 'sending % is not booked as it is told', NEW.id USING ERRCODE = 'PD005';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER booked_as_told AFTER INSERT ON wallet_transfer
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION guard_wallet_transfer();
"""

#: One answer for nobody, somebody not confirmed or suspended, and a wallet that is switched off.
PEOPLE = """
CREATE FUNCTION wallet_recipient(
  p_index text, p_id text, p_livemode boolean, p_currency text
) RETURNS text LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT u.id FROM app_user u
   WHERE (u.email_index = p_index OR u.id = p_id) AND u.status = 'active'
     AND NOT EXISTS (SELECT 1 FROM wallet w WHERE w.user_id = u.id AND w.livemode = p_livemode
                       AND w.currency = p_currency AND w.status <> 'active')
$$;

CREATE FUNCTION wallet_names(p_transfers text[])
RETURNS TABLE (transfer_id text, user_id text, name_sealed text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT t.id, u.id, u.name_sealed
    FROM wallet_transfer t
    JOIN app_user u ON u.id = CASE t.user_id
           WHEN nullif(current_setting('app.user', true), '') THEN t.recipient_id
           ELSE t.user_id END
   WHERE t.id = ANY (p_transfers)
     AND nullif(current_setting('app.user', true), '') IN (t.user_id, t.recipient_id)
$$;
REVOKE ALL ON FUNCTION wallet_recipient(text, text, boolean, text), wallet_names(text[])
  FROM PUBLIC;
"""

FROZEN = [
    "merchant_id",
    "livemode",
    "user_id",
    "recipient_id",
    "amount_minor",
    "currency",
    "note",
    "created_at",
]
RECIPIENT_MATCHES = "recipient_id = nullif(current_setting('app.user', true), '')"


def upgrade() -> None:
    """Make sendings, seen by both people and written by the one who sends."""
    op.execute(TABLES)
    op.execute(BOOKED)
    op.execute(PEOPLE)
    guards.flow(op, "wallet_transfer", [("", "completed")])
    guards.moving(op, "wallet_transfer", "wallet_transfer", frozen=FROZEN)
    guards.grant(op, "wallet_transfer", web="SELECT, INSERT", worker="SELECT")
    guards.row_policy(op, "wallet_transfer", guards.USER_MATCHES)
    op.execute(
        f"CREATE POLICY received_rows ON wallet_transfer FOR SELECT TO {guards.WEB}"
        f" USING ({RECIPIENT_MATCHES})"
    )
    op.execute(
        "GRANT EXECUTE ON FUNCTION wallet_recipient(text, text, boolean, text),"
        f" wallet_names(text[]) TO {guards.WEB}"
    )


def downgrade() -> None:
    """Take sendings away; what they booked stays."""
    op.execute("DROP FUNCTION wallet_recipient(text, text, boolean, text), wallet_names(text[])")
    op.execute("DROP TABLE wallet_transfer")
    op.execute("DROP FUNCTION guard_wallet_transfer()")
    op.execute("DELETE FROM flow_edge WHERE noun = 'wallet_transfer'")
