"""For admins: all payments and refunds, the books, figures, and the refunds’ switch."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from webapp import analytics, audit, ledger, payments, refunds, webhooks
from webapp.analytics import MethodTotals
from webapp.api.admin_people import Reason, note_list
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.lists import asked_page, listing, moment
from webapp.api.models import CreatedQuery, Currency, Query, Thing
from webapp.api.routing import get, post
from webapp.api.webhook_endpoints import epoch
from webapp.kernel import db
from webapp.payments import PaymentFilter, PaymentRow
from webapp.refunds import RefundFilter, RefundRow

TAG = "Admin: money"
MERCHANT = "mer_01KAJ8Z5V0W3N7Q2R4S6T8X9YB"
MOST_DAYS = 366
Day = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="Such as 2026-11-21.")
]


class AdminPayment(Thing):
    """A payment as its merchant sees it, and whose it is."""

    model_config = ConfigDict(extra="allow")
    EXAMPLE: ClassVar[dict[str, Any]] = webhooks.BY_NAME["payment.success"].example | {
        "merchant": MERCHANT
    }

    object: Literal["payment"]
    status: str
    amount: int
    currency: str
    merchant: str


class AdminRefund(Thing):
    """A refund as its merchant sees it, and whose it is."""

    model_config = ConfigDict(extra="allow")
    EXAMPLE: ClassVar[dict[str, Any]] = webhooks.BY_NAME["refund.processed"].example | {
        "merchant": MERCHANT
    }

    object: Literal["refund"]
    status: str
    amount: int
    currency: str
    merchant: str


class AccountTotal(BaseModel):
    """What all accounts of one kind hold together."""

    model_config = ConfigDict(extra="forbid")

    kind: str
    livemode: bool
    accounts: int
    amount: int
    currency: str


class BooksObject(BaseModel):
    """What the books hold; for each currency and mode it adds up to nothing."""

    model_config = ConfigDict(extra="forbid", title="Books")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "books",
        "totals": [
            {
                "kind": "payable",
                "livemode": False,
                "accounts": 12,
                "amount": 4_200_000,
                "currency": "INR",
            }
        ],
    }

    object: Literal["books"]
    totals: list[AccountTotal]


class RefundSwitch(BaseModel):
    """Whether refunds may leave."""

    model_config = ConfigDict(extra="forbid")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "refund_switch",
        "is_frozen": False,
        "frozen_at": None,
        "because": None,
        "by": None,
    }

    object: Literal["refund_switch"]
    is_frozen: bool
    frozen_at: int | None
    because: str | None
    by: str | None


class MethodFigures(BaseModel):
    """Sums of one currency and method; currencies are never added up."""

    model_config = ConfigDict(extra="forbid")

    currency: str
    method: str
    volume: int
    fees: int
    captured: int
    failed: int
    success_rate: float | None


class PaymentFigures(BaseModel):
    """What came of all merchants’ payments in some days, UTC."""

    model_config = ConfigDict(extra="forbid", title="PaymentFigures")
    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "payment_figures",
        "from": "2026-11-01",
        "to": "2026-11-21",
        "livemode": False,
        "figures": [
            {
                "currency": "INR",
                "method": "card",
                "volume": 1_250_000,
                "fees": 36_250,
                "captured": 25,
                "failed": 2,
                "success_rate": 0.925_925_925_925_925_9,
            }
        ],
    }

    object: Literal["payment_figures"]
    since: str = Field(alias="from")
    until: str = Field(alias="to")
    livemode: bool
    figures: list[MethodFigures]


class AdminPaymentQuery(CreatedQuery):
    """Filters of payments."""

    state: str | None = Field(None, max_length=40, description="The finer state.")
    currency: Currency | None = None


class AdminRefundQuery(CreatedQuery):
    """Filters of refunds."""

    state: str | None = Field(None, max_length=40, description="The finer state.")
    currency: Currency | None = None


class DaysQuery(Query):
    """From which day to which, both included."""

    since: Day = Field(alias="from")
    until: Day = Field(alias="to")


@get("/admin/payments", tag=TAG, gives=AdminPayment, is_list=True)
@needs(admin=True)
def list_all_payments(query: AdminPaymentQuery) -> dict[str, Any]:
    """List payments of all merchants.

    Newest first, by state, currency and when they were created. That they were listed is written
    to the audit trail.
    """
    page = asked_page(query, payments.any_payment)
    note_list("payment", query)
    wanted = PaymentFilter(
        statuses=_states(query.state, payments.FLOW.states),
        currency=query.currency,
        since=moment(query.created_gte),
        until=_after(query.created_lte),
    )
    return listing(payments.payments_everywhere(asked=wanted, page=page), _shown_payment)


@get("/admin/payments/<string:payment_id>", tag=TAG, gives=AdminPayment)
@needs(admin=True)
def get_any_payment(payment_id: str) -> dict[str, Any]:
    """Get a payment of any merchant.

    That it was looked at is written to the audit trail.
    """
    found = payments.any_payment(payment_id).payment
    _note("payment.viewed", "payment", payment_id, found.merchant_id)
    shown = webhooks.payload_of("payment", found.snapshot())
    return {**shown, "merchant": found.merchant_id}


@get("/admin/refunds", tag=TAG, gives=AdminRefund, is_list=True)
@needs(admin=True)
def list_all_refunds(query: AdminRefundQuery) -> dict[str, Any]:
    """List refunds of all merchants.

    Newest first, by state, currency and when they were asked for. That they were listed is written
    to the audit trail.
    """
    page = asked_page(query, refunds.any_refund)
    note_list("refund", query)
    wanted = RefundFilter(
        statuses=_states(query.state, refunds.FLOW.states),
        currency=query.currency,
        since=moment(query.created_gte),
        until=_after(query.created_lte),
    )
    return listing(refunds.refunds_everywhere(asked=wanted, page=page), _shown_refund)


@get("/admin/refunds/<string:refund_id>", tag=TAG, gives=AdminRefund)
@needs(admin=True)
def get_any_refund(refund_id: str) -> dict[str, Any]:
    """Get a refund of any merchant.

    That it was looked at is written to the audit trail.
    """
    found = refunds.any_refund(refund_id).refund
    _note("refund.viewed", "refund", refund_id, found.merchant_id)
    shown = webhooks.payload_of("refund", found.snapshot())
    return {**shown, "merchant": found.merchant_id}


@get("/admin/refund-switch", tag=TAG, gives=RefundSwitch)
@needs(admin=True)
def get_refund_switch() -> dict[str, Any]:
    """Get whether refunds may leave.

    With since when, why and by whom not.
    """
    return _switch()


@post("/admin/refund-switch/freeze", tag=TAG, gives=RefundSwitch, status=200)
@needs(admin=True)
def freeze_refunds(body: Reason) -> dict[str, Any]:
    """Let no refund leave.

    From now on, whoever asks. What the provider has is not called back. Twice keeps the first
    reason.
    """
    refunds.freeze(because=body.because, by=caller().actor)
    return _switch()


@post("/admin/refund-switch/unfreeze", tag=TAG, gives=RefundSwitch, status=200)
@needs(admin=True)
def unfreeze_refunds() -> dict[str, Any]:
    """Let refunds leave again.

    Twice changes nothing.
    """
    refunds.unfreeze(by=caller().actor)
    return _switch()


@get("/admin/books", tag=TAG, gives=BooksObject)
@needs(admin=True)
def get_books() -> dict[str, Any]:
    """Get what the books hold.

    By mode, currency and kind of account; all of one mode and currency add up to nothing.
    """
    found = [
        {
            "kind": one.kind,
            "livemode": one.livemode,
            "accounts": one.accounts,
            "amount": one.amount.minor,
            "currency": one.amount.currency,
        }
        for one in ledger.totals()
    ]
    return {"object": "books", "totals": found}


@get("/admin/analytics/payments", tag=TAG, gives=PaymentFigures)
@needs(admin=True)
def get_payment_figures(query: DaysQuery) -> dict[str, Any]:
    """Get figures of all merchants.

    Of whole days in UTC, both included, at most 366; by currency and method.
    """
    since, until = _day(query.since, "from"), _day(query.until, "to")
    if not dt.timedelta(0) <= until - since < dt.timedelta(days=MOST_DAYS):
        raise ParameterInvalid("Give at most 366 days, the first one first.", param="to")
    livemode = caller().livemode
    found = analytics.platform_totals(
        analytics.midnight(since, "UTC"),
        analytics.midnight(until, "UTC") + dt.timedelta(days=1),
        livemode=livemode,
    )
    return {
        "object": "payment_figures",
        "from": since.isoformat(),
        "to": until.isoformat(),
        "livemode": livemode,
        "figures": [_figures(one) for one in found],
    }


def _shown_payment(row: PaymentRow) -> dict[str, Any]:
    shown = webhooks.payload_of("payment", row.payment.snapshot())
    return {**shown, "merchant": row.payment.merchant_id}


def _shown_refund(row: RefundRow) -> dict[str, Any]:
    shown = webhooks.payload_of("refund", row.refund.snapshot())
    return {**shown, "merchant": row.refund.merchant_id}


def _switch() -> dict[str, Any]:
    stop = refunds.frozen()
    return {
        "object": "refund_switch",
        "is_frozen": stop is not None,
        "frozen_at": epoch(stop.frozen_at) if stop else None,
        "because": stop.because if stop else None,
        "by": stop.by_id if stop else None,
    }


def _figures(one: MethodTotals) -> dict[str, Any]:
    ended = one.captured + one.failed
    return {
        "currency": one.currency,
        "method": one.method,
        "volume": one.volume.minor,
        "fees": one.fees.minor,
        "captured": one.captured,
        "failed": one.failed,
        "success_rate": one.captured / ended if ended else None,
    }


def _note(action: str, kind: str, subject_id: str, merchant_id: str | None) -> None:
    with db.transaction():
        audit.record(action, kind, subject_id, by=caller().actor, merchant_id=merchant_id)


def _states(asked: str | None, known: dict[str, Any]) -> tuple[str, ...]:
    if asked is None:
        return ()
    if asked not in known:
        raise ParameterInvalid("There is no such state.", param="state")
    return (asked,)


def _after(included: int | None) -> dt.datetime | None:
    """Return the first moment that is not asked for any more."""
    return moment(None if included is None else included + 1)


def _day(typed: str, param: str) -> dt.date:
    try:
        found = dt.date.fromisoformat(typed)
    except ValueError as wrong:
        raise ParameterInvalid("Write a day such as 2026-11-21.", param=param) from wrong
    if found.year < 2000:  # noqa: PLR2004 - before anybody was paid by this portal
        raise ParameterInvalid("Write a day of this century.", param=param)
    return found
