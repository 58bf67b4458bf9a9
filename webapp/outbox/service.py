"""Recording moves and facts inside the transaction that they describe, and telling them after."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import structlog
from sqlalchemy import ColumnElement, delete, select, text, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from webapp.kernel import clock, db, ids, wake
from webapp.kernel.db import Id
from webapp.kernel.errors import Conflict
from webapp.kernel.flow import BEGINNING, Flow
from webapp.outbox.models import Due, Fact

WAKE = "facts"
TAKE_AT_MOST = 500


class CannotMove(Conflict):
    """The object is in a state from which that move is not possible."""

    code = "wrong_state"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something: kind is user, merchant_user, admin, provider, api or system."""

    kind: str
    id: str | None = None


SYSTEM = Actor("system")
PROVIDER = Actor("provider")

_routes: dict[str, tuple[str, ...]] = {}

_RECORD = text(
    """
    WITH moved AS (
      INSERT INTO move (id, noun, subject_id, version, source, target, because, actor_kind,
                        actor_id, merchant_id, livemode, user_id, at)
      VALUES (:move_id, :noun, :subject_id, :version, :source, :target, :because, :actor_kind,
              :actor_id, :merchant_id, :livemode, :user_id, :at)
    ), told AS (
      INSERT INTO fact (id, name, subject_kind, subject_id, version, merchant_id, livemode,
                        user_id, snapshot, because, actor_kind, actor_id, at, trace_id)
      VALUES (:fact_id, :name, :noun, :subject_id, :version, :merchant_id, :livemode,
              :user_id, CAST(:snapshot AS jsonb), :because, :actor_kind, :actor_id, :at, :trace_id)
    )
    INSERT INTO outbox_due (fact_id, consumer, due_at)
    SELECT :fact_id, consumer, clock_now() FROM unnest(CAST(:consumers AS text[])) AS consumer
    """
)


def route(routes: Mapping[str, Sequence[str]], *, also: Sequence[str] = ()) -> None:
    """Set which consumers are told of which event; called once at start by the wiring.

    Those in `also` are told of every event that anybody is told of.
    """
    _routes.clear()
    _routes.update({name: (*told, *also) if told else () for name, told in routes.items()})


def consumers_of(name: str) -> tuple[str, ...]:
    """Return who is told of an event."""
    return _routes.get(name, ())


class Moving:
    """An object whose status moves along its class's FLOW, each step with one move and one fact.

    Subclasses are mapped classes with these columns, FLOW, and `snapshot()`.
    """

    FLOW: ClassVar[Flow]

    id: Mapped[str] = mapped_column(Id, primary_key=True)
    status: Mapped[str]
    version: Mapped[int]
    merchant_id: Mapped[str | None] = mapped_column(Id)
    livemode: Mapped[bool | None]
    user_id: Mapped[str | None] = mapped_column(Id)

    def snapshot(self) -> dict[str, Any]:
        """Return what outsiders may know of the object now; JSON-able, no personal data."""
        raise NotImplementedError

    def begin(self, status: str, *, because: str, by: Actor = SYSTEM) -> None:
        """Add a new object in its first state, with its first move and fact."""
        self.status = status
        self.version = 1
        db.session.add(self)
        record(self, BEGINNING, status, because=because, by=by)

    def move_to(self, status: str, *, because: str, by: Actor = SYSTEM) -> None:
        """Move to `status`; raises CannotMove where the graph has no such edge."""
        source = self.status
        if not self.FLOW.allows(source, status):
            raise CannotMove(f"A {self.FLOW.noun} that is {source} cannot become {status}.")
        self.status = status
        self.version += 1
        record(self, source, status, because=because, by=by)

    def can_move_to(self, status: str) -> bool:
        """Whether the graph has a move from here to `status`."""
        return self.FLOW.allows(self.status, status)


def record(subject: Moving, source: str, target: str, *, because: str, by: Actor) -> None:
    """Write the move, its fact, and who is still to be told, in one statement; wakes the relay."""
    db.assert_transaction()
    db.session.flush()
    name = subject.FLOW.event(source, target)
    trace = structlog.contextvars.get_contextvars().get("trace_id")
    db.session.execute(
        _RECORD,
        {
            "move_id": ids.new("move"),
            "fact_id": ids.new("fact"),
            "noun": subject.FLOW.noun,
            "name": name,
            "subject_id": subject.id,
            "version": subject.version,
            "source": source,
            "target": target,
            "because": because,
            "actor_kind": by.kind,
            "actor_id": by.id,
            "merchant_id": subject.merchant_id,
            "livemode": subject.livemode,
            "user_id": subject.user_id,
            "at": clock.now(),
            "snapshot": json.dumps(subject.snapshot(), default=str),
            "trace_id": trace,
            "consumers": list(consumers_of(name)),
        },
    )
    wake.soon(WAKE)


def take_due(
    consumer: str,
    *,
    at_most: int = TAKE_AT_MOST,
    only: str | None = None,
    in_order: bool = False,
) -> list[Fact]:
    """Lock and return the oldest facts that `consumer` is to be told now, skipping taken ones.

    With `only`, nothing but that one. With `in_order`, of each object only the first fact that
    the consumer has not been told: a later one waits, whoever has taken or put off the first.

    Read by row and SKIP LOCKED, never by "id greater than the last seen": ids become visible out
    of order. The caller tells them and calls `told` in the same transaction.
    """
    db.assert_transaction()
    due = (
        select(Due.fact_id)
        .where(Due.consumer == consumer, Due.due_at <= text("clock_now()"))
        .order_by(Due.due_at, Due.fact_id)
        .limit(at_most)
        .with_for_update(skip_locked=True)
    )
    if only is not None:
        due = due.where(Due.fact_id == only)
    if in_order:
        due = due.where(is_next())
    taken = list(db.session.scalars(due))
    if not taken:
        return []
    return list(db.session.scalars(select(Fact).where(Fact.id.in_(taken)).order_by(Fact.id)))


def is_next() -> ColumnElement[bool]:
    """Return the condition that no earlier fact of the same object is due to the same consumer.

    It asks for rows, not for locks: what another relay has taken is there until it was told. Facts
    of one object become visible in the order of their versions, so none can turn up in between.
    """
    this, before, waiting = aliased(Fact), aliased(Fact), aliased(Due)
    earlier = (
        select(waiting.fact_id)
        .join(before, before.id == waiting.fact_id)
        .join(
            this,
            (this.subject_kind == before.subject_kind)
            & (this.subject_id == before.subject_id)
            & (this.version > before.version),
        )
        .where(this.id == Due.fact_id, waiting.consumer == Due.consumer)
        .correlate(Due)
    )
    return ~earlier.exists()


def told(consumer: str, facts: Sequence[Fact]) -> None:
    """Delete the due rows of facts that `consumer` has been told."""
    db.assert_transaction()
    db.session.execute(
        delete(Due).where(Due.consumer == consumer, Due.fact_id.in_([fact.id for fact in facts]))
    )


def put_off(consumer: str, fact_id: str, *, until: dt.datetime, error: str) -> None:
    """Note that telling one fact failed, and when to try again."""
    db.assert_transaction()
    db.session.execute(
        update(Due)
        .where(Due.consumer == consumer, Due.fact_id == fact_id)
        .values(due_at=until, tries=Due.tries + 1, claims=0, last_error=error[:500])
    )
