"""Everything that a running copy keeps, searched for a text that must not be in it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import redis
from psycopg import sql

from e2e.stores import postgres, valkey
from supervisor.stack import Stack

#: The provider's own books: the one place where a card may be known.
_PROVIDERS = "sandbox.sqlite3"
_CHUNK = 1 << 22
_TABLES = """
    SELECT table_schema, table_name FROM information_schema.tables
    WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema')
"""


def pattern_of(text: str) -> str:
    """A regular expression that finds `text`, card numbers in groups of four too."""
    if not text.isdigit():
        return re.escape(text)
    return "[ -]?".join(text[at : at + 4] for at in range(0, len(text), 4))


def places_of(stack: Stack, *texts: str) -> list[str]:
    """Where one of `texts` stands: files of the data folder, keys of Valkey, tables of Postgres."""
    pattern = "|".join(pattern_of(text) for text in texts)
    found = [f"file {path}" for path in _files_with(stack.data, pattern.encode())]
    with valkey(stack) as store:
        found += [f"key {key}" for key in _keys_with(store, pattern.encode())]
    with postgres(stack) as connection:
        found += [f"table {table}" for table in _tables_with(connection, pattern)]
    return found


def _files_with(folder: Path, pattern: bytes) -> Iterator[str]:
    wanted = re.compile(pattern)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(_PROVIDERS) and _holds(path, wanted):
            yield str(path.relative_to(folder))


def _holds(path: Path, wanted: re.Pattern[bytes]) -> bool:
    tail = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                if wanted.search(tail + chunk):
                    return True
                tail = chunk[-64:]
    except FileNotFoundError:  # Postgres drops files while we look
        return False
    return False


def _keys_with(store: redis.Redis, pattern: bytes) -> Iterator[str]:
    wanted = re.compile(pattern)
    for key in store.scan_iter():
        if any(wanted.search(value) for value in (key, *_values(store, key))):
            yield repr(key)


def _values(store: Any, key: bytes) -> list[bytes]:
    kind = store.type(key)
    if kind == b"hash":
        values = [part for pair in store.hgetall(key).items() for part in pair]
    elif kind == b"list":
        values = store.lrange(key, 0, -1)
    elif kind == b"set":
        values = list(store.smembers(key))
    elif kind == b"zset":
        values = store.zrange(key, 0, -1)
    elif kind == b"stream":
        values = [repr(entry).encode() for entry in store.xrange(key)]
    else:
        values = [store.get(key) or b""]
    return values + [_inflated(value) for value in values]


def _inflated(value: bytes) -> bytes:
    """Jobs are kept compressed."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return b""


def _tables_with(connection: psycopg.Connection[tuple[Any, ...]], pattern: str) -> Iterator[str]:
    plain = pattern.replace("[ -]?", "").split("|")
    either = "|".join((pattern, *(text.encode().hex() for text in plain)))
    for schema, table in connection.execute(_TABLES).fetchall():
        name = sql.Identifier(schema, table)
        query = sql.SQL("SELECT EXISTS (SELECT FROM {} AS r WHERE r::text ~ %s)").format(name)
        held = connection.execute(query, [either]).fetchone()
        if held and held[0]:
            yield f"{schema}.{table}"
