"""What the tests of the jobs work with: facts to be told, and real processes that tell them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from jobs import context
from supervisor.stores import Stores
from tests.portal import environment, superuser
from webapp.kernel import db, ids
from webapp.outbox import Fact

HERE = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ground:
    """A worker's portal, its stores and its database."""

    app: Flask
    stores: Stores
    database: str
    process: context.Process

    def query(self, statement: str, **values: object) -> list[Any]:
        """Ask the database as its superuser; returns the rows' first columns."""
        with superuser(self.stores, self.database) as connection:
            cursor = connection.execute(statement, values)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []

    def facts(self, count: int, *consumers: str) -> list[str]:
        """Write facts that are due to be told to `consumers`; returns their ids, sorted."""
        written = sorted(ids.new("fact") for _ in range(count))
        with superuser(self.stores, self.database) as connection, connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because,"
                " actor_kind, at) VALUES (%s, 'test.happened', 'test', %s, 1, '{}', 'It did.',"
                " 'system', clock_now())",
                [(fact_id, fact_id) for fact_id in written],
            )
            cursor.executemany(
                "INSERT INTO outbox_due (fact_id, consumer, due_at) VALUES (%s, %s, clock_now())",
                [(fact_id, consumer) for fact_id in written for consumer in consumers],
            )
        return written

    def make_told_table(self) -> None:
        """Make the table into which test consumers write; it takes a fact twice."""
        self.query("CREATE TABLE told (fact_id text, teller text)")
        self.query("GRANT SELECT, INSERT ON told TO paydeck_worker")

    def due(self, consumer: str) -> list[str]:
        """Return what a consumer is still to be told."""
        return self.query(
            "SELECT fact_id FROM outbox_due WHERE consumer = %(name)s ORDER BY fact_id",
            name=consumer,
        )

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment of a worker process on this database."""
        env = environment(self.stores, self.database)
        env["DATABASE_URL"] = self.stores.url("paydeck_worker", self.database)
        env.pop("DATABASE_ADMIN_URL")
        env.pop("DATABASE_OWNER_URL")
        return {**os.environ, **env, "PYTHONUNBUFFERED": "1", **more}

    @contextmanager
    def running(self, *argv: str, log: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run `python …` on this database until the block ends; nothing is left behind."""
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, *argv],
                cwd=HERE,
                env=self.environment(**env),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(5)


def note_told(facts: Sequence[Fact]) -> None:
    """A consumer that writes what it is told, in the relay's transaction."""
    rows = [{"id": fact.id, "teller": str(os.getpid())} for fact in facts]
    db.session.execute(text("INSERT INTO told (fact_id, teller) VALUES (:id, :teller)"), rows)


def until(holds: Callable[[], object], *, seconds: float, what: str) -> float:
    """Wait until `holds()` is true; returns after how many seconds it was."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began
