"""Chores: what removed endpoints were still to be sent is let be, and old answers are forgotten."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final

from sqlalchemy import text, update

from webapp.kernel import clock, db, ids
from webapp.webhooks.models import Delivery
from webapp.webhooks.states import DeliveryState

#: What receivers answered is kept for so long; when and with which status they did, for ever.
KEPT: Final = dt.timedelta(days=30)
AT_ONCE: Final = 1_000
#: So many statements a chore makes at most before others have their turn.
ROUNDS: Final = 50
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
      WHERE id < :before AND started_at < :ends
        AND (response_body <> '' OR response_headers <> '{}')
      ORDER BY id LIMIT :at_most))
    """
)


def let_removed_be() -> int:
    """Let be what is still on its way to removed endpoints, and what gave up; returns how many."""
    return _in_rounds(_let_some_be)


def forget_answers() -> int:
    """Forget the bodies and headers of answers older than 30 days; returns how many."""
    ends = clock.now() - KEPT
    before = ids.seeded("delivery_attempt", int(ends.timestamp() * 1000), 0)

    def forget_some() -> int:
        found = {"before": before, "ends": ends, "at_most": AT_ONCE}
        return int(db.session.execute(_FORGET, found).rowcount)  # type: ignore[attr-defined]

    return _in_rounds(forget_some)


def _let_some_be() -> int:
    found = db.session.scalars(_OF_REMOVED, {"at_most": AT_ONCE}).all()
    db.session.execute(
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


def _in_rounds(do: Callable[[], int]) -> int:
    done = 0
    for _ in range(ROUNDS):
        with db.transaction(db.WORKER):
            count = do()
        done += count
        if count < AT_ONCE:
            break
    return done
