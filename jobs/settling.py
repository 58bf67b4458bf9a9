"""Money set aside goes where it was decided that it goes."""

from __future__ import annotations

from collections.abc import Sequence

from webapp import payments
from webapp.outbox import Fact


def settle(facts: Sequence[Fact]) -> None:
    """Consumer: book money that is to pay an order; what was set aside just now waits."""
    for fact in facts:
        if fact.name == "anomaly.applying":
            payments.settle_decision(fact.subject_id)
