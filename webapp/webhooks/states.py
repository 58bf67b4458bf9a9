"""The states of an endpoint and of a delivery, and the words for them."""

from __future__ import annotations

from enum import StrEnum

from webapp.kernel.flow import Edge, Flow, Owner, State


class Status(StrEnum):
    """Where an endpoint stands."""

    ENABLED = "enabled"
    PAUSED = "paused"
    DISABLED = "disabled"
    DELETED = "deleted"


#: Events happen for these endpoints; a paused one's wait for it.
LISTENING = (Status.ENABLED, Status.PAUSED)

FLOW = Flow(
    "webhook_endpoint",
    states=[
        State("enabled", "Events are sent here as they happen.", owner=Owner.US),
        State(
            "paused",
            "Events are kept and wait; they are sent when it is resumed.",
            owner=Owner.MERCHANT,
        ),
        State(
            "disabled",
            "Nothing is sent here. What was to be sent waits, newer events are not kept for it.",
            owner=Owner.MERCHANT,
        ),
        State("deleted", "The endpoint was removed."),
    ],
    edges=[
        Edge("", "enabled", "endpoint.created"),
        Edge("enabled", "paused", "endpoint.paused"),
        Edge("enabled", "disabled", "endpoint.disabled"),
        Edge("enabled", "deleted", "endpoint.deleted"),
        Edge("paused", "enabled", "endpoint.enabled"),
        Edge("paused", "disabled", "endpoint.disabled"),
        Edge("paused", "deleted", "endpoint.deleted"),
        Edge("disabled", "enabled", "endpoint.enabled"),
        Edge("disabled", "deleted", "endpoint.deleted"),
    ],
    outside={
        "enabled": "ENABLED",
        "paused": "PAUSED",
        "disabled": "DISABLED",
        "deleted": "DELETED",
    },
)


class DeliveryState(StrEnum):
    """Where a delivery stands: due until it arrived, gave up, or somebody let it be.

    What gave up and is sent again is a new delivery; the old one is then `resent`.
    """

    DUE = "due"
    DELIVERED = "delivered"
    DEAD = "dead"
    RESENT = "resent"
    DISCARDED = "discarded"


class Verdict(StrEnum):
    """What came of a tampered test event: a receiver that checks signatures refuses it."""

    WAITING = "waiting"
    REFUSED = "refused"
    TAKEN = "taken"
    UNCLEAR = "unclear"


class Answer(StrEnum):
    """What the built-in receiver is told to answer; `OK` refuses what is not signed rightly."""

    OK = "ok"
    TRUSTING = "trusting"
    ERROR = "error"
    BUSY = "busy"
    GONE = "gone"
    MOVED = "moved"
    SLOW = "slow"
