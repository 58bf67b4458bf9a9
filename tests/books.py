"""Two people, two merchants and some money for tests of ledger and wallets, on real commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import psycopg
from flask import Flask
from sqlalchemy import text

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.portal import Committed, cloned, dispose, environment
from webapp import config, ledger
from webapp.app import create_app
from webapp.kernel import db
from webapp.kernel.money import Money

ALICE = "usr_000000000000000000000ALICE"
BOB = "usr_00000000000000000000000BOB"
SHOP = "mer_0000000000000000000000SHOP"
RIVAL = "mer_000000000000000000000RIVAL"

#: The two modes, by name.
TEST = False
LIVE = True
AS_WORKER = db.WORKER
AS_ALICE = db.Scope(user_id=ALICE)
AS_SHOP = db.Scope(merchant_id=SHOP, livemode=False)
T = TypeVar("T")


def inr(minor: int) -> Money:
    """Return that many paise."""
    return Money(minor, "INR")


def settle_in(committed: Committed) -> None:
    """Write the people and merchants, past the guards that want their stories."""
    with committed.connect("postgres") as connection:
        for statement, values in _people():
            connection.execute(statement, values)


@contextmanager
def held_books() -> Iterator[None]:
    """Write them inside the transaction that a test holds, and go on as a worker."""
    with db.transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql("SET LOCAL ROLE postgres")
        for statement, values in _people():
            connection.exec_driver_sql(statement, values)
        connection.exec_driver_sql("SET LOCAL session_replication_role = origin")
    with db.scoped(AS_WORKER):
        yield


def _people() -> list[tuple[str, tuple[str, ...]]]:
    person = (
        "INSERT INTO app_user (id, status, version, email_sealed, email_index, name_sealed,"
        " password_hash, timezone, locale, created_at, password_changed_at) VALUES"
        " (%s, 'active', 1, 'x', %s, 'x', '$argon2id$x', 'UTC', 'en', now(), now())"
    )
    merchant = (
        "INSERT INTO merchant (id, status, version, name, slug, country, timezone,"
        " default_currency, created_at)"
        " VALUES (%s, 'active', 1, %s, %s, 'IN', 'UTC', 'INR', now())"
    )
    return [
        ("SET LOCAL session_replication_role = replica", ()),
        *((person, (user_id, f"index of {user_id}")) for user_id in (ALICE, BOB)),
        *((merchant, (id_, slug, slug)) for slug, id_ in (("shop", SHOP), ("rival", RIVAL))),
    ]


@contextmanager
def committed_portal(stores: Stores) -> Iterator[Committed]:
    """Give a portal on a database of its own, for fixtures that several tests share."""
    with cloned(stores) as database:
        app = create_app(config.read(environment(stores, database)), ROUTES)
        yield Committed(app, stores, database)
        dispose(app)


@contextmanager
def worker_of(committed: Committed) -> Iterator[Flask]:
    """Give the app of a worker process on the same database, in its context."""
    app = create_app(committed.as_worker(), ROUTES)
    with app.app_context(), db.scoped(AS_WORKER):
        yield app
        db.session.remove()
    dispose(app)


def post(
    reference: str,
    *lines: ledger.Line,
    scope: db.Scope = AS_WORKER,
    merchant_id: str = SHOP,
    kind: str = "test.posted",
) -> str | None:
    """Post lines in a transaction of their own."""
    with db.transaction(scope):
        return ledger.post(
            reference,
            lines,
            kind=kind,
            merchant_id=merchant_id,
            livemode=False,
            because=f"Posted {reference}.",
        )


def captured(amount: Money, fee: Money, merchant_id: str = SHOP) -> tuple[ledger.Line, ...]:
    """Return the lines of a card payment with a fee."""
    payable = ledger.payable(merchant_id, TEST, amount.currency)
    return (
        ledger.Line(ledger.clearing(TEST, amount.currency), payable, amount),
        ledger.Line(payable, ledger.fees(TEST, amount.currency), fee),
    )


def topped_up(user_id: str, amount: Money) -> ledger.Line:
    """Return the line of a wallet's top-up."""
    wallet = ledger.wallet(user_id, TEST, amount.currency)
    return ledger.Line(ledger.clearing(TEST, amount.currency), wallet, amount)


def spent(user_id: str, amount: Money, merchant_id: str = SHOP) -> ledger.Line:
    """Return the line of a payment from a wallet."""
    wallet = ledger.wallet(user_id, TEST, amount.currency)
    return ledger.Line(wallet, ledger.payable(merchant_id, TEST, amount.currency), amount)


def count(committed: Committed, table: str) -> int:
    """Return how many rows a table has, whoever may see them."""
    with committed.connect("postgres") as connection:
        found: tuple[Any, ...] | None = connection.execute(
            f"SELECT count(*) FROM {table}"
        ).fetchone()
    return int(found[0]) if found else 0


def rows_in(table: str) -> int:
    """Return how many rows of a table the scope in force sees."""
    return int(db.session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)


def at_once(app: Flask, scope: db.Scope, work: Callable[[int], T], *, threads: int) -> list[T]:
    """Run `work(number)` in that many threads at the same time and return what each returned."""

    def one(number: int) -> T:
        with app.app_context(), db.scoped(scope):
            try:
                return work(number)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, range(threads)))


def refusal_of(connection: psycopg.Connection[Any], statement: str, *values: object) -> str:
    """Run a statement that must be refused, and return the SQLSTATE; what it began is undone."""
    try:
        connection.execute(statement, values or None)
        connection.commit()
    except psycopg.Error as refused:
        connection.rollback()
        return refused.sqlstate or ""
    return "it was done"
