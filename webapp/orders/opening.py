"""What the one button of a payment link does: a fresh order, and a checkout to pay it."""

from __future__ import annotations

from sqlalchemy import select

from webapp import accounts
from webapp.kernel import db
from webapp.orders.errors import PaymentLinkClosed, PaymentLinkEnded, PaymentLinkNotFound
from webapp.orders.models import PaymentLink
from webapp.orders.payment_links import PaymentLinkRef, has_ended
from webapp.orders.service import NewOrder, Opened, create, open_checkout
from webapp.outbox import Actor


def open_payment_link(ref: PaymentLinkRef, *, by: Actor) -> Opened:
    """Make a fresh order of a link and open its checkout; its other orders are left as they are.

    Raises PaymentLinkEnded where the link has ended or is used up, and PaymentLinkClosed while its
    merchant may not sell: then no order is made. Not idempotent: the door remembers the form.
    """
    with db.transaction():
        wanted = select(PaymentLink).where(
            PaymentLink.id == ref.link_id, PaymentLink.merchant_id == ref.merchant_id
        )
        standing = wanted.with_for_update(read=True).execution_options(populate_existing=True)
        link = db.session.scalar(standing)
        if link is None:
            raise PaymentLinkNotFound
        if has_ended(link):
            raise PaymentLinkEnded
        seller = accounts.merchant_card(ref.merchant_id)
        if seller is None or not seller.is_active:
            raise PaymentLinkClosed
        asked = NewOrder(
            ref.merchant_id,
            livemode=ref.livemode,
            amount=link.amount,
            description=link.description,
            payment_link_id=link.id,
        )
        return open_checkout(create(asked, by=by).id, by=by)
