"""The ledger: accounts, balanced transfers, entries nobody can change, and one way to post.

`ledger_post` is the only way in for the portal's roles, which may not write these tables.
A transfer is closed by its transaction's number (`xid`): an entry carries the number of the
transaction that wrote it, and a foreign key says that it is its transfer's.
"""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PLATFORM = "mer_00000000000000000000000000"

TABLES = f"""
CREATE TABLE ledger_account (
  id text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
    merchant_id || CASE WHEN livemode THEN '/live/' ELSE '/test/' END || kind || '/'
    || currency::text || CASE WHEN user_id IS NULL THEN '' ELSE '/' || user_id END) STORED,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  kind text NOT NULL, currency char(3) NOT NULL, user_id text COLLATE "C",
  CONSTRAINT pk_ledger_account PRIMARY KEY (id),
  CONSTRAINT uq_ledger_account_name UNIQUE (name),
  CONSTRAINT uq_ledger_account_livemode_currency_id UNIQUE (livemode, currency, id),
  CONSTRAINT fk_ledger_account_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_ledger_account_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_ledger_account_kind
    CHECK (kind IN ('payable', 'fees', 'wallet', 'suspense') OR kind ~ '^clearing_[a-z]+$'),
  CONSTRAINT ck_ledger_account_currency CHECK (currency ~ '^[A-Z]{{3}}$'),
  CONSTRAINT ck_ledger_account_belongs
    CHECK (kind = 'payable' OR merchant_id = '{PLATFORM}'),
  CONSTRAINT ck_ledger_account_wallet_has_user CHECK ((kind = 'wallet') = (user_id IS NOT NULL)));
CREATE INDEX ix_ledger_account_merchant_id_livemode ON ledger_account (merchant_id, livemode);
CREATE INDEX ix_ledger_account_user_id ON ledger_account (user_id) WHERE user_id IS NOT NULL;

CREATE TABLE transfer (
  id text COLLATE "C" NOT NULL,
  reference text COLLATE "C" NOT NULL, kind text NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  at timestamptz NOT NULL, xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  reverses text COLLATE "C", because text NOT NULL,
  CONSTRAINT pk_transfer PRIMARY KEY (id),
  CONSTRAINT uq_transfer_reference UNIQUE (reference),
  CONSTRAINT uq_transfer_merchant_id_livemode_id_xid UNIQUE (merchant_id, livemode, id, xid),
  CONSTRAINT uq_transfer_reverses UNIQUE (reverses),
  CONSTRAINT fk_transfer_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_transfer_reverses FOREIGN KEY (reverses) REFERENCES transfer (id),
  CONSTRAINT ck_transfer_reference CHECK (length(reference) BETWEEN 1 AND 200));
CREATE INDEX ix_transfer_xid ON transfer (xid);
CREATE INDEX ix_transfer_about ON transfer (split_part(reference, ':', 2));

CREATE TABLE entry (
  transfer_id text COLLATE "C" NOT NULL, position smallint NOT NULL,
  account_id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  currency char(3) NOT NULL, amount_minor bigint NOT NULL,
  account_kind text NOT NULL, user_id text COLLATE "C",
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  CONSTRAINT pk_entry PRIMARY KEY (transfer_id, position),
  CONSTRAINT fk_entry_open_transfer FOREIGN KEY (merchant_id, livemode, transfer_id, xid)
    REFERENCES transfer (merchant_id, livemode, id, xid) ON UPDATE CASCADE,
  CONSTRAINT fk_entry_account FOREIGN KEY (livemode, currency, account_id)
    REFERENCES ledger_account (livemode, currency, id),
  CONSTRAINT ck_entry_position CHECK (position >= 1),
  CONSTRAINT ck_entry_amount_minor CHECK (amount_minor <> 0));
CREATE INDEX ix_entry_account_id_xid ON entry (account_id, xid) INCLUDE (amount_minor);
CREATE INDEX ix_entry_user_id_transfer_id ON entry (user_id, transfer_id DESC)
  WHERE user_id IS NOT NULL;

CREATE TABLE balance (
  account_id text COLLATE "C" NOT NULL, amount_minor bigint NOT NULL,
  CONSTRAINT pk_balance PRIMARY KEY (account_id),
  CONSTRAINT fk_balance_account_id FOREIGN KEY (account_id) REFERENCES ledger_account (id),
  CONSTRAINT ck_balance_amount_minor CHECK (amount_minor >= 0));

CREATE TABLE balance_checkpoint (
  account_id text COLLATE "C" NOT NULL, horizon xid8 NOT NULL,
  amount_minor bigint NOT NULL, at timestamptz NOT NULL,
  CONSTRAINT pk_balance_checkpoint PRIMARY KEY (account_id),
  CONSTRAINT fk_balance_checkpoint_account_id FOREIGN KEY (account_id)
    REFERENCES ledger_account (id));

CREATE TABLE ledger_fold (
  only_row boolean NOT NULL DEFAULT true, horizon xid8 NOT NULL,
  CONSTRAINT pk_ledger_fold PRIMARY KEY (only_row),
  CONSTRAINT ck_ledger_fold_only_row CHECK (only_row));
INSERT INTO ledger_fold (horizon) VALUES ('0');
"""

GUARDS = """
CREATE FUNCTION guard_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.xid <> pg_current_xact_id() THEN
    RAISE EXCEPTION 'a transfer carries the number of its own transaction' USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_transfer BEFORE INSERT ON transfer
  FOR EACH ROW EXECUTE FUNCTION guard_transfer();

CREATE FUNCTION guard_entry() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.xid <> pg_current_xact_id() THEN
    RAISE EXCEPTION 'transfer % is closed', NEW.transfer_id USING ERRCODE = 'PD005';
  END IF;
  SELECT kind, user_id INTO NEW.account_kind, NEW.user_id
    FROM ledger_account WHERE id = NEW.account_id;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_entry BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION guard_entry();

CREATE FUNCTION entry_moves_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE balance SET amount_minor = amount_minor + NEW.amount_minor
    WHERE account_id = NEW.account_id;
  RETURN NULL;
END $$;
CREATE TRIGGER moves_balance AFTER INSERT ON entry FOR EACH ROW
  WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION entry_moves_balance();

CREATE FUNCTION account_opens_balance() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO balance (account_id, amount_minor) VALUES (NEW.id, 0);
  RETURN NULL;
END $$;
CREATE TRIGGER opens_balance AFTER INSERT ON ledger_account FOR EACH ROW
  WHEN (NEW.user_id IS NOT NULL) EXECUTE FUNCTION account_opens_balance();

CREATE FUNCTION guard_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'a balance moves with an entry only' USING ERRCODE = 'PD001';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_balance BEFORE INSERT OR UPDATE OR DELETE ON balance
  FOR EACH ROW EXECUTE FUNCTION guard_balance();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON balance
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION guard_balanced() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  its_id text := CASE TG_TABLE_NAME WHEN 'transfer' THEN to_jsonb(NEW) ->> 'id'
                 ELSE to_jsonb(NEW) ->> 'transfer_id' END;
BEGIN
  IF (SELECT count(*) FROM entry WHERE transfer_id = its_id) < 2
     OR EXISTS (SELECT 1 FROM entry WHERE transfer_id = its_id
                GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
    RAISE EXCEPTION 'transfer % does not balance', its_id USING ERRCODE = 'PD006';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON transfer DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION guard_balanced();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entry DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION guard_balanced();
"""

#: Who asks: the role that a session has put on, else the one that it signed in as.
POST = f"""
CREATE FUNCTION ledger_post(
  p_id text, p_reference text, p_kind text, p_merchant text, p_livemode boolean,
  p_at timestamptz, p_because text, p_reverses text, p_lines jsonb
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  asking text := coalesce(nullif(current_setting('role'), 'none'), session_user);
  line record; account ledger_account;
  accounts text[]; currencies text[]; amounts bigint[];
BEGIN
  FOR line IN SELECT * FROM jsonb_to_recordset(p_lines)
      AS e (position int, account text, amount bigint,
            id text, merchant text, kind text, currency text, owner text)
      ORDER BY e.account LOOP
    account := ledger_open(line.account, line.id, line.merchant, p_livemode, line.kind,
                           line.currency, line.owner);
    IF account.merchant_id NOT IN (p_merchant, '{PLATFORM}') THEN
      RAISE EXCEPTION 'a transfer of % touches another merchant', p_merchant
        USING ERRCODE = 'PD005';
    END IF;
    IF line.amount < 0 AND asking = '{guards.WEB}' AND NOT ledger_is_own(account) THEN
      RAISE EXCEPTION 'that account is not yours to pay from' USING ERRCODE = '42501';
    END IF;
    accounts[line.position] := account.id;
    currencies[line.position] := account.currency;
    amounts[line.position] := line.amount;
  END LOOP;

  IF ledger_lacks(accounts, amounts) THEN
    RETURN coalesce(
      ledger_compare(p_reference, p_kind, p_merchant, p_livemode, accounts, amounts),
      'insufficient');
  END IF;
  INSERT INTO transfer (id, reference, kind, merchant_id, livemode, at, reverses, because)
    VALUES (p_id, p_reference, p_kind, p_merchant, p_livemode, p_at, p_reverses, p_because)
    ON CONFLICT (reference) DO NOTHING;
  IF NOT FOUND THEN
    RETURN ledger_compare(p_reference, p_kind, p_merchant, p_livemode, accounts, amounts);
  END IF;
  INSERT INTO entry
    (transfer_id, position, account_id, merchant_id, livemode, currency, amount_minor)
    SELECT p_id, n, e.account, p_merchant, p_livemode, e.currency, e.amount
      FROM unnest(accounts, currencies, amounts)
           WITH ORDINALITY AS e (account, currency, amount, n);
  RETURN 'posted';
END $$;

CREATE FUNCTION ledger_is_own(account ledger_account) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp AS $$
  SELECT coalesce(
    account.user_id = nullif(current_setting('app.user', true), '')
    OR (account.kind = 'payable'
        AND account.merchant_id = nullif(current_setting('app.merchant', true), '')
        AND account.livemode = nullif(current_setting('app.livemode', true), '')::boolean),
    false)
$$;

CREATE FUNCTION ledger_open(
  p_name text, p_id text, p_merchant text, p_livemode boolean, p_kind text, p_currency text,
  p_user text
) RETURNS ledger_account LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE account ledger_account;
BEGIN
  SELECT * INTO account FROM ledger_account WHERE name = p_name COLLATE "C";
  IF FOUND THEN RETURN account; END IF;
  INSERT INTO ledger_account (id, merchant_id, livemode, kind, currency, user_id)
    VALUES (p_id, p_merchant, p_livemode, p_kind, p_currency, p_user)
    ON CONFLICT (name) DO NOTHING;
  SELECT * INTO STRICT account FROM ledger_account WHERE name = p_name COLLATE "C";
  RETURN account;
END $$;

CREATE FUNCTION ledger_lacks(p_accounts text[], p_amounts bigint[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE held record; lacks boolean := false;
BEGIN
  FOR held IN SELECT b.account_id, b.amount_minor FROM balance b
      WHERE b.account_id = ANY (p_accounts) ORDER BY b.account_id FOR UPDATE LOOP
    lacks := lacks OR held.amount_minor + (
      SELECT sum(amount) FROM unnest(p_accounts, p_amounts) AS e (account, amount)
       WHERE account = held.account_id) < 0;
  END LOOP;
  RETURN lacks;
END $$;

CREATE FUNCTION ledger_compare(
  p_reference text, p_kind text, p_merchant text, p_livemode boolean,
  p_accounts text[], p_amounts bigint[]
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE earlier transfer;
BEGIN
  SELECT * INTO earlier FROM transfer WHERE reference = p_reference;
  IF NOT FOUND THEN RETURN NULL; END IF;
  IF (earlier.kind, earlier.merchant_id, earlier.livemode) = (p_kind, p_merchant, p_livemode)
     AND (SELECT array_agg(account_id ORDER BY position) = p_accounts
             AND array_agg(amount_minor ORDER BY position) = p_amounts
            FROM entry WHERE transfer_id = earlier.id) THEN
    RETURN 'already';
  END IF;
  RETURN 'differs';
END $$;
"""

#: Every transaction below the horizon has ended, so its entries are all there: none is skipped.
FOLD = """
CREATE FUNCTION ledger_fold() RETURNS int LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  since xid8; until xid8; folded int;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('paydeck ledger fold', 0)) THEN
    RETURN 0;
  END IF;
  SELECT horizon INTO since FROM ledger_fold FOR UPDATE;
  until := pg_snapshot_xmin(pg_current_snapshot());
  IF since > until THEN
    RAISE EXCEPTION 'the books are ahead of this server: run ledger_after_restore()'
      USING ERRCODE = 'PD007';
  END IF;
  IF since = until THEN RETURN 0; END IF;
  INSERT INTO balance_checkpoint (account_id, horizon, amount_minor, at)
    SELECT e.account_id, until, sum(e.amount_minor), clock_now()
      FROM transfer t JOIN entry e ON e.transfer_id = t.id
     WHERE t.xid >= since AND t.xid < until AND e.user_id IS NULL
     GROUP BY e.account_id ORDER BY e.account_id
    ON CONFLICT ON CONSTRAINT pk_balance_checkpoint DO UPDATE
      SET horizon = excluded.horizon, at = excluded.at,
          amount_minor = balance_checkpoint.amount_minor + excluded.amount_minor;
  GET DIAGNOSTICS folded = ROW_COUNT;
  UPDATE ledger_fold SET horizon = until;
  RETURN folded;
END $$;

CREATE FUNCTION ledger_after_restore() RETURNS void LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  LOCK TABLE transfer, entry, ledger_fold, balance_checkpoint IN ACCESS EXCLUSIVE MODE;
  ALTER TABLE transfer DISABLE TRIGGER append_only;
  ALTER TABLE entry DISABLE TRIGGER append_only;
  UPDATE transfer SET xid = '1';
  ALTER TABLE transfer ENABLE TRIGGER append_only;
  ALTER TABLE entry ENABLE TRIGGER append_only;
  DELETE FROM balance_checkpoint;
  UPDATE ledger_fold SET horizon = '0';
END $$;
REVOKE ALL ON FUNCTION ledger_post(text, text, text, text, boolean, timestamptz, text, text, jsonb),
  ledger_is_own(ledger_account), ledger_open(text, text, text, boolean, text, text, text),
  ledger_lacks(text[], bigint[]), ledger_fold(), ledger_after_restore(),
  ledger_compare(text, text, text, boolean, text[], bigint[]) FROM PUBLIC;
"""

ACCOUNT_ROWS = f"{guards.MERCHANT_MATCHES} OR {guards.USER_MATCHES}"
OF_OWN_ACCOUNT = (
    "EXISTS (SELECT 1 FROM ledger_account a WHERE a.id = account_id AND"
    " ((a.merchant_id = nullif(current_setting('app.merchant', true), '')"
    "   AND a.livemode = nullif(current_setting('app.livemode', true), '')::boolean)"
    "  OR a.user_id = nullif(current_setting('app.user', true), '')))"
)
OF_OWN_ENTRY = (
    f"{guards.MERCHANT_MATCHES} OR EXISTS (SELECT 1 FROM entry e WHERE e.transfer_id = id"
    " AND e.user_id = nullif(current_setting('app.user', true), ''))"
)


def upgrade() -> None:
    """Make the ledger and let the portal's roles read it, and post through one function."""
    op.execute(TABLES)
    for part in (GUARDS, POST, FOLD):
        op.execute(part)
    policies = {
        "ledger_account": ACCOUNT_ROWS,
        "transfer": OF_OWN_ENTRY,
        "entry": ACCOUNT_ROWS,
        "balance": OF_OWN_ACCOUNT,
        "balance_checkpoint": OF_OWN_ACCOUNT,
    }
    for table, condition in policies.items():
        guards.grant(op, table, web="SELECT", worker="SELECT")
        guards.row_policy(op, table, condition)
    guards.grant(op, "ledger_fold", worker="SELECT")
    for table in ("transfer", "entry"):
        guards.append_only(op, table)
    post = "ledger_post(text, text, text, text, boolean, timestamptz, text, text, jsonb)"
    op.execute(f"GRANT EXECUTE ON FUNCTION {post} TO {guards.WEB}, {guards.WORKER}")
    op.execute(f"GRANT EXECUTE ON FUNCTION ledger_fold() TO {guards.WORKER}")


def downgrade() -> None:
    """Take the ledger away."""
    op.execute("DROP FUNCTION ledger_is_own(ledger_account)")
    op.execute("DROP FUNCTION ledger_open(text, text, text, boolean, text, text, text)")
    op.execute("DROP TABLE ledger_fold, balance_checkpoint, balance, entry, transfer")
    op.execute("DROP TABLE ledger_account")
    op.execute(
        "DROP FUNCTION ledger_after_restore(), ledger_fold(),"
        " ledger_post(text, text, text, text, boolean, timestamptz, text, text, jsonb),"
        " ledger_lacks(text[], bigint[]),"
        " ledger_compare(text, text, text, boolean, text[], bigint[]), guard_balanced(),"
        " guard_balance(), account_opens_balance(), entry_moves_balance(), guard_entry(),"
        " guard_transfer()"
    )
