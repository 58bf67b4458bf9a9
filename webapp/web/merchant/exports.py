"""Payments as CSV: the screen's filter, all rows, both clocks, both units; personal data masked.

`status` is the API's word, the same for ever; `shown_as` is what the page says.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flask import Response, g, stream_with_context

from webapp import audit
from webapp.kernel import clock, db, words
from webapp.payments import PaymentRow
from webapp.web.merchant.door import actor, must
from webapp.web.merchant.payment_views import method_of, shopper_of
from webapp.web.shared.pills import shown_pill

COLUMNS = (
    "payment", "order", "order_number", "status", "amount", "amount_minor", "captured",
    "captured_minor", "fee", "fee_minor", "net", "net_minor", "currency", "method", "customer",
    "decline_code", "created", "created_utc", "ended", "ended_utc", "description",
    "shown_as", "refunded", "refunded_minor",
)  # fmt: skip
#: A cell that begins so is run as a formula by spreadsheets.
FORMULA = "[=+\\-@＝＋－＠]"
_BEGINS_SO = re.compile(rf"\s*{FORMULA}|[\t\r\n]")
#: Where a spreadsheet may split a cell in two, as it does at semicolons in most of Europe.
_BEGINS_SO_INSIDE = re.compile(rf"(;\s*|(?<=\S)[\t\r\n]\s*)({FORMULA})")


def payment_lines(rows: Iterable[PaymentRow], zone: str) -> Iterator[str]:
    """Yield the CSV line by line: a head, then one line a payment (`zone` names its own clock)."""
    yield "\ufeff" + csv_line(
        [f"{name} ({zone})" if name in {"created", "ended"} else name for name in COLUMNS]
    )
    for row in rows:
        yield csv_line(_cells(row, zone))


def streamed(name: str, kept: Mapping[str, str], lines: Iterator[str]) -> Response:
    """Answer with a list's CSV, written as it is taken; that it was taken away is audited.

    Of the filters `kept` the audit trail does not hold what was searched for: it may be a name.
    """
    must("export")
    with db.transaction():
        audit.record(
            f"{name}.exported",
            "merchant",
            g.merchant.id,
            by=actor(),
            data={"filters": {key: value for key, value in kept.items() if key != "q"}},
            merchant_id=g.merchant.id,
            livemode=g.merchant.livemode,
        )
    response = Response(stream_with_context(lines), mimetype="text/csv")
    file = f"{name}-{clock.now():%Y%m%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    return response


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs: what looks like a formula gets a quote before it."""
    safe = _BEGINS_SO_INSIDE.sub(r"\1'\2", cell)
    return f"'{safe}" if _BEGINS_SO.match(safe) else safe


def _cells(row: PaymentRow, zone: str) -> list[str]:
    payment, order = row.payment, row.order
    net = payment.captured - payment.fee
    return [
        payment.id, payment.order_id, order.number, payment.outside_status,
        payment.amount.plain(), str(payment.amount_minor),
        payment.captured.plain(), str(payment.captured_minor),
        payment.fee.plain(), str(payment.fee_minor), net.plain(), str(net.minor),
        payment.currency, method_of(payment), shopper_of(payment) or "",
        payment.last_decline_code or "",
        there(payment.created_at, zone), utc(payment.created_at),
        there(payment.finished_at, zone), utc(payment.finished_at), order.description,
        shown_pill(payment).label, payment.refunded.plain(), str(payment.refunded_minor),
    ]  # fmt: skip


def there(moment: dt.datetime | None, zone: str) -> str:
    """Return a moment on a zone's own clock, for a cell; nothing for none."""
    return moment.astimezone(words.zone(zone)).strftime("%Y-%m-%d %H:%M:%S") if moment else ""


def utc(moment: dt.datetime | None) -> str:
    """Return a moment in UTC, for a cell; nothing for none."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""


def csv_line(cells: Sequence[str]) -> str:
    """Return cells as one line of CSV, none of which a spreadsheet runs."""
    written = io.StringIO()
    csv.writer(written, quoting=csv.QUOTE_ALL).writerow([guarded(cell) for cell in cells])
    return written.getvalue()
