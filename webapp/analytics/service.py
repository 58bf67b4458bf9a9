"""Folding facts into the rollup: one statement, rows in key order, told once by the relay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

from sqlalchemy.dialects.postgresql import insert

from webapp.analytics.models import NO_METHOD, Outcome, RollupQuarter, quarter_of
from webapp.kernel import db

#: The events that the rollup counts, and as what.
OUTCOMES: dict[str, Outcome] = {
    "payment.captured": Outcome.CAPTURED,
    "payment.failed": Outcome.FAILED,
    "payment.expired": Outcome.EXPIRED,
    "payment.cancelled": Outcome.CANCELLED,
    "payment.declined": Outcome.DECLINED_ATTEMPT,
}


class Telling(Protocol):
    """What the fold reads of a fact."""

    @property
    def name(self) -> str:
        """The event's name."""

    @property
    def merchant_id(self) -> str | None:
        """Whose payment it is."""

    @property
    def livemode(self) -> bool | None:
        """Whether real money moves."""

    @property
    def at(self) -> dt.datetime:
        """When it happened."""

    @property
    def snapshot(self) -> Mapping[str, Any]:
        """The payment's public fields at that version."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What one row of the rollup is about; sorts as the table's primary key does."""

    merchant_id: str
    livemode: bool
    currency: str
    quarter: dt.datetime
    outcome: str
    method_kind: str


@dataclass(slots=True)
class Sum:
    """What is added to one row."""

    count: int = 0
    amount_minor: int = 0
    fee_minor: int = 0


def summed(facts: Iterable[Telling]) -> dict[Key, Sum]:
    """Add facts up by row, in the order of the table's key; other events are passed over."""
    sums: dict[Key, Sum] = {}
    for fact in facts:
        outcome = OUTCOMES.get(fact.name)
        if outcome is None:
            continue
        total = sums.setdefault(_key(fact, outcome), Sum())
        total.count += 1
        if outcome is Outcome.CAPTURED:
            total.amount_minor += fact.snapshot["captured_minor"]
            total.fee_minor += fact.snapshot["fee_minor"]
        else:
            total.amount_minor += fact.snapshot["amount_minor"]
    return {key: sums[key] for key in sorted(sums)}


def fold(facts: Iterable[Telling]) -> None:
    """Add payment facts to the rollup, inside the transaction that marks them as told.

    Exactly once, because each fact's due row is deleted in the same transaction; free of deadlock,
    because every caller touches rows in the order of their key.
    """
    db.assert_transaction()
    _add(summed(facts))


def _add(sums: Mapping[Key, Sum]) -> None:
    if not sums:
        return
    rows = [asdict(key) | asdict(add) for key, add in sums.items()]
    statement = insert(RollupQuarter).values(rows)
    added = {
        name: getattr(RollupQuarter, name) + getattr(statement.excluded, name)
        for name in ("count", "amount_minor", "fee_minor")
    }
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=[field.name for field in fields(Key)], set_=added
        )
    )


def _key(fact: Telling, outcome: Outcome) -> Key:
    snapshot = fact.snapshot
    return Key(
        merchant_id=str(fact.merchant_id),
        livemode=bool(fact.livemode),
        currency=snapshot["currency"],
        quarter=quarter_of(fact.at),
        outcome=outcome.value,
        method_kind=snapshot.get("method_kind") or NO_METHOD,
    )
