"""Webhooks: signed events to merchants' servers, told until they arrive or visibly never do."""

from webapp.webhooks.catalogue import BY_NAME, EVENTS, EVERYTHING, NAMES, EventKind
from webapp.webhooks.payloads import NEWEST, NOUNS, VERSIONS, changes, epoch, payload_of

__all__ = [
    "BY_NAME",
    "EVENTS",
    "EVERYTHING",
    "NAMES",
    "NEWEST",
    "NOUNS",
    "VERSIONS",
    "EventKind",
    "changes",
    "epoch",
    "payload_of",
]
