"""The states of a payment: whose step is next, when we look again, the deadline, and the words."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from webapp.kernel.flow import Edge, Flow, Owner, State


class Status(StrEnum):
    """Where a payment stands."""

    CREATED = "created"
    AWAITING_METHOD = "awaiting_method"
    PROCESSING = "processing"
    REQUIRES_ACTION = "requires_action"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE = (
    Status.CREATED,
    Status.AWAITING_METHOD,
    Status.PROCESSING,
    Status.REQUIRES_ACTION,
    Status.AUTHORISED,
)
#: While a payment is in one of these, its checkout stays open and no second try can begin.
UNDER_WAY = (Status.PROCESSING, Status.REQUIRES_ACTION, Status.AUTHORISED)
LOST = (Status.FAILED, Status.CANCELLED, Status.EXPIRED)

CHECK_PROCESSING = dt.timedelta(seconds=30)
CHECK_ACTION = dt.timedelta(seconds=60)
PROCESSING_DEADLINE = dt.timedelta(hours=23)
ACTION_DEADLINE = dt.timedelta(minutes=30)
METHOD_DEADLINE = dt.timedelta(minutes=15)
CHECK_AUTHORISED = dt.timedelta(hours=1)
#: Most banks let go after seven days, some sooner; a day before, nobody can be surprised by it.
AUTHORISED_DEADLINE = dt.timedelta(days=6)
BEFORE_THE_BANK = dt.timedelta(days=1)

STATES = [
    State(
        "created",
        "The payment has been begun.",
        owner=Owner.US,
        deadline=METHOD_DEADLINE,
        on_deadline="It expires with its checkout link; nothing was charged.",
    ),
    State(
        "awaiting_method",
        "The last try was declined and no money moved. Another card or method can be used.",
        owner=Owner.SHOPPER,
        deadline=METHOD_DEADLINE,
        on_deadline="The payment counts as failed when the checkout link expires.",
    ),
    State(
        "processing",
        "The bank has been asked and has not answered for certain yet.",
        owner=Owner.PROVIDER,
        check_after=CHECK_PROCESSING,
        deadline=PROCESSING_DEADLINE,
        on_deadline="A person looks into it. It is never charged a second time.",
    ),
    State(
        "requires_action",
        "The shopper’s bank wants to check that it is them.",
        owner=Owner.SHOPPER,
        check_after=CHECK_ACTION,
        deadline=ACTION_DEADLINE,
        on_deadline="The payment is cancelled at the provider; nothing is charged.",
    ),
    State(
        "authorised",
        "The bank holds the money; it has not been taken yet.",
        owner=Owner.MERCHANT,
        check_after=CHECK_AUTHORISED,
        deadline=AUTHORISED_DEADLINE,
        on_deadline="The money is let go, before the bank does so itself; nothing is charged.",
    ),
    State("captured", "The money has been taken and is the merchant’s, less the fee."),
    State("failed", "It was not paid. No money moved."),
    State("cancelled", "It was cancelled before any money moved."),
    State("expired", "Nobody paid before the checkout link expired. No money moved."),
]

EDGES = [
    Edge("", "created", "payment.created"),
    Edge("created", "awaiting_method", "payment.awaiting_method"),
    Edge("created", "processing", "payment.processing"),
    Edge("created", "authorised", "payment.authorised"),
    Edge("created", "captured", "payment.captured"),
    Edge("created", "failed", "payment.failed"),
    Edge("created", "cancelled", "payment.cancelled"),
    Edge("created", "expired", "payment.expired"),
    Edge("awaiting_method", "processing", "payment.processing"),
    Edge("awaiting_method", "authorised", "payment.authorised"),
    Edge("awaiting_method", "captured", "payment.captured"),
    Edge("awaiting_method", "failed", "payment.failed"),
    Edge("awaiting_method", "cancelled", "payment.cancelled"),
    Edge("awaiting_method", "expired", "payment.expired"),
    Edge("processing", "requires_action", "payment.requires_action"),
    Edge("processing", "authorised", "payment.authorised"),
    Edge("processing", "captured", "payment.captured"),
    Edge("processing", "awaiting_method", "payment.declined"),
    Edge("processing", "failed", "payment.failed"),
    Edge("processing", "cancelled", "payment.cancelled"),
    Edge("requires_action", "processing", "payment.processing"),
    Edge("requires_action", "authorised", "payment.authorised"),
    Edge("requires_action", "captured", "payment.captured"),
    Edge("requires_action", "awaiting_method", "payment.declined"),
    Edge("requires_action", "failed", "payment.failed"),
    Edge("requires_action", "cancelled", "payment.cancelled"),
    Edge("authorised", "captured", "payment.captured"),
    Edge("authorised", "failed", "payment.failed"),
    Edge("authorised", "cancelled", "payment.cancelled"),
    Edge("failed", "captured", "payment.captured"),
    Edge("cancelled", "captured", "payment.captured"),
    Edge("expired", "captured", "payment.captured"),
]

FLOW = Flow(
    "payment",
    states=STATES,
    edges=EDGES,
    outside={
        "created": "PENDING",
        "awaiting_method": "PENDING",
        "processing": "PROCESSING",
        "requires_action": "REQUIRES_ACTION",
        "authorised": "PROCESSING",
        "captured": "SUCCESS",
        "failed": "FAILED",
        "cancelled": "CANCELLED",
        "expired": "EXPIRED",
    },
)


class AnomalyKind(StrEnum):
    """Why money that came waits in suspense."""

    LATE_SUCCESS = "late_success"
    DOUBLE_PAYMENT = "double_payment"
    OVERPAID = "overpaid"
    UNDERPAID = "underpaid"
    AMOUNT_MISMATCH = "amount_mismatch"


#: How long a merchant has to decide about money set aside, and a worker to book what was decided.
DECIDE_WITHIN = dt.timedelta(days=7)
BOOKED_WITHIN = dt.timedelta(hours=1)

#: What nobody asked for and nobody can keep: it goes back by itself where the policy says so.
UNWANTED = (AnomalyKind.LATE_SUCCESS, AnomalyKind.DOUBLE_PAYMENT, AnomalyKind.OVERPAID)

ANOMALY_FLOW = Flow(
    "anomaly",
    states=[
        State(
            "open",
            "Money came that fits no open order. It waits in suspense until it is decided"
            " whose it is.",
            owner=Owner.MERCHANT,
            deadline=DECIDE_WITHIN,
            on_deadline="An admin decides in the merchant’s place.",
        ),
        State("refunding", "It is on its way back to the shopper.", owner=Owner.US),
        State(
            "applying",
            "It is being booked to an order.",
            owner=Owner.US,
            deadline=BOOKED_WITHIN,
            on_deadline="An admin looks for it among what gave up.",
        ),
        State("refunded", "It was given back to the shopper."),
        State("applied", "It paid another order."),
        State("accepted", "It was accepted as the payment of its order."),
    ],
    edges=[
        Edge("", "open", "anomaly.opened"),
        # Above the limit: one person proposes it, another one decides.
        Edge("open", "open", "anomaly.proposed"),
        Edge("open", "refunding", "anomaly.refunding"),
        Edge("open", "applying", "anomaly.applying"),
        Edge("refunding", "refunded", "anomaly.refunded"),
        Edge("refunding", "open", "anomaly.reopened"),
        Edge("refunded", "open", "anomaly.reopened"),
        # It went back in the provider's own pages: two admins corrected the books.
        Edge("open", "refunded", "anomaly.refunded"),
        Edge("applying", "applied", "anomaly.applied"),
        Edge("applying", "accepted", "anomaly.accepted"),
        Edge("applying", "open", "anomaly.reopened"),
    ],
    outside={
        "open": "OPEN",
        "refunding": "REFUNDING",
        "applying": "APPLYING",
        "refunded": "REFUNDED",
        "applied": "APPLIED",
        "accepted": "ACCEPTED",
    },
)
