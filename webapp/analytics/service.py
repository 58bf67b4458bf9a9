"""Folding facts into the rollup: one statement, rows in key order, told once by the relay."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert

from webapp.analytics.models import NO_METHOD, Outcome, RollupQuarter, quarter_of
from webapp.kernel import db
from webapp.outbox import Fact

#: The events that the rollup counts, and as what.
OUTCOMES: dict[str, Outcome] = {
    "payment.captured": Outcome.CAPTURED,
    "payment.failed": Outcome.FAILED,
    "payment.expired": Outcome.EXPIRED,
    "payment.cancelled": Outcome.CANCELLED,
    "payment.declined": Outcome.DECLINED_ATTEMPT,
    "refund.succeeded": Outcome.REFUNDED,
}
#: What takes back that a refund went back: the bank returned it.
RETURNED = "refund.failed"
#: Ends that a late success takes back.
TAKEN_BACK = ("payment.failed", "payment.expired", "payment.cancelled")


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


def summed(facts: Iterable[Fact], taken_back: Iterable[Fact] = ()) -> dict[Key, Sum]:
    """Add facts up by row, in the order of the table's key; other events are passed over.

    `taken_back` are ends of payments that were captured after all, and refunds that came back: they
    count as minus one. Money that was set aside was never volume, nor is its refund.
    """
    sums: dict[Key, Sum] = {}
    for sign, told in ((1, facts), (-1, taken_back)):
        for fact in told:
            outcome = OUTCOMES.get(fact.name)
            if outcome is not None and not fact.snapshot.get("anomaly"):
                _count(sums.setdefault(_key(fact, outcome), Sum()), fact, sign)
    return {key: sums[key] for key in sorted(sums)}


def fold(facts: Sequence[Fact]) -> None:
    """Add facts to the rollup, inside the transaction that marks them as told.

    Exactly once, because each fact's due row is deleted in the same transaction; free of deadlock,
    because every caller touches rows in the order of their key.
    """
    db.assert_transaction()
    _add(summed(facts, [*_ends_taken_back(facts), *_refunds_returned(facts)]))


def _count(total: Sum, fact: Fact, sign: int) -> None:
    captured = fact.name == "payment.captured"
    total.count += sign
    total.amount_minor += sign * fact.snapshot["captured" if captured else "amount"]
    total.fee_minor += sign * fact.snapshot["fee"] if captured else 0


def _refunds_returned(facts: Sequence[Fact]) -> Sequence[Fact]:
    """Return of refunds that failed the facts that they had gone back, where they had."""
    failed = {fact.subject_id: fact.version for fact in facts if fact.name == RETURNED}
    if not failed:
        return ()
    wanted = select(Fact).where(
        Fact.subject_kind == "refund", Fact.subject_id.in_(failed), Fact.name == "refund.succeeded"
    )
    return [went for went in db.session.scalars(wanted) if went.version < failed[went.subject_id]]


def _ends_taken_back(facts: Sequence[Fact]) -> Sequence[Fact]:
    before = [
        (fact.subject_id, fact.version - 1)
        for fact in facts
        if fact.name == "payment.captured" and fact.version > 1
    ]
    if not before:
        return ()
    wanted = select(Fact).where(
        Fact.subject_kind == "payment",
        tuple_(Fact.subject_id, Fact.version).in_(before),
        Fact.name.in_(TAKEN_BACK),
    )
    return db.session.scalars(wanted).all()


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


def _key(fact: Fact, outcome: Outcome) -> Key:
    snapshot = fact.snapshot
    return Key(
        merchant_id=str(fact.merchant_id),
        livemode=bool(fact.livemode),
        currency=snapshot["currency"],
        quarter=quarter_of(fact.at),
        outcome=outcome.value,
        method_kind=snapshot.get("method") or snapshot.get("destination") or NO_METHOD,
    )
