"""The books for the admin: what the accounts hold, all transfers, and one with its links."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import make_response, render_template
from werkzeug.wrappers import Response

from webapp import accounts, audit, corrections, ledger
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.ledger import AccountRef, Line
from webapp.web.admin.door import acting, blueprint
from webapp.web.admin.invariants import page_of_subject
from webapp.web.admin.lists import asked_list
from webapp.web.shared.names import in_words


@dataclass(frozen=True, slots=True)
class LineView:
    """One line of a transfer: from where to where, in words, and how much."""

    source: str
    target: str
    amount: Money


@blueprint.get("/admin/books")
def books() -> Response:
    """Show what the accounts of each kind hold, and the transfers, newest first."""
    asked = asked_list()
    page = ledger.transfers_everywhere(asked.page, about=asked.typed or None)
    return make_response(
        render_template("admin/books.html", totals=ledger.totals(), page=page, asked=asked)
    )


@blueprint.get("/admin/transfers/<transfer_id>")
def transfer(transfer_id: str) -> Response:
    """Show one transfer with its lines and what puts it right; looking is written down."""
    detail = ledger.transfer(transfer_id)
    whose = detail.transfer
    with db.transaction():
        audit.record(
            "transfer.viewed", "transfer", transfer_id, by=acting(), merchant_id=whose.merchant_id
        )
    subject = whose.reference.split(":")[1] if ":" in whose.reference else ""
    return make_response(
        render_template(
            "admin/transfer.html",
            detail=detail,
            found=whose,
            lines=line_views(detail.lines),
            seller=accounts.merchant_card(whose.merchant_id),
            subject=subject,
            subject_href=page_of_subject(subject),
            asked=corrections.corrections_of_transfer(transfer_id),
        )
    )


def line_views(lines: Iterable[Line]) -> list[LineView]:
    """Return lines for the page, their accounts in words."""
    kept = list(lines)
    names = account_names(ref for line in kept for ref in (line.source, line.target))
    return [LineView(names[line.source], names[line.target], line.amount) for line in kept]


def account_names(refs: Iterable[AccountRef]) -> dict[AccountRef, str]:
    """Return accounts in words: owed to which merchant, or whose wallet by its person's id."""
    wanted = set(refs)
    cards = accounts.merchant_cards(ref.merchant_id for ref in wanted)
    names = {}
    for ref in wanted:
        kind = in_words(ref.kind, "account")
        if ref.kind == "payable":
            seller = cards.get(ref.merchant_id)
            kind = f"Owed to {seller.name}" if seller else kind
        elif ref.user_id:
            kind = f"Wallet of {ref.user_id}"
        names[ref] = kind
    return names
