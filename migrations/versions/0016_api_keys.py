"""What programs sign in with: API keys, and the refresh tokens of people.

A key's text is not kept, only its hash. What a key is never changes, and what ended stays ended.
"""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE api_key (
  id text COLLATE "C" NOT NULL, merchant_id text COLLATE "C" NOT NULL, livemode boolean NOT NULL,
  kind text NOT NULL, name text NOT NULL,
  prefix text NOT NULL, last_four text NOT NULL, token_hash text NOT NULL,
  scopes text[], api_version text NOT NULL,
  created_at timestamptz NOT NULL, created_by text COLLATE "C",
  expires_at timestamptz, revoked_at timestamptz, replaced_by text COLLATE "C",
  last_used_at timestamptz, metadata jsonb NOT NULL DEFAULT '{}',
  CONSTRAINT pk_api_key PRIMARY KEY (id),
  CONSTRAINT uq_api_key_merchant_id_livemode_id UNIQUE (merchant_id, livemode, id),
  CONSTRAINT uq_api_key_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_api_key_merchant_id FOREIGN KEY (merchant_id) REFERENCES merchant (id),
  CONSTRAINT fk_api_key_replaced_by FOREIGN KEY (merchant_id, livemode, replaced_by)
    REFERENCES api_key (merchant_id, livemode, id),
  CONSTRAINT ck_api_key_kind CHECK (kind IN ('secret', 'publishable')),
  CONSTRAINT ck_api_key_prefix CHECK (prefix =
    CASE kind WHEN 'secret' THEN 'sk' ELSE 'pk' END || CASE WHEN livemode THEN '_live_'
    ELSE '_test_' END),
  CONSTRAINT ck_api_key_name CHECK (length(name) BETWEEN 1 AND 80),
  CONSTRAINT ck_api_key_last_four CHECK (last_four ~ '^[A-Za-z0-9_-]{4}$'),
  CONSTRAINT ck_api_key_token_is_hashed CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  CONSTRAINT ck_api_key_scopes CHECK (scopes IS NULL OR array_to_string(scopes, ' ')
    ~ '^[a-z_]+:(read|write)( [a-z_]+:(read|write))*$'),
  CONSTRAINT ck_api_key_publishable CHECK (kind = 'secret' OR scopes IS NULL
    OR scopes <@ ARRAY['checkout_sessions:read', 'payment_methods:write']),
  CONSTRAINT ck_api_key_api_version CHECK (api_version ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
  CONSTRAINT ck_api_key_replaced CHECK (replaced_by IS NULL
    OR (replaced_by <> id AND expires_at IS NOT NULL)));

CREATE TABLE refresh_token (
  id text COLLATE "C" NOT NULL, session_id text COLLATE "C" NOT NULL,
  user_id text COLLATE "C" NOT NULL, token_hash text NOT NULL,
  created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL, used_at timestamptz,
  CONSTRAINT pk_refresh_token PRIMARY KEY (id),
  CONSTRAINT uq_refresh_token_token_hash UNIQUE (token_hash),
  CONSTRAINT fk_refresh_token_session_id FOREIGN KEY (session_id)
    REFERENCES sign_in_session (id) ON DELETE CASCADE,
  CONSTRAINT fk_refresh_token_user_id FOREIGN KEY (user_id) REFERENCES app_user (id),
  CONSTRAINT ck_refresh_token_token_is_hashed CHECK (token_hash ~ '^[0-9a-f]{64}$'));
CREATE INDEX ix_refresh_token_session_id ON refresh_token (session_id);
CREATE INDEX ix_refresh_token_user_id ON refresh_token (user_id);
"""

#: Each starts from a secret's hash, or answers about the person in force alone.
FUNCTIONS = """
CREATE FUNCTION api_key_by_hash(p_hash text)
RETURNS TABLE (key_id text, merchant_id text, livemode boolean, kind text, scopes text[],
               api_version text, used_long_ago boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
  SELECT k.id, k.merchant_id, k.livemode, k.kind, k.scopes, k.api_version,
         coalesce(k.last_used_at < clock_now() - interval '1 minute', true)
  FROM api_key k JOIN merchant m ON m.id = k.merchant_id
  WHERE k.token_hash = p_hash AND k.revoked_at IS NULL AND m.status = 'active'
    AND (k.expires_at IS NULL OR k.expires_at > clock_now())
$$;

CREATE FUNCTION refresh_token_owner(p_hash text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT user_id FROM refresh_token WHERE token_hash = p_hash $$;

CREATE FUNCTION own_session(p_session text)
RETURNS TABLE (session_id text, user_id text, as_admin boolean, seen_long_ago boolean, stamp text)
LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = public, pg_temp
AS $$
  SELECT found.* FROM sign_in_session s, LATERAL session_by_token(s.token_hash) found
  WHERE s.id = p_session AND s.user_id = nullif(current_setting('app.user', true), '')
$$;

CREATE FUNCTION guard_api_key() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
  field text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'API keys are never deleted' USING ERRCODE = 'PD001';
  END IF;
  FOREACH field IN ARRAY ARRAY['id', 'merchant_id', 'livemode', 'kind', 'name', 'prefix',
      'last_four', 'token_hash', 'scopes', 'api_version', 'created_at', 'created_by'] LOOP
    IF to_jsonb(OLD) -> field IS DISTINCT FROM to_jsonb(NEW) -> field THEN
      RAISE EXCEPTION 'api_key.% never changes', field USING ERRCODE = 'PD003';
    END IF;
  END LOOP;
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE EXCEPTION 'key % stays revoked', OLD.id USING ERRCODE = 'PD002';
  END IF;
  IF OLD.replaced_by IS NOT NULL AND NEW.replaced_by IS DISTINCT FROM OLD.replaced_by THEN
    RAISE EXCEPTION 'key % was replaced once', OLD.id USING ERRCODE = 'PD002';
  END IF;
  IF OLD.expires_at IS NOT NULL
      AND (NEW.expires_at IS NULL OR NEW.expires_at > OLD.expires_at) THEN
    RAISE EXCEPTION 'the end of key % is never put off', OLD.id USING ERRCODE = 'PD002';
  END IF;
  IF OLD.last_used_at IS NOT NULL
      AND (NEW.last_used_at IS NULL OR NEW.last_used_at < OLD.last_used_at) THEN
    RAISE EXCEPTION 'the last use of key % stays on record', OLD.id USING ERRCODE = 'PD003';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION guard_refresh_token() RETURNS trigger LANGUAGE plpgsql SET search_path = public
AS $$
BEGIN
  IF OLD.used_at IS NOT NULL AND NEW.used_at IS DISTINCT FROM OLD.used_at THEN
    RAISE EXCEPTION 'a refresh token is used once' USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;
"""
CALLABLE = ("api_key_by_hash(text)", "refresh_token_owner(text)", "own_session(text)")

TRIGGERS = """
CREATE TRIGGER guard_api_key BEFORE UPDATE OR DELETE ON api_key
  FOR EACH ROW EXECUTE FUNCTION guard_api_key();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON api_key
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER guard_refresh_token BEFORE UPDATE ON refresh_token
  FOR EACH ROW EXECUTE FUNCTION guard_refresh_token();
"""
#: How a key begins: neither used nor ended.
NEW_KEY = (
    "id, merchant_id, livemode, kind, name, prefix, last_four, token_hash, scopes, api_version,"
    " created_at, created_by, expires_at, metadata"
)
NEW_TOKEN = "id, session_id, user_id, token_hash, created_at, expires_at"  # noqa: S105 - columns
ME = "nullif(current_setting('app.user', true), '')"


def upgrade() -> None:
    """Make the tables, their guards, and who may touch them."""
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for function in CALLABLE:
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO {guards.WEB}")
    op.execute(TRIGGERS)
    guards.grant(
        op,
        "api_key",
        web=f"SELECT, INSERT ({NEW_KEY}), UPDATE (expires_at, revoked_at, replaced_by,"
        " last_used_at)",
        admin="SELECT, UPDATE (revoked_at)",
        worker="SELECT",
    )
    guards.tenant_rows(op, "api_key", or_user=False)
    guards.grant(
        op,
        "refresh_token",
        web=f"SELECT, INSERT ({NEW_TOKEN}), UPDATE (used_at)",
        admin="",
    )
    guards.row_policy(op, "refresh_token", f"user_id = {ME}")


def downgrade() -> None:
    """Take everything of this file away."""
    op.execute("DROP TABLE refresh_token, api_key CASCADE")
    for function in CALLABLE:
        op.execute(f"DROP FUNCTION {function}")
    op.execute("DROP FUNCTION guard_api_key(), guard_refresh_token()")
