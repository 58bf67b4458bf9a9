"""Functions are for whom they were granted to, and no temporary table stands before a real one."""

from __future__ import annotations

from alembic import op

from migrations import guards

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

#: A path that does not name pg_temp looks there first: a guard would read a table made to fool it.
GUARDS = (
    "guard_flow()",
    "guard_story()",
    "audit_awaits_seal()",
    "audit_seal_continues()",
    "guard_suspension()",
    "guard_first_member()",
    "guard_operation()",
    "guard_provider_event()",
    "guard_charge()",
    "guard_attempt()",
    "checkout_by_token(text)",
)
#: The platform has no members: whoever keeps its books does so as an admin.
FIRST_MEMBER = """
CREATE OR REPLACE FUNCTION guard_first_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF current_user = 'paydeck_web' AND (NEW.role <> 'owner' OR merchant_has_members(NEW.merchant_id)
      OR NEW.merchant_id = 'mer_00000000000000000000000000'
      OR NEW.user_id IS DISTINCT FROM nullif(current_setting('app.user', true), '')) THEN
    RAISE EXCEPTION 'a new merchant begins with its own owner' USING ERRCODE = 'PD005';
  END IF;
  RETURN NEW;
END $$;
"""
#: With a trigger function that anybody may use, a table of one's own could move a balance.
SHUT = """
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
"""


def upgrade() -> None:
    """Take from everybody what nobody was meant to have."""
    op.execute(FIRST_MEMBER)
    for function in GUARDS:
        op.execute(f"ALTER FUNCTION {function} SET search_path = public, pg_temp")
    op.execute(SHUT)
    for role in guards.PORTAL_ROLES:
        op.execute(f"GRANT EXECUTE ON FUNCTION clock_now() TO {role}")


def downgrade() -> None:
    """Give it back."""
    op.execute("ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION clock_now() TO PUBLIC")
    for function in GUARDS:
        op.execute(f"ALTER FUNCTION {function} SET search_path = public")
