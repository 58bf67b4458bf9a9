"""A whole payment while the provider fails and its messages come in any order: one charge."""

from __future__ import annotations

import datetime as dt
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import stripe as sdk
from flask import Flask
from sqlalchemy import text

from jobs import inbox as inbox_job
from jobs import operations as operations_job
from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.gateway.conftest import worker_environment
from tests.gateway.signing import raw, signature
from tests.portal import cloned, dispose
from tests.provider_process import SECRET_KEY, Sandbox, running_sandbox
from webapp import accounts, config, gateway, orders, payments
from webapp.app import create_app
from webapp.gateway import inbox, operations
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef, NewOrder
from webapp.outbox import Actor
from webapp.payments import Payer, Status

pytestmark = pytest.mark.races
FAULTS = ("drop_before", "drop_after", "500_before", "500_after", "409", "429", "outage")
BACK = "http://localhost:8000/checkout/token/return"
BY = Actor("merchant_user", "usr_x")
#: Which courses are played, over the provider's own wire; whole schedules are in tests/simulation.
FIRST, COURSES = int(os.environ.get("SIM_FROM", "0")), int(os.environ.get("SIM_SEEDS", "10"))


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The provider, in a process of its own."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder) as running:
        yield running


@pytest.fixture(scope="module")
def portal(stores: Stores, sandbox: Sandbox) -> Iterator[Flask]:
    """A worker's portal with real commits."""
    with cloned(stores) as database:
        app = create_app(config.read(worker_environment(stores, database, sandbox)), ROUTES)
        yield app
        dispose(app)


@pytest.fixture(scope="module")
def merchant_id(portal: Flask) -> str:
    """A merchant of its own."""
    with portal.app_context(), db.scoped(db.OWNER):
        email = "ada@example.com"
        owner = accounts.register(email, "Ada", "a long passphrase of hers").user_id
        return accounts.create_merchant("Lamps", owner)


def a_method(sandbox: Sandbox, number: str) -> str:
    """Give a card to the provider as its card fields do; returns `pm_…`."""
    client = sdk.StripeClient("pk_test_sandbox", base_addresses={"api": sandbox.origin})
    made = client.v1.payment_methods.create(
        {
            "type": "card",
            "card": {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"},
        }
    )
    return made.id


def begun(merchant_id: str, method_id: str, *, capture_later: bool = False) -> str:
    """Begin to pay a new order; returns the payment's id."""
    price = Money(1000_00, "INR")
    asked = NewOrder(merchant_id, livemode=False, amount=price, capture_later=capture_later)
    with db.scoped(db.OWNER):
        opened = orders.open_checkout(orders.create(asked).id)
        checkout = CheckoutRef(opened.session_id, opened.order_id, merchant_id, livemode=False)
        return payments.start_card(
            checkout, method_id, return_url=BACK, payer=Payer(email="shopper@example.com")
        )


class Schedule:
    """One seeded course of events about one payment, its clock running ahead of ours."""

    def __init__(self, seed: int, sandbox: Sandbox, payment_id: str) -> None:
        self._chance = random.Random(seed)
        self._sandbox = sandbox
        self._payment_id = payment_id
        self._now = clock.now()
        self._client = sdk.StripeClient(SECRET_KEY, base_addresses={"api": sandbox.origin})
        self.trace: list[str] = []

    def run(self, steps: int) -> None:
        """Do so many things, each chosen by chance, some seconds apart."""
        for _ in range(steps):
            self._now += dt.timedelta(seconds=self._chance.choice((1, 2, 5, 20, 60)))
            act = self._chance.choice((self.fail, self.work, self.work, self.tell, self.read))
            self.trace.append(act.__name__)
            with clock.standing_at(self._now):
                act()

    def settle(self) -> None:
        """Let the provider be well again, and everything come to its end."""
        self._sandbox.calm()
        for _ in range(6):
            self._now += dt.timedelta(minutes=11)
            with clock.standing_at(self._now):
                self.work()
                self.tell()
                self.read()

    def fail(self) -> None:
        """Have one of the provider's next calls fail."""
        endpoint = self._chance.choice(("payment_intents.confirm", "payment_intents.create", "*"))
        self._sandbox.fault(self._chance.choice(FAULTS), endpoint=endpoint)

    def work(self) -> None:
        """Make the calls that are due."""
        operations.drain(operations_job.apply)

    def read(self) -> None:
        """Apply the messages that are due."""
        inbox.drain(inbox_job.apply)

    def tell(self) -> None:
        """Deliver some of the provider's messages, shuffled, some of them twice."""
        self._sandbox.calm()
        events = [one.to_dict(for_json=True) for one in self._client.v1.events.list().data]
        ours = [event for event in events if self._is_ours(event)]
        for event in self._chance.choices(ours, k=len(ours)) if ours else []:
            body = raw(event)
            inbox.receive(body, signature(body, at=self._now.timestamp()))

    def _is_ours(self, event: dict[str, object]) -> bool:
        return self._payment_id in str(event["data"])


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COURSES))
def test_whatever_fails_and_whatever_comes_first_a_good_card_pays_once(
    portal: Flask, sandbox: Sandbox, merchant_id: str, seed: int
) -> None:
    with portal.app_context():
        payment_id = begun(merchant_id, a_method(sandbox, "4242424242424242"))
        schedule = Schedule(seed, sandbox, payment_id)
        schedule.run(25)
        schedule.settle()
        with db.scoped(db.WORKER):
            detail = payments.any_payment(payment_id)
            states = {row.state for row in gateway.operations_of(payment_id)}
        assert detail.payment.status == Status.CAPTURED, schedule.trace
        assert detail.payment.captured_minor == 1000_00
        assert [attempt.status for attempt in detail.attempts] == ["succeeded"]
        assert states == {"succeeded"}
        assert sandbox.charges(payment_id) == 1, schedule.trace
        assert postings(payment_id) == 1
        db.session.remove()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, COURSES // 2)))
def test_whatever_fails_and_whatever_comes_first_a_declined_card_pays_never(
    portal: Flask, sandbox: Sandbox, merchant_id: str, seed: int
) -> None:
    with portal.app_context():
        payment_id = begun(merchant_id, a_method(sandbox, "4000000000009995"))
        schedule = Schedule(100 + seed, sandbox, payment_id)
        schedule.run(25)
        schedule.settle()
        with db.scoped(db.WORKER):
            detail = payments.any_payment(payment_id)
        assert detail.payment.status == Status.AWAITING_METHOD, schedule.trace
        assert detail.payment.last_decline_code == "insufficient_funds"
        assert [attempt.status for attempt in detail.attempts] == ["declined"]
        assert sandbox.charges(payment_id) == 0
        assert postings(payment_id) == 0
        db.session.remove()


@pytest.mark.parametrize("end", ["captured", "cancelled"])
@pytest.mark.parametrize("seed", range(FIRST, FIRST + max(1, COURSES // 3)))
def test_whatever_fails_held_money_is_taken_once_or_let_go(
    portal: Flask, sandbox: Sandbox, merchant_id: str, seed: int, end: str
) -> None:
    with portal.app_context():
        method = a_method(sandbox, "4242424242424242")
        payment_id = begun(merchant_id, method, capture_later=True)
        schedule = Schedule(200 + seed, sandbox, payment_id)
        schedule.run(12)
        schedule.settle()
        with db.scoped(db.WORKER):
            assert payments.any_payment(payment_id).payment.status == Status.AUTHORISED
            if end == "captured":
                payments.capture(payment_id, amount=Money(400_00, "INR"), by=BY)
            else:
                payments.void(payment_id, because="It is sold out.", by=BY)
        schedule.run(20)
        schedule.settle()
        with db.scoped(db.WORKER):
            payment = payments.any_payment(payment_id).payment
            states = {row.state for row in gateway.operations_of(payment_id)}
        took = 400_00 if end == "captured" else 0
        assert (payment.status, payment.captured_minor) == (end, took), schedule.trace
        assert states == {"succeeded"}
        assert sandbox.charges(payment_id) == 1, schedule.trace
        assert sandbox.taken(payment_id) == took
        assert postings(payment_id) == (1 if took else 0)
        db.session.remove()


def postings(payment_id: str) -> int:
    """Return how often the books hold this payment's money."""
    with db.transaction(db.WORKER):
        statement = text("SELECT count(*) FROM transfer WHERE reference LIKE '%' || :id")
        return int(db.session.execute(statement, {"id": payment_id}).scalar_one())
