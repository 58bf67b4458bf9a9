"""Money of a payment that was set aside, as the merchant's pages show it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flask import url_for

from webapp import payments
from webapp.kernel.money import Money
from webapp.payments import Anomaly, Payment
from webapp.web.shared.names import in_words
from webapp.web.shared.pills import Pill, pill


@dataclass(frozen=True, slots=True)
class SetAside:
    """One amount that fits no order: why, and what becomes of it."""

    id: str
    amount: Money
    why: str
    says: str
    pill: Pill
    is_open: bool
    since: dt.datetime
    version: int
    payment_href: str


def set_aside_of(payment: Payment) -> list[SetAside]:
    """Return what was set aside of one payment, oldest first."""
    return [set_aside(one) for one in payments.anomalies_of_payment(payment.id)]


def set_aside(found: Anomaly) -> SetAside:
    """Return money set aside for a page."""
    return SetAside(
        id=found.id,
        amount=found.amount,
        why=in_words(found.kind, "anomaly"),
        says=payments.ANOMALY_FLOW.states[found.status].says,
        pill=pill("anomaly", found.status),
        is_open=found.status == "open",
        since=found.opened_at,
        version=found.version,
        payment_href=url_for("merchant.payment", payment_id=found.payment_id),
    )
