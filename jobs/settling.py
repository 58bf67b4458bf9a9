"""Money set aside goes where it should: back by policy, or to the order that was decided on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from flask import current_app

from webapp import payments, refunds
from webapp.outbox import SYSTEM, Fact

REFUND = "REFUND"


def settle(facts: Sequence[Fact]) -> None:
    """Consumer: book what was decided, and send back what nobody asked for where policy says so."""
    for fact in facts:
        DOINGS[fact.name](fact)


def _opened(fact: Fact) -> None:
    if current_app.extensions["paydeck_settings"].late_success == REFUND:
        give_back(fact.subject_id)


def _decided(fact: Fact) -> None:
    payments.settle_decision(fact.subject_id)


def give_back(anomaly_id: str) -> None:
    """Send money set aside back where nobody asked for it; what people may want waits for them."""
    waiting = payments.anomaly(anomaly_id)
    if waiting.status == "open" and waiting.kind in payments.UNWANTED:
        refunds.refund_set_aside(anomaly_id, by=SYSTEM)


DOINGS: Mapping[str, Callable[[Fact], None]] = {
    "anomaly.opened": _opened,
    "anomaly.applying": _decided,
}
