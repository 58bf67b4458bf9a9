"""From a refund to ledger lines; pure."""

from __future__ import annotations

from webapp import ledger
from webapp.ledger import AccountRef, Line
from webapp.refunds.models import Refund
from webapp.refunds.states import Destination


def source(refund: Refund) -> AccountRef:
    """Return where the money comes from: the merchant's payable, or suspense for set-aside money.

    The platform keeps the fee of a payment that its merchant refunds, so the whole amount is the
    merchant's to give; a payable may go below zero for it.
    """
    livemode = bool(refund.livemode)
    if refund.anomaly_id is not None:
        return ledger.suspense(livemode, refund.currency)
    return ledger.payable(refund.merchant_id or "", livemode, refund.currency)


def way(refund: Refund) -> AccountRef:
    """Return the account that the money is on once it has left its source."""
    livemode = bool(refund.livemode)
    if refund.destination == Destination.WALLET:
        return ledger.wallet(refund.user_id or "", livemode, refund.currency)
    if refund.destination == Destination.ORDER_CREDIT:
        return ledger.store_credit(livemode, refund.currency)
    return ledger.refunds_in_transit(livemode, refund.currency)


def leaves(refund: Refund) -> Line:
    """Return the line of a refund that leaves."""
    return Line(source(refund), way(refund), refund.amount)


def settled(refund: Refund) -> Line:
    """Return the line of a refund that the provider has paid out of what it holds for us."""
    livemode = bool(refund.livemode)
    return Line(
        ledger.refunds_in_transit(livemode, refund.currency),
        ledger.clearing(livemode, refund.currency),
        refund.amount,
    )
