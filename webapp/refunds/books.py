"""Booking a refund: when it leaves, when it is settled, and back again when it failed."""

from __future__ import annotations

from webapp import ledger, wallets
from webapp.kernel import words
from webapp.refunds import entries
from webapp.refunds.models import Refund
from webapp.refunds.states import Destination

SENT = "refund.sent"
SETTLED = "refund.settled"
FAILED = "refund.failed"
UNSETTLED = "refund.unsettled"


def leave(refund: Refund, *, order_number: str, again: bool = False) -> None:
    """Book that the money has left its source (a step); `again` after having been booked back."""
    reference = f"{SENT}:{refund.id}:2" if again else f"{SENT}:{refund.id}"
    line, because = entries.leaves(refund), text(refund, order_number)
    if refund.destination == Destination.WALLET:
        merchant_id = refund.merchant_id or ""
        wallets.receive(
            line, reference=reference, kind=SENT, merchant_id=merchant_id, because=because
        )
    else:
        _post(SENT, reference, refund, line, because)


def settle(refund: Refund, *, order_number: str) -> None:
    """Book that the provider has paid it out (a step); that happens once at most."""
    reference, because = f"{SETTLED}:{refund.id}", text(refund, order_number)
    _post(SETTLED, reference, refund, entries.settled(refund), because)


def undo(refund: Refund) -> None:
    """Book a failed refund back to where it came from, as far as it had got (a step)."""
    because = f"{words.money_short(refund.amount)} could not be refunded and is back"
    settled = ledger.transfer_by_reference(f"{SETTLED}:{refund.id}")
    if settled is not None:
        ledger.reverse(settled.id, reference=f"{UNSETTLED}:{refund.id}", because=because)
    for nth in (":2", ""):
        sent = ledger.transfer_by_reference(f"{SENT}:{refund.id}{nth}")
        if sent is not None:
            ledger.reverse(sent.id, reference=f"{FAILED}:{refund.id}{nth}", because=because)
            return


def text(refund: Refund, order_number: str) -> str:
    """Return the line of history of a refund, such as `₹500 refunded for Order #123`."""
    return f"{words.money_short(refund.amount)} refunded for Order #{order_number}"


def _post(kind: str, reference: str, refund: Refund, line: ledger.Line, because: str) -> None:
    ledger.post(
        reference,
        [line],
        kind=kind,
        merchant_id=refund.merchant_id or "",
        livemode=bool(refund.livemode),
        because=because,
    )
