"""What of a merchant’s links waits for its end in test mode, and how that end comes nearer."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import select, update

from webapp.kernel import waits
from webapp.kernel.waits import Kind, Waiting
from webapp.orders.models import CheckoutSession, Order, PaymentLink

CHECKOUTS = Kind(
    "checkout_session",
    "The link expires, unless a payment is under way. The order stays, for a fresh link.",
)
LINKS = Kind("payment_link", "The link ends: nobody can begin to pay by it any more.")
_OPEN = (
    CheckoutSession.livemode.is_(False),
    CheckoutSession.status == "open",
    waits.ahead(CheckoutSession.expires_at),
)
_ACTIVE = (
    PaymentLink.livemode.is_(False),
    PaymentLink.status == "active",
    waits.ahead(PaymentLink.ends_at),
)


def waiting_of(merchant_id: str, *, limit: int) -> list[Waiting]:
    """Return the merchant’s open checkout links, and payment links with an end, in test mode."""
    checkouts = (
        select(
            CheckoutSession.id.label("id"),
            CheckoutSession.expires_at.label("at"),
            CheckoutSession.order_id.label("about"),
            Order.number,
        )
        .join(Order, Order.id == CheckoutSession.order_id)
        .where(CheckoutSession.merchant_id == merchant_id, *_OPEN)
    )
    links = select(
        PaymentLink.id.label("id"),
        PaymentLink.ends_at.label("at"),
        PaymentLink.id.label("about"),
        PaymentLink.description,
    ).where(PaymentLink.merchant_id == merchant_id, *_ACTIVE)
    return [
        waits.read(CHECKOUTS, checkouts, limit=limit, label=lambda number: f"Order #{number}"),
        waits.read(LINKS, links, limit=limit, label=str),
    ]


def bring_nearer(merchant_id: str, by: dt.timedelta) -> dict[str, int]:
    """Bring the ends of the merchant’s links nearer, in test mode alone (a step).

    Returns how many of each kind came nearer.
    """
    checkouts = (
        select(CheckoutSession.id)
        .where(CheckoutSession.merchant_id == merchant_id, *_OPEN)
        .order_by(CheckoutSession.expires_at, CheckoutSession.id)
    )
    links = (
        select(PaymentLink.id)
        .where(PaymentLink.merchant_id == merchant_id, *_ACTIVE)
        .order_by(PaymentLink.ends_at, PaymentLink.id)
    )
    return {
        CHECKOUTS.name: waits.moved(
            update(CheckoutSession)
            .where(CheckoutSession.id.in_(waits.soonest(checkouts)))
            .values(
                expires_at=waits.nearer(
                    CheckoutSession.expires_at, by, after=CheckoutSession.opened_at
                )
            )
        ),
        LINKS.name: waits.moved(
            update(PaymentLink)
            .where(PaymentLink.id.in_(waits.soonest(links)))
            .values(ends_at=waits.nearer(PaymentLink.ends_at, by, after=PaymentLink.created_at))
        ),
    }
