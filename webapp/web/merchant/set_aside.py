"""Money of a payment that was set aside, as the merchant's pages show it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import outbox, payments, refunds
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.payments import Anomaly, Payment
from webapp.web.merchant.door import why_not
from webapp.web.merchant.filters import known
from webapp.web.merchant.lists import Tab, live_address, older_newer, status_tabs
from webapp.web.merchant.refund_views import RefundLine, line_of
from webapp.web.merchant.timelines import Timeline, timeline_of
from webapp.web.shared.deciding import Decisions, Reader, decisions_about
from webapp.web.shared.names import in_words
from webapp.web.shared.pills import Pill, pill

ROWS = "merchant.set_aside_rows"
#: Tab name in the address: its label, and the states that it shows.
TABS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Waits for a decision", ("open",)),
    "under-way": ("Decided, under way", ("refunding", "applying")),
    "back": ("Given back", ("refunded",)),
    "used": ("Used for an order", ("applied", "accepted")),
    "all": ("All", ()),
}


@dataclass(frozen=True, slots=True)
class SetAside:
    """One amount that fits no order: why, and what becomes of it."""

    id: str
    amount: Money
    why: str
    says: str
    pill: Pill
    is_open: bool
    since: dt.datetime
    version: int
    payment_href: str
    href: str


@dataclass(frozen=True, slots=True)
class SetAsidePage:
    """One amount that was set aside, for its page."""

    line: SetAside
    note: str
    order_number: str
    payment_amount: Money
    version: int
    refunds: Sequence[RefundLine]
    decisions: Decisions
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class SetAsideList:
    """All money of the merchant that was set aside: tabs with counts, one page of rows."""

    tabs: Sequence[Tab]
    rows: Sequence[SetAside]
    older: str | None
    newer: str | None
    live_url: str


def set_aside_list(page: PageRequest) -> SetAsideList:
    """Return the list that the address asks for."""
    status = known(request.args, "status", TABS)
    kept = {"status": status} if status else {}
    mine = {"livemode": g.merchant.livemode}
    counts = payments.anomaly_counts(g.merchant.id, **mine)
    found = payments.anomalies_of(g.merchant.id, page=page, statuses=TABS[status][1], **mine)
    older, newer = older_newer(ROWS, kept, found)
    return SetAsideList(
        tabs=status_tabs(ROWS, kept, counts, TABS),
        rows=[set_aside(one) for one in found.rows],
        older=older,
        newer=newer,
        live_url=live_address("merchant.set_aside_rows_live", kept),
    )


def set_aside_of(payment: Payment) -> list[SetAside]:
    """Return what was set aside of one payment, oldest first."""
    return [set_aside(one) for one in payments.anomalies_of_payment(payment.id)]


def set_aside(found: Anomaly) -> SetAside:
    """Return money set aside for a page."""
    return SetAside(
        id=found.id,
        amount=found.amount,
        why=in_words(found.kind, "anomaly"),
        says=payments.ANOMALY_FLOW.states[found.status].says,
        pill=pill("anomaly", found.status),
        is_open=found.status == "open",
        since=found.opened_at,
        version=found.version,
        payment_href=url_for("merchant.payment", payment_id=found.payment_id),
        href=url_for("merchant.set_aside", anomaly_id=found.id),
    )


def set_aside_page(anomaly_id: str) -> SetAsidePage:
    """Return money set aside of the merchant for its page; raises AnomalyNotFound."""
    found = payments.anomaly_of(g.merchant.id, anomaly_id)
    detail = payments.payment_of(g.merchant.id, found.payment_id)
    stop = refunds.frozen()
    given_back = [
        line_of(one, is_frozen=stop is not None) for one in refunds.refunds_of_anomaly(anomaly_id)
    ]
    return SetAsidePage(
        line=set_aside(found),
        note=found.note,
        order_number=detail.order.number,
        payment_amount=detail.payment.amount,
        version=found.version + sum(line.version for line in given_back),
        refunds=given_back[::-1],
        decisions=decisions_about(
            found,
            detail.order,
            Reader(g.person.user_id, why_not("refund"), why_not("approve_refund")),
        ),
        timeline=timeline_of(
            outbox.moves_of("anomaly", anomaly_id), {g.person.user_id: "you"}, g.merchant.timezone
        ),
    )
