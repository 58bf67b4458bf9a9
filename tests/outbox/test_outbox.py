"""Each step writes its move, its fact and who is to be told in one statement, told once each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest

from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.books import committed_portal, worker_of
from tests.builders import a_merchant, an_order, inr
from tests.counting import statements
from tests.portal import Committed
from tests.stories import scalar
from webapp import orders, outbox
from webapp.kernel import clock, db, wake
from webapp.orders import Order
from webapp.outbox import Actor

CONSUMER = "the tests"
OTHER = "another"
BY = Actor("merchant_user", "usr_1")


@pytest.fixture(scope="module")
def portal(stores: Stores) -> Iterator[Committed]:
    """A portal whose commits are real, as the owner who may do everything here."""
    with committed_portal(stores) as running:
        yield running


@pytest.fixture
def shop(portal: Committed) -> Iterator[str]:
    """A merchant's id, in a database where nothing is due."""
    with portal.app.app_context(), db.scoped(db.OWNER):
        merchant_id = a_merchant()
        with portal.connect("postgres") as root:
            root.execute("DELETE FROM outbox_due")
        yield merchant_id
        db.session.rollback()


@pytest.fixture
def routes() -> Iterator[None]:
    """Routes of the tests' own; the product's are put back."""
    outbox.route({"order.created": (CONSUMER, OTHER), "order.cancelled": (CONSUMER,)})
    yield
    outbox.route(ROUTES)


def due(consumer: str = CONSUMER) -> list[tuple[str, int]]:
    """Return what a consumer would be told now, undone afterwards: the events, and their tries."""
    with db.transaction(db.OWNER) as session:
        facts = outbox.take_due(consumer)
        tries = {row.fact_id: row.tries for row in session.query(outbox.Due).all()}
        return [(fact.name, tries[fact.id]) for fact in facts]


def test_a_step_is_one_statement_with_move_fact_and_routes(shop: str, routes: None) -> None:
    with statements() as sent:
        order = an_order(shop)
    written = [one for one in sent if "INSERT INTO move" in one]
    assert len(written) == 1
    assert "INSERT INTO fact" in written[0]
    assert "INSERT INTO outbox_due" in written[0]
    with db.scoped(db.OWNER):
        (move,) = outbox.moves_of("order", order.id)
        (fact,) = outbox.facts_about("order", order.id)
    assert (move.source, move.target, move.version) == ("", "pending", 1)
    assert (fact.name, fact.version, fact.merchant_id) == ("order.created", 1, shop)
    assert fact.snapshot == {**order.snapshot(), "created": fact.snapshot["created"]}
    assert fact.at == move.at
    assert due() == due(OTHER) == [("order.created", 0)]


def test_a_fact_holds_the_object_as_it_was_at_that_version_and_who_did_it(
    shop: str, routes: None
) -> None:
    order = an_order(shop)
    with db.scoped(db.OWNER):
        orders.cancel(order.id, by=BY)
        first, second = outbox.facts_about("order", order.id)
    assert (first.snapshot["status"], second.snapshot["status"]) == ("PENDING", "CANCELLED")
    assert (second.actor_kind, second.actor_id) == ("merchant_user", "usr_1")
    assert second.because == "The order was cancelled."
    assert due(OTHER) == [("order.created", 0)], "told of what it asked for"


def test_an_event_without_a_route_is_a_fact_that_nobody_is_told(shop: str, routes: None) -> None:
    order = an_order(shop)
    outbox.route({})
    with db.scoped(db.OWNER):
        orders.cancel(order.id, by=BY)
        assert len(outbox.facts_about("order", order.id)) == 2
    assert due() == [("order.created", 0)]


def test_a_fact_belongs_inside_a_transaction(shop: str) -> None:
    order = an_order(shop)
    with pytest.raises(RuntimeError, match="inside a transaction"):
        outbox.record(order, "pending", "cancelled", because="x", by=BY)
    for step in (lambda: outbox.take_due(CONSUMER), lambda: outbox.told(CONSUMER, [])):
        with pytest.raises(RuntimeError, match="inside a transaction"):
            step()


def test_a_move_that_the_graph_lacks_is_refused_and_leaves_the_object(shop: str) -> None:
    order = an_order(shop)
    with db.transaction(db.OWNER):
        kept = orders.locked(order.id)
        with pytest.raises(outbox.service.CannotMove):
            kept.move_to("pending", because="x")
        assert (kept.status, kept.version) == ("pending", 1)
        assert kept.can_move_to("cancelled")
        assert not kept.can_move_to("pending")


def test_change_and_fact_vanish_together(shop: str, routes: None) -> None:
    with pytest.raises(KeyError):
        fail_after_an_order(shop)
    told_of = "SELECT count(*) FROM fact WHERE merchant_id = :id AND subject_kind = 'order'"
    assert scalar(told_of, id=shop) == 0
    assert due() == []


def fail_after_an_order(shop: str) -> None:
    """Create an order in a transaction that fails afterwards."""
    asked = orders.NewOrder(shop, livemode=False, amount=inr(1_00))
    with db.transaction(db.OWNER):
        orders.create(asked)
        raise KeyError


def test_what_was_told_is_not_told_again(shop: str, routes: None) -> None:
    an_order(shop)
    an_order(shop)
    with db.transaction(db.OWNER):
        facts = outbox.take_due(CONSUMER)
        assert [fact.id for fact in facts] == sorted(fact.id for fact in facts)
        outbox.told(CONSUMER, facts[:1])
    assert len(due()) == 1
    assert len(due(OTHER)) == 2, "each consumer has its own due rows"
    with db.scoped(db.OWNER):
        assert outbox.waiting_counts() == {CONSUMER: 1, OTHER: 2}
        assert outbox.oldest_waiting() is not None


def test_telling_that_fails_is_put_off_with_its_reason(shop: str, routes: None) -> None:
    an_order(shop)
    with db.transaction(db.OWNER):
        (fact,) = outbox.take_due(CONSUMER)
        later = clock.now() + dt.timedelta(minutes=5)
        outbox.put_off(CONSUMER, fact.id, until=later, error="x" * 2_000)
    assert due() == []
    length = "SELECT length(last_error) FROM outbox_due WHERE consumer = :consumer"
    assert scalar(length, consumer=CONSUMER) == 500
    with clock.standing_at(later):
        assert due() == [("order.created", 1)]


def test_telling_that_rolls_back_tells_again(shop: str, routes: None) -> None:
    an_order(shop)
    with pytest.raises(KeyError):
        tell_and_fail()
    assert due() == [("order.created", 0)]


def tell_and_fail() -> None:
    """Tell what is due in a transaction that fails afterwards."""
    with db.transaction(db.OWNER):
        outbox.told(CONSUMER, outbox.take_due(CONSUMER))
        raise KeyError


def test_two_relays_take_different_facts_and_neither_waits(
    portal: Committed, shop: str, routes: None
) -> None:
    for _ in range(4):
        an_order(shop)
    first = portal.connect("paydeck_worker")
    taken = first.execute(
        "SELECT fact_id FROM outbox_due WHERE consumer = %s ORDER BY due_at, fact_id LIMIT 3"
        " FOR UPDATE SKIP LOCKED",
        (CONSUMER,),
    ).fetchall()
    with worker_of(portal), db.transaction(db.WORKER):
        begun = dt.datetime.now(dt.UTC)
        others = [fact.id for fact in outbox.take_due(CONSUMER)]
        waited = dt.datetime.now(dt.UTC) - begun
    first.rollback()
    first.close()
    assert len(taken) == 3
    assert len(others) == 1
    assert not {row[0] for row in taken} & set(others)
    assert waited < dt.timedelta(seconds=1)


def test_a_batch_is_no_larger_than_asked_and_the_oldest_come_first(shop: str, routes: None) -> None:
    made = [an_order(shop).id for _ in range(5)]
    with db.transaction(db.OWNER):
        facts = outbox.take_due(CONSUMER, at_most=2)
    assert [fact.subject_id for fact in facts] == made[:2]


def test_the_relay_is_woken_once_after_the_commit(
    shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pings: list[str] = []
    monkeypatch.setattr(wake, "ping", pings.append)
    with db.transaction(db.OWNER):
        for _ in range(3):
            orders.create(orders.NewOrder(shop, livemode=False, amount=inr(1_00)))
        assert pings == []
    assert pings == ["facts"]
    with pytest.raises(KeyError):
        fail_after_an_order(shop)
    assert pings == ["facts"], "nothing happened, nobody is woken"


def test_the_snapshot_has_no_personal_data(shop: str, routes: None) -> None:
    asked = orders.NewOrder(
        shop, livemode=False, amount=inr(1_00), customer_email="meera@people.example"
    )
    with db.transaction(db.OWNER):
        order: Order = orders.create(asked)
    with db.scoped(db.OWNER):
        (fact,) = outbox.facts_about("order", order.id)
    assert "meera" not in str(fact.snapshot)
