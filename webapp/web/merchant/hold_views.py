"""What a payment's page shows of money that the bank holds: how much, and until when."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from webapp.kernel.money import Money
from webapp.payments import Payment
from webapp.web.merchant.door import why_not
from webapp.web.merchant.money_lines import rate_text


@dataclass(frozen=True, slots=True)
class HoldForm:
    """What was typed to take held money or to let it go, and what is wrong with it."""

    typed: str = ""
    error: str | None = None
    because: str = ""
    because_error: str | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Money that the bank holds; `taking` and `letting_go` say what was asked for already."""

    amount: Money
    before: dt.datetime | None
    taking: Money | None
    letting_go: str | None
    typed: str
    error: str | None
    because: str
    because_error: str | None
    fee_rate: str
    why_not: str | None


def hold_of(payment: Payment, form: HoldForm | None = None) -> Hold | None:
    """Return what is held of a payment, or None where the bank holds nothing."""
    if payment.status != "authorised":
        return None
    form = form or HoldForm()
    return Hold(
        amount=payment.authorised,
        before=payment.capture_before,
        taking=payment.capturing,
        letting_go=payment.void_because,
        typed=form.typed if form.error else payment.authorised.plain(),
        error=form.error,
        because=form.because,
        because_error=form.because_error,
        fee_rate=rate_text(payment.fee_bps),
        why_not=why_not("capture"),
    )
