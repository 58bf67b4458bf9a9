"""What went into and out of a wallet: as a list, and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import idempotency, ledger, wallets
from webapp.api.caller import needs
from webapp.api.lists import asked_page, listing
from webapp.api.models import ListQuery
from webapp.api.routing import get
from webapp.api.users import me
from webapp.api.wallets import AN_ID, AT, TAG, mine
from webapp.kernel.paging import PageRequest
from webapp.wallets import Wallet, WalletLine

MOST_LINES = 1_000
LONGEST_PLACE = 5


class StatementLine(BaseModel):
    """One thing that went into or out of a wallet."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": f"tr_{AN_ID}_2",
        "object": "statement_line",
        "created": AT,
        "kind": "wallet.deposited",
        "text": "₹500 added to the wallet by card",
        "amount": 50_000,
        "currency": "INR",
        "reference": f"payment.captured:pay_{AN_ID}",
    }

    id: str
    object: Literal["statement_line"]
    created: int
    kind: str
    text: str
    amount: int = Field(description="Whole minor units; negative for what went out.")
    currency: str
    reference: str


@get("/wallets/<string:wallet_id>/statement", tag=TAG, gives=StatementLine, is_list=True)
@needs(person=True)
def list_wallet_statement(wallet_id: str, query: ListQuery) -> dict[str, Any]:
    """List what went into and out of a wallet.

    Newest first, each line once.
    """
    wallet = mine(wallet_id)
    page = asked_page(query, _line_like)
    found = wallets.history(wallet.user_id, wallet.livemode, page=page, currency=wallet.currency)
    return listing(found, _shown_line)


@get("/wallets/<string:wallet_id>/statement/csv", tag=TAG, gives=StatementLine, media="text/csv")
@needs(person=True)
def export_wallet_statement(wallet_id: str) -> idempotency.Answer:
    """Export a wallet’s statement.

    As CSV, the newest 1,000 lines. Amounts are in whole units here, with a point.
    """
    wallet = mine(wallet_id)
    written = io.StringIO()
    rows = csv.writer(written)
    rows.writerow(["id", "at", "kind", "text", "amount", "currency", "reference"])
    rows.writerows(_rows_of(wallet))
    name = f"wallet-{wallet.currency.lower()}.csv"
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}"',
    }
    return idempotency.Answer(200, written.getvalue().encode(), headers)


def _line_like(sent: str) -> object:
    """Return a place in a statement where it is one; raises Invalid for what is none."""
    transfer_id, _, position = sent.rpartition("_")
    if not (
        transfer_id.startswith("tr_")
        and position.isascii()
        and position.isdecimal()
        and len(position) < LONGEST_PLACE
    ):
        return None
    return ledger.entry_of(transfer_id, int(position), user_id=me().user_id)


def _shown_line(line: WalletLine) -> dict[str, Any]:
    return {
        "id": line.id,
        "object": "statement_line",
        "created": int(line.at.timestamp()),
        "kind": line.kind,
        "text": line.text,
        "amount": line.amount.minor,
        "currency": line.amount.currency,
        "reference": line.reference,
    }


def _rows_of(wallet: Wallet) -> list[list[str]]:
    rows: list[list[str]] = []
    page: PageRequest | None = PageRequest(limit=100)
    while page is not None and len(rows) < MOST_LINES:
        found = wallets.history(
            wallet.user_id, wallet.livemode, page=page, currency=wallet.currency
        )
        rows += [
            [
                line.id,
                line.at.isoformat(),
                line.kind,
                line.text,
                line.amount.plain(),
                line.amount.currency,
                line.reference,
            ]
            for line in found.rows
        ]
        page = PageRequest(limit=100, before=found.rows[-1].id) if found.older else None
    return rows
