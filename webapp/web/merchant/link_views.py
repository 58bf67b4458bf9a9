"""What the pages about payment links show: frozen views, read in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import orders, outbox
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.orders import PaymentLink
from webapp.web.merchant.door import why_not
from webapp.web.merchant.lists import Tab, older_newer, status_tabs
from webapp.web.merchant.order_views import OrderRow, order_row
from webapp.web.merchant.timelines import Timeline, timeline_of
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import Pill, pill

ROWS = "merchant.payment_link_rows"
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("All", ()),
    "active": ("Active", ("active",)),
    "ended": ("Ended", ("ended",)),
}


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link in the list; `paid` says how often, and of how many where there is a limit."""

    id: str
    href: str
    description: str
    amount: Money
    paid: str
    pill: Pill
    created_at: dt.datetime


@dataclass(frozen=True, slots=True)
class LinkList:
    """The list of links: tabs with counts, one page of rows."""

    tabs: Sequence[Tab]
    rows: Sequence[LinkRow]
    older: str | None
    newer: str | None
    is_fresh: bool


@dataclass(frozen=True, slots=True)
class LinkDetail:
    """One link with its address, its orders and what happened; `over` counts paid too often."""

    id: str
    url: str
    description: str
    amount: Money
    pill: Pill
    is_active: bool
    paid: str
    over: int
    ends_at: dt.datetime | None
    ended_at: dt.datetime | None
    created_at: dt.datetime
    rows: Sequence[OrderRow]
    older: str | None
    newer: str | None
    timeline: Timeline
    why_not_end: str | None


def link_list(page: PageRequest) -> LinkList:
    """Return the list that the address asks for; an unknown status shows all."""
    status = request.args.get("status", "")
    kept = {"status": status} if status in TABS and status else {}
    livemode = g.merchant.livemode
    counts = orders.payment_link_counts(g.merchant.id, livemode=livemode)
    asked = orders.PaymentLinkFilter(status=kept.get("status"))
    found = orders.payment_links_of(g.merchant.id, livemode=livemode, asked=asked, page=page)
    times = orders.times_paid([link.id for link in found.rows])
    older, newer = older_newer(ROWS, kept, found)
    return LinkList(
        tabs=status_tabs(ROWS, kept, counts, TABS),
        rows=[_row(link, times[link.id]) for link in found.rows],
        older=older,
        newer=newer,
        is_fresh=not counts,
    )


def link_page(link_id: str, page: PageRequest) -> LinkDetail:
    """Return one of the merchant's links for its page; raises PaymentLinkNotFound."""
    link = orders.payment_link_of(g.merchant.id, link_id)
    times = orders.times_paid([link.id])[link.id]
    asked = orders.OrderFilter(payment_link_id=link.id)
    found = orders.orders_of(g.merchant.id, livemode=g.merchant.livemode, asked=asked, page=page)
    here = url_for("merchant.payment_link", link_id=link.id)
    path = url_for("checkout.payment_link", token=link.token)
    moves = outbox.moves_of("payment_link", link.id)
    return LinkDetail(
        id=link.id,
        url=f"{settings().public_url}{path}",
        description=link.description,
        amount=link.amount,
        pill=pill("payment_link", link.status),
        is_active=link.status == "active",
        paid=_paid(link, times),
        over=max(0, times - link.max_payments) if link.max_payments else 0,
        ends_at=link.ends_at,
        ended_at=link.ended_at,
        created_at=link.created_at,
        rows=[order_row(order) for order in found.rows],
        older=f"{here}?older={found.older}" if found.older else None,
        newer=f"{here}?newer={found.newer}" if found.newer else None,
        timeline=timeline_of(moves, {g.person.user_id: "you"}, g.merchant.timezone),
        why_not_end=why_not("create_order"),
    )


def _row(link: PaymentLink, times: int) -> LinkRow:
    return LinkRow(
        id=link.id,
        href=url_for("merchant.payment_link", link_id=link.id),
        description=link.description,
        amount=link.amount,
        paid=_paid(link, times),
        pill=pill("payment_link", link.status),
        created_at=link.created_at,
    )


def _paid(link: PaymentLink, times: int) -> str:
    if link.max_payments is not None:
        return f"{times:,} of {link.max_payments:,}"
    return f"{times:,}"
