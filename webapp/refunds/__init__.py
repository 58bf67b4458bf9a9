"""Money that goes back to shoppers: asked for, approved, sent, and told of until it has arrived.

The platform's fee is kept on a refund that a merchant asks for; money that fits no order goes
back whole. A refund never takes more than was captured, whatever happens at once.
"""

from webapp.refunds.apply import apply
from webapp.refunds.blockers import block_by, blocked_because, unblock_by
from webapp.refunds.dealt import deal_with, take_up
from webapp.refunds.errors import (
    AvailableChanged,
    RefundBlocked,
    RefundDecided,
    RefundExceedsAvailable,
    RefundMismatch,
    RefundNotFound,
    RefundNotPossible,
    RefundWithoutRoom,
    SameApprover,
    UndoTooLate,
)
from webapp.refunds.failures import FailureAdvice, advice_on
from webapp.refunds.models import Freeze, Refund
from webapp.refunds.nearer import bring_nearer, waiting_of
from webapp.refunds.origin import goes_to, why_not_destination
from webapp.refunds.policy import Limits, expected_by, needs_approval, why_not_approve
from webapp.refunds.queries import (
    RefundDetail,
    RefundFilter,
    RefundRow,
    any_refund,
    every_refund_of,
    leaving_of,
    refund_counts,
    refund_of,
    refund_of_user,
    refunds_everywhere,
    refunds_of,
    refunds_of_anomaly,
    refunds_of_payment,
    refunds_of_user,
    returning,
    waiting_for_approval,
)
from webapp.refunds.release import check_now, look_again, release_due
from webapp.refunds.service import (
    approve,
    refund_set_aside,
    refuse,
    request,
    undo,
    why_not_refund,
)
from webapp.refunds.states import FLOW, LOST, UNDER_WAY, WAITING, Destination, Reason, Status
from webapp.refunds.steps import limits, use
from webapp.refunds.switch import freeze, frozen, unfreeze
from webapp.refunds.unfinished import unfinished
from webapp.refunds.waiting import failed_open, to_approve

__all__ = [
    "FLOW",
    "LOST",
    "UNDER_WAY",
    "WAITING",
    "AvailableChanged",
    "Destination",
    "FailureAdvice",
    "Freeze",
    "Limits",
    "Reason",
    "Refund",
    "RefundBlocked",
    "RefundDecided",
    "RefundDetail",
    "RefundExceedsAvailable",
    "RefundFilter",
    "RefundMismatch",
    "RefundNotFound",
    "RefundNotPossible",
    "RefundRow",
    "RefundWithoutRoom",
    "SameApprover",
    "Status",
    "UndoTooLate",
    "advice_on",
    "any_refund",
    "apply",
    "approve",
    "block_by",
    "blocked_because",
    "bring_nearer",
    "check_now",
    "deal_with",
    "every_refund_of",
    "expected_by",
    "failed_open",
    "freeze",
    "frozen",
    "goes_to",
    "leaving_of",
    "limits",
    "look_again",
    "needs_approval",
    "refund_counts",
    "refund_of",
    "refund_of_user",
    "refund_set_aside",
    "refunds_everywhere",
    "refunds_of",
    "refunds_of_anomaly",
    "refunds_of_payment",
    "refunds_of_user",
    "refuse",
    "release_due",
    "request",
    "returning",
    "take_up",
    "to_approve",
    "unblock_by",
    "undo",
    "unfinished",
    "unfreeze",
    "use",
    "waiting_for_approval",
    "waiting_of",
    "why_not_approve",
    "why_not_destination",
    "why_not_refund",
]
