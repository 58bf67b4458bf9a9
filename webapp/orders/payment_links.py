"""Payment links: made once, paid again and again, each time by an order of its own.

A link’s payments are its completed orders, counted under the lock of the link’s row. An order is
made, and a payment begun, while fewer than `max_payments` of them are completed. Two people who
both began before either had paid may both pay: the money was taken, so both orders count, and the
merchant sees one payment more than was asked for, to be refunded or honoured.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, func, select, text

from webapp import audit
from webapp.kernel import clock, crypto, db, ids
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money, payable
from webapp.kernel.paging import Page, PageRequest, one_page, page_of
from webapp.orders.errors import PaymentLinkEnded, PaymentLinkNotFound
from webapp.orders.models import Order, PaymentLink
from webapp.orders.policy import check_description, check_details
from webapp.outbox import SYSTEM, Actor

MOST_PAYMENTS = 10_000
ENDS_AT_MOST = 100
_BY_TOKEN = text("SELECT * FROM payment_link_by_token(:index)")


@dataclass(frozen=True, slots=True)
class NewPaymentLink:
    """What a merchant asks for, of whoever opens the link; `max_payments` None is no limit."""

    merchant_id: str
    livemode: bool
    amount: Money
    description: str
    max_payments: int | None = None
    ends_at: dt.datetime | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaymentLinkRef:
    """What a link's token proves: nothing but these ids."""

    link_id: str
    merchant_id: str
    livemode: bool


@dataclass(frozen=True, slots=True)
class PaymentLinkFilter:
    """What part of a merchant's links is asked for: since <= created < until."""

    status: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def create_payment_link(asked: NewPaymentLink, *, by: Actor) -> PaymentLink:
    """Make a link that can be paid at once; raises Invalid naming the field that is wrong.

    Not idempotent by itself: the door remembers the form or the key.
    """
    payable(asked.amount)
    now = clock.now()
    _check(asked, now)
    link = PaymentLink(
        id=ids.new("payment_link"),
        merchant_id=asked.merchant_id,
        livemode=asked.livemode,
        amount_minor=asked.amount.minor,
        currency=asked.amount.currency,
        description=asked.description.strip(),
        max_payments=asked.max_payments,
        ends_at=asked.ends_at,
        created_at=now,
        created_by=by.id,
        details=dict(asked.details),
    )
    link.set_token(ids.secret_token())
    with db.transaction():
        link.begin("active", because="The link was made.", by=by)
        return link


def end_payment_link(merchant_id: str, link_id: str, *, by: Actor) -> PaymentLink:
    """End a link for good; ending it twice changes nothing. Raises PaymentLinkNotFound.

    Payments that were begun by then go on; nothing new begins.
    """
    with db.transaction():
        link = _locked(merchant_id, link_id)
        if link.status == "active":
            _end(link, because="It was ended.", by=by)
        return link


def note_on_payment_link(
    merchant_id: str, link_id: str, details: Mapping[str, Any], *, by: Actor
) -> PaymentLink:
    """Replace a link's metadata; raises PaymentLinkNotFound."""
    with db.transaction():
        link = _locked(merchant_id, link_id)
        link.details = dict(details)
        audit.record(
            "payment_link.described",
            "payment_link",
            link.id,
            by=by,
            merchant_id=link.merchant_id,
            livemode=link.livemode,
        )
        return link


def count_payment(link_id: str) -> None:
    """Count a paid order of a link, which ends with the last that it takes (a step)."""
    db.assert_transaction()
    db.session.flush()
    limited = select(PaymentLink).where(
        PaymentLink.id == link_id,
        PaymentLink.status == "active",
        PaymentLink.max_payments.is_not(None),
    )
    link = db.session.scalar(_for_change(limited))
    if link is not None and _is_used_up(link):
        _end(link, because="It was paid as often as was asked for.", by=SYSTEM)


def check_link(order: Order) -> None:
    """Raise PaymentLinkEnded where an order came by a link that takes no more payments."""
    if order.payment_link_id is not None:
        link = payment_link_of(order.merchant_id or "", order.payment_link_id)
        if has_ended(link):
            raise PaymentLinkEnded


def has_ended(link: PaymentLink) -> bool:
    """Whether a link takes no more payments now, also where its end is not written down yet."""
    is_over = link.ends_at is not None and link.ends_at <= clock.now()
    return link.status != "active" or is_over or _is_used_up(link)


def end_due_payment_links() -> int:
    """End links whose end has come; returns how many. Nothing was begun by them since then."""
    due = select(PaymentLink.id, PaymentLink.merchant_id).where(
        PaymentLink.status == "active", PaymentLink.ends_at <= clock.now()
    )
    found = db.session.execute(due.order_by(PaymentLink.ends_at).limit(ENDS_AT_MOST)).all()
    for link_id, merchant_id in found:
        with db.transaction():
            link = _locked(merchant_id or "", link_id)
            if link.status == "active":
                _end(link, because="Its time was over.", by=SYSTEM)
    return len(found)


def times_paid(link_ids: Sequence[str]) -> dict[str, int]:
    """Return how many orders of each link are paid; a refund does not take one away."""
    counted = select(Order.payment_link_id, func.count()).where(
        Order.payment_link_id.in_(link_ids), Order.status == "completed"
    )
    found = {row[0]: row[1] for row in db.session.execute(counted.group_by(Order.payment_link_id))}
    return {link_id: found.get(link_id, 0) for link_id in link_ids}


def payment_link_for(token: str) -> PaymentLinkRef:
    """Return the ids behind a link's token; raises PaymentLinkNotFound."""
    index = crypto.blind_index(token, purpose="payment_link")
    found = db.session.execute(_BY_TOKEN, {"index": index}).one_or_none()
    if found is None:
        raise PaymentLinkNotFound
    return PaymentLinkRef(found.link_id, found.merchant_id, found.livemode)


def payment_link_of(merchant_id: str, link_id: str) -> PaymentLink:
    """Return one link of a merchant; raises PaymentLinkNotFound for any other."""
    wanted = select(PaymentLink).where(
        PaymentLink.merchant_id == merchant_id, PaymentLink.id == link_id
    )
    link = db.session.scalar(wanted.execution_options(populate_existing=True))
    if link is None:
        raise PaymentLinkNotFound
    return link


def payment_links_of(
    merchant_id: str, *, livemode: bool, asked: PaymentLinkFilter, page: PageRequest
) -> Page[PaymentLink]:
    """Return a page of a merchant's links, newest first."""
    wanted = select(PaymentLink).where(
        PaymentLink.merchant_id == merchant_id, PaymentLink.livemode == livemode
    )
    if asked.status:
        wanted = wanted.where(PaymentLink.status == asked.status)
    if asked.since:
        wanted = wanted.where(PaymentLink.created_at >= asked.since)
    if asked.until:
        wanted = wanted.where(PaymentLink.created_at < asked.until)
    rows = db.session.scalars(one_page(wanted, PaymentLink.id, page)).all()
    return page_of(rows, page, key=lambda one: one.id)


def payment_link_counts(merchant_id: str, *, livemode: bool) -> dict[str, int]:
    """Return how many links of each status a merchant has."""
    wanted = select(PaymentLink.status, func.count()).where(
        PaymentLink.merchant_id == merchant_id, PaymentLink.livemode == livemode
    )
    return {row[0]: row[1] for row in db.session.execute(wanted.group_by(PaymentLink.status))}


def _locked(merchant_id: str, link_id: str) -> PaymentLink:
    wanted = select(PaymentLink).where(
        PaymentLink.merchant_id == merchant_id, PaymentLink.id == link_id
    )
    link = db.session.scalar(_for_change(wanted))
    if link is None:
        raise PaymentLinkNotFound
    return link


def _for_change(wanted: Select[PaymentLink]) -> Select[PaymentLink]:
    """Lock the row against changes and openings; orders that name it may still be written."""
    locking = wanted.with_for_update(key_share=True)
    return locking.execution_options(populate_existing=True)


def _is_used_up(link: PaymentLink) -> bool:
    return link.max_payments is not None and times_paid([link.id])[link.id] >= link.max_payments


def _end(link: PaymentLink, *, because: str, by: Actor) -> None:
    link.ended_at = clock.now()
    link.move_to("ended", because=because, by=by)


def _check(asked: NewPaymentLink, now: dt.datetime) -> None:
    if not asked.description.strip():
        raise Invalid("Say what the payment is for.", param="description")
    check_description(asked.description)
    if asked.max_payments is not None and not 1 <= asked.max_payments <= MOST_PAYMENTS:
        raise Invalid(
            f"A link can end after 1 to {MOST_PAYMENTS:,} payments.", param="max_payments"
        )
    if asked.ends_at is not None and asked.ends_at <= now:
        raise Invalid("Choose an end that is still to come.", param="ends_at")
    check_details(asked.details)
