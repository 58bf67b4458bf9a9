"""The ground: clock, fence, the graph of states, moves, facts and what is still to be told."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = """
CREATE FUNCTION clock_now() RETURNS timestamptz LANGUAGE sql VOLATILE
AS $$ SELECT clock_timestamp() $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'PD001';
END $$;

CREATE FUNCTION guard_flow() RETURNS trigger LANGUAGE plpgsql SET search_path = public AS $$
DECLARE
  its_noun text := TG_ARGV[0];
  frozen text[] := string_to_array(TG_ARGV[1], ',');
  field text;
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION '% rows are never deleted', TG_TABLE_NAME USING ERRCODE = 'PD001';
  END IF;
  IF TG_OP = 'INSERT' THEN
    IF current_user = 'paydeck_owner' THEN RETURN NEW; END IF;
    IF NEW.version <> 1 OR NOT EXISTS (SELECT 1 FROM flow_edge
        WHERE noun = its_noun AND source = '' AND target = NEW.status) THEN
      RAISE EXCEPTION 'a % is not born % at version %', its_noun, NEW.status, NEW.version
        USING ERRCODE = 'PD002';
    END IF;
    RETURN NEW;
  END IF;
  FOREACH field IN ARRAY frozen LOOP
    IF to_jsonb(OLD) -> field IS DISTINCT FROM to_jsonb(NEW) -> field THEN
      RAISE EXCEPTION '%.% never changes', TG_TABLE_NAME, field USING ERRCODE = 'PD003';
    END IF;
  END LOOP;
  IF NEW.status = OLD.status AND NEW.version = OLD.version THEN RETURN NEW; END IF;
  IF NEW.version <> OLD.version + 1 THEN
    RAISE EXCEPTION '% % steps from version % to %', its_noun, OLD.id, OLD.version, NEW.version
      USING ERRCODE = 'PD002';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM flow_edge
      WHERE noun = its_noun AND source = OLD.status AND target = NEW.status) THEN
    RAISE EXCEPTION '% % cannot move from % to %', its_noun, OLD.id, OLD.status, NEW.status
      USING ERRCODE = 'PD002';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION guard_story() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
DECLARE
  first_version int := CASE WHEN TG_OP = 'INSERT' THEN 1 ELSE NEW.version END;
  steps int := NEW.version - first_version + 1;
BEGIN
  IF TG_OP = 'UPDATE' AND NEW.version = OLD.version THEN RETURN NULL; END IF;
  IF (SELECT count(*) FROM move WHERE noun = TG_ARGV[0] AND subject_id = NEW.id
        AND version BETWEEN first_version AND NEW.version) <> steps
     OR (SELECT count(*) FROM fact WHERE subject_kind = TG_ARGV[0] AND subject_id = NEW.id
        AND version BETWEEN first_version AND NEW.version) <> steps THEN
    RAISE EXCEPTION '% % version % has no story', TG_ARGV[0], NEW.id, NEW.version
      USING ERRCODE = 'PD004';
  END IF;
  RETURN NULL;
END $$;
"""

TABLES = """
CREATE SEQUENCE fence AS bigint;

CREATE TABLE flow_edge (
  noun text NOT NULL, source text NOT NULL, target text NOT NULL,
  CONSTRAINT pk_flow_edge PRIMARY KEY (noun, source, target));

CREATE TABLE move (
  id text COLLATE "C" NOT NULL,
  noun text NOT NULL, subject_id text COLLATE "C" NOT NULL, version int NOT NULL,
  source text NOT NULL, target text NOT NULL, because text NOT NULL,
  actor_kind text NOT NULL, actor_id text,
  merchant_id text COLLATE "C", livemode boolean, user_id text COLLATE "C",
  at timestamptz NOT NULL,
  CONSTRAINT pk_move PRIMARY KEY (id),
  CONSTRAINT uq_move_noun_subject_id_version UNIQUE (noun, subject_id, version),
  CONSTRAINT ck_move_version CHECK (version >= 1));

CREATE TABLE fact (
  id text COLLATE "C" NOT NULL,
  name text NOT NULL, subject_kind text NOT NULL, subject_id text COLLATE "C" NOT NULL,
  version int NOT NULL,
  merchant_id text COLLATE "C", livemode boolean, user_id text COLLATE "C",
  snapshot jsonb NOT NULL, because text NOT NULL, actor_kind text NOT NULL, actor_id text,
  at timestamptz NOT NULL, trace_id text,
  CONSTRAINT pk_fact PRIMARY KEY (id),
  CONSTRAINT uq_fact_subject_kind_subject_id_version UNIQUE (subject_kind, subject_id, version),
  CONSTRAINT ck_fact_version CHECK (version >= 1));
CREATE INDEX ix_fact_merchant_id_livemode_id ON fact (merchant_id, livemode, id DESC);

CREATE TABLE outbox_due (
  fact_id text COLLATE "C" NOT NULL, consumer text NOT NULL,
  due_at timestamptz NOT NULL, tries int NOT NULL DEFAULT 0, last_error text,
  CONSTRAINT pk_outbox_due PRIMARY KEY (fact_id, consumer),
  CONSTRAINT fk_outbox_due_fact_id FOREIGN KEY (fact_id) REFERENCES fact (id));
CREATE INDEX ix_outbox_due_consumer_due_at_fact_id ON outbox_due (consumer, due_at, fact_id);
"""


def upgrade() -> None:
    """Make the ground."""
    op.execute(FUNCTIONS)
    op.execute(TABLES)
    for role in guards.PORTAL_ROLES:
        op.execute(f"GRANT USAGE ON SCHEMA public TO {role}")
        op.execute(f"GRANT SELECT ON flow_edge TO {role}")
    op.execute(f"GRANT USAGE ON SEQUENCE fence TO {guards.WORKER}")
    for table in ("move", "fact"):
        guards.grant(
            op, table, web="SELECT, INSERT", admin="SELECT, INSERT", worker="SELECT, INSERT"
        )
        guards.tenant_rows(op, table)
        guards.append_only(op, table)
    guards.grant(
        op,
        "outbox_due",
        web="INSERT",
        admin="SELECT, INSERT, UPDATE, DELETE",
        worker="SELECT, INSERT, UPDATE, DELETE",
    )


def downgrade() -> None:
    """Take everything away."""
    op.execute("DROP TABLE outbox_due, fact, move, flow_edge")
    op.execute("DROP SEQUENCE fence")
    op.execute("DROP FUNCTION guard_story(), guard_flow(), refuse_change(), clock_now()")
