"""The one map from a noun's status to its pill: a word, a tone and an icon; never colour alone."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pill:
    """What a status looks like; `tone` is neutral, progress, success, warning or danger."""

    label: str
    tone: str
    icon: str


PILLS: dict[str, dict[str, Pill]] = {
    "payment": {
        "created": Pill("Started", "neutral", "clock"),
        "awaiting_method": Pill("Waiting for a method", "warning", "clock"),
        "processing": Pill("Processing", "progress", "loader-circle"),
        "requires_action": Pill("Waiting for the bank’s check", "warning", "shield-check"),
        "authorised": Pill("Authorised", "progress", "shield-check"),
        "captured": Pill("Paid", "success", "check"),
        "failed": Pill("Failed", "danger", "x"),
        "cancelled": Pill("Cancelled", "neutral", "ban"),
        "expired": Pill("Expired", "neutral", "timer-off"),
    },
    "order": {
        "pending": Pill("Unpaid", "neutral", "clock"),
        "completed": Pill("Paid", "success", "check"),
        "cancelled": Pill("Cancelled", "neutral", "ban"),
    },
    "checkout_session": {
        "open": Pill("Open", "progress", "link"),
        "complete": Pill("Used", "success", "check"),
        "expired": Pill("Expired", "neutral", "timer-off"),
    },
    "attempt": {
        "processing": Pill("Processing", "progress", "loader-circle"),
        "awaiting_shopper": Pill("Waiting for the bank’s check", "warning", "shield-check"),
        "succeeded": Pill("Succeeded", "success", "check"),
        "declined": Pill("Declined", "danger", "x"),
        "abandoned": Pill("Abandoned", "neutral", "ban"),
    },
    "wallet": {
        "active": Pill("Active", "success", "check"),
        "inactive": Pill("Inactive", "neutral", "ban"),
    },
    "user": {
        "unverified": Pill("Unverified", "warning", "mail"),
        "active": Pill("Active", "success", "check"),
        "suspended": Pill("Suspended", "danger", "ban"),
    },
    "merchant": {
        "active": Pill("Active", "success", "check"),
        "suspended": Pill("Suspended", "danger", "ban"),
    },
}


def pill(noun: str, status: str) -> Pill:
    """Return the pill of a noun's status; raises KeyError for one that has none."""
    return PILLS[noun][status]
