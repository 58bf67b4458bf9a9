"""Writing the demo data: as owner, by COPY, in one transaction, with every check in force."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from sqlalchemy import text

from demo.books import Books
from demo.cast import Cast, assemble
from demo.chance import Chance
from demo.corrections import CONTROLLER, correct
from demo.days import sales
from demo.hooks import listen
from demo.keys import PUBLISHABLE, SECRET, hand_out
from demo.links import share
from demo.refunds import Returns
from demo.rows import TABLES, Rows
from demo.sales import Till
from demo.story import DAYS, DEMO_PASSWORD, PEOPLE
from demo.wallet import fill
from webapp import analytics
from webapp.kernel import clock, db

#: Two people of the shop and two admins: what is large is asked for by one and signed by another.
SIGN_INS = (
    ("shopper", "asha"),
    ("merchant", "ravi"),
    ("admin", "ada"),
    ("clerk", "meera"),
    ("controller", CONTROLLER.key),
)
_ANYBODY = text("SELECT count(*) FROM app_user")
_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('paydeck demo seed', 0))")
_UNHURRIED = text("SELECT set_config('statement_timeout', '0', true)")


def seed(*, until: dt.datetime | None = None) -> dict[str, Any]:
    """Write the demo data up to `until` (now, to the minute) and return what scripts start from.

    A database that has people already is left as it is. The same `until` gives the same story:
    the same ids, amounts and moments; only sealed texts differ, as their nonces are fresh.
    """
    ends = (until or clock.now()).replace(second=0, microsecond=0)
    with db.transaction(db.OWNER) as session:
        is_empty = not session.scalar(_ANYBODY)
    if is_empty:
        rows = written(ends)
        with db.transaction(db.OWNER) as session:
            session.execute(_UNHURRIED)
            session.execute(_ALONE)
            if not session.scalar(_ANYBODY):
                _copy(session.connection().connection.driver_connection, rows)
                analytics.rebuild()
    return started_from()


def written(until: dt.datetime) -> Rows:
    """Return all rows of the story up to `until`."""
    chance = Chance()
    rows = Rows(chance)
    begins = until - dt.timedelta(days=DAYS + 1)
    cast = assemble(rows, begins)
    books = Books(rows)
    fill(rows, cast, books, begins)
    till = Till(rows, cast, books, Returns(rows, cast, books, until))
    for sale in sales(chance, until):
        till.ring(sale)
    _count(rows, cast, till)
    correct(rows, cast, books, until)
    hand_out(rows, cast, begins)
    listen(rows, cast, until)
    share(rows, cast, until)
    return rows


def started_from() -> dict[str, Any]:
    """Return the demo's sign-ins, its API keys and its ready checkout link (a path)."""
    people = {person.key: person for person in (*PEOPLE, CONTROLLER)}
    return {
        "checkout": "/demo/checkout",
        "sign_ins": [
            {"role": role, "email": people[key].email, "password": DEMO_PASSWORD}
            for role, key in SIGN_INS
        ],
        "api_keys": {"secret": SECRET, "publishable": PUBLISHABLE},
    }


def printed() -> str:
    """Seed, and return the line that the start command reads."""
    return json.dumps(seed())


def _count(rows: Rows, cast: Cast, till: Till) -> None:
    for key, number in till.last_numbers.items():
        rows.add("order_counter", merchant_id=cast.merchants[key].id, livemode=False, last=number)


def _copy(driver: Any, rows: Rows) -> None:
    with driver.cursor() as cursor:
        for table, columns in TABLES.items():
            with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                for row in rows.by_table[table]:
                    copy.write_row(row)
