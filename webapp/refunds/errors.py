"""What this room refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from webapp.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class RefundNotFound(NotFound):
    """No such refund, or another merchant's."""

    code = "refund_not_found"
    says = "There is no such refund."


class RefundExceedsAvailable(Invalid):
    """More is asked for than is left of the payment."""

    code = "refund_exceeds_available"
    says = "That is more than is left to refund of this payment."


class AvailableChanged(Conflict):
    """Since the caller looked, somebody refunded part of the payment."""

    code = "available_changed"
    passes = True
    says = "What is left to refund has changed meanwhile. Look again; nothing was refunded."


class RefundNotPossible(Conflict):
    """This payment, or this way back, cannot be refunded."""

    code = "refund_not_possible"
    says = "This payment cannot be refunded."


class RefundBlocked(Conflict):
    """Something else about the payment stands in the way; `reasons` says what, in sentences."""

    code = "refund_blocked"
    passes = True
    says = "This payment cannot be refunded at present."

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__(" ".join(reasons))


class RefundDecided(Conflict):
    """Somebody has decided about this refund already."""

    code = "refund_decided"
    says = "This refund has been decided already. Reload and look again."


class SameApprover(Forbidden):
    """Nobody approves their own refund."""

    code = "same_approver"
    says = "You asked for this refund, so another person has to approve it."
    by_own_key: ClassVar[str] = (
        "An API key that you made asked for this refund, so another person has to approve it."
    )


class UndoTooLate(Conflict):
    """The money has left, or is about to."""

    code = "undo_too_late"
    says = "This refund has left, or is leaving, and can no longer be undone."


class RefundMismatch(Conflict):
    """The provider speaks of a refund that is not the one we asked for; a person has to look."""

    code = "refund_mismatch"
    says = "The provider’s refund is not the one that was asked for."


class RefundWithoutRoom(Conflict):
    """The provider paid out a refund that was given up here, and the money was used meanwhile."""

    code = "refund_without_room"
    says = (
        "The provider paid this refund out after it had been given up here, and what it would take"
        " has been refunded meanwhile: the shopper has it twice. Settle it by a correction."
    )
