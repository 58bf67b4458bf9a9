"""What the pages about refunds show: frozen views, read from the rooms in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import g, request, url_for

from webapp import refunds
from webapp.kernel import clock
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Move
from webapp.payments import Payment
from webapp.refunds import Refund, RefundRow
from webapp.web.merchant import refund_filters
from webapp.web.merchant.door import actor, why_not
from webapp.web.merchant.lists import (
    Chip,
    Tab,
    address,
    chips_of,
    day_shown,
    older_newer,
    status_tabs,
)
from webapp.web.merchant.refund_filters import TABS, Asked
from webapp.web.merchant.timelines import Timeline, timeline_of
from webapp.web.shared.explained import Explained, explained_state
from webapp.web.shared.pills import Pill, pill
from webapp.web.shared.refund_words import DESTINATIONS, FROZEN, REASONS, standing

ROWS = "merchant.refund_rows"
TOO_LATE = "It has left, or is leaving, and can no longer be undone."
#: Whom a refund waits for that needs a second person, for a reader who is not that person.
SECOND_PERSON = "A second person: another owner or admin, or the platform’s team"


@dataclass(frozen=True, slots=True)
class RefundLine:
    """One refund in a row: how it stands in words, and whether it can still be undone."""

    id: str
    href: str
    amount: Money
    pill: Pill
    says: str
    reason: str
    bank_reference: str | None
    leaves_at: dt.datetime | None
    can_undo: bool
    undo_label: str
    why_not_undo: str | None
    created_at: dt.datetime
    version: int
    payment_href: str = ""
    order_number: str = ""
    destination: str = ""
    is_waiting: bool = False
    can_approve: bool = False
    can_deal: bool = False
    is_dealt_with: bool = False


@dataclass(frozen=True, slots=True)
class RefundList:
    """The list of refunds: tabs with counts, filters in force, one page of rows."""

    tabs: Sequence[Tab]
    chips: Sequence[Chip]
    asked: Asked
    rows: Sequence[RefundLine]
    older: str | None
    newer: str | None
    clear_href: str
    export_href: str
    live_url: str
    is_fresh: bool
    why_not_export: str | None
    frozen: str | None


@dataclass(frozen=True, slots=True)
class RefundPage:
    """One refund for its page."""

    line: RefundLine
    note: str
    asked_by: str
    approved_by: str | None
    payment_amount: Money
    order_description: str
    expected_by: dt.date | None
    sent_at: dt.datetime | None
    failure: refunds.FailureAdvice | None
    explained: Explained
    timeline: Timeline
    frozen: str | None
    can_check: bool
    why_not_approve: str | None
    why_not_refuse: str | None
    dealt_with_at: dt.datetime | None
    dealt_with_by: str
    ids: Sequence[tuple[str, str]]


def refund_list(page: PageRequest) -> RefundList:
    """Return the list that the address asks for; raises Invalid for a day that is none."""
    asked = refund_filters.read(request.args)
    kept = asked.kept()
    mine = {"livemode": g.merchant.livemode}
    counts = refunds.refund_counts(g.merchant.id, **mine)
    selection = refund_filters.selection(asked, g.merchant.timezone)
    found = refunds.refunds_of(g.merchant.id, asked=selection, page=page, **mine)
    older, newer = older_newer(ROWS, kept, found)
    stop = refunds.frozen()
    cursors = {name: request.args.get(name) for name in ("older", "newer")}
    return RefundList(
        tabs=status_tabs(ROWS, kept, counts, TABS),
        chips=_chips(asked),
        asked=asked,
        rows=[row_of(row, is_frozen=stop is not None) for row in found.rows],
        older=older,
        newer=newer,
        clear_href=address(ROWS, {}, status=asked.status),
        export_href=address("merchant.export_refunds", kept),
        live_url=address("merchant.refund_rows_live", kept, **cursors),
        is_fresh=not counts,
        why_not_export=why_not("export"),
        frozen=stop.because if stop else None,
    )


def refund_page(refund_id: str) -> RefundPage:
    """Return one of the merchant's refunds for its page; raises RefundNotFound."""
    detail = refunds.refund_of(g.merchant.id, refund_id)
    refund, stop = detail.refund, refunds.frozen()
    row = RefundRow(refund, detail.payment, detail.order)
    return RefundPage(
        line=row_of(row, is_frozen=stop is not None, moves=detail.moves),
        note=refund.note,
        asked_by=_who(refund.requested_by_kind, refund.requested_by_id),
        approved_by=_who(refund.approved_by_kind, refund.approved_by_id)
        if refund.approved_by_kind
        else None,
        payment_amount=detail.payment.amount,
        order_description=detail.order.description,
        expected_by=None if refund.status in refunds.LOST else refund.expected_by,
        sent_at=refund.sent_at,
        failure=refunds.advice_on(refund.failure_code) if refund.status == "failed" else None,
        explained=explained(refund, is_frozen=stop is not None),
        timeline=timeline_of(detail.moves, {g.person.user_id: "you"}, g.merchant.timezone),
        frozen=stop.because if stop else None,
        can_check=refund.status in refunds.UNDER_WAY and why_not("refund") is None,
        why_not_approve=_why_not_approve(refund),
        why_not_refuse=why_not("refund"),
        dealt_with_at=refund.dealt_with_at,
        dealt_with_by=_who("merchant_user", refund.dealt_with_by),
        ids=_ids(refund),
    )


def lines_of(payment: Payment) -> list[RefundLine]:
    """Return a payment's refunds as rows, newest first."""
    found = refunds.refunds_of_payment(payment.id)
    is_frozen = refunds.frozen() is not None if found else False
    return [line_of(refund, is_frozen=is_frozen) for refund in reversed(found)]


def line_of(refund: Refund, *, is_frozen: bool, because: str = "") -> RefundLine:
    """Return one refund as a row."""
    undoable = refund.status in refunds.WAITING and refund.anomaly_id is None
    late = not is_frozen and refund.leaves_at is not None and refund.leaves_at <= clock.now()
    return RefundLine(
        id=refund.id,
        href=url_for("merchant.refund", refund_id=refund.id),
        amount=refund.amount,
        pill=pill("refund", refund.status),
        says=standing(refund, is_frozen=is_frozen, because=because),
        reason=REASONS.get(refund.reason, refund.reason),
        bank_reference=refund.bank_reference,
        leaves_at=refund.leaves_at if refund.status == "approved" and not is_frozen else None,
        can_undo=undoable,
        undo_label="Withdraw" if refund.status == "requested" else "Undo",
        why_not_undo=why_not("refund") or (TOO_LATE if late else None),
        created_at=refund.created_at,
        version=refund.version,
        destination=DESTINATIONS[refund.destination],
        is_waiting=refund.status == "requested",
        can_approve=refund.status == "requested" and _why_not_approve(refund) is None,
        can_deal=refund.status == "failed" and why_not("refund") is None,
        is_dealt_with=refund.dealt_with_at is not None,
    )


def row_of(row: RefundRow, *, is_frozen: bool, moves: Sequence[Move] = ()) -> RefundLine:
    """Return one refund of a list as a row, with its payment and order."""
    refund, payment, order = row.refund, row.payment, row.order
    line = line_of(refund, is_frozen=is_frozen, because=moves[-1].because if moves else "")
    href = url_for("merchant.payment", payment_id=payment.id)
    return replace(line, payment_href=href, order_number=order.number)


def explained(refund: Refund, *, is_frozen: bool = False) -> Explained:
    """Return what a refund's state means, from the same table that the sweeper works by."""
    advice = refunds.advice_on(refund.failure_code) if refund.status == "failed" else None
    usual = explained_state(
        refunds.FLOW.states[refund.status],
        tone=pill("refund", refund.status).tone,
        check_at=refund.check_at,
        deadline_at=refund.deadline_at,
        zone=g.merchant.timezone,
        text=f"{advice.says} {advice.do}" if advice else "",
    )
    if refund.status == "approved" and is_frozen:
        return replace(usual, title=FROZEN, owner="The platform’s team")
    if refund.status != "requested":
        return usual
    return replace(usual, owner=SECOND_PERSON if _why_not_approve(refund) else "You")


def _why_not_approve(refund: Refund) -> str | None:
    if reason := why_not("approve_refund"):
        return reason
    refusal = refunds.why_not_approve(refund, actor())
    return refusal.message if refusal else None


def _who(kind: str | None, person_id: str | None) -> str:
    if person_id is not None and person_id == g.person.user_id:
        return "you"
    names = {
        "merchant_user": "a colleague",
        "admin": "the platform’s team",
        "api": "the API",
        "api_key": "an API key",
    }
    return names.get(kind or "", "Paydeck")


def _chips(asked: Asked) -> list[Chip]:
    found = [
        ("Search", asked.q, "q"),
        ("Currency", asked.currency, "currency"),
        ("Reason", REASONS.get(asked.reason, ""), "reason"),
        ("Asked from", day_shown(asked.since), "since"),
        ("Asked to", day_shown(asked.until), "until"),
    ]
    return chips_of(ROWS, asked.kept(), found)


def _ids(refund: Refund) -> list[tuple[str, str]]:
    found = [
        ("Refund", refund.id),
        ("Payment", refund.payment_id),
        ("Order it pays", refund.target_order_id),
        ("Provider’s refund", refund.provider_refund_id),
        ("Bank reference", refund.bank_reference),
    ]
    return [(label, value) for label, value in found if value]
