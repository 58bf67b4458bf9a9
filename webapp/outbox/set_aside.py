"""Facts that a consumer could not take: counted while their telling may kill, then set aside."""

from __future__ import annotations

from sqlalchemy import delete, func, select, text, update

from webapp.kernel import db, wake
from webapp.kernel.errors import NotFound
from webapp.outbox.models import NEVER, Due
from webapp.outbox.service import WAKE, is_next

#: What was told so often without any outcome is set aside: it may be what ends its tellers.
CLAIMS_AT_MOST = 3
ENDED_TELLERS = "ended its teller each time"


def claim_one(consumer: str, *, in_order: bool = False) -> str | None:
    """Count one more telling of the oldest fact that `consumer` is due, and return its id.

    `in_order` as for `take_due`. A fact that was counted three times, and neither told nor put off
    since, is set aside instead. Returns None when nothing is due. To be committed before the fact
    is told.
    """
    db.assert_transaction()
    due = (
        select(Due)
        .where(Due.consumer == consumer, Due.due_at <= text("clock_now()"))
        .order_by(Due.due_at, Due.fact_id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if in_order:
        due = due.where(is_next())
    while (found := db.session.scalar(due)) is not None:
        if found.claims < CLAIMS_AT_MOST:
            found.claims += 1
            return found.fact_id
        found.due_at, found.last_error = NEVER, ENDED_TELLERS
        db.session.flush()
    return None


def forgive(consumer: str, fact_id: str) -> None:
    """Take one count back: nothing was told, and not for anything in the fact."""
    db.assert_transaction()
    counted = update(Due).where(Due.consumer == consumer, Due.fact_id == fact_id, Due.claims > 0)
    db.session.execute(counted.values(claims=Due.claims - 1))


def tell_again(consumer: str, fact_id: str) -> None:
    """Have a fact that was set aside told again; a step of an admin's transaction.

    Raises NotFound when it is not set aside (any more).
    """
    db.assert_transaction()
    again = update(Due).where(Due.consumer == consumer, Due.fact_id == fact_id, Due.due_at == NEVER)
    found = again.values(due_at=func.clock_now(), tries=0, claims=0).returning(Due.fact_id)
    if db.session.scalar(found) is None:
        raise NotFound
    wake.soon(WAKE)


def never_tell(consumer: str, fact_id: str) -> None:
    """Let a consumer never be told of a fact that was set aside; the fact itself stays for ever.

    A step of an admin's transaction. Raises NotFound when it is not set aside (any more).
    """
    db.assert_transaction()
    gone = delete(Due).where(Due.consumer == consumer, Due.fact_id == fact_id, Due.due_at == NEVER)
    if db.session.scalar(gone.returning(Due.fact_id)) is None:
        raise NotFound
