"""What other rooms prove of themselves, asked in one way: hashes, figures, the audit trail."""

from __future__ import annotations

from webapp import analytics, audit, payments
from webapp.analytics import Difference
from webapp.kernel import db
from webapp.kernel.proof import Finding, Found, some_of


def altered_records() -> Found:
    """Find payments whose record does not carry the hash that it must."""
    altered = payments.altered_records()
    db.session.expire_all()
    return some_of([Finding(payment_id, "was altered") for payment_id in altered])


def figures_and_facts() -> Found:
    """Find where the merchants' figures are not the sum of the facts that were told."""
    return _differences(analytics.compare_with_facts())


def figures_and_books() -> Found:
    """Find where the merchants' figures and the ledger disagree."""
    return _differences(analytics.compare_with_ledger())


def broken_seals() -> Found:
    """Find the first act of the audit trail that is not as it was sealed."""
    trail = audit.verify()
    return some_of([] if trail.ok else [Finding("audit", trail.says)])


def _differences(differences: list[Difference]) -> Found:
    return some_of(
        [
            Finding(
                one.merchant_id,
                f"{one.currency} {one.what}: {one.rollup}, by its source {one.source}",
            )
            for one in differences
        ]
    )
