"""What the database itself refuses, written once and attached to tables by the migrations.

Row-level policies go by role: the web role sees rows of the merchant and mode, or of the user,
that its transaction announced (`app.merchant`, `app.livemode`, `app.user`); the worker and admin
roles see all rows; nothing switches a policy off.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

WEB = "paydeck_web"
ADMIN = "paydeck_admin"
WORKER = "paydeck_worker"
PORTAL_ROLES = (WEB, ADMIN, WORKER)

MERCHANT_MATCHES = (
    "(merchant_id = nullif(current_setting('app.merchant', true), '')"
    " AND livemode = (nullif(current_setting('app.livemode', true), ''))::boolean)"
)
USER_MATCHES = "(user_id = nullif(current_setting('app.user', true), ''))"


class Statements(Protocol):
    """What runs a migration's statements: `alembic.op`."""

    def execute(self, statement: str, /) -> None:
        """Run one statement."""


def grant(
    op: Statements, table: str, *, web: str = "", admin: str = "SELECT", worker: str = ""
) -> None:
    """Give each role just the named privileges on a table, and nothing else."""
    for role, rights in ((WEB, web), (ADMIN, admin), (WORKER, worker)):
        if rights:
            op.execute(f"GRANT {rights} ON {table} TO {role}")


def row_policy(op: Statements, table: str, condition: str, *, admin: str = "true") -> None:
    """Let the web role see and write only rows for which `condition` holds; others as granted."""
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY web_rows ON {table} TO {WEB} USING ({condition}) WITH CHECK ({condition})"
    )
    op.execute(f"CREATE POLICY worker_rows ON {table} TO {WORKER} USING (true) WITH CHECK (true)")
    op.execute(
        f"CREATE POLICY admin_rows ON {table} TO {ADMIN} USING ({admin}) WITH CHECK ({admin})"
    )


def tenant_rows(op: Statements, table: str, *, or_user: bool = True) -> None:
    """Row policy of a merchant's table; with `or_user`, its shopper sees the row too."""
    row_policy(op, table, f"{MERCHANT_MATCHES} OR {USER_MATCHES}" if or_user else MERCHANT_MATCHES)


def append_only(op: Statements, table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE on a table, whoever asks."""
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def flow(op: Statements, noun: str, edges: Iterable[tuple[str, str]]) -> None:
    """Write a noun's allowed moves; ("", state) says in which states an object may be born."""
    for source, target in edges:
        op.execute(
            "INSERT INTO flow_edge (noun, source, target)"
            f" VALUES ('{noun}', '{source}', '{target}')"
        )


def moving(op: Statements, table: str, noun: str, *, frozen: Sequence[str]) -> None:
    """Guard a table whose rows move along a flow: its graph, gapless versions, a story for each.

    `frozen` columns never change; rows are never deleted; each version has one move and one fact.
    """
    columns = ",".join(["id", *frozen])
    op.execute(
        f"CREATE TRIGGER guard_flow BEFORE INSERT OR UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION guard_flow('{noun}', '{columns}')"
    )
    op.execute(
        f"CREATE CONSTRAINT TRIGGER has_story AFTER INSERT OR UPDATE ON {table}"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
        f" EXECUTE FUNCTION guard_story('{noun}')"
    )
    op.execute(
        f"CREATE TRIGGER never_emptied BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
