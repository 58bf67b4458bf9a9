"""Refunds as CSV: the screen's filter, all rows, both clocks, both units.

`status` is the API's word, the same for ever; `shown_as` is what the page says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from webapp.refunds import RefundRow
from webapp.web.merchant.exports import csv_line, there, utc
from webapp.web.shared.pills import pill

COLUMNS = (
    "refund", "payment", "order", "order_number", "status", "amount", "amount_minor", "currency",
    "reason", "note", "destination", "bank_reference", "failure_code", "expected_by", "asked",
    "asked_utc", "sent", "sent_utc", "finished", "finished_utc", "shown_as",
)  # fmt: skip
CLOCKED = {"asked", "sent", "finished"}


def refund_lines(rows: Iterable[RefundRow], zone: str) -> Iterator[str]:
    """Yield the CSV line by line: a head, then one line a refund (`zone` names its own clock)."""
    yield "\ufeff" + csv_line([f"{name} ({zone})" if name in CLOCKED else name for name in COLUMNS])
    for row in rows:
        yield csv_line(_cells(row, zone))


def _cells(row: RefundRow, zone: str) -> list[str]:
    refund, order = row.refund, row.order
    return [
        refund.id, refund.payment_id, order.id, order.number, refund.outside_status,
        refund.amount.plain(), str(refund.amount_minor), refund.currency, refund.reason,
        refund.note, refund.destination, refund.bank_reference or "", refund.failure_code or "",
        refund.expected_by.isoformat() if refund.expected_by else "",
        there(refund.created_at, zone), utc(refund.created_at),
        there(refund.sent_at, zone), utc(refund.sent_at),
        there(refund.finished_at, zone), utc(refund.finished_at),
        pill("refund", refund.status).label,
    ]  # fmt: skip
