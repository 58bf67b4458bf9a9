"""Operations planned and drained as the portal does it, with a book of what was applied."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import text

from webapp import gateway
from webapp.gateway import (
    Call,
    Confirm,
    CreateIntent,
    Failure,
    Operation,
    Outcome,
    ProviderOperation,
    operations,
)
from webapp.gateway.calls import kind_of
from webapp.gateway.context import Quiet
from webapp.kernel import db, ids

MERCHANT = "mer_01K0000000000000000000TEST"
BACK = "http://localhost:8000/checkout/secret-token/return"
INTENT = CreateIntent(1000_00, "INR", "1042", "Two lamps")
#: Where a worker can die, in order.
POINTS = (
    "operation.claimed",
    "operation.before_send",
    "operation.after_send",
    "operation.before_apply",
    "operation.applied",
    "operation.completed",
)


@dataclass
class Book:
    """What was applied, in order; its effect is a row in the database, so it rolls back too."""

    answers: list[tuple[str, Outcome | Failure]] = field(default_factory=list)

    def apply(self, operation: Operation, answer: Outcome | Failure) -> None:
        """Write the answer down, in the transaction that closes the operation."""
        db.session.execute(
            text("INSERT INTO applied (operation_id) VALUES (:id)"), {"id": operation.id}
        )
        self.answers.append((operation.id, answer))


def make_applied_table() -> None:
    """Make the table in which the tests see effects: it takes each operation's effect twice."""
    with db.transaction(db.OWNER):
        db.session.execute(text("CREATE TABLE applied (operation_id text NOT NULL)"))
        db.session.execute(text("GRANT SELECT, INSERT ON applied TO paydeck_worker"))


def effects(operation_id: str) -> int:
    """Return how often an operation's answer took effect."""
    with db.transaction(db.WORKER):
        statement = text("SELECT count(*) FROM applied WHERE operation_id = :id")
        return int(db.session.execute(statement, {"id": operation_id}).scalar_one())


def planned(call: Call, *, subject_id: str | None = None, purpose: str = "test") -> Operation:
    """Plan a call and commit; its subject is of a kind that no other room guards."""
    with db.transaction(db.WORKER):
        return gateway.plan(
            kind_of(call),
            subject_kind="sale",
            subject_id=subject_id or ids.new("payment"),
            purpose=purpose,
            merchant_id=MERCHANT,
            livemode=False,
            request=call,
        )


def an_intent_id(subject_id: str) -> str:
    """Make a payment's intent through an operation; returns its id at the provider."""
    made = planned(INTENT, subject_id=subject_id)
    operations.drain(Book().apply)
    return row_of(made.id).provider_object_id or ""


def a_charge(method: str = "pm_card_visa") -> Operation:
    """Plan the charge of a new payment whose intent is made already."""
    subject_id = ids.new("payment")
    call = Confirm(an_intent_id(subject_id), method, BACK)
    return planned(call, subject_id=subject_id)


def some_charges(number: int) -> list[Operation]:
    """Plan the charges of so many new payments; none of them is sent yet."""
    subjects = [ids.new("payment") for _ in range(number)]
    intents = [an_intent_id(subject) for subject in subjects]
    return [
        planned(Confirm(intent_id, "pm_card_visa", BACK), subject_id=subject)
        for subject, intent_id in zip(subjects, intents, strict=True)
    ]


def row_of(operation_id: str) -> ProviderOperation:
    """Return an operation as it stands."""
    with db.transaction(db.WORKER):
        row = db.session.get(ProviderOperation, operation_id, populate_existing=True)
        assert row is not None
        return row


class Stopping(Quiet):
    """A context that does something at one named point, once."""

    def __init__(self, point: str, act: Callable[[], None]) -> None:
        self._point = point
        self._act = act
        self._is_done = False

    def hook(self, name: str) -> None:
        """Act at the point."""
        if name == self._point and not self._is_done:
            self._is_done = True
            self._act()


@contextmanager
def a_worker_process() -> Iterator[None]:
    """The portal of a worker in a process of its own, from its environment."""
    from jobs.subscriptions import ROUTES  # noqa: PLC0415 - only the other process needs it
    from webapp import config  # noqa: PLC0415
    from webapp.app import create_app  # noqa: PLC0415

    with create_app(config.read(), ROUTES).app_context():
        yield


def die_at(point: str) -> None:
    """Drain as a worker that is killed at `point`, without a chance to say anything."""

    def die() -> None:
        os._exit(9)

    with a_worker_process():
        operations.drain(Book().apply, context=Stopping(point, die))


if __name__ == "__main__":
    die_at(sys.argv[1])
