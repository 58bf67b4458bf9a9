"""The four database roles of the portal and their database; safe to run at every start."""

import os
import sys
from collections.abc import Mapping
from urllib.parse import quote

import psycopg
from psycopg import sql

ROLES = ("paydeck_owner", "paydeck_web", "paydeck_admin", "paydeck_worker")
DATABASE = "paydeck"


def ensure_roles(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    """Create the roles of `passwords` where they are missing and set each password.

    Only the owner may create databases and objects; none may bypass row-level policies.
    """
    for role, password in passwords.items():
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(role)))
        rights = sql.SQL("CREATEDB" if role == "paydeck_owner" else "NOCREATEDB")
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN NOSUPERUSER NOBYPASSRLS {} PASSWORD {}").format(
                sql.Identifier(role), rights, sql.Literal(password)
            )
        )


def ensure_database(connection: psycopg.Connection, name: str = DATABASE) -> None:
    """Create the database, owned by the owner, where it is missing (needs autocommit)."""
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if known is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER paydeck_owner").format(sql.Identifier(name))
        )
    connection.execute(
        sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name))
    )
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.SQL(", ").join(sql.Identifier(role) for role in ROLES)
        )
    )


def socket_url(role: str, password: str, folder: str, database: str = DATABASE) -> str:
    """An SQLAlchemy address of a Postgres that listens on a socket in `folder`."""
    return f"postgresql+psycopg://{role}:{quote(password, safe='')}@/{database}?host={folder}"


def main() -> int:
    """Create roles and database on the server of DATABASE_SUPERUSER_URL.

    The passwords come from PASSWORD_OWNER, PASSWORD_WEB, PASSWORD_ADMIN and PASSWORD_WORKER.
    """
    passwords = {
        role: os.environ[f"PASSWORD_{role.removeprefix('paydeck_').upper()}"] for role in ROLES
    }
    address = os.environ["DATABASE_SUPERUSER_URL"].replace("postgresql+psycopg:", "postgresql:")
    with psycopg.connect(address, autocommit=True) as connection:
        ensure_roles(connection, passwords)
        ensure_database(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main())
