"""Working off what is due: claim, let go of the database, post, write down; and what follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import structlog
from sqlalchemy import text

from webapp.kernel import db
from webapp.kernel.errors import NotFound
from webapp.outbox import SYSTEM
from webapp.webhooks import claims, endpoints, policy
from webapp.webhooks.claims import Parcel, Result
from webapp.webhooks.transport import Transport

_log = structlog.get_logger(__name__)
AT_MOST: Final = 100
_DUE = text(
    """
    SELECT EXISTS (SELECT FROM delivery AS d JOIN webhook_endpoint AS e ON e.id = d.endpoint_id
      LEFT JOIN webhook_health AS h ON h.endpoint_id = e.id
      WHERE d.state = 'due' AND d.due_at <= clock_now() AND e.status = 'enabled'
        AND (d.lease_until IS NULL OR d.lease_until <= clock_now())
        AND (h.open_until IS NULL OR h.open_until <= clock_now()))
    """
)


class Context(Protocol):
    """What a drain needs of its process: named points where a test may stop it."""

    def hook(self, name: str) -> None:
        """Stand at a named point."""


def take(at_most: int, *, slow_at_most: int) -> list[Parcel]:
    """Claim what is to be posted now; the claims hold for a minute."""
    with db.transaction(db.WORKER):
        return claims.take(at_most, slow_at_most=slow_at_most)


def settle(results: Sequence[Result]) -> list[Result]:
    """Write down what came of some tries; returns those after which `switch_off` is to be asked."""
    with db.transaction(db.WORKER):
        return claims.close(results)


def switch_off(result: Result) -> None:
    """Switch an endpoint off that has answered that it is gone, or is given up; repeatable.

    What was posted to an address that the endpoint has left says nothing of the new one.
    """
    parcel, answer = result
    with db.transaction(db.WORKER):
        reason = policy.IT_IS_GONE if answer.status == policy.GONE else None
        if reason is None and claims.failing_for(parcel.endpoint_id) >= policy.GIVEN_UP_AFTER:
            reason = policy.NOTHING_ARRIVED
    if reason is None:
        return
    endpoint_id, url = parcel.endpoint_id, parcel.request.url
    try:
        with db.transaction(db.WORKER):
            endpoints.disable(endpoint_id, because=reason, by=SYSTEM, url=url)
    except NotFound:
        _log.info("endpoint_gone", endpoint_id=endpoint_id)


def drain(transport: Transport, context: Context, *, at_most: int = AT_MOST) -> int:
    """Make the tries that are due, one after the other; returns how many.

    For one process by itself; the sender posts many at once with `take` and `settle`.
    """
    made = 0
    while made < at_most and (parcels := take(1, slow_at_most=1)):
        for parcel in parcels:
            context.hook("webhook claimed")
            db.assert_no_transaction()
            answer = transport.post(parcel.request)
            context.hook("webhook posted")
            for failed in settle([(parcel, answer)]):
                switch_off(failed)
            made += 1
    return made


def is_due() -> bool:
    """Whether a try waits to be made now."""
    found = bool(db.session.scalar(_DUE))
    db.end_reads()
    return found
