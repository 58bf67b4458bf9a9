"""A merchant with something of every kind that waits, and what waits read row by row."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import text

from tests.builders import (
    BACK,
    a_checkout,
    a_merchant,
    a_method,
    a_new_payment_link,
    a_payment,
    a_payment_link,
    answered,
    held,
    inr,
    succeeded,
)
from tests.refunds.builders import CLERK, asked
from tests.stories import behind
from webapp import orders, payments, refunds, test_clock
from webapp.gateway import Outcome, Result
from webapp.kernel import clock, db
from webapp.orders import NewOrder
from webapp.outbox import Actor
from webapp.payments import Payer, Status

BEGIN = dt.datetime(2026, 11, 21, 10, 0, tzinfo=dt.UTC)
MINUTE, HOUR, DAY = 60, 60 * 60, 24 * 60 * 60
OWNER = Actor("merchant_user", "usr_owner")
WEEK = BEGIN + dt.timedelta(days=7)
#: Every moment that a clock could move, by the row and the column that holds it.
MOMENTS = text(
    """
    SELECT id || ' ends' AS what, merchant_id, livemode, expires_at AS at FROM checkout_session
    UNION ALL SELECT id || ' ends', merchant_id, livemode, ends_at FROM payment_link
    UNION ALL SELECT id || ' deadline', merchant_id, livemode, deadline_at FROM payment
    UNION ALL SELECT id || ' promise', merchant_id, livemode, capture_before FROM payment
    UNION ALL SELECT id || ' check', merchant_id, livemode, check_at FROM payment
    UNION ALL SELECT id || ' leaves', merchant_id, livemode, leaves_at FROM refund
    UNION ALL SELECT id || ' deadline', merchant_id, livemode, deadline_at FROM refund
    UNION ALL SELECT id || ' due', merchant_id, livemode, due_at FROM delivery
    UNION ALL SELECT id || ' call', merchant_id, livemode, due_at FROM provider_operation
    UNION ALL SELECT id || ' opened', merchant_id, livemode, opened_at FROM checkout_session
    UNION ALL SELECT id || ' made', merchant_id, livemode, created_at FROM payment
    UNION ALL SELECT id || ' made', merchant_id, livemode, created_at FROM refund
    """
)


@dataclass(frozen=True)
class Row:
    """One moment of one object, and whose it is."""

    merchant_id: str
    livemode: bool
    at: dt.datetime | None


def moments() -> dict[str, Row]:
    """Return every moment in the database, whoever's it is."""
    with db.scoped(behind()):
        rows = db.session.execute(MOMENTS)
        return {what: Row(merchant, livemode, at) for what, merchant, livemode, at in rows}


def moved(shop: str, seconds: int, *, after: int = 0) -> dict[str, int]:
    """Move a merchant's clock, so many seconds after the beginning; kinds left out are none."""
    scope = db.Scope(merchant_id=shop, livemode=False)
    with clock.standing_at(BEGIN + dt.timedelta(seconds=after)), db.scoped(scope):
        counts = test_clock.advance(shop, seconds, livemode=False, by=OWNER)
    return {kind: count for kind, count in counts.items() if count}


def a_busy_shop() -> str:
    """Return a merchant of whose every kind but deliveries one waits, since the beginning.

    Of checkout links two wait: the payment that is to be confirmed has one too.
    """
    with clock.standing_at(BEGIN):
        shop = a_merchant()
        a_checkout(shop)
        a_payment_link(shop, ends_at=WEEK)
        a_payment(Status.AUTHORISED, shop)
        a_payment(Status.REQUIRES_ACTION, shop)
        dear = a_payment(Status.CAPTURED, shop, inr(60_000_00))
        asked(dear, inr(100_00))
        asked(dear, inr(50_000_01))
    return shop


def in_live_mode(shop: str) -> None:
    """Give a merchant the same in live mode, of what can be made there."""
    price = inr(1_000_00)
    with clock.standing_at(BEGIN):
        with db.scoped(db.Scope(merchant_id=shop, livemode=True)):
            link = a_new_payment_link(shop, ends_at=WEEK)
            live = orders.NewPaymentLink(
                shop, True, link.amount, link.description, ends_at=link.ends_at
            )
            orders.create_payment_link(live, by=OWNER)
            _begun_live(shop, capture_later=False)
        held_id, taken_id = (_tried_live(shop, capture_later=later) for later in (True, False))
        answered(held_id, Outcome(Result.CREATED, intent_id=f"pi_{held_id}"), held(price))
        answered(taken_id, Outcome(Result.CREATED, intent_id=f"pi_{taken_id}"), succeeded(price))
        with db.scoped(db.Scope(merchant_id=shop, livemode=True)):
            refunds.request(taken_id, amount=inr(5_00), reason="other", by=CLERK)


def _begun_live(shop: str, *, capture_later: bool) -> orders.Opened:
    asked_for = NewOrder(shop, livemode=True, amount=inr(1_000_00), capture_later=capture_later)
    return orders.open_checkout(orders.create(asked_for).id)


def _tried_live(shop: str, *, capture_later: bool) -> str:
    with db.scoped(db.Scope(merchant_id=shop, livemode=True)):
        opened = _begun_live(shop, capture_later=capture_later)
        ref = orders.checkout_for(opened.token)
        return payments.start_card(ref, a_method(), return_url=BACK, payer=Payer())
