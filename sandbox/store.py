"""The sandbox's memory: provider objects as JSON documents in one SQLite file.

One writer at a time, in WAL mode; what a committed transaction wrote survives a killed process.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS objects (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, nth INTEGER NOT NULL, created INTEGER NOT NULL,
    parent TEXT, body TEXT NOT NULL, hidden TEXT NOT NULL, UNIQUE (kind, nth));
CREATE INDEX IF NOT EXISTS objects_of_parent ON objects (parent, kind);
CREATE TABLE IF NOT EXISTS labels (
    name TEXT NOT NULL, value TEXT NOT NULL, object_id TEXT NOT NULL,
    PRIMARY KEY (object_id, name));
CREATE INDEX IF NOT EXISTS labels_by_value ON labels (name, value);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, endpoint TEXT NOT NULL, fingerprint TEXT NOT NULL,
    status INTEGER NOT NULL, body TEXT NOT NULL, kept_until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS answers_to_forget ON answers (kept_until);
CREATE TABLE IF NOT EXISTS deliveries (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL, due_at REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL, outcome TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (state, due_at);
CREATE TABLE IF NOT EXISTS timers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, due_at REAL NOT NULL, verb TEXT NOT NULL,
    object_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS timers_due ON timers (due_at);
CREATE TABLE IF NOT EXISTS faults (
    endpoint TEXT PRIMARY KEY, fault TEXT NOT NULL, seconds REAL NOT NULL,
    times INTEGER, until REAL);
CREATE TABLE IF NOT EXISTS switches (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_TABLES = ("objects", "labels", "answers", "deliveries", "timers", "faults", "switches")


@dataclass(slots=True)
class Record:
    """One provider object: `body` is what the API shows, `hidden` what it never shows."""

    body: Json
    hidden: Json = field(default_factory=dict)
    nth: int = 0
    parent: str | None = None

    @property
    def id(self) -> str:
        """The object's id."""
        return str(self.body["id"])


class Transaction:
    """Reads and writes that commit or vanish together; `now` is the sandbox's clock."""

    def __init__(self, db: sqlite3.Connection, now: float) -> None:
        self.db = db
        self.moment = now

    @property
    def now(self) -> int:
        """The sandbox's clock in whole seconds since 1970."""
        return int(self.moment)

    def insert(self, record: Record) -> Record:
        """Stores a new object and gives it its place among its kind, counted from 1."""
        body = record.body
        nth = self.db.execute(
            "SELECT coalesce(max(nth), 0) + 1 FROM objects WHERE kind = ?", (body["object"],)
        ).fetchone()[0]
        record.nth = nth
        self.db.execute(
            "INSERT INTO objects (id, kind, nth, created, parent, body, hidden)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                record.id,
                body["object"],
                nth,
                body["created"],
                record.parent,
                json.dumps(body),
                json.dumps(record.hidden),
            ),
        )
        self._label(record)
        return record

    def save(self, record: Record) -> None:
        """Stores a changed object."""
        self.db.execute(
            "UPDATE objects SET body = ?, hidden = ? WHERE id = ?",
            (json.dumps(record.body), json.dumps(record.hidden), record.id),
        )
        self._label(record)

    def _label(self, record: Record) -> None:
        self.db.execute("DELETE FROM labels WHERE object_id = ?", (record.id,))
        self.db.executemany(
            "INSERT INTO labels (name, value, object_id) VALUES (?, ?, ?)",
            [
                (name, value, record.id)
                for name, value in (record.body.get("metadata") or {}).items()
            ],
        )

    def find(self, kind: str, object_id: str | None) -> Record | None:
        """The object of that kind and id, or None."""
        rows = self._records("kind = ? AND id = ?", (kind, object_id), "", 1)
        return rows[0] if rows else None

    def children(self, kind: str, parent: str) -> list[Record]:
        """The objects of that kind that belong to `parent`, oldest first."""
        return self._records("kind = ? AND parent = ?", (kind, parent), "ORDER BY nth", -1)

    def newest(self, kind: str, where: str, values: tuple[object, ...], limit: int) -> list[Record]:
        """Up to `limit` objects of that kind, newest first; `where` is written by us."""
        return self._records(f"kind = ? AND {where}", (kind, *values), "ORDER BY nth DESC", limit)

    def oldest(self, kind: str, where: str, values: tuple[object, ...], limit: int) -> list[Record]:
        """Up to `limit` objects of that kind, oldest first; `where` is written by us."""
        return self._records(f"kind = ? AND {where}", (kind, *values), "ORDER BY nth", limit)

    def _records(
        self, where: str, values: tuple[object, ...], order: str, limit: int
    ) -> list[Record]:
        rows = self.db.execute(
            f"SELECT body, hidden, nth, parent FROM objects WHERE {where} {order} LIMIT ?",  # noqa: S608 no outside text
            (*values, limit),
        )
        return [Record(json.loads(row[0]), json.loads(row[1]), row[2], row[3]) for row in rows]

    def switch(self, name: str) -> Any:
        """The stored value of a switch of the control page, None when never set."""
        row = self.db.execute("SELECT value FROM switches WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def set_switch(self, name: str, value: object) -> None:
        """Stores a switch of the control page."""
        self.db.execute(
            "INSERT INTO switches (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            (name, json.dumps(value)),
        )

    def forget_everything(self) -> None:
        """Empties every table."""
        for table in _TABLES:
            self.db.execute(f"DELETE FROM {table}")  # noqa: S608 names from the list above


class Store:
    """The SQLite file, one connection for each thread, one writer at a time."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._local = threading.local()
        self._writer = threading.Lock()
        self._connection().executescript(_SCHEMA)
        with self.read() as tx:
            self._offset = float(tx.switch("clock_offset") or 0)

    def now(self) -> float:
        """The sandbox's clock: real time plus the offset set on the control page."""
        return time.time() + self._offset

    def move_clock(self, offset_seconds: float) -> None:
        """Sets how far the sandbox's clock runs ahead of real time; kept over restarts."""
        with self.write() as tx:
            tx.set_switch("clock_offset", offset_seconds)
        self._offset = offset_seconds

    def reset(self) -> None:
        """Forgets every object, answer, delivery, fault and switch, and sets the clock right."""
        with self.write() as tx:
            tx.forget_everything()
        self._offset = 0

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """A transaction that sees one state and changes nothing."""
        db = self._connection()
        db.execute("BEGIN")
        try:
            yield Transaction(db, time.time() + getattr(self, "_offset", 0))
        finally:
            db.execute("ROLLBACK")

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A transaction that commits at the end, or rolls back on any exception."""
        db = self._connection()
        with self._writer:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(db, self.now())
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")

    def _connection(self) -> sqlite3.Connection:
        db: sqlite3.Connection | None = getattr(self._local, "db", None)
        if db is None:
            db = sqlite3.connect(self._path, isolation_level=None, timeout=20)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            self._local.db = db
        return db
