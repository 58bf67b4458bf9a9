"""Outcomes as the provider's messages say them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from webapp.gateway import Card, Decline, Outcome, Result
from webapp.kernel.money import Money


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as a message says it."""
    said = asdict(outcome)
    said["result"] = outcome.result.value
    for name in ("amount", "provider_fee"):
        money = getattr(outcome, name)
        said[name] = [money.minor, money.currency] if money is not None else None
    return said


def as_outcome(said: Mapping[str, Any]) -> Outcome:
    """Return the outcome that a message says."""
    fields = dict(said)
    fields["result"] = Result(said["result"])
    for name in ("amount", "provider_fee"):
        fields[name] = Money(*said[name]) if said[name] else None
    fields["decline"] = Decline(**said["decline"]) if said["decline"] else None
    fields["card"] = Card(**said["card"]) if said["card"] else None
    return Outcome(**fields)
