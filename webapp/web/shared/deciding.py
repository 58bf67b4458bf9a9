"""Which decisions are open about money that was set aside, the same for merchants and admins."""

from __future__ import annotations

from dataclasses import dataclass

from webapp import payments, refunds
from webapp.kernel import words
from webapp.kernel.errors import Invalid
from webapp.orders import Order
from webapp.payments import Anomaly, AnomalyKind

DECIDED = "It was decided what becomes of this money."
NONE_FITS = "No open order of this shopper asks for exactly this amount."


@dataclass(frozen=True, slots=True)
class Decisions:
    """What can be decided; each reason says why something cannot."""

    fitting: list[tuple[str, str]]
    why_not_return: str | None
    why_not_apply: str | None
    why_not_accept: str | None


def decisions_about(found: Anomaly, order: Order, *, why_not: str | None = None) -> Decisions:
    """Return what can be decided about money of `order`'s payment; `why_not` rules out all."""
    closed = why_not or (None if found.status == "open" else DECIDED)
    fitting = [] if closed else payments.orders_that_fit(found)
    return Decisions(
        fitting=[(one.id, f"#{one.number}, {words.money_text(one.amount)}") for one in fitting],
        why_not_return=closed,
        why_not_apply=closed or (None if fitting else NONE_FITS),
        why_not_accept=closed or _why_not_accept(found, order),
    )


def chosen_order(found: Anomaly, typed: str) -> str:
    """Return the order that was chosen, if it fits; raises Invalid naming `order`."""
    if typed not in {order.id for order in payments.orders_that_fit(found)}:
        raise Invalid("Choose one of the open orders that ask for this amount.", param="order")
    return typed


def returning_says(anomaly_id: str) -> str:
    """Return what to say once somebody has decided that the money goes back."""
    if any(one.status == "requested" for one in refunds.refunds_of_anomaly(anomaly_id)):
        return "It goes back as soon as a second person has approved its refund."
    return "The money goes back to the shopper, whole: no fee was taken of it."


def _why_not_accept(found: Anomaly, order: Order) -> str | None:
    if found.kind != AnomalyKind.UNDERPAID:
        return "Only an amount that was too small can be accepted as it is."
    return None if order.status == "pending" else "Its order is paid or cancelled."
