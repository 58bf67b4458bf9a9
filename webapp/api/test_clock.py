"""The test clock: what of a merchant waits in test mode, and bringing all of it nearer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, Field

from webapp import test_clock
from webapp.api.caller import caller, needs
from webapp.api.models import Body
from webapp.api.routing import get, post
from webapp.api.webhook_endpoints import epoch
from webapp.kernel import clock
from webapp.kernel.waits import Waiting

TAG = "Test clock"
WaitKind = Literal[
    "checkout_session",
    "payment_link",
    "held_payment",
    "payment_confirmation",
    "refund",
    "refund_approval",
    "delivery",
]
_WAITING: dict[str, Any] = {
    "kind": "checkout_session",
    "count": 2,
    "next_at": 1_795_255_500,
    "then": "The link expires, unless a payment is under way. The order stays, for a fresh link.",
}


class WhatWaits(BaseModel):
    """One kind of what waits."""

    kind: WaitKind
    count: int
    next_at: int | None = Field(description="When the next one’s moment comes, in Unix seconds.")
    then: str = Field(description="What happens then, in a sentence.")


class TestClock(BaseModel):
    """What waits in test mode, by kind; each kind is listed, also where nothing of it waits."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "object": "test_clock",
        "livemode": False,
        "now": 1_795_254_720,
        "waiting": [_WAITING],
    }

    object: Literal["test_clock"]
    livemode: Literal[False]
    now: int = Field(description="Unix time in seconds. It is the world’s, and never moved.")
    waiting: list[WhatWaits]


class AdvancedClock(TestClock):
    """What waits now that all of it has come nearer, and how many of each kind did."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **TestClock.EXAMPLE,
        "seconds": 900,
        "moved": {"checkout_session": 2, "delivery": 1},
    }

    seconds: int
    moved: dict[WaitKind, int] = Field(description="Kinds of which nothing waited are left out.")


class AdvanceClock(Body):
    """How far the clock goes."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"seconds": 900}

    seconds: Annotated[int, Field(ge=1, le=test_clock.MOST_SECONDS)] = Field(
        description="By how much everything comes nearer: up to 31 days. It only goes forward."
    )


@get("/test-clock", tag=TAG, gives=TestClock)
@needs(scope="test_clock:read")
def get_test_clock() -> dict[str, Any]:
    """Get the test clock.

    What waits for a moment in test mode: links that end, held money, payments to be confirmed,
    refunds that leave or wait for approval, and the next tries of webhooks. Calls to the payment
    provider are not among it: they keep their own time. Keys of live mode are refused with
    403 no_live_clock.
    """
    return _told()


@post("/test-clock/advance", tag=TAG, gives=AdvancedClock, status=200)
@needs(scope="test_clock:write", act="move_clock")
def advance_test_clock(body: AdvanceClock) -> dict[str, Any]:
    """Advance the test clock.

    Everything of yours in test mode that waits for a moment comes so much nearer, though none
    before now; time itself stays as it is. Of each kind the soonest 10,000 come nearer at once.
    What has become due is done within seconds, and events tell of it as ever. Keys of live mode
    are refused with 403 no_live_clock.
    """
    who = caller()
    moved = test_clock.advance(who.merchant, body.seconds, livemode=who.livemode, by=who.actor)
    return {
        **_told(),
        "seconds": body.seconds,
        "moved": {kind: count for kind, count in moved.items() if count},
    }


def _told() -> dict[str, Any]:
    who = caller()
    found = test_clock.waiting_of(who.merchant, livemode=who.livemode)
    return {
        "object": "test_clock",
        "livemode": False,
        "now": int(clock.now().timestamp()),
        "waiting": [_kind(one) for one in found],
    }


def _kind(one: Waiting) -> Mapping[str, Any]:
    return {
        "kind": one.kind.name,
        "count": one.count,
        "next_at": epoch(one.next_at),
        "then": one.kind.then,
    }
