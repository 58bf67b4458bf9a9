"""People, merchants, memberships, sign-in sessions, secret links and the count of tries."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

USER_EDGES = (
    ("", "unverified"),
    ("unverified", "active"),
    ("unverified", "suspended"),
    ("active", "suspended"),
    ("suspended", "active"),
)
MERCHANT_EDGES = (("", "active"), ("active", "suspended"), ("suspended", "active"))

TABLES = """
CREATE TABLE app_user (
  id text COLLATE "C" NOT NULL,
  status text NOT NULL, version int NOT NULL,
  email_sealed text NOT NULL, email_index text NOT NULL,
  name_sealed text NOT NULL, phone_sealed text,
  password_hash text NOT NULL, is_admin boolean NOT NULL DEFAULT false,
  timezone text NOT NULL, locale text NOT NULL,
  created_at timestamptz NOT NULL, verified_at timestamptz,
  password_changed_at timestamptz NOT NULL,
  CONSTRAINT pk_app_user PRIMARY KEY (id),
  CONSTRAINT uq_app_user_email_index UNIQUE (email_index),
  CONSTRAINT ck_app_user_status CHECK (status IN ('unverified', 'active', 'suspended')),
  CONSTRAINT ck_app_user_version CHECK (version >= 1),
  CONSTRAINT ck_app_user_password_is_hashed
    CHECK (password_hash LIKE '$argon2id$%' OR password_hash ~ '^\\$2[aby]\\$'),
  CONSTRAINT ck_app_user_email_is_sealed CHECK (position('@' IN email_sealed) = 0));

CREATE TABLE merchant (
  id text COLLATE "C" NOT NULL,
  status text NOT NULL, version int NOT NULL,
  user_id text COLLATE "C",
  name text NOT NULL, slug text NOT NULL, country char(2) NOT NULL, timezone text NOT NULL,
  default_currency char(3) NOT NULL, fee_bps int, created_at timestamptz NOT NULL,
  is_platform boolean NOT NULL DEFAULT false,
  CONSTRAINT pk_merchant PRIMARY KEY (id),
  CONSTRAINT uq_merchant_slug UNIQUE (slug),
  CONSTRAINT fk_merchant_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_merchant_status CHECK (status IN ('active', 'suspended')),
  CONSTRAINT ck_merchant_version CHECK (version >= 1),
  CONSTRAINT ck_merchant_name CHECK (length(name) BETWEEN 1 AND 80),
  CONSTRAINT ck_merchant_slug CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  CONSTRAINT ck_merchant_fee_bps CHECK (fee_bps BETWEEN 0 AND 2000));
CREATE UNIQUE INDEX uq_merchant_is_platform ON merchant (is_platform) WHERE is_platform;

CREATE TABLE membership (
  id text COLLATE "C" NOT NULL,
  merchant_id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL,
  role text NOT NULL, created_at timestamptz NOT NULL, ended_at timestamptz,
  CONSTRAINT pk_membership PRIMARY KEY (id),
  CONSTRAINT fk_membership_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_membership_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_membership_role
    CHECK (role IN ('owner', 'admin', 'developer', 'support', 'analyst', 'viewer')));
CREATE UNIQUE INDEX uq_membership_merchant_id_user_id ON membership (merchant_id, user_id)
  WHERE ended_at IS NULL;
CREATE INDEX ix_membership_user_id ON membership (user_id);

CREATE TABLE sign_in_session (
  id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL,
  token_hash text NOT NULL, device text NOT NULL, ip_prefix text NOT NULL,
  created_at timestamptz NOT NULL, last_seen_at timestamptz NOT NULL,
  idle_until timestamptz NOT NULL, ends_at timestamptz NOT NULL, revoked_at timestamptz,
  is_admin boolean NOT NULL,
  CONSTRAINT pk_sign_in_session PRIMARY KEY (id),
  CONSTRAINT uq_sign_in_session_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_sign_in_session_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_sign_in_session_token_is_hashed CHECK (token_hash ~ '^[0-9a-f]{64}$'));
CREATE INDEX ix_sign_in_session_user_id ON sign_in_session (user_id);

CREATE TABLE secret_token (
  id text COLLATE "C" NOT NULL, user_id text COLLATE "C" NOT NULL,
  purpose text NOT NULL, token_hash text NOT NULL,
  created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz,
  data jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT pk_secret_token PRIMARY KEY (id),
  CONSTRAINT uq_secret_token_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_secret_token_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_secret_token_purpose
    CHECK (purpose IN ('verify_email', 'reset_password', 'change_email')),
  CONSTRAINT ck_secret_token_token_is_hashed CHECK (token_hash ~ '^[0-9a-f]{64}$'));
CREATE INDEX ix_secret_token_user_id ON secret_token (user_id);

CREATE TABLE sign_in_try (
  id text COLLATE "C" NOT NULL, purpose text NOT NULL,
  account_index text NOT NULL, address_prefix text NOT NULL, at timestamptz NOT NULL,
  CONSTRAINT pk_sign_in_try PRIMARY KEY (id));
CREATE INDEX ix_sign_in_try_purpose_account_index_at ON sign_in_try (purpose, account_index, at);
CREATE INDEX ix_sign_in_try_purpose_address_prefix_at ON sign_in_try (purpose, address_prefix, at);
"""

#: Each starts from a secret, or from a name that is public; none gives out personal data.
FUNCTIONS = """
CREATE FUNCTION user_by_email_index(p_index text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT id FROM app_user WHERE email_index = p_index $$;

CREATE FUNCTION session_by_token(p_hash text)
RETURNS TABLE (session_id text, user_id text, as_admin boolean, seen_long_ago boolean, stamp text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
  SELECT s.id, u.id, s.is_admin, s.last_seen_at < clock_now() - interval '1 minute',
         md5(concat_ws(',', u.id, u.xmin, (
           SELECT string_agg(concat_ws('.', m.id, m.xmin, x.xmin), ',' ORDER BY m.id)
           FROM membership m JOIN merchant x ON x.id = m.merchant_id WHERE m.user_id = u.id)))
  FROM sign_in_session s JOIN app_user u ON u.id = s.user_id
  WHERE s.token_hash = p_hash AND s.revoked_at IS NULL AND u.status <> 'suspended'
    AND s.idle_until > clock_now() AND s.ends_at > clock_now()
$$;

CREATE FUNCTION secret_token_owner(p_hash text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT user_id FROM secret_token WHERE token_hash = p_hash $$;

CREATE FUNCTION merchant_cards(p_ids text[])
RETURNS TABLE (id text, name text, country text, timezone text, default_currency text, status text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
  SELECT id, name, country, timezone, default_currency, status FROM merchant WHERE id = ANY (p_ids)
$$;

CREATE FUNCTION merchant_fee_bps(p_merchant text) RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT fee_bps FROM merchant WHERE id = p_merchant $$;

CREATE FUNCTION merchant_has_members(p_merchant text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT EXISTS (SELECT 1 FROM membership WHERE merchant_id = p_merchant) $$;

CREATE FUNCTION note_try(p_id text, p_purpose text, p_account text, p_prefix text,
  p_at timestamptz, p_per_account int, p_per_network int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  since timestamptz := clock_now() - interval '15 minutes';
  is_known boolean;
  free_at timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended('try:' || p_purpose || ':' || p_account, 0));
  PERFORM pg_advisory_xact_lock(hashtextextended('try:' || p_purpose || ':' || p_prefix, 0));
  SELECT EXISTS (SELECT 1 FROM sign_in_session s JOIN app_user u ON u.id = s.user_id
    WHERE u.email_index = p_account AND s.ip_prefix = p_prefix) INTO is_known;
  SELECT max(at) INTO free_at FROM (
    (SELECT at FROM sign_in_try
     WHERE purpose = p_purpose AND account_index = p_account AND at > since
       AND (NOT is_known OR address_prefix = p_prefix)
     ORDER BY at DESC OFFSET p_per_account - 1 LIMIT 1)
    UNION ALL
    (SELECT at FROM sign_in_try
     WHERE purpose = p_purpose AND address_prefix = p_prefix AND at > since
       AND p_prefix <> 'unknown'
     ORDER BY at DESC OFFSET p_per_network - 1 LIMIT 1)) AS full_window;
  IF free_at IS NOT NULL THEN
    RETURN greatest(1,
      ceil(extract(epoch FROM free_at + interval '15 minutes' - clock_now())))::int;
  END IF;
  INSERT INTO sign_in_try (id, purpose, account_index, address_prefix, at)
  VALUES (p_id, p_purpose, p_account, p_prefix, p_at);
  RETURN 0;
END $$;

CREATE FUNCTION forget_tries(p_purpose text, p_account text) RETURNS void
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ DELETE FROM sign_in_try WHERE purpose = p_purpose AND account_index = p_account $$;

CREATE FUNCTION guard_suspension() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF current_user = 'paydeck_web' AND NEW.status <> OLD.status
     AND 'suspended' IN (OLD.status, NEW.status) THEN
    RAISE EXCEPTION 'only an admin suspends and restores' USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION guard_first_member() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
BEGIN
  IF current_user = 'paydeck_web' AND (NEW.role <> 'owner' OR merchant_has_members(NEW.merchant_id)
      OR NEW.user_id IS DISTINCT FROM nullif(current_setting('app.user', true), '')) THEN
    RAISE EXCEPTION 'a new merchant begins with its own owner' USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
"""

CALLABLE = (
    "user_by_email_index(text)",
    "session_by_token(text)",
    "secret_token_owner(text)",
    "merchant_cards(text[])",
    "merchant_fee_bps(text)",
    "merchant_has_members(text)",
    "note_try(text, text, text, text, timestamptz, int, int)",
    "forget_tries(text, text)",
)

ME = "nullif(current_setting('app.user', true), '')"
MINE = f"user_id = {ME}"
THIS_MERCHANT = "nullif(current_setting('app.merchant', true), '')"
MY_MERCHANTS = (
    "EXISTS (SELECT 1 FROM membership m WHERE m.merchant_id = merchant.id"
    f" AND m.user_id = {ME} AND m.ended_at IS NULL)"
)

PLATFORM = """
INSERT INTO merchant (id, status, version, name, slug, country, timezone, default_currency,
                      created_at, is_platform)
VALUES ('mer_00000000000000000000000000', 'active', 1, 'Paydeck', 'paydeck', 'IN', 'Asia/Kolkata',
        'INR', '2026-01-01T00:00:00Z', true);
INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,
                  merchant_id, at)
VALUES ('mov_00000000000000000000000000', 'merchant', 'mer_00000000000000000000000000', 1, '',
        'active', 'installed', 'system', 'mer_00000000000000000000000000', '2026-01-01T00:00:00Z');
INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, snapshot, because,
                  actor_kind, at)
VALUES ('fact_00000000000000000000000000', 'merchant.created', 'merchant',
        'mer_00000000000000000000000000', 1, 'mer_00000000000000000000000000',
        '{"id": "mer_00000000000000000000000000", "object": "merchant", "status": "ACTIVE"}',
        'installed', 'system', '2026-01-01T00:00:00Z');
"""


def upgrade() -> None:
    """Make the tables, who may touch them, and the platform's own merchant row."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for function in CALLABLE:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        for role in guards.PORTAL_ROLES:
            op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {role}")
    _people()
    _merchants()
    _secrets()
    op.execute(PLATFORM)


def _people() -> None:
    columns = (
        "id, status, version, email_sealed, email_index, name_sealed, phone_sealed, password_hash,"
        " timezone, locale, created_at, verified_at, password_changed_at"
    )
    changing = (
        "status, version, email_sealed, email_index, name_sealed, phone_sealed, password_hash,"
        " timezone, locale, verified_at, password_changed_at"
    )
    guards.flow(op, "user", USER_EDGES)
    guards.moving(op, "app_user", "user", frozen=["created_at"])
    op.execute(
        "CREATE TRIGGER guard_suspension BEFORE UPDATE ON app_user"
        " FOR EACH ROW EXECUTE FUNCTION guard_suspension()"
    )
    guards.grant(
        op,
        "app_user",
        web=f"SELECT, INSERT ({columns}), UPDATE ({changing})",
        admin="SELECT, UPDATE (status, version)",
        worker="SELECT",
    )
    guards.row_policy(op, "app_user", f"id = {ME}")


def _merchants() -> None:
    columns = (
        "id, status, version, user_id, name, slug, country, timezone, default_currency, created_at"
    )
    guards.flow(op, "merchant", MERCHANT_EDGES)
    guards.moving(op, "merchant", "merchant", frozen=["created_at", "is_platform", "user_id"])
    guards.grant(
        op,
        "merchant",
        web=f"SELECT, INSERT ({columns}), UPDATE (name, timezone, default_currency)",
        admin="SELECT, UPDATE (status, version, name, fee_bps)",
        worker="SELECT",
    )
    guards.row_policy(op, "merchant", f"id = {THIS_MERCHANT} OR {MY_MERCHANTS}")
    guards.grant(
        op,
        "membership",
        web="SELECT, INSERT",
        admin="SELECT, INSERT, UPDATE (role, ended_at)",
        worker="SELECT",
    )
    guards.row_policy(op, "membership", f"{MINE} OR merchant_id = {THIS_MERCHANT}")
    op.execute(
        "CREATE TRIGGER guard_first_member BEFORE INSERT ON membership"
        " FOR EACH ROW EXECUTE FUNCTION guard_first_member()"
    )


def _secrets() -> None:
    guards.grant(
        op,
        "sign_in_session",
        web="SELECT, INSERT, UPDATE (last_seen_at, idle_until, revoked_at)",
        admin="SELECT, UPDATE (revoked_at)",
        worker="SELECT, DELETE",
    )
    guards.row_policy(op, "sign_in_session", MINE)
    guards.grant(
        op,
        "secret_token",
        web="SELECT, INSERT, UPDATE (used_at)",
        admin="",
        worker="SELECT, DELETE",
    )
    guards.row_policy(op, "secret_token", MINE)
    guards.grant(op, "sign_in_try", admin="SELECT", worker="SELECT, DELETE")
    guards.row_policy(op, "sign_in_try", "false")


def downgrade() -> None:
    """Take everything of this file away."""
    op.execute(
        "DROP TABLE sign_in_try, secret_token, sign_in_session, membership, merchant, app_user"
        " CASCADE"
    )
    for function in CALLABLE:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION guard_suspension(), guard_first_member()")
    op.execute("DELETE FROM flow_edge WHERE noun IN ('user', 'merchant')")
