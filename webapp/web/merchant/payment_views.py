"""What the pages about payments show: frozen views, read from the rooms in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flask import g, request, url_for

from webapp import outbox, payments, refunds
from webapp.kernel import crypto, words
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.payments import Attempt, Payment, PaymentDetail, PaymentRow
from webapp.web.merchant import filters
from webapp.web.merchant.door import why_not
from webapp.web.merchant.filters import HIDDEN, METHODS, MOMENTS, TABS, Asked
from webapp.web.merchant.hold_views import Hold, HoldForm, hold_of
from webapp.web.merchant.lists import (
    Chip,
    Tab,
    address,
    chips_of,
    day_shown,
    older_newer,
    status_tabs,
)
from webapp.web.merchant.money_lines import MoneyLines, money_lines
from webapp.web.merchant.refund_panel import why_no_refund
from webapp.web.merchant.refund_views import RefundLine, lines_of
from webapp.web.merchant.set_aside import SetAside, set_aside_of
from webapp.web.merchant.timelines import Timeline, named_refunds, timeline_of
from webapp.web.shared.explained import Explained, explained_state
from webapp.web.shared.pills import Pill, pill, shown_pill

ROWS = "merchant.payment_rows"
#: The provider's words for how the bank's check went.
THREE_D_SECURE = {
    "authenticated": "Confirmed",
    "challenged": "Asked, not finished",
    "attempt_acknowledged": "Tried, bank not taking part",
    "exempted": "Exempted",
    "failed": "Failed",
    "not_supported": "Not supported by the card",
    "processing_error": "Fault at the provider",
}
MINUTE = 60
#: Whom held money waits for, for a reader who may not take it.
MAY_TAKE = "An owner, an admin or the support of this merchant"
NOTHING_MOVED = "No money has moved."
UNKNOWN_YET = "Nothing is booked yet: the bank has not answered for certain."
ASIDE = "What came is kept apart: nothing of it is on your balance."
HELD_ONLY = "Nothing is booked yet: the bank holds the money, and nobody has taken it."


@dataclass(frozen=True, slots=True)
class Row:
    """One payment in a list."""

    id: str
    href: str
    amount: Money
    pill: Pill
    method: str
    order_number: str
    order_href: str
    customer: str
    created_at: dt.datetime
    version: int


@dataclass(frozen=True, slots=True)
class PaymentList:
    """The list of payments: tabs with counts, filters in force, one page of rows."""

    tabs: Sequence[Tab]
    chips: Sequence[Chip]
    asked: Asked
    rows: Sequence[Row]
    older: str | None
    newer: str | None
    clear_href: str
    export_href: str
    live_url: str
    is_fresh: bool
    why_not_export: str | None


@dataclass(frozen=True, slots=True)
class AttemptLine:
    """One try: with what, what came of it, why, and how long it took."""

    number: int
    method: str
    pill: Pill
    reason: str
    code: str
    three_d_secure: str
    duration: str
    started_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One payment for its page."""

    id: str
    version: int
    amount: Money
    asked: Money | None
    pill: Pill
    method: str
    customer: str | None
    order_number: str
    order_href: str
    order_description: str
    created_at: dt.datetime
    captured_at: dt.datetime | None
    explained: Explained
    timeline: Timeline
    attempts: Sequence[AttemptLine]
    money: MoneyLines | None
    unbooked: str
    ids: Sequence[tuple[str, str]]
    why_not_unmask: str | None
    is_unmasked: bool
    is_intact: bool
    hold: Hold | None
    refunds: Sequence[RefundLine]
    why_not_refund: str | None
    is_refundable: bool
    set_aside: Sequence[SetAside]


def payment_list(page: PageRequest) -> PaymentList:
    """Return the list that the address asks for; raises Invalid for a day that is none."""
    asked = filters.read(request.args)
    kept = asked.kept()
    mine = {"livemode": g.merchant.livemode}
    counts = payments.payment_counts(g.merchant.id, **mine)
    selection = filters.selection(asked, g.merchant.timezone)
    found = payments.payments_of(g.merchant.id, asked=selection, page=page, **mine)
    older, newer = older_newer(ROWS, kept, found)
    return PaymentList(
        tabs=status_tabs(ROWS, kept, counts, TABS, hidden=HIDDEN),
        chips=_chips(asked),
        asked=asked,
        rows=rows_of(found.rows),
        older=older,
        newer=newer,
        clear_href=address(ROWS, {}, status=asked.status),
        export_href=address("merchant.export_payments", kept),
        live_url=address("merchant.payment_rows_live", kept, **_cursors()),
        is_fresh=not counts,
        why_not_export=why_not("export"),
    )


def rows_of(found: Sequence[PaymentRow]) -> list[Row]:
    """Return payments as rows of a list, their shoppers masked."""
    return [_row(row) for row in found]


def payment_page(
    payment_id: str, *, unmasked: bool = False, hold: HoldForm | None = None
) -> PaymentPage:
    """Return one of the merchant's payments for its page; raises PaymentNotFound."""
    detail = payments.payment_of(g.merchant.id, payment_id)
    payment = detail.payment
    refunded, aside = lines_of(payment), set_aside_of(payment)
    return PaymentPage(
        id=payment.id,
        version=payment.version
        + sum(row.version for row in refunded)
        + sum(one.version for one in aside),
        amount=payment.captured or payment.amount,
        asked=payment.amount if payment.captured and payment.captured < payment.amount else None,
        pill=shown_pill(payment),
        method=method_of(payment),
        customer=shopper_of(payment, unmasked=unmasked),
        order_number=detail.order.number,
        order_href=url_for("merchant.order", order_id=detail.order.id),
        order_description=detail.order.description,
        created_at=payment.created_at,
        captured_at=payment.captured_at,
        explained=_explained(payment, aside),
        timeline=_timeline(detail),
        attempts=[_attempt(attempt) for attempt in reversed(detail.attempts)],
        money=money_lines(payment, method_of(payment)),
        unbooked=ASIDE if aside else _unbooked(payment),
        ids=_ids(detail),
        why_not_unmask=why_not("unmask"),
        is_unmasked=unmasked,
        is_intact=payment.is_intact(),
        hold=hold_of(payment, hold),
        refunds=refunded,
        why_not_refund=why_no_refund(payment),
        is_refundable=payment.captured_minor > 0,
        set_aside=aside,
    )


def _timeline(detail: PaymentDetail) -> Timeline:
    """Return what happened to a payment and to its refunds."""
    named = named_refunds(
        refunds.refunds_of_payment(detail.payment.id),
        lambda refund_id: url_for("merchant.refund", refund_id=refund_id),
    )
    moves = [*detail.moves, *outbox.moves_of("refund", *named)]
    you = {g.person.user_id: "you"}
    return timeline_of(moves, you, g.merchant.timezone, subjects=named)


def method_of(payment: Payment) -> str:
    """Return how it was (or is being) paid, such as `Visa •••• 4242`."""
    return payment.method_label or METHODS.get(payment.method_kind or "", "Not chosen yet")


def shopper_of(payment: Payment, *, unmasked: bool = False) -> str | None:
    """Return the shopper's address, masked unless its unmasking was audited; None without one."""
    email = payment.shopper.get("email")
    if not email:
        return None
    return email if unmasked else crypto.mask_email(email)


def explained(payment: Payment, zone: str) -> Explained:
    """Return what a payment's state means, from the same table that the sweeper works by."""
    state = payments.FLOW.states[payment.status]
    advice = payments.advice_on(payment.last_decline_code) if payment.last_decline_code else None
    text = f"The last try: {advice.merchant_says}" if advice else ""
    usual = explained_state(
        state,
        tone=pill("payment", payment.status).tone,
        check_at=payment.check_at,
        deadline_at=payment.deadline_at,
        zone=zone,
        text=text if payment.status != "captured" else "",
    )
    return replace(usual, title=_refunded(payment)) if payment.refunded_minor else usual


def _refunded(payment: Payment) -> str:
    if payment.refunded_minor == payment.captured_minor:
        return "All of it has been refunded; the platform keeps its fee."
    back = words.money_text(Money(payment.refunded_minor, payment.currency))
    return f"{back} of it has been refunded; the rest is the merchant’s, less the fee."


def _explained(payment: Payment, aside: Sequence[SetAside]) -> Explained:
    """Explain a payment; where its money came and was set aside, by what becomes of that."""
    usual = explained(payment, g.merchant.timezone)
    if payment.status == payments.Status.AUTHORISED:
        return replace(usual, owner=MAY_TAKE if why_not("capture") else "You")
    if not aside or payment.status == payments.Status.CAPTURED:
        return usual
    return replace(usual, title=aside[-1].says, text="", tone="warning")


def _unbooked(payment: Payment) -> str:
    if payment.status == payments.Status.AUTHORISED:
        return HELD_ONLY
    return UNKNOWN_YET if payment.status in payments.UNDER_WAY else NOTHING_MOVED


def duration_text(seconds: float) -> str:
    """Return how long something took, such as `0.8 s` or `2 min 5 s`."""
    if seconds < 10:  # noqa: PLR2004 - below that, tenths matter
        return f"{seconds:.1f} s"
    whole = int(seconds)
    return f"{whole} s" if whole < MINUTE else f"{whole // MINUTE} min {whole % MINUTE} s"


def _row(row: PaymentRow) -> Row:
    payment = row.payment
    return Row(
        id=payment.id,
        href=url_for("merchant.payment", payment_id=payment.id),
        amount=payment.captured or payment.amount,
        pill=shown_pill(payment),
        method=method_of(payment),
        order_number=row.order.number,
        order_href=url_for("merchant.order", order_id=row.order.id),
        customer=shopper_of(payment) or "Guest",
        created_at=payment.created_at,
        version=payment.version,
    )


def _chips(asked: Asked) -> list[Chip]:
    moment = MOMENTS[asked.on]
    found = [
        ("Search", asked.q, "q"),
        ("Currency", asked.currency, "currency"),
        ("Method", METHODS.get(asked.method, ""), "method"),
        (f"{moment} from", day_shown(asked.since), "since"),
        (f"{moment} to", day_shown(asked.until), "until"),
    ]
    return chips_of(ROWS, asked.kept(), found)


def _cursors() -> dict[str, str | None]:
    return {name: request.args.get(name) for name in ("older", "newer")}


def _attempt(attempt: Attempt) -> AttemptLine:
    advice = payments.advice_on(attempt.decline_code) if attempt.decline_code else None
    method = METHODS.get(attempt.method_kind, attempt.method_kind)
    if attempt.card_last4:
        method = payments.card_label(attempt.card_brand or "card", attempt.card_last4)
    took = (attempt.finished_at - attempt.started_at) if attempt.finished_at else None
    secure = attempt.three_d_secure or ""
    return AttemptLine(
        number=attempt.number,
        method=method,
        pill=pill("attempt", attempt.status),
        reason=advice.merchant_says if advice else "",
        code=attempt.decline_code or "",
        three_d_secure=THREE_D_SECURE.get(secure, secure.replace("_", " ").capitalize())
        or "Not asked",
        duration=duration_text(took.total_seconds()) if took else "Under way",
        started_at=attempt.started_at,
    )


def _ids(detail: PaymentDetail) -> list[tuple[str, str]]:
    payment = detail.payment
    charges = [attempt.charge_id for attempt in detail.attempts if attempt.charge_id]
    found = [
        ("Payment", payment.id),
        ("Order", payment.order_id),
        ("Provider’s payment", payment.provider_intent_id),
        ("Provider’s session", payment.provider_session_id),
        ("Provider’s charge", charges[-1] if charges else None),
    ]
    return [(label, value) for label, value in found if value]
