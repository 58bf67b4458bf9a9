"""A reader without rest: at every moment the ledger is zero in sum, and nothing moves back."""

from __future__ import annotations

import threading

import psycopg

from tests.chaos.history import INFO, OK, Writer
from tests.chaos.town import Town

_PAUSE_SECONDS = 0.25
_TOTALS = """
    SELECT livemode::text || ' ' || currency, sum(amount_minor)::bigint FROM entry
    GROUP BY 1 HAVING sum(amount_minor) <> 0
    UNION ALL
    SELECT 'wallet ' || b.account_id, b.amount_minor - coalesce(sum(e.amount_minor), 0)::bigint
    FROM balance b LEFT JOIN entry e ON e.account_id = b.account_id
    GROUP BY b.account_id, b.amount_minor
    HAVING b.amount_minor <> coalesce(sum(e.amount_minor), 0)"""
_VERSIONS = """
    SELECT id, version FROM payment WHERE created_at > clock_now() - interval '10 minutes'
    UNION ALL
    SELECT id, version FROM shop_order WHERE created_at > clock_now() - interval '10 minutes'"""


class Reader(threading.Thread):
    """Takes snapshots of one moment each, straight from Postgres, until `stop`."""

    def __init__(self, town: Town, writer: Writer) -> None:
        super().__init__(name="reader", daemon=True)
        self._town, self._writer = town, writer
        self._over = threading.Event()
        self._seen: dict[str, int] = {}
        self.snapshots = 0

    def run(self) -> None:
        """Read on, connecting anew whenever Postgres has been away."""
        while not self._over.is_set():
            try:
                with self._town.direct() as connection:
                    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
                    connection.read_only = True
                    self._read_on(connection)
            except psycopg.Error as away:
                self._writer.note(self.name, "snapshot", INFO, reason=type(away).__name__)
                self._over.wait(0.2)

    def stop(self) -> None:
        """Read no more."""
        self._over.set()
        self.join(30)

    def _read_on(self, connection: psycopg.Connection) -> None:
        while not self._over.wait(_PAUSE_SECONDS):
            totals = {str(name): int(off) for name, off in connection.execute(_TOTALS).fetchall()}
            versions = {str(row[0]): int(row[1]) for row in connection.execute(_VERSIONS)}
            connection.rollback()
            back = [
                f"{name}: {self._seen[name]} before, then {version}"
                for name, version in versions.items()
                if version < self._seen.get(name, 0)
            ]
            self._seen |= versions
            self.snapshots += 1
            self._writer.note(self.name, "snapshot", OK, totals=totals, moved_back=back)
