"""The clock’s two verbs: what of a merchant waits in test mode, and bringing all of it nearer."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from webapp import audit, orders, payments, refunds, webhooks
from webapp.kernel import db, wake
from webapp.kernel.errors import Invalid
from webapp.kernel.waits import Waiting
from webapp.outbox import Actor
from webapp.test_clock.errors import NoLiveClock

MOST_SECONDS: Final = 31 * 24 * 60 * 60
ADVANCED: Final = "test_clock.advanced"
#: In the order in which everybody else locks these rows.
MOVERS = (
    payments.bring_nearer,
    orders.bring_nearer,
    refunds.bring_nearer,
    webhooks.bring_nearer,
)
READERS = (orders.waiting_of, payments.waiting_of, refunds.waiting_of, webhooks.waiting_of)
#: Whose pages are to look again where something of a kind came nearer.
NOUNS: Final[Mapping[str, str]] = {
    "checkout_session": "checkout_session",
    "payment_link": "payment_link",
    "held_payment": "payment",
    "payment_confirmation": "payment",
    "refund": "refund",
    "refund_approval": "refund",
    "delivery": "delivery",
}
#: A merchant’s clock is moved by one hand at a time.
_IN_TURN = text("SELECT pg_advisory_xact_lock(hashtextextended('test_clock ' || :merchant, 0))")


def waiting_of(merchant_id: str, *, livemode: bool, limit: int = 0) -> list[Waiting]:
    """Return what of a merchant waits in test mode, by kind; at most `limit` of each by name.

    Raises NoLiveClock in live mode.
    """
    if livemode:
        raise NoLiveClock
    return [one for read in READERS for one in read(merchant_id, limit=limit)]


def advance(merchant_id: str, seconds: int, *, livemode: bool, by: Actor) -> dict[str, int]:
    """Bring every moment that a merchant’s test mode waits for so much nearer, none before now.

    Of each kind the soonest 10,000 at once; what is due by it is done by whoever does it anyway,
    within seconds. Returns how many of each kind came nearer. Raises NoLiveClock in live mode, and
    Invalid naming `seconds`. Not idempotent by itself: the door remembers the form or the key.
    """
    if livemode:
        raise NoLiveClock
    if not 1 <= seconds <= MOST_SECONDS:
        raise Invalid("The clock goes forward by 1 second to 31 days.", param="seconds")
    nearer = dt.timedelta(seconds=seconds)
    with db.transaction():
        db.session.execute(_IN_TURN, {"merchant": merchant_id})
        moved: dict[str, int] = {}
        for bring_nearer in MOVERS:
            moved |= bring_nearer(merchant_id, nearer)
        audit.record(
            ADVANCED,
            "merchant",
            merchant_id,
            by=by,
            data={"seconds": seconds, "moved": moved},
            merchant_id=merchant_id,
            livemode=False,
        )
        _wake(merchant_id, moved)
        return moved


def _wake(merchant_id: str, moved: Mapping[str, int]) -> None:
    """Ring for the sender, and for open pages; the sweeper looks every few seconds by itself."""
    wake.soon(webhooks.WAKE)
    for noun in {NOUNS[kind] for kind, count in moved.items() if count}:
        wake.look(noun, merchant_id, livemode=False)
