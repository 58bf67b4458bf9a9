"""What the ledger refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Declined, NotFound


class InsufficientBalance(Declined):
    """An account that cannot go below zero holds less than the transfer takes from it.

    Nothing was posted, and the caller's transaction is sound: it may go on and record the refusal.
    """

    code = "insufficient_balance"
    decline_code = "insufficient_funds"
    says = "There is not enough money in the wallet. Nothing was taken from it."


class ReferenceReused(Conflict):
    """The reference names a transfer that was posted with other lines: a fault in our own code."""

    code = "reference_reused"
    says = "This was already booked with other amounts. Nothing was changed."


class TransferNotFound(NotFound):
    """No such transfer, or another merchant's."""

    code = "transfer_not_found"
    says = "There is no such transfer in the books."
