"""Facts become events and deliveries once: for whoever chose them, in frozen bytes, in order."""

from __future__ import annotations

import json

import pytest

from jobs.subscriptions import WEBHOOKS
from tests.builders import a_merchant, a_payment, an_order
from tests.webhooks.hooks import BY, FINE, an_endpoint, query, states, tell
from webapp import orders, outbox, webhooks
from webapp.kernel import db
from webapp.payments import Status


@pytest.mark.requirement("S0-13", "S4-25", "S2-121")
def test_an_endpoint_is_sent_the_events_that_it_chose_and_no_other(shop: str) -> None:
    an_endpoint(shop, "payment.success", "refund.processed")
    a_payment(Status.CAPTURED, shop)
    tell()
    assert states() == [("payment.success", "due", 0)]
    (body,) = query("SELECT body FROM webhook_body")[0]
    told = json.loads(str(body))
    assert (told["object"], told["type"], told["livemode"]) == ("event", "payment.success", False)
    assert told["data"]["object"]["status"] == "SUCCESS"
    assert told["data"]["previous_attributes"]["status"] == "PROCESSING"
    (version,) = query("SELECT subject_version FROM webhook_event WHERE name = 'payment.success'")[
        0
    ]
    assert told["sequence"] == version


def test_every_event_is_kept_also_where_nobody_listens(shop: str) -> None:
    a_payment(Status.CAPTURED, shop)
    tell()
    assert states() == []
    names = [name for (name,) in query("SELECT name FROM webhook_event ORDER BY place")]
    assert names.index("order.created") < names.index("payment.created")
    assert {"payment.success", "order.completed", "checkout.completed"} <= set(names)


def test_a_fact_told_twice_makes_one_event_and_one_delivery(shop: str) -> None:
    an_endpoint(shop, "order.created")
    order = an_order(shop)
    with db.transaction(db.WORKER):
        facts = outbox.facts_about("order", order.id)
        webhooks.fan_out(facts)
        webhooks.fan_out(facts)
    tell()
    assert states() == [("order.created", "due", 0)]


@pytest.mark.requirement("S2-78")
def test_another_merchants_endpoint_and_the_other_modes_are_sent_nothing(shop: str) -> None:
    an_endpoint(a_merchant(name="Other Tea"))
    an_endpoint(shop, livemode=True)
    an_order(shop)
    tell()
    assert states() == []


def test_a_paused_endpoint_collects_and_one_that_is_off_does_not(shop: str) -> None:
    paused, off = an_endpoint(shop, "order.created"), an_endpoint(shop, "order.created")
    webhooks.pause(paused.id, by=BY)
    webhooks.disable(off.id, because="Not wanted.", by=BY, url=off.url)
    an_order(shop)
    tell()
    assert query("SELECT endpoint_id, state FROM delivery") == [(paused.id, "due")]


def test_bytes_are_frozen_when_they_are_written(shop: str) -> None:
    an_endpoint(shop, "order.created")
    order = an_order(shop)
    tell()
    before = query("SELECT body FROM webhook_body")
    orders.cancel(order.id, by=BY)
    tell()
    assert query("SELECT body FROM webhook_body") == before


def test_a_body_that_nobody_was_sent_is_the_one_that_would_have_been(shop: str) -> None:
    order = an_order(shop)
    tell()
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        (event,) = webhooks.events_after(shop, livemode=False, after=None)
        shown = webhooks.body_of(event)
    an_endpoint(shop, "order.created")
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        webhooks.resend_event(event.id, to=query("SELECT id FROM webhook_endpoint")[0][0], by=BY)  # type: ignore[arg-type]
    assert query("SELECT body FROM webhook_body") == [(shown,)]
    assert json.loads(shown)["data"]["object"]["id"] == order.id


def test_a_reader_that_goes_on_from_its_last_event_misses_none(shop: str) -> None:
    made = [an_order(shop).id for _ in range(3)]
    tell()
    scope = db.Scope(merchant_id=shop, livemode=False)
    with db.scoped(scope):
        first = webhooks.events_after(shop, livemode=False, after=None, limit=2)
        rest = webhooks.events_after(shop, livemode=False, after=first[-1].id)
        newest = webhooks.newest_event(shop, livemode=False)
    assert [event.subject_id for event in [*first, *rest]] == made
    assert newest is not None
    assert newest.id == rest[-1].id


def test_a_merchant_with_every_endpoint_it_may_have_is_told_a_whole_backlog_at_once(
    shop: str,
) -> None:
    for _ in range(16):
        an_endpoint(shop)
    order = an_order(shop)
    tell()
    with db.transaction(db.WORKER) as session:
        facts = _copies_of(outbox.facts_about("order", order.id)[0], 400)
        session.add_all(facts)
        session.flush()
        webhooks.fan_out(facts)
    found = query(
        "SELECT count(*), count(DISTINCT event_id) FROM delivery WHERE event_id LIKE 'evt_copy%'"
    )
    assert found == [(6_400, 400)]


def _copies_of(fact: outbox.Fact, times: int) -> list[outbox.Fact]:
    """Return facts that say the same of other objects."""
    same = {
        column.key: getattr(fact, column.key)
        for column in outbox.Fact.__table__.columns
        if column.key not in {"id", "subject_id"}
    }
    return [
        outbox.Fact(id=f"fact_copy{n:04}", subject_id=f"ord_copy{n:04}", **same)
        for n in range(times)
    ]


def test_pages_look_again_when_something_happened_and_when_it_was_tried(shop: str) -> None:
    an_endpoint(shop, "order.created")
    an_order(shop)
    with db.transaction(db.WORKER) as session:
        webhooks.fan_out(outbox.take_due(WEBHOOKS))
        assert {f"look:{noun}:{shop}:test" for noun in ("delivery", "webhook_event")} <= set(
            session.info["wakes"]
        )
    parcels = webhooks.take(1, slow_at_most=1)
    with db.transaction(db.WORKER) as session:
        webhooks.settle([(parcel, FINE) for parcel in parcels])
        assert f"look:delivery:{shop}:test" in session.info["wakes"]
