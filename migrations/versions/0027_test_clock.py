"""In test mode a moment that waits may come nearer, though not before now; nothing else moves."""

from __future__ import annotations

from collections.abc import Sequence

from alembic import op

from migrations import guards

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

FUNCTIONS = f"""
CREATE FUNCTION comes_nearer(livemode boolean, was timestamptz, becomes timestamptz)
RETURNS boolean LANGUAGE sql VOLATILE SET search_path = public, pg_temp AS $$
  SELECT coalesce(NOT livemode AND was > clock_now() AND becomes < was
    AND becomes > clock_now() - interval '10 s', false)
$$;
REVOKE ALL ON FUNCTION comes_nearer(boolean, timestamptz, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION comes_nearer(boolean, timestamptz, timestamptz)
  TO {guards.WEB}, {guards.ADMIN}, {guards.WORKER};

CREATE FUNCTION guard_nearer() RETURNS trigger LANGUAGE plpgsql
SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.status <> TG_ARGV[1] OR to_jsonb(NEW) - TG_ARGV[0] <> to_jsonb(OLD) - TG_ARGV[0]
     OR NOT comes_nearer(NEW.livemode, (to_jsonb(OLD) ->> TG_ARGV[0])::timestamptz,
       (to_jsonb(NEW) ->> TG_ARGV[0])::timestamptz) THEN
    RAISE EXCEPTION '%.% never changes, but comes nearer in test mode', TG_TABLE_NAME, TG_ARGV[0]
      USING ERRCODE = 'PD003';
  END IF;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION guard_nearer() FROM PUBLIC;
"""
#: By table: its noun, the column that comes nearer, in which status, and what stays frozen.
SESSION = ["merchant_id", "livemode", "order_id", "token_hash", "opened_at"]
LINK = [
    "merchant_id",
    "livemode",
    "amount_minor",
    "currency",
    "description",
    "max_payments",
    "token_index",
    "created_at",
    "created_by",
]
TABLES = (
    ("checkout_session", "checkout_session", "expires_at", "open", SESSION),
    ("payment_link", "payment_link", "ends_at", "active", LINK),
)
#: In the guard of refunds: what a page may do to the moment at which one leaves.
STAYS = f"ELSIF NOT (current_user = '{guards.WORKER}' AND NEW.leaves_at > OLD.leaves_at"
OR_NEARER = (
    f"ELSIF NOT (current_user = '{guards.WEB}' AND OLD.status = 'approved'\n"
    "               AND to_jsonb(NEW) - 'leaves_at' = to_jsonb(OLD) - 'leaves_at'\n"
    "               AND comes_nearer(NEW.livemode, OLD.leaves_at, NEW.leaves_at))\n"
    f"          AND{STAYS.removeprefix('ELSIF')}"
)
_GUARD_OF_REFUNDS = "SELECT pg_get_functiondef('guard_refund()'::regprocedure)"


def upgrade() -> None:
    """Let the web role bring nearer what waits in test mode, column by column."""
    op.execute(FUNCTIONS)
    for table, noun, column, status, frozen in TABLES:
        _freeze(table, noun, frozen)
        op.execute(
            f"CREATE TRIGGER guard_nearer BEFORE UPDATE ON {table} FOR EACH ROW"
            f" WHEN (OLD.{column} IS DISTINCT FROM NEW.{column})"
            f" EXECUTE FUNCTION guard_nearer('{column}', '{status}')"
        )
        op.execute(f"GRANT UPDATE ({column}) ON {table} TO {guards.WEB}")
    _change_guard_of_refunds(STAYS, OR_NEARER)


def downgrade() -> None:
    """Freeze those columns again."""
    _change_guard_of_refunds(OR_NEARER, STAYS)
    for table, noun, column, _status, frozen in TABLES:
        op.execute(f"REVOKE UPDATE ({column}) ON {table} FROM {guards.WEB}")
        op.execute(f"DROP TRIGGER guard_nearer ON {table}")
        _freeze(table, noun, [*frozen, column])
    op.execute("DROP FUNCTION guard_nearer(), comes_nearer(boolean, timestamptz, timestamptz)")


def _freeze(table: str, noun: str, frozen: Sequence[str]) -> None:
    op.execute(f"DROP TRIGGER guard_flow ON {table}")
    op.execute(
        f"CREATE TRIGGER guard_flow BEFORE INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
        f" EXECUTE FUNCTION guard_flow('{noun}', '{','.join(['id', *frozen])}')"
    )


def _change_guard_of_refunds(before: str, after: str) -> None:
    found = str(op.get_bind().exec_driver_sql(_GUARD_OF_REFUNDS).scalar())
    if found.count(before) != 1:
        raise RuntimeError("the guard of refunds is not as this migration knows it")
    op.execute(found.replace(before, after))
