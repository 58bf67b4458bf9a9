"""Transactions: the history of money, a line each: of a merchant's account, or of a person."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import Field

from webapp import ledger, payments, refunds, wallets
from webapp.api.caller import Caller, caller, needs
from webapp.api.lists import asked_page, listing
from webapp.api.models import ListQuery, Thing
from webapp.api.routing import get
from webapp.kernel.errors import Invalid
from webapp.kernel.money import Money
from webapp.kernel.paging import Page, PageRequest, page_of
from webapp.kernel.words import money_short

TAG = "Transactions"
#: What a booked kind of transfer is called outside; others keep their own name.
TYPES = {
    "payment.captured": "payment",
    "refund.sent": "refund",
    "refund.sent.reversed": "refund_returned",
    "wallet.deposited": "deposit",
    "wallet.withdrawn": "withdrawal",
    "wallet.transferred": "transfer",
}
#: Refunds to a shopper's card whose money is on its way or there.
SENT = refunds.RefundFilter(
    statuses=(refunds.Status.SENT, refunds.Status.SUCCEEDED),
    destination=refunds.Destination.ORIGINAL,
)


class Transaction(Thing):
    """One line of history: what moved, by how much, and why."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "tr_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "transaction",
        "created": 1763717400,
        "livemode": False,
        "metadata": {},
        "type": "payment",
        "amount": 100000,
        "fee": 2000,
        "net": 98000,
        "currency": "INR",
        "description": "₹1,000 paid for Order #123",
        "source": "pay_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
    }

    object: Literal["transaction"]
    type: str = Field(description="payment, refund, deposit, withdrawal, transfer …")
    amount: int = Field(description="Whole minor units; below zero where money went out.")
    fee: int
    net: int = Field(description="By how much the balance moved.")
    currency: str
    description: str = Field(description="What happened, in a sentence.")
    source: str | None = Field(description="The id of what moved the money.")


@dataclass(frozen=True, slots=True)
class _Row:
    """One line, from wherever it came; `key` is its place in time."""

    id: str
    at: dt.datetime
    type: str
    gross: Money
    fee: Money
    text: str
    source: str | None

    @property
    def key(self) -> tuple[str, int]:
        return _place(self.id)


@get("/transactions", tag=TAG, gives=Transaction, is_list=True)
@needs(scope="ledger:read", person=True)
def list_transactions(query: ListQuery) -> dict[str, Any]:
    """List transactions.

    Newest first. For a merchant, whatever moved its account in the books; for a person who names
    no merchant, their payments, refunds and wallet movements.
    """
    who = caller()
    page = asked_page(query, lambda sent: _is_known(who, sent) or None)
    found = _of_person(who, page) if who.merchant_id is None else _of_merchant(who, page)
    return listing(found, lambda row: _shown(row, livemode=who.livemode))


def _of_merchant(who: Caller, page: PageRequest) -> Page[_Row]:
    found = ledger.statement_of(who.merchant, livemode=who.livemode, asked=page)
    rows = [
        _Row(
            line.id,
            line.at,
            TYPES.get(line.kind, line.kind),
            line.gross,
            line.fee,
            line.because,
            line.subject_id or None,
        )
        for line in found.rows
    ]
    return Page(rows, found.older, found.newer)


def _of_person(who: Caller, page: PageRequest) -> Page[_Row]:
    """Merge three lists by their place in time; each is read no further than the page goes."""
    user_id = who.user_id or ""
    taken = payments.taken_of_user(user_id, livemode=who.livemode, page=_within(page, "pay"))
    given_back = refunds.refunds_of_user(user_id, page=_within(page, "re"), asked=SENT)
    moved = wallets.history(user_id, who.livemode, page=_within(page, "tr"))
    rows = [
        *(_of_payment(row) for row in taken.rows),
        *(_of_refund(row) for row in given_back.rows if row.refund.livemode == who.livemode),
        *(_of_wallet(line) for line in moved.rows),
    ]
    rows.sort(key=lambda row: row.key, reverse=page.after is None)
    return page_of(rows[: page.limit + 1], page, key=lambda row: row.id)


def _of_payment(row: payments.PaymentRow) -> _Row:
    paid = row.payment
    text = payments.history_text(paid.captured, row.order.number)
    nothing = Money(0, paid.currency)
    return _Row(paid.id, paid.created_at, "payment", -paid.captured, nothing, text, paid.id)


def _of_refund(row: refunds.RefundRow) -> _Row:
    back = row.refund
    text = f"{money_short(back.amount)} refunded for Order #{row.order.number}"
    nothing = Money(0, back.currency)
    return _Row(back.id, back.created_at, "refund", back.amount, nothing, text, back.id)


def _of_wallet(line: wallets.WalletLine) -> _Row:
    reference = line.reference.split(":")
    source = reference[1] if len(reference) > 1 else None
    nothing = Money(0, line.amount.currency)
    kind = TYPES.get(line.kind, line.kind)
    return _Row(line.id, line.at, kind, line.amount, nothing, line.text, source)


def _within(page: PageRequest, prefix: str) -> PageRequest:
    """Return the page of one of the lists, bounded at the same place in time; a row more."""
    limit = page.limit + 1
    if page.after:
        return PageRequest(limit=limit, after=_bound(page.after, prefix))
    if page.before:
        return PageRequest(limit=limit, before=_bound(page.before, prefix))
    return PageRequest(limit=limit)


def _bound(cursor: str, prefix: str) -> str:
    ulid, position = _place(cursor)
    return f"tr_{ulid}_{position}" if prefix == "tr" else f"{prefix}_{ulid}"


def _place(row_id: str) -> tuple[str, int]:
    """Return where in time a line stands: its id's ULID, and of a transfer the entry's position."""
    _prefix, ulid, *position = row_id.split("_")
    return ulid, int(position[0]) if position else 0


def _is_known(who: Caller, sent: str) -> bool:
    if who.merchant_id is not None:
        return ledger.is_on_statement(who.merchant, sent)
    user_id = who.user_id or ""
    if sent.startswith("pay_"):
        return payments.payment_of_user(user_id, sent) is not None
    if sent.startswith("re_"):
        return refunds.refund_of_user(user_id, sent) is not None
    try:
        transfer_id, position = sent.rsplit("_", 1)
        return any(
            entry.user_id == user_id and entry.position == int(position)
            for entry in ledger.entries_of(transfer_id)
        )
    except (ValueError, Invalid):
        return False


def _shown(row: _Row, *, livemode: bool) -> dict[str, Any]:
    return {
        "id": row.id,
        "object": "transaction",
        "created": int(row.at.timestamp()),
        "livemode": livemode,
        "metadata": {},
        "type": row.type,
        "amount": row.gross.minor,
        "fee": row.fee.minor,
        "net": (row.gross - row.fee).minor,
        "currency": row.gross.currency,
        "description": row.text,
        "source": row.source,
    }
