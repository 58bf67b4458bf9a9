"""What waits for somebody of the merchant, read from the rooms in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from flask import g, url_for

from webapp import payments, refunds
from webapp.kernel import clock
from webapp.kernel.money import Money
from webapp.payments import PaymentRow
from webapp.refunds import RefundRow
from webapp.web.merchant.refund_views import RefundLine, row_of
from webapp.web.merchant.set_aside import SetAside, set_aside

#: What each queue shows at most; it says how many more there are, and where.
AT_MOST = 25
#: Older refunds that failed are found in the list of refunds.
FAILED_SINCE = dt.timedelta(days=30)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeldLine:
    """Held money that nobody has taken or let go of yet."""

    id: str
    href: str
    amount: Money
    order_number: str
    before: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Queue(Generic[T]):
    """What is most pressing of one kind, how many more there are, and where all of them are."""

    rows: Sequence[T]
    more: int
    href: str


@dataclass(frozen=True, slots=True)
class Attention:
    """Four short queues; each leads to the page where it is decided."""

    to_approve: Queue[RefundLine]
    failed: Queue[RefundLine]
    held: Queue[HeldLine]
    set_aside: Queue[SetAside]

    @property
    def is_clear(self) -> bool:
        """Whether nothing waits."""
        return not any(
            queue.rows for queue in (self.to_approve, self.failed, self.held, self.set_aside)
        )


def attention_view() -> Attention:
    """Return what waits, at most 25 of each kind, the nearest deadline or the oldest first."""
    held, holds = payments.held_to_decide(g.merchant.id, **_mine(), limit=AT_MOST)
    aside, amounts = payments.anomalies_to_decide(g.merchant.id, **_mine(), limit=AT_MOST)
    since = clock.now() - FAILED_SINCE
    return Attention(
        to_approve=_refunds(
            *refunds.to_approve(g.merchant.id, **_mine(), limit=AT_MOST), tab="approval"
        ),
        failed=_refunds(
            *refunds.failed_open(g.merchant.id, **_mine(), since=since, limit=AT_MOST),
            tab="failed",
        ),
        held=Queue(
            [_held(row) for row in held],
            holds - len(held),
            url_for("merchant.payment_rows", status="held"),
        ),
        set_aside=Queue(
            [set_aside(one) for one in aside],
            amounts - len(aside),
            url_for("merchant.set_aside_rows"),
        ),
    )


def waiting_count() -> int:
    """Return how much waits for a decision: refunds to approve and money set aside."""
    to_approve = refunds.waiting_for_approval(g.merchant.id, **_mine())
    return to_approve + payments.undecided_anomalies(g.merchant.id, **_mine())


def _mine() -> dict[str, bool]:
    return {"livemode": g.merchant.livemode}


def _held(row: PaymentRow) -> HeldLine:
    payment = row.payment
    return HeldLine(
        payment.id,
        url_for("merchant.payment", payment_id=payment.id),
        payment.authorised,
        row.order.number,
        payment.capture_before,
    )


def _refunds(rows: Sequence[RefundRow], count: int, *, tab: str) -> Queue[RefundLine]:
    is_frozen = refunds.frozen() is not None if rows else False
    lines = [row_of(row, is_frozen=is_frozen) for row in rows]
    return Queue(lines, count - len(lines), url_for("merchant.refund_rows", status=tab))
