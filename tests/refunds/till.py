"""A portal and a worker whose provider is the sandbox: refunds as they are really made."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import urllib3
from flask import Flask
from sqlalchemy import text

from jobs import inbox, operations
from tests.builders import a_checkout, card_tried
from tests.gateway.signing import raw, signature
from tests.portal import Committed, superuser
from tests.provider_process import SECRET_KEY, Sandbox
from tests.refunds.builders import PRICE, asked, payment_now
from webapp import gateway, refunds
from webapp.gateway.operations import look_again
from webapp.kernel import clock, db

LATER = dt.timedelta(minutes=1)
TURNS = 20
KEY = {"Authorization": f"Bearer {SECRET_KEY}"}


@dataclass(frozen=True)
class Till:
    """A merchant's till; `worker` is the application of the process behind it."""

    portal: Committed
    worker: Flask
    sandbox: Sandbox
    shop: str

    def paid(self, card: str = "pm_card_visa") -> str:
        """Have an order paid; returns the payment's id."""
        payment_id = card_tried(a_checkout(self.shop, PRICE), card)
        self.drained(until=lambda: payment_now(payment_id).status == "captured")
        return payment_id

    def left(self, payment_id: str) -> str:
        """Ask for a refund and let it leave; returns its id."""
        refund_id = asked(payment_id)
        assert self.working(refunds.release_due) == 1
        return refund_id

    def working(self, act: Callable[[], int], *, after: dt.timedelta = LATER) -> int:
        """Do something as a worker does, a while from now."""
        with self.worker.app_context(), db.scoped(db.WORKER):
            with clock.standing_at(clock.now() + after):
                done = act()
            db.session.remove()
        return done

    def drained(self, *, until: Callable[[], bool]) -> None:
        """Make the calls that are due until something is so; waits between tries are cut short."""
        for _turn in range(TURNS):
            operations.drain()
            if until():
                return
            self.hurried()
        raise AssertionError(self.stuck())

    def hurried(self) -> None:
        """Have every open call come due now."""
        with superuser(self.portal.stores, self.portal.database) as connection:
            connection.execute(
                "UPDATE provider_operation SET due_at = clock_now()"
                " WHERE state IN ('pending', 'unknown')"
            )

    def aged(self, hours: int) -> None:
        """Have every call have been sent that long ago."""
        with superuser(self.portal.stores, self.portal.database) as connection:
            connection.execute("ALTER TABLE provider_operation DISABLE TRIGGER USER")
            connection.execute(
                "UPDATE provider_operation SET first_sent_at = first_sent_at"
                f" - interval '{hours} hours'"
            )
            connection.execute("ALTER TABLE provider_operation ENABLE TRIGGER USER")

    def asked_for_long_ago(self, subject_id: str) -> None:
        """Have a call have been planned a day ago."""
        with superuser(self.portal.stores, self.portal.database) as connection:
            connection.execute("ALTER TABLE provider_operation DISABLE TRIGGER USER")
            connection.execute(
                "UPDATE provider_operation SET created_at = created_at - interval '24 hours'"
                " WHERE subject_id = %s",
                (subject_id,),
            )
            connection.execute("ALTER TABLE provider_operation ENABLE TRIGGER USER")

    def taken_up(self, subject_id: str) -> None:
        """Have what waits for a person asked once more."""
        wanted = "SELECT id FROM provider_operation WHERE subject_id = :id AND state = 'manual'"

        def ask() -> int:
            with db.transaction() as session:
                look_again(session.scalars(text(wanted), {"id": subject_id}).one())
            return 1

        self.working(ask)

    def stuck(self) -> list[tuple[object, ...]]:
        """Return how the calls stand."""
        with superuser(self.portal.stores, self.portal.database) as connection:
            wanted = "SELECT kind, state, tries, last_error FROM provider_operation ORDER BY id"
            return connection.execute(wanted).fetchall()

    def states(self, subject_id: str) -> list[str]:
        """Return how the calls about something stand, the first first."""
        with superuser(self.portal.stores, self.portal.database) as connection:
            rows = connection.execute(
                "SELECT kind || ' ' || state FROM provider_operation WHERE subject_id = %s"
                " ORDER BY id",
                (subject_id,),
            )
            return [str(row[0]) for row in rows]

    def heard(self, *, times: int = 1) -> None:
        """Take in all that the provider has told so far, so many times, and apply it."""
        url = f"{self.sandbox.origin}/v1/events?limit=100"
        messages = urllib3.request("GET", url, headers=KEY, timeout=5).json()["data"]
        for message in messages * times:
            body = raw(message)
            gateway.inbox.receive(body, signature(body))
        inbox.drain()
        with db.transaction(db.OWNER) as session:
            aside = "SELECT event_id, error FROM provider_event WHERE processed_at IS NULL"
            assert session.execute(text(aside)).all() == []

    def given_back(self, payment_id: str) -> int:
        """Return what the provider has given back of a payment, in minor units."""
        return sum(book["refunded"] for book in self.sandbox.books(payment_id))

    def given_back_in_all(self) -> int:
        """Return what the provider has given back of all payments, in minor units."""
        answer = urllib3.request("GET", f"{self.sandbox.origin}/control/books", timeout=5)
        return sum(book["refunded"] for book in answer.json()["payment_intents"])
