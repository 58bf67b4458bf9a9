"""Money set aside: people decide whose it is, a worker books it; giving it back is for refunds.

Suspense is the platform's account, from which no web process may take. So a decision only moves
the anomaly, and `settle` does what was decided, or says why that has become impossible.
"""

from __future__ import annotations

from sqlalchemy import select

from webapp import ledger, orders
from webapp.kernel import clock, db
from webapp.kernel.errors import Refusal
from webapp.kernel.money import Money
from webapp.ledger import AccountRef
from webapp.orders import Order
from webapp.outbox import SYSTEM, Actor
from webapp.payments import policy, second, start, steps
from webapp.payments.errors import AnomalyDecided, AnomalyNotFound, DoesNotFit, PaymentUnderWay
from webapp.payments.models import Anomaly, Payment
from webapp.payments.queries import order_in_sight
from webapp.payments.states import UNDER_WAY, AnomalyKind, Status
from webapp.payments.steps import Payer

CREDIT = "credit"
#: The kind, and the beginning of the reference, of transfers that set money aside.
SET_ASIDE = "payment.suspense"
CREDIT_LABEL = "Credit"


def apply_to_order(anomaly_id: str, order_id: str, *, by: Actor) -> Anomaly:
    """Decide that money set aside pays an open order that asks for just that much.

    Above the limit the first person proposes it, and another one decides by asking for the same.
    Called again it changes nothing. Raises AnomalyNotFound, AnomalyDecided, DoesNotFit and
    OrderNotFound.
    """
    with db.transaction():
        anomaly = locked_anomaly(anomaly_id)
        if order_id == anomaly.target_order_id:
            return anomaly
        order = order_in_sight(order_id)
        origin = _payment_of(anomaly)
        return _decide(anomaly, order, policy.why_not_apply(anomaly, origin, order), by)


def accept_anomaly(anomaly_id: str, *, by: Actor) -> Anomaly:
    """Decide that a payment which was too small counts as the payment of its order.

    Above the limit the first person proposes it, and another one decides by asking for the same.
    Called again it changes nothing. Raises AnomalyNotFound, AnomalyDecided and DoesNotFit.
    """
    with db.transaction():
        anomaly = locked_anomaly(anomaly_id)
        order = order_in_sight(_payment_of(anomaly).order_id)
        if anomaly.target_order_id == order.id:
            return anomaly
        return _decide(anomaly, order, policy.why_not_accept(anomaly, order), by)


def settle_decision(anomaly_id: str) -> Anomaly:
    """Book money set aside as it was decided, as a worker; the decision ends where it cannot be.

    Called again it changes nothing. Raises AnomalyNotFound.
    """
    with db.transaction():
        found = db.session.get(Anomaly, anomaly_id, populate_existing=True)
        if found is None:
            raise AnomalyNotFound
        if found.target_order_id is None:
            return found
        order = orders.locked(found.target_order_id)
        own = found.kind == AnomalyKind.UNDERPAID and _payment_of(found).order_id == order.id
        payment = steps.locked_with_order(found.payment_id)[1] if own else None
        anomaly = locked_anomaly(anomaly_id)
        if anomaly.status == "applying":
            _settle(anomaly, order, payment)
        return anomaly


def pay_with_credit(
    order_id: str,
    amount: Money,
    *,
    source: AccountRef,
    with_fee: bool,
    note: dict[str, str],
    by: Actor,
) -> Payment:
    """Pay an open order with money that is here already, and return that payment (a worker's step).

    `note` names under `payment` the one that brought the money: its shopper is this one's too.
    A payment of the order that waits for a method gives way. Raises DoesNotFit's kin:
    OrderNotPayable, and PaymentUnderWay while another payment of it is being confirmed.
    """
    order = orders.locked(order_id)
    if order.status != "pending" or order.amount != amount:
        raise orders.OrderNotPayable
    _end_waiting_payment(order)
    payer = _payer_of(note["payment"])
    payment = steps.new_payment(order, payer, checkout_session_id=None, with_fee=with_fee)
    payment.method_kind, payment.method_label = CREDIT, CREDIT_LABEL
    payment.details = note
    attempt = steps.new_attempt(payment, method_kind=CREDIT, status="succeeded")
    start.take(order, payment, attempt, source=source, by=by)
    return payment


def locked_anomaly(anomaly_id: str) -> Anomaly:
    """Return money set aside with its row locked (a step); raises AnomalyNotFound."""
    db.assert_transaction()
    wanted = select(Anomaly).where(Anomaly.id == anomaly_id).with_for_update()
    anomaly = db.session.scalar(wanted.execution_options(populate_existing=True))
    if anomaly is None:
        raise AnomalyNotFound
    return anomaly


def begin_return(anomaly: Anomaly, *, by: Actor) -> None:
    """Note that locked money set aside is on its way back (a step); raises AnomalyDecided."""
    if anomaly.status != "open":
        raise AnomalyDecided
    _forget_proposal(anomaly)
    anomaly.move_to("refunding", because="It goes back to the shopper.", by=by)


def end_return(anomaly: Anomaly, *, by: Actor) -> None:
    """Note that locked money set aside was given back (a step)."""
    anomaly.closed_at = clock.now()
    anomaly.move_to("refunded", because="It was given back to the shopper.", by=by)


def locked_anomaly_booked_by(reference: str) -> Anomaly | None:
    """Return money set aside by the transfer of that reference, its row locked (a step), or None.

    Raises AnomalyDecided where it no longer waits for a decision.
    """
    kind, _, payment_id = reference.partition(":")
    if kind != SET_ASIDE:
        return None
    wanted = select(Anomaly.id).where(Anomaly.payment_id == payment_id)
    anomaly = locked_anomaly(db.session.scalars(wanted).one())
    if anomaly.status != "open":
        raise AnomalyDecided
    return anomaly


def end_elsewhere(anomaly: Anomaly, *, by: Actor) -> None:
    """Note that locked money set aside went back in the provider's own pages (a step).

    The correction that turned its booking round took it out of suspense before.
    """
    _forget_proposal(anomaly)
    anomaly.closed_at = clock.now()
    because = "It was given back in the provider’s own pages; the books were corrected."
    anomaly.move_to("refunded", because=because, by=by)


def reopen_anomaly(anomaly: Anomaly, *, because: str, by: Actor) -> None:
    """Let locked money set aside wait for a decision again (a step): what was tried failed."""
    anomaly.target_order_id = None
    anomaly.closed_at = None
    _forget_proposal(anomaly)
    anomaly.move_to("open", because=because, by=by)


def _decide(anomaly: Anomaly, order: Order, refusal: Refusal | None, by: Actor) -> Anomaly:
    if anomaly.status != "open":
        raise AnomalyDecided
    if refusal is not None:
        raise refusal
    if second.needs_second(anomaly.amount):
        if by.id is None or anomaly.proposed_order_id != order.id:
            return _propose(anomaly, order, by)
        if anomaly.proposed_by == by.id:
            return anomaly
        anomaly.approved_by = by.id
    anomaly.target_order_id = order.id
    anomaly.move_to("applying", because=f"It is to pay order #{order.number}.", by=by)
    return anomaly


def _propose(anomaly: Anomaly, order: Order, by: Actor) -> Anomaly:
    """Keep what one person would do with it, until another one wants the same."""
    if by.id is None:
        raise DoesNotFit("That is more than one may decide about whom nobody knows.")
    anomaly.proposed_order_id, anomaly.proposed_by = order.id, by.id
    because = f"It is to pay order #{order.number}; a second person has to approve that."
    anomaly.move_to("open", because=because, by=by)
    return anomaly


def _forget_proposal(anomaly: Anomaly) -> None:
    anomaly.proposed_order_id = anomaly.proposed_by = anomaly.approved_by = None


def _settle(anomaly: Anomaly, order: Order, own: Payment | None) -> None:
    origin = _payment_of(anomaly)
    if own is not None:
        refusal = policy.why_not_accept(anomaly, order)
    else:
        refusal = policy.why_not_apply(anomaly, origin, order)
    if refusal is None and _is_being_paid(order):
        refusal = PaymentUnderWay("Another payment of that order is being confirmed.")
    if refusal is not None:
        reopen_anomaly(anomaly, because=refusal.message, by=SYSTEM)
        return
    source = ledger.suspense(bool(anomaly.livemode), anomaly.currency)
    if own is not None:
        _end_waiting_payment(order)
        start.take(order, own, None, source=source, amount=anomaly.amount, by=SYSTEM)
        end, because = "accepted", "It was accepted as the payment of its order."
    else:
        note = {"anomaly": anomaly.id, "payment": anomaly.payment_id}
        pay_with_credit(
            order.id, anomaly.amount, source=source, with_fee=True, note=note, by=SYSTEM
        )
        end, because = "applied", f"It paid order #{order.number}."
    anomaly.closed_at = clock.now()
    anomaly.move_to(end, because=because, by=SYSTEM)


def _payer_of(payment_id: str) -> Payer:
    """Return whose money a payment brought, so that what is paid with it is theirs as well."""
    user_id = db.session.scalar(select(Payment.user_id).where(Payment.id == payment_id))
    return Payer(user_id)


def _is_being_paid(order: Order) -> bool:
    live = steps.live_payment(order.id)
    return live is not None and live.status in UNDER_WAY


def _end_waiting_payment(order: Order) -> None:
    live = steps.live_payment(order.id)
    if live is None:
        return
    if live.status in UNDER_WAY:
        raise PaymentUnderWay
    start.plan_cancel(live)
    because = "The order was paid with money that had come before."
    steps.finish(live, Status.CANCELLED, because=because, by=SYSTEM)
    db.session.flush()


def _payment_of(anomaly: Anomaly) -> Payment:
    wanted = select(Payment).where(Payment.id == anomaly.payment_id)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()
