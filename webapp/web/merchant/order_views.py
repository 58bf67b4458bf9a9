"""What the pages about orders show: frozen views, read from the rooms in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import accounts, analytics, orders, outbox, payments
from webapp.kernel import clock, crypto, currencies
from webapp.kernel.money import EXPONENTS, Money
from webapp.kernel.paging import PageRequest
from webapp.orders import CheckoutSession, Order
from webapp.payments import Payment
from webapp.web.merchant import links
from webapp.web.merchant.door import why_not
from webapp.web.merchant.lists import Chip, Tab, address, older_newer
from webapp.web.merchant.timelines import Timeline, timeline_of
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import Pill, pill

ROWS = "merchant.order_rows"
TABS = (("", "All"), ("pending", "Unpaid"), ("completed", "Paid"), ("cancelled", "Cancelled"))


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order in the list."""

    id: str
    number: str
    href: str
    description: str
    amount: Money
    pill: Pill
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OrderList:
    """The list of orders: tabs with counts, filters in force, one page of rows."""

    tabs: Sequence[Tab]
    chips: Sequence[Chip]
    query: str
    status: str
    rows: Sequence[OrderRow]
    older: str | None
    newer: str | None
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class LinkView:
    """The open checkout link; `url` is None where another browser opened it."""

    url: str | None
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PaymentLine:
    """One payment of an order."""

    id: str
    href: str
    amount: Money
    method: str
    pill: Pill
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order with its link, its payments and what happened."""

    id: str
    number: str
    version: int
    amount: Money
    pill: Pill
    is_pending: bool
    description: str
    customer: str | None
    created_at: dt.datetime
    completed_at: dt.datetime | None
    is_taken_later: bool
    came_by: str | None
    link: LinkView | None
    payments: Sequence[PaymentLine]
    timeline: Timeline
    why_not_link: str | None
    why_not_cancel: str | None


def order_list(page: PageRequest) -> OrderList:
    """Return the list that the address asks for; an unknown status shows all."""
    status = request.args.get("status", "")
    status = status if status in dict(TABS) else ""
    query = request.args.get("q", "").strip()
    kept = {"status": status, "q": query}
    counts = orders.order_counts(g.merchant.id, livemode=g.merchant.livemode)
    asked = orders.OrderFilter(status=status or None, text=query or None)
    found = orders.orders_of(g.merchant.id, livemode=g.merchant.livemode, asked=asked, page=page)
    older, newer = older_newer(ROWS, kept, found)
    return OrderList(
        tabs=_tabs(status, query, counts),
        chips=[Chip("Search", query, address(ROWS, kept, q=None))] if query else [],
        query=query,
        status=status,
        rows=[order_row(order) for order in found.rows],
        older=older,
        newer=newer,
        is_fresh=not counts,
    )


def order_page(order_id: str) -> OrderPage:
    """Return one of the merchant's orders for its page; raises OrderNotFound."""
    order = orders.order_of(g.merchant.id, order_id)
    paid_by = payments.payments_of_order(order.id)
    sessions = orders.checkouts_of_order(order.id)
    customer = orders.customer_of(g.merchant.id, order.customer_id)
    under_way = any(payment.status in payments.UNDER_WAY for payment in paid_by)
    return OrderPage(
        id=order.id,
        number=order.number,
        version=order.version,
        amount=order.amount,
        pill=pill("order", order.status),
        is_pending=order.status == "pending",
        description=order.description,
        customer=crypto.mask_email(customer.email) if customer else None,
        created_at=order.created_at,
        completed_at=order.completed_at,
        is_taken_later=order.capture_later,
        came_by=_came_by(order),
        link=_link(sessions),
        payments=[_line(payment) for payment in paid_by],
        timeline=_timeline(order, sessions),
        why_not_link=_busy(under_way) or _used_up(order) or why_not("create_order"),
        why_not_cancel=_busy(under_way) or why_not("cancel_order"),
    )


def currency_choices() -> list[tuple[str, str]]:
    """Return the currencies for a form: the merchant's own, those it uses, then the others."""
    cards = accounts.merchant_cards([g.merchant.id])
    used = analytics.currencies(g.merchant.id, g.merchant.livemode)
    own = [card.default_currency for card in cards.values()]
    first = list(dict.fromkeys([*own, *used]))
    rest = [code for code in EXPONENTS if code not in first]
    return [(code, _currency_label(code)) for code in [*first, *rest]]


def _currency_label(code: str) -> str:
    symbol = currencies.symbol_of(code)
    return code if symbol == code else f"{code} ({symbol})"


def _tabs(status: str, query: str, counts: Mapping[str, int]) -> list[Tab]:
    return [
        Tab(
            label,
            address(ROWS, {"q": query}, status=name),
            active=name == status,
            count=None if query else counts.get(name, 0) if name else sum(counts.values()),
        )
        for name, label in TABS
    ]


def order_row(order: Order) -> OrderRow:
    """Return an order as it stands in lists."""
    return OrderRow(
        id=order.id,
        number=order.number,
        href=url_for("merchant.order", order_id=order.id),
        description=order.description,
        amount=order.amount,
        pill=pill("order", order.status),
        created_at=order.created_at,
    )


def _line(payment: Payment) -> PaymentLine:
    return PaymentLine(
        id=payment.id,
        href=url_for("merchant.payment", payment_id=payment.id),
        amount=payment.amount,
        method=payment.method_label or (payment.method_kind or "").capitalize() or "Not chosen yet",
        pill=pill("payment", payment.status),
        created_at=payment.created_at,
    )


def _link(sessions: Sequence[CheckoutSession]) -> LinkView | None:
    for session in sessions:
        if session.status == "open" and session.expires_at > clock.now():
            token = links.token_for(session.id)
            path = url_for("checkout.show", token=token) if token else None
            return LinkView(f"{settings().public_url}{path}" if path else None, session.expires_at)
    return None


def _timeline(order: Order, sessions: Sequence[CheckoutSession]) -> Timeline:
    moves = list(outbox.moves_of("order", order.id))
    for session in sessions:
        moves.extend(outbox.moves_of("checkout_session", session.id))
    return timeline_of(moves, {g.person.user_id: "you"}, g.merchant.timezone)


def _came_by(order: Order) -> str | None:
    if order.payment_link_id is None:
        return None
    return url_for("merchant.payment_link", link_id=order.payment_link_id)


def _used_up(order: Order) -> str | None:
    try:
        orders.check_link(order)
    except orders.PaymentLinkEnded:
        return "The payment link by which this order came has ended. Create an order of its own."
    return None


def _busy(under_way: bool) -> str | None:  # noqa: FBT001 - one fact, named by the caller
    return "A payment is being confirmed. Wait for its result." if under_way else None
