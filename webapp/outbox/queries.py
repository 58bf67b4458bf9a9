"""Reads of moves, facts and what waits."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from sqlalchemy import func, select

from webapp.kernel import db
from webapp.outbox.models import NEVER, Due, Fact, Move


def moves_of(noun: str, *subject_ids: str) -> Sequence[Move]:
    """Return the moves of one object, or of several of a kind, each one's oldest first."""
    if not subject_ids:
        return []
    wanted = select(Move).where(Move.noun == noun, Move.subject_id.in_(subject_ids))
    return db.session.scalars(wanted.order_by(Move.subject_id, Move.version)).all()


def facts_about(subject_kind: str, subject_id: str) -> Sequence[Fact]:
    """Return the facts about an object, oldest first."""
    wanted = select(Fact).where(Fact.subject_kind == subject_kind, Fact.subject_id == subject_id)
    return db.session.scalars(wanted.order_by(Fact.version)).all()


def waiting_counts() -> dict[str, int]:
    """Return how many facts each consumer is still to be told; those set aside do not count."""
    counts = select(Due.consumer, func.count()).where(Due.due_at < NEVER)
    return {row[0]: row[1] for row in db.session.execute(counts.group_by(Due.consumer))}


def oldest_waiting() -> dt.datetime | None:
    """Return since when the longest-waiting fact has been due, or None."""
    return db.session.scalar(select(func.min(Due.due_at)).where(Due.due_at < NEVER))
