"""Facts held for a while by whoever tells them over the network, with no transaction open."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, text, update

from webapp.kernel import db
from webapp.outbox.models import NEVER, Due, Fact


def hold(consumer: str, facts: Sequence[Fact], *, until: dt.datetime) -> None:
    """Keep facts that were just taken from others until a moment; then they are due again."""
    db.assert_transaction()
    held = update(Due).where(Due.consumer == consumer, Due.fact_id.in_([one.id for one in facts]))
    db.session.execute(held.values(due_at=until))


def give_back(consumer: str, facts: Sequence[Fact], *, error: str) -> None:
    """Make held facts due as they were, none of them to blame; `error` says what was away."""
    db.assert_transaction()
    db.session.execute(
        update(Due)
        .where(
            Due.consumer == consumer,
            Due.fact_id.in_([one.id for one in facts]),
            Due.fact_id == Fact.id,
            Due.due_at < NEVER,
        )
        .values(due_at=Fact.at, last_error=error[:500])
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Queue:
    """What one consumer is still to be told: how many, how many set aside, since when, why not."""

    waiting: int
    set_aside: int
    oldest_at: dt.datetime | None
    last_error: str | None


_QUEUES = text(
    """
    SELECT due.consumer,
           count(*) FILTER (WHERE due_at < :never) AS waiting,
           count(*) FILTER (WHERE due_at >= :never) AS set_aside,
           (SELECT fact.at FROM fact WHERE fact.id =
              min(due.fact_id) FILTER (WHERE due_at < :never)) AS oldest_at,
           (array_agg(last_error ORDER BY due.fact_id)
              FILTER (WHERE last_error IS NOT NULL))[1] AS last_error
    FROM outbox_due AS due WHERE due.consumer = ANY(:consumers) GROUP BY due.consumer
    """
)


def queues_of(consumers: Sequence[str]) -> dict[str, Queue]:
    """Return by consumer what it is still to be told; those with nothing are not named."""
    rows = db.session.execute(_QUEUES, {"consumers": list(consumers), "never": NEVER})
    return {
        row.consumer: Queue(row.waiting, row.set_aside, row.oldest_at, row.last_error)
        for row in rows
    }


def forget(consumer: str) -> int:
    """Let a consumer that is no more never be told what waits for it; returns how much it was."""
    with db.transaction():
        gone = delete(Due).where(Due.consumer == consumer).returning(Due.fact_id)
        return len(db.session.execute(gone).all())
