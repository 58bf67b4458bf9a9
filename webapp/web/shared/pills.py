"""The one map from every status to its pill: word, tone and icon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Pill:
    """How a status looks; tone is neutral, progress, success, warning or danger."""

    label: str
    tone: str
    icon: str


PILLS: dict[str, dict[str, Pill]] = {
    "payment": {
        "created": Pill("Begun", "neutral", "circle-dashed"),
        "awaiting_method": Pill("Declined, open", "warning", "rotate-ccw"),
        "processing": Pill("Confirming", "progress", "loader-circle"),
        "requires_action": Pill("Waiting for shopper", "progress", "smartphone"),
        "authorised": Pill("Authorised", "progress", "lock"),
        "captured": Pill("Paid", "success", "check"),
        "failed": Pill("Failed", "danger", "x"),
        "cancelled": Pill("Cancelled", "neutral", "ban"),
        "expired": Pill("Expired", "neutral", "timer-off"),
    },
    "order": {
        "pending": Pill("Pending", "progress", "clock"),
        "completed": Pill("Completed", "success", "check"),
        "cancelled": Pill("Cancelled", "neutral", "ban"),
    },
    "payment_link": {
        "active": Pill("Active", "progress", "link"),
        "ended": Pill("Ended", "neutral", "ban"),
    },
    "checkout_session": {
        "open": Pill("Open", "progress", "link"),
        "complete": Pill("Used", "success", "check"),
        "expired": Pill("Expired", "neutral", "timer-off"),
    },
    "attempt": {
        "processing": Pill("Confirming", "progress", "loader-circle"),
        "awaiting_shopper": Pill("Waiting for shopper", "progress", "smartphone"),
        "succeeded": Pill("Succeeded", "success", "check"),
        "declined": Pill("Declined", "danger", "x"),
        "abandoned": Pill("Abandoned", "neutral", "ban"),
    },
    "api_key": {
        "works": Pill("Works", "success", "check"),
        "ending": Pill("Replaced, ends soon", "progress", "clock"),
        "replaced": Pill("Replaced", "neutral", "rotate-ccw"),
        "expired": Pill("Expired", "neutral", "timer-off"),
        "revoked": Pill("Revoked", "neutral", "ban"),
    },
    "anomaly": {
        "open": Pill("Needs a decision", "warning", "triangle-alert"),
        "refunding": Pill("Going back", "progress", "loader-circle"),
        "refunded": Pill("Given back", "neutral", "rotate-ccw"),
        "applying": Pill("Being booked", "progress", "loader-circle"),
        "applied": Pill("Paid an order", "success", "check"),
        "accepted": Pill("Accepted", "success", "check"),
    },
    "refund": {
        "requested": Pill("Needs approval", "warning", "users"),
        "approved": Pill("Leaves soon", "progress", "clock"),
        "unsent": Pill("Not sent yet", "progress", "loader-circle"),
        "sent": Pill("Sent to bank", "progress", "send"),
        "succeeded": Pill("Refunded", "success", "check"),
        "failed": Pill("Failed", "danger", "x"),
        "cancelled": Pill("Called off", "neutral", "ban"),
    },
    "operation": {
        "pending": Pill("Waiting", "progress", "clock"),
        "in_flight": Pill("Being sent", "progress", "send"),
        "unknown": Pill("Answer unknown", "warning", "circle-question-mark"),
        "succeeded": Pill("Done", "success", "check"),
        "failed": Pill("Refused", "danger", "x"),
        "manual": Pill("Needs a person", "warning", "triangle-alert"),
    },
    "provider_event": {
        "waiting": Pill("Waiting", "progress", "clock"),
        "error": Pill("Not applied", "warning", "triangle-alert"),
        "processed": Pill("Applied", "success", "check"),
        "closed": Pill("Nothing to do", "neutral", "minus"),
    },
    "user": {
        "unverified": Pill("Not verified", "warning", "mail"),
        "active": Pill("Active", "success", "check"),
        "suspended": Pill("Suspended", "danger", "ban"),
    },
    "merchant": {
        "active": Pill("Active", "success", "check"),
        "suspended": Pill("Suspended", "danger", "ban"),
    },
    "correction": {
        "requested": Pill("Waits for a second admin", "warning", "users"),
        "posted": Pill("Booked", "success", "check"),
        "refused": Pill("Refused", "danger", "x"),
        "withdrawn": Pill("Withdrawn", "neutral", "ban"),
    },
    "webhook_endpoint": {
        "enabled": Pill("On", "success", "check"),
        "paused": Pill("Paused", "neutral", "circle-pause"),
        "disabled": Pill("Switched off", "danger", "ban"),
        "deleted": Pill("Removed", "neutral", "x"),
    },
    "delivery": {
        "due": Pill("Waiting", "progress", "clock"),
        "delivered": Pill("Delivered", "success", "check"),
        "dead": Pill("Gave up", "danger", "x"),
        "resent": Pill("Sent again", "neutral", "rotate-ccw"),
        "discarded": Pill("Let be", "neutral", "ban"),
    },
    "tampered_test": {
        "waiting": Pill("Waiting", "progress", "clock"),
        "refused": Pill("Rightly refused", "success", "shield-check"),
        "taken": Pill("Taken, though forged", "danger", "x"),
        "unclear": Pill("No clear answer", "warning", "circle-question-mark"),
    },
    "wallet": {
        "active": Pill("Active", "success", "check"),
        "inactive": Pill("Inactive", "neutral", "circle-pause"),
    },
    "wallet_transfer": {"completed": Pill("Sent", "success", "check")},
}

#: A payment whose money went back, in part or whole, by its name for outsiders.
REFUNDED = {
    "PARTIALLY_REFUNDED": Pill("Partly refunded", "success", "rotate-ccw"),
    "REFUNDED": Pill("Refunded", "neutral", "rotate-ccw"),
}


class Refundable(Protocol):
    """What a payment's pill depends on."""

    status: str

    @property
    def outside_status(self) -> str:
        """The status's name for outsiders."""


def pill(noun: str, status: str) -> Pill:
    """Return the pill of a noun's status; raises KeyError for one that is not on the map."""
    return PILLS[noun][status]


def shown_pill(payment: Refundable) -> Pill:
    """Return a payment's pill as merchants see it: a refunded one says so."""
    return REFUNDED.get(payment.outside_status) or pill("payment", payment.status)


#: What the shopper reads about their own payment where the shop reads something else.
OWN_PAYMENT = {
    "awaiting_method": Pill("Declined, try again", "warning", "rotate-ccw"),
    "requires_action": Pill("Waiting for you", "progress", "smartphone"),
}


def payment_pill(payment: Refundable) -> Pill:
    """Return the pill of one's own payment."""
    return OWN_PAYMENT.get(payment.status) or shown_pill(payment)
