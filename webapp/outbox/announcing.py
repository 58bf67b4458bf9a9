"""Facts about what has no states of its own: an audit row that was sealed, a mail that left."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import text

from webapp.kernel import clock, db, ids, wake
from webapp.outbox.service import SYSTEM, WAKE, Actor, consumers_of

_ANNOUNCE = text(
    """
    WITH told AS (
      INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because, actor_kind,
                        actor_id, at)
      SELECT :fact_id, :name, :noun, :subject_id, coalesce(max(version), 0) + 1,
             CAST(:snapshot AS jsonb), :because, :actor_kind, :actor_id, :at
      FROM fact WHERE subject_kind = :noun AND subject_id = :subject_id
    )
    INSERT INTO outbox_due (fact_id, consumer, due_at)
    SELECT :fact_id, consumer, clock_now() FROM unnest(CAST(:consumers AS text[])) AS consumer
    """
)


def announce(
    name: str,
    noun: str,
    subject_id: str,
    snapshot: dict[str, Any],
    *,
    because: str,
    by: Actor = SYSTEM,
) -> None:
    """Write a fact about an object that has no states; a step of a worker's transaction.

    `snapshot` is JSON-able and holds no personal data. The fact belongs to no merchant and no
    person, so that the platform alone sees it. The caller holds the object's row, which gives its
    facts their order.
    """
    db.assert_transaction()
    db.session.execute(
        _ANNOUNCE,
        {
            "fact_id": ids.new("fact"),
            "name": name,
            "noun": noun,
            "subject_id": subject_id,
            "snapshot": json.dumps(snapshot, default=str),
            "because": because,
            "actor_kind": by.kind,
            "actor_id": by.id,
            "at": clock.now(),
            "consumers": list(consumers_of(name)),
        },
    )
    wake.soon(WAKE)
