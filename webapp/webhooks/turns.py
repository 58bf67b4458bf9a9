"""Whose turn it is at the sender: who is looked at by a claim, and who was last given a turn.

An endpoint is awake while something may be sent there now, and asleep otherwise until the moment
of its next try. Triggers ring where a delivery is written or comes due earlier, so that a ring is
there just when what it tells of is: nobody who rings waits for a claim, and no claim for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import RowMapping, text

from webapp.kernel import db

#: One claimer at a time, so that the limits hold and turns are taken with several senders.
_ALONE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('webhook_claim', 0))")
_WAKE: Final = text(
    """
    WITH rung AS (DELETE FROM webhook_ring RETURNING endpoint_id)
    INSERT INTO webhook_turn (endpoint_id, merchant_id, number, wakes_at)
    SELECT id, merchant_id, 0, '-infinity' FROM webhook_endpoint
    WHERE id IN (SELECT endpoint_id FROM rung)
    ON CONFLICT (endpoint_id) DO UPDATE SET wakes_at = excluded.wakes_at
    """
)
_AWAKE: Final = text("SELECT endpoint_id FROM webhook_turn WHERE wakes_at <= (SELECT clock_now())")
_PASS: Final = text(
    """
    UPDATE webhook_turn AS t SET number = told.number
    FROM unnest(CAST(:endpoints AS text[]), CAST(:numbers AS bigint[])) AS told (id, number)
    WHERE t.endpoint_id = told.id
    """
)
#: What is in flight was due before, so that its endpoint stays awake.
_SLEEP: Final = text(
    """
    UPDATE webhook_turn AS t SET wakes_at = next.at FROM (
      SELECT e.id, CASE WHEN e.status <> 'enabled' THEN 'infinity' ELSE greatest(
        h.open_until, coalesce((SELECT min(due_at) FROM delivery
          WHERE endpoint_id = e.id AND state = 'due'), 'infinity')) END AS at
      FROM webhook_endpoint AS e LEFT JOIN webhook_health AS h ON h.endpoint_id = e.id
      WHERE e.id = ANY(:awake) OFFSET 0) AS next
    WHERE t.endpoint_id = next.id AND next.at > (SELECT clock_now())
    """
)


def begin() -> list[str]:
    """Keep other claimers out and wake whoever rang (a step); returns the endpoints awake."""
    db.assert_transaction()
    db.session.execute(_ALONE)
    db.session.execute(_WAKE)
    return list(db.session.scalars(_AWAKE))


def end(awake: Sequence[str], claimed: Iterable[RowMapping]) -> None:
    """Note whose turn it was, and let those sleep to whom nothing can be sent now (a step).

    Of each claimed delivery `endpoint_id` and `lease_token` are read.
    """
    numbers: dict[str, int] = {}
    for row in claimed:
        endpoint_id = row["endpoint_id"]
        numbers[endpoint_id] = max(row["lease_token"], numbers.get(endpoint_id, 0))
    if numbers:
        told = {"endpoints": list(numbers), "numbers": list(numbers.values())}
        db.session.execute(_PASS, told)
    db.session.execute(_SLEEP, {"awake": awake})
