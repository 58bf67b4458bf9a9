"""The platform's figures: all merchants together, for admins."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select

from webapp.analytics.models import Outcome, RollupQuarter
from webapp.kernel import db
from webapp.kernel.money import Money


@dataclass(frozen=True, slots=True)
class MethodTotals:
    """What came of payments of one currency and method; `method` is `none` where none was used."""

    currency: str
    method: str
    volume: Money
    fees: Money
    captured: int
    failed: int


def platform_totals(
    since: dt.datetime, until: dt.datetime, *, livemode: bool
) -> list[MethodTotals]:
    """Return the sums of all merchants by currency and method: since <= ended < until."""
    taken = RollupQuarter.outcome == Outcome.CAPTURED.value
    failed = RollupQuarter.outcome == Outcome.FAILED.value
    wanted = (
        select(
            RollupQuarter.currency,
            RollupQuarter.method_kind,
            func.coalesce(func.sum(RollupQuarter.amount_minor).filter(taken), 0),
            func.coalesce(func.sum(RollupQuarter.fee_minor).filter(taken), 0),
            func.coalesce(func.sum(RollupQuarter.count).filter(taken), 0),
            func.coalesce(func.sum(RollupQuarter.count).filter(failed), 0),
        )
        .where(
            RollupQuarter.livemode == livemode,
            RollupQuarter.outcome != Outcome.REFUNDED.value,
            RollupQuarter.quarter >= since,
            RollupQuarter.quarter < until,
        )
        .group_by(RollupQuarter.currency, RollupQuarter.method_kind)
        .order_by(RollupQuarter.currency, RollupQuarter.method_kind)
    )
    return [
        MethodTotals(
            currency,
            method,
            Money(int(volume), currency),
            Money(int(fees), currency),
            int(captured),
            int(failures),
        )
        for currency, method, volume, fees, captured, failures in db.session.execute(wanted)
    ]
