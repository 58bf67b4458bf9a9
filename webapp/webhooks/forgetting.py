"""Chores: what removed endpoints were still to be sent is let be, and old answers are forgotten."""

from __future__ import annotations

import datetime as dt
from typing import Final

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from webapp.kernel import clock, ids
from webapp.kernel.batches import in_batches
from webapp.webhooks.models import Delivery
from webapp.webhooks.states import DeliveryState

#: What receivers answered is kept for so long; when and with which status they did, for ever.
KEPT: Final = dt.timedelta(days=30)
AT_ONCE: Final = 1_000
LET_BE: Final = "The endpoint was removed."
_OF_REMOVED = text(
    """
    SELECT id FROM delivery WHERE id = ANY (ARRAY(
      (SELECT d.id FROM webhook_endpoint AS e
       JOIN delivery AS d ON d.endpoint_id = e.id AND d.state = 'due'
       WHERE e.status = 'deleted' LIMIT :at_most)
      UNION ALL
      (SELECT d.id FROM delivery AS d JOIN webhook_endpoint AS e ON e.id = d.endpoint_id
       WHERE d.state = 'dead' AND e.status = 'deleted' LIMIT :at_most)))
    LIMIT :at_most FOR UPDATE SKIP LOCKED
    """
)
_FORGET = text(
    """
    UPDATE delivery_attempt SET response_body = '', response_headers = '{}'
    WHERE id = ANY (ARRAY(
      SELECT id FROM delivery_attempt
      WHERE id < :before AND started_at < clock_now() - :kept
        AND (response_body <> '' OR response_headers <> '{}')
      ORDER BY id LIMIT :at_most))
    """
)


def let_removed_be() -> int:
    """Let be what is still on its way to removed endpoints, and what gave up; returns how many."""
    return in_batches(_let_some_be, of=AT_ONCE)


def forget_answers() -> int:
    """Forget the bodies and headers of answers older than 30 days; returns how many."""
    before = ids.seeded("delivery_attempt", int((clock.now() - KEPT).timestamp() * 1000), 0)

    def forget_some(session: Session) -> int:
        found = {"before": before, "kept": KEPT, "at_most": AT_ONCE}
        return int(session.execute(_FORGET, found).rowcount)  # type: ignore[attr-defined]

    return in_batches(forget_some, of=AT_ONCE)


def _let_some_be(session: Session) -> int:
    found = session.scalars(_OF_REMOVED, {"at_most": AT_ONCE}).all()
    session.execute(
        update(Delivery)
        .where(Delivery.id.in_(found))
        .values(
            state=DeliveryState.DISCARDED,
            due_at=None,
            lease_until=None,
            lease_token=None,
            finished_at=clock.now(),
            last_error=LET_BE,
        )
    )
    return len(found)
