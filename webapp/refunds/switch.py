"""The one switch that stops every refund from leaving, for as long as a person says."""

from __future__ import annotations

from sqlalchemy import select, update

from webapp import audit
from webapp.kernel import clock, db
from webapp.kernel.errors import Invalid
from webapp.outbox import Actor
from webapp.refunds.models import Freeze

LONGEST = 500


def frozen() -> Freeze | None:
    """Return since when, why and by whom refunds are frozen, or None while they may leave."""
    wanted = select(Freeze).where(Freeze.frozen_at.is_not(None))
    return db.session.scalar(wanted.execution_options(populate_existing=True))


def freeze(*, because: str, by: Actor) -> Freeze:
    """Let no refund leave from now on; what the provider was asked for is not called back.

    Refunds whose call was never made wait too, as in an outage, and of those that may have left
    we only ask. Waits for those that are leaving this moment. Freezing twice keeps the first
    reason.
    """
    said = because.strip()[:LONGEST]
    if not said:
        raise Invalid("Say why, for the record.", param="because")
    with db.transaction():
        changed = (
            update(Freeze)
            .where(Freeze.frozen_at.is_(None))
            .values(frozen_at=clock.now(), because=said, by_kind=by.kind, by_id=by.id)
            .returning(Freeze.only_row)
        )
        if db.session.scalar(changed):
            audit.record("refunds.frozen", "refunds", "refunds", by=by, data={"because": said})
        return db.session.scalars(select(Freeze).execution_options(populate_existing=True)).one()


def unfreeze(*, by: Actor) -> None:
    """Let refunds leave again; calling it twice changes nothing."""
    with db.transaction():
        changed = (
            update(Freeze)
            .where(Freeze.frozen_at.is_not(None))
            .values(frozen_at=None, because="", by_kind=by.kind, by_id=by.id)
            .returning(Freeze.only_row)
        )
        if db.session.scalar(changed):
            audit.record("refunds.unfrozen", "refunds", "refunds", by=by)
