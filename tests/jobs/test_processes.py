"""Relay, sweeper and workers as real processes: a card payment from the click to everyone told."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.jobs.house import House
from tests.jobs.shop import open_shop
from tests.jobs.working import Ground, until
from tests.portal import Committed, cloned, dispose, environment
from tests.provider_process import running_sandbox
from webapp import config
from webapp.app import create_app
from webapp.kernel import clock, db, wake

SENTENCE = "Your payment of ₹1,000 for Order #1001 is successful."
RECEIPT = "[Test] Receipt: ₹1,000.00 to Lotus Tea House for Order #1001"
KNOCKED = {b"admin", b"user:", b"merchant:", b"checkout:", b"message", b"figures"}
UNSEALED = (
    "SELECT count(*) FROM audit_entry e LEFT JOIN audit_seal s ON s.audit_id = e.id"
    " WHERE s.seq IS NULL"
)
IN_FLIGHT = "SELECT count(*) FROM provider_operation WHERE kind = 'confirm' AND state = 'in_flight'"


@pytest.fixture
def house(stores: Stores, tmp_path: Path) -> Iterator[House]:
    """A portal and a provider on a database of their own; the test starts the processes."""
    wake.use(stores.redis_url)
    wake.client().flushall()
    with running_sandbox(tmp_path) as sandbox, cloned(stores) as database, ExitStack() as stack:
        env = {**environment(stores, database), "PROVIDER_ORIGIN": sandbox.origin}
        app = create_app(config.read(env), ROUTES)
        stack.callback(dispose, app)
        portal = Committed(app, stores, database)
        ground = Ground(app, stores, database, None)  # type: ignore[arg-type]
        with app.app_context():
            yield House(app, open_shop(portal), sandbox, ground, tmp_path, stack)
            db.session.remove()


@pytest.mark.requirement("S0-08", "S0-09", "S1-08", "S2-61", "S3-10", "S4-12", "S4-14")
def test_a_card_payment_is_made_behind_the_page_and_everyone_is_told(house: House) -> None:
    house.start("relay", "sweeper", "worker")
    hears = wake.client().pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    hears.subscribe("paydeck:knocks")
    began = clock.now()
    ref = house.shop.order()
    payment_id = house.shop.pay(ref)
    assert house.shop.status(payment_id) == "processing", "the request itself charges nothing"
    until(house.is_captured(payment_id), seconds=15, what="captured")
    until(lambda: house.messages() == [SENTENCE], seconds=5, what="the message")
    receipt = (house.shop.shopper_email, RECEIPT)
    until(lambda: house.mails() == [receipt], seconds=5, what="the receipt")
    until(lambda: house.rolled_up() == 1, seconds=5, what="the figures")
    until(lambda: house.waiting() == 0, seconds=5, what="all told")
    until(lambda: house.shop.one(UNSEALED) == 0, seconds=5, what="sealed")
    knocked: set[bytes] = set()

    def have_all_knocked() -> bool:
        heard = hears.get_message(timeout=0.1)
        knocked.update(word for word in KNOCKED if heard and word in heard["data"])
        return knocked == KNOCKED

    until(have_all_knocked, seconds=5, what=f"knocks on every door, not just {knocked}")
    hears.close()
    assert house.sandbox.charges(payment_id) == 1
    assert (clock.now() - began).total_seconds() < 30


def test_processes_end_in_good_order_when_asked_to(house: House) -> None:
    house.start("relay", "sweeper", "worker")
    for name, process in house.running.items():
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0, house.log(name)
    assert wake.processes() == []
    for name in house.running:
        assert house.family(name) == []
        assert "Traceback" not in house.log(name)


@pytest.mark.races
@pytest.mark.requirement("S1-13")
def test_a_worker_killed_in_the_middle_of_a_charge_charges_once(house: House) -> None:
    """Its work-horse dies with it; the lease runs out; another worker sends the same key."""
    house.start("relay", "sweeper", "worker-1")
    house.sandbox.fault("slow", endpoint="payment_intents.confirm", seconds=3)
    payment_id = house.shop.pay(house.shop.order())
    until(lambda: house.shop.one(IN_FLIGHT) == 1, seconds=15, what="the charge is under way")
    assert len(house.family("worker-1")) == 2, "a worker and its work-horse"
    house.kill("worker-1")
    until(lambda: house.family("worker-1") == [], seconds=2, what="the work-horse dies too")
    house.start("worker-2")
    took = until(house.is_captured(payment_id), seconds=30, what=house.log("worker-2"))
    assert took < 25
    assert house.sandbox.charges(payment_id) == 1
    claims = "SELECT max(tries) FROM provider_operation WHERE kind = 'confirm'"
    assert house.shop.one(claims) is not None
    captured = "SELECT count(*) FROM transfer WHERE reference = %(ref)s"
    assert house.shop.one(captured, ref=f"payment.captured:{payment_id}") == 1
    until(lambda: house.messages() == [SENTENCE], seconds=5, what="told once")


@pytest.mark.races
@pytest.mark.requirement("S1-13")
def test_without_valkey_payments_are_still_made_and_everyone_is_still_told(house: House) -> None:
    house.start("relay", "sweeper", "worker")
    stores = house.ground.stores
    stores.kill("valkey")
    try:
        payment_id = house.shop.pay(house.shop.order())
        until(house.is_captured(payment_id), seconds=20, what=house.log("sweeper"))
        until(lambda: house.messages() == [SENTENCE], seconds=5, what="the message")
        until(lambda: house.rolled_up() == 1, seconds=5, what="the figures")
        until(house.mails, seconds=10, what="the receipt")
        for name, process in house.running.items():
            assert process.poll() is None, f"{name} ended without Valkey: {house.log(name)}"
    finally:
        stores.heal()
    until(lambda: house.waiting() == 0, seconds=15, what="knocks are sent once Valkey is back")
    second = house.shop.pay(house.shop.order())
    until(house.is_captured(second), seconds=20, what=house.log("worker"))
    assert house.sandbox.charges(payment_id) == house.sandbox.charges(second) == 1


@pytest.mark.races
@pytest.mark.requirement("S0-10", "S1-13")
def test_emptying_valkey_costs_seconds_and_no_facts(house: House) -> None:
    house.start("relay", "sweeper", "worker")
    stopped = house.running["worker"]
    stopped.send_signal(signal.SIGSTOP)
    payment_id = house.shop.pay(house.shop.order())
    with contextlib.suppress(redis.RedisError):
        wake.client().flushall()
    stopped.send_signal(signal.SIGCONT)
    until(house.is_captured(payment_id), seconds=15, what=house.log("worker"))
    until(lambda: house.messages() == [SENTENCE], seconds=5, what="the message")
    assert house.sandbox.charges(payment_id) == 1


@pytest.mark.races
def test_processes_outlive_a_crash_of_the_database(house: House) -> None:
    house.start("relay", "sweeper", "worker")
    stores = house.ground.stores
    stores.kill("postgres")
    stores.heal()
    payment_id = house.shop.pay(house.shop.order())
    until(house.is_captured(payment_id), seconds=25, what=house.log("worker"))
    until(lambda: house.messages() == [SENTENCE], seconds=10, what="the message")
    for name, process in house.running.items():
        assert process.poll() is None, f"{name} ended with the database: {house.log(name)}"
