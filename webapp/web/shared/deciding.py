"""Which decisions are open about money that was set aside, the same for merchants and admins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from webapp import audit, orders, payments, refunds
from webapp.kernel import db, words
from webapp.kernel.errors import Invalid
from webapp.orders import Order
from webapp.outbox import Actor
from webapp.payments import Anomaly, AnomalyKind

DECIDED = "It was decided what becomes of this money."
NONE_FITS = "No open order of this shopper asks for exactly this amount."


ACCEPTED = "The amount is accepted; its order is being marked as paid."
PROPOSED = "It waits for a second person, who has to approve it."


@dataclass(frozen=True, slots=True)
class Proposed:
    """What one person would do with much money, which another one may approve."""

    order_id: str
    order_number: str
    is_own_order: bool
    is_mine: bool
    why_not: str | None


@dataclass(frozen=True, slots=True)
class Decisions:
    """What can be decided; each reason says why something cannot.

    `limit` is what one person may decide about alone, where this is more.
    """

    fitting: list[tuple[str, str]]
    why_not_return: str | None
    why_not_apply: str | None
    why_not_accept: str | None
    proposed: Proposed | None
    limit: str | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at money set aside: why they may not decide, and why they may not approve."""

    id: str | None
    why_not: str | None = None
    why_not_approve: str | None = None


def decisions_about(found: Anomaly, order: Order, reader: Reader) -> Decisions:
    """Return what the reader can decide about money of `order`'s payment."""
    closed = reader.why_not or (None if found.status == "open" else DECIDED)
    fitting = [] if closed else payments.orders_that_fit(found)
    return Decisions(
        fitting=[(one.id, f"#{one.number}, {words.money_text(one.amount)}") for one in fitting],
        why_not_return=closed,
        why_not_apply=closed or (None if fitting else NONE_FITS),
        why_not_accept=closed or _why_not_accept(found, order),
        proposed=_proposed(found, order, reader) if found.status == "open" else None,
        limit=words.money_text(payments.one_person_limit(found.currency))
        if payments.needs_second(found.amount)
        else None,
    )


def decide(
    action: str, found: Anomaly, verb: Callable[[], object], *, by: Actor, **told: object
) -> bool:
    """Run the verb and write down who decided or proposed it; sent again it is no second one.

    Returns whether it waits for a second person.
    """
    before = found.version
    with db.transaction():
        verb()
        now = payments.locked_anomaly(found.id)
        waits = now.status == "open"
        if now.version != before:
            audit.record(
                "anomaly.proposed" if waits else action, "anomaly", now.id, by=by, data=told,
                merchant_id=now.merchant_id, livemode=now.livemode,
            )  # fmt: skip
    return waits


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


def _proposed(found: Anomaly, order: Order, reader: Reader) -> Proposed | None:
    if found.proposed_order_id is None:
        return None
    target = orders.orders_with_ids([found.proposed_order_id]).get(found.proposed_order_id)
    is_mine = found.proposed_by == reader.id
    return Proposed(
        order_id=found.proposed_order_id,
        order_number=target.number if target else "–",
        is_own_order=found.proposed_order_id == order.id,
        is_mine=is_mine,
        why_not="You proposed it, so another person has to approve it."
        if is_mine
        else reader.why_not or reader.why_not_approve,
    )


def _why_not_accept(found: Anomaly, order: Order) -> str | None:
    if found.kind != AnomalyKind.UNDERPAID:
        return "Only an amount that was too small can be accepted as it is."
    return None if order.status == "pending" else "Its order is paid or cancelled."
