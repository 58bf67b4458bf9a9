"""What the attacks aim at, and how one is made: as a role, in a scope, undone afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import psycopg

from tests.portal import Committed

WEB, ADMIN, WORKER, OWNER = "paydeck_web", "paydeck_admin", "paydeck_worker", "paydeck_owner"
PORTAL_ROLES = (WEB, ADMIN, WORKER)
DONE = "it was done"
#: Writes a row of money set aside, without its story.
AN_ANOMALY = (
    "INSERT INTO anomaly (id, payment_id, merchant_id, livemode, status, version, kind,"
    " amount_minor, currency, note, opened_at) VALUES ('ano_x', '{captured}', '{shop}', false,"
    " 'open', 1, 'double_payment', 1, 'INR', '', now())"
)


@dataclass(frozen=True)
class Scene:
    """The ids of what is in the database."""

    portal: Committed
    shop: str
    rival: str
    person: str
    order: str
    payment: str
    free_order: str
    rivals_order: str
    processing: str
    declined: str
    captured: str

    def attempt(
        self, role: str, *statements: str, merchant: str | None = None, user: str = ""
    ) -> str:
        """Run statements as a role and commit them all in doubt; returns the SQLSTATE, or DONE.

        Deferred constraints are checked as a COMMIT would, then everything is undone. `{name}` in
        a statement stands for one of the ids.
        """
        scope = merchant if merchant is not None else self.shop
        with self.portal.connect(role) as connection:
            try:
                connection.execute(
                    "SELECT set_config('app.merchant', %s, true),"
                    " set_config('app.livemode', %s, true), set_config('app.user', %s, true)",
                    (scope, "false" if scope else "", user),
                )
                for statement in statements:
                    connection.execute(self._filled(statement))
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            except psycopg.Error as refused:
                return refused.sqlstate or ""
            finally:
                connection.rollback()
        return DONE

    def rows(
        self, role: str, statement: str, *, merchant: str = "", user: str = ""
    ) -> Sequence[tuple[object, ...]]:
        """Read as a role in a scope."""
        with self.portal.connect(role) as connection:
            connection.execute(
                "SELECT set_config('app.merchant', %s, true),"
                " set_config('app.livemode', %s, true), set_config('app.user', %s, true)",
                (merchant, "false" if merchant else "", user),
            )
            found = connection.execute(self._filled(statement)).fetchall()
            connection.rollback()
            return found

    def _filled(self, statement: str) -> str:
        ids = {name: value for name, value in vars(self).items() if isinstance(value, str)}
        return statement.format(**ids)
