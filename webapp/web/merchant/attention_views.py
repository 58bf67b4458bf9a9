"""What waits for somebody of the merchant, read from the rooms in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import payments, refunds
from webapp.kernel import clock
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.payments import PaymentFilter
from webapp.refunds import RefundFilter
from webapp.web.merchant.refund_views import RefundLine, row_of
from webapp.web.merchant.set_aside import SetAside, set_aside

AT_MOST = PageRequest(limit=25)
#: Older refunds that failed are found in the list of refunds.
FAILED_SINCE = dt.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class HeldLine:
    """Held money that nobody has taken or let go of yet."""

    id: str
    href: str
    amount: Money
    order_number: str
    before: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Attention:
    """Four short queues; each leads to the page where it is decided."""

    to_approve: Sequence[RefundLine]
    failed: Sequence[RefundLine]
    held: Sequence[HeldLine]
    set_aside: Sequence[SetAside]

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits."""
        aside = any(one.is_open for one in self.set_aside)
        return not (self.to_approve or self.failed or self.held or aside)


def attention_view() -> Attention:
    """Return what waits, at most 25 of each kind, newest first; held money by its deadline."""
    mine = {"livemode": g.merchant.livemode}
    waiting = PaymentFilter(statuses=("authorised",))
    held = payments.payments_of(g.merchant.id, asked=waiting, page=AT_MOST, **mine)
    aside = payments.anomalies_of(g.merchant.id, page=AT_MOST, **mine)
    lines = [
        HeldLine(
            row.payment.id,
            url_for("merchant.payment", payment_id=row.payment.id),
            row.payment.authorised,
            row.order.number,
            row.payment.capture_before,
        )
        for row in held.rows
        if row.payment.capturing is None and row.payment.void_because is None
    ]
    return Attention(
        to_approve=_refunds("requested"),
        failed=_refunds("failed", since=clock.now() - FAILED_SINCE),
        held=sorted(lines, key=lambda line: str(line.before)),
        set_aside=[set_aside(one) for one in aside.rows],
    )


def waiting_count() -> int:
    """Return how much waits for a decision: refunds to approve and money set aside."""
    mine = {"livemode": g.merchant.livemode}
    to_approve = refunds.waiting_for_approval(g.merchant.id, **mine)
    return to_approve + payments.undecided_anomalies(g.merchant.id, **mine)


def _refunds(status: str, *, since: dt.datetime | None = None) -> list[RefundLine]:
    asked = RefundFilter(statuses=(status,), since=since, not_dealt_with=True)
    found = refunds.refunds_of(
        g.merchant.id, livemode=g.merchant.livemode, asked=asked, page=AT_MOST
    )
    is_frozen = refunds.frozen() is not None if found.rows else False
    # a failed refund needs nobody any more once its money went back in another way
    open_rows = [
        row
        for row in found.rows
        if status != "failed" or row.payment.refundable >= row.refund.amount
    ]
    return [row_of(row, is_frozen=is_frozen) for row in open_rows]
