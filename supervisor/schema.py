"""Whether a database has the newest tables, told without starting the portal."""

import ast
from pathlib import Path

import psycopg


def newest_revision(versions: Path) -> str | None:
    """The migration that no other one follows, or None when there are none."""
    followed: set[str] = set()
    known: set[str] = set()
    for path in versions.glob("[0-9]*.py"):
        names = _assigned(path)
        known.add(names["revision"])
        followed.add(names.get("down_revision", ""))
    return max(known - followed, default=None)


def _assigned(path: Path) -> dict[str, str]:
    """The top-level names of a file that are assigned plain strings."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        value = getattr(node, "value", None)
        for target in targets:
            if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                found[target.id] = str(value.value)
    return found


def is_current(dsn: str, versions: Path) -> bool:
    """Whether the database at `dsn` stands at the newest migration."""
    with psycopg.connect(dsn) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return False
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return row is not None and row[0] == newest_revision(versions)


def identity(connection: psycopg.Connection) -> str:
    """What tells this database from every other, also from one of the same name made later."""
    row = connection.execute(
        "SELECT system_identifier::text, (SELECT oid::text FROM pg_database"
        " WHERE datname = current_database()) FROM pg_control_system()"
    ).fetchone()
    return "/".join(row or ())
