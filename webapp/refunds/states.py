"""The states of a refund: whose step is next, when we look again, the deadline, and the words."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from webapp.kernel.flow import Edge, Flow, Owner, State


class Status(StrEnum):
    """Where a refund stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    UNSENT = "unsent"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(StrEnum):
    """Why money is given back."""

    DUPLICATE = "duplicate"
    FRAUDULENT = "fraudulent"
    REQUESTED_BY_CUSTOMER = "requested_by_customer"
    OTHER = "other"


class Destination(StrEnum):
    """Where it goes: back where it came from, into a wallet, or towards another order."""

    ORIGINAL = "original"
    WALLET = "wallet"
    ORDER_CREDIT = "order_credit"


#: Neither counts against what was captured.
LOST = (Status.FAILED, Status.CANCELLED)
#: Nothing has left, so it can still be called off.
WAITING = (Status.REQUESTED, Status.APPROVED)
#: The provider has it, or is about to.
#: Where nothing has gone back, nor will.
NOT_DONE = (Status.FAILED, Status.CANCELLED)
UNDER_WAY = (Status.UNSENT, Status.SENT)

APPROVAL_DEADLINE = dt.timedelta(days=7)
#: How long a refund that cannot leave may be tried, and one that waits for the order it is to pay.
STUCK_DEADLINE = dt.timedelta(minutes=10)
TARGET_DEADLINE = dt.timedelta(hours=6)
CHECK_UNSENT = dt.timedelta(seconds=60)
UNSENT_DEADLINE = dt.timedelta(hours=23)
CHECK_SENT = dt.timedelta(hours=1)
SENT_DEADLINE = dt.timedelta(days=10)
LONGEST_CHECK = dt.timedelta(hours=6)
#: How long a bank may take to show a refund. Source: Stripe, "Refund and cancel payments".
ARRIVES_WITHIN = dt.timedelta(days=10)

STATES = [
    State(
        "requested",
        "It is more than one person may refund alone: a second person has to approve it.",
        owner=Owner.MERCHANT,
        deadline=APPROVAL_DEADLINE,
        on_deadline="It is withdrawn; nothing was refunded.",
    ),
    State(
        "approved",
        "It leaves in a moment. Until then it can be undone.",
        owner=Owner.US,
    ),
    State(
        "unsent",
        "Not sent yet: the provider has been asked and has not answered for certain.",
        owner=Owner.PROVIDER,
        check_after=CHECK_UNSENT,
        deadline=UNSENT_DEADLINE,
        on_deadline="A person looks into it. It is never sent a second time.",
    ),
    State(
        "sent",
        "The provider has it and has not said that it went through.",
        owner=Owner.PROVIDER,
        check_after=CHECK_SENT,
        deadline=SENT_DEADLINE,
        on_deadline="A person asks the provider.",
    ),
    State("succeeded", "The money has gone back."),
    State("failed", "The money did not go back; it is where it was before."),
    State("cancelled", "It was called off before any money left."),
]

EDGES = [
    Edge("", "requested", "refund.requested"),
    Edge("", "approved", "refund.approved"),
    Edge("requested", "approved", "refund.approved"),
    Edge("requested", "cancelled", "refund.cancelled"),
    Edge("approved", "unsent", "refund.queued"),
    Edge("approved", "succeeded", "refund.succeeded"),
    Edge("approved", "failed", "refund.failed"),
    Edge("approved", "cancelled", "refund.cancelled"),
    Edge("unsent", "sent", "refund.sent"),
    Edge("unsent", "succeeded", "refund.succeeded"),
    Edge("unsent", "failed", "refund.failed"),
    Edge("sent", "succeeded", "refund.succeeded"),
    Edge("sent", "failed", "refund.failed"),
    # The bank's reference comes after the money went back.
    Edge("succeeded", "succeeded", "refund.updated"),
    # Banks give refunds back, days later.
    Edge("succeeded", "failed", "refund.failed"),
    # It was given up here, and the provider turns out to have it.
    Edge("failed", "sent", "refund.sent"),
    Edge("failed", "succeeded", "refund.succeeded"),
]

FLOW = Flow(
    "refund",
    states=STATES,
    edges=EDGES,
    outside={
        "requested": "PENDING",
        "approved": "PENDING",
        "unsent": "PENDING",
        "sent": "PROCESSING",
        "succeeded": "SUCCESS",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
    },
)
