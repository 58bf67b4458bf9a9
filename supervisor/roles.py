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
    """Create the database where it is missing and hand it over (needs autocommit)."""
    known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
    if known is None:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    hand_over(connection, name)


def hand_over(connection: psycopg.Connection, name: str) -> None:
    """Make the owner role the owner of database `name`, and let only our roles connect."""
    database = sql.Identifier(name)
    our = sql.SQL(", ").join(sql.Identifier(role) for role in ROLES)
    connection.execute(sql.SQL("GRANT paydeck_owner TO CURRENT_USER"))
    connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO paydeck_owner").format(database))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, our))


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
    with psycopg.connect(os.environ["DATABASE_SUPERUSER_URL"], autocommit=True) as connection:
        ensure_roles(connection, passwords)
        ensure_database(connection)
    return 0


if __name__ == "__main__":
    sys.exit(main())
