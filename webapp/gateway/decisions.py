"""What a person may say of a call that nobody can answer any more, and the answer that this makes.

A decision is kept with the operation; a worker applies it as it applies the provider's answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webapp.gateway.calls import Kind
from webapp.gateway.errors import BadDecision
from webapp.gateway.port import Failure, Outcome, Result
from webapp.kernel.money import Money
from webapp.outbox import Actor

NOT_DONE = "not_done"
MAX_REFERENCE = 100
MAX_BECAUSE = 300


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may have come of a call; `result` is None where nothing was done."""

    name: str
    says: str
    result: Result | None = None
    needs_amount: bool = False
    needs_reference: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person found at the provider: the choice's name, and what its books say.

    `amount` is what the provider took or holds; `reference` is the provider's own id of it.
    """

    choice: str
    because: str
    amount: Money | None = None
    reference: str = ""


_NOTHING = Choice(NOT_DONE, "Nothing was done; the provider knows nothing of it.")
_TAKEN = Choice(
    "taken", "The money was taken.", Result.SUCCEEDED, needs_amount=True, needs_reference=True
)
_HELD = Choice(
    "held",
    "The bank holds the money; it was not taken.",
    Result.AUTHORISED,
    needs_amount=True,
    needs_reference=True,
)
_MADE = Choice("made", "The payment was made ready there.", Result.CREATED, needs_reference=True)
_GIVEN_UP = Choice("cancelled", "It was cancelled there; nothing was taken.", Result.CANCELLED)
_CLOSED = Choice("closed", "The provider’s payment page was closed.", Result.SESSION_EXPIRED)
_REFUNDED = Choice(
    "refunded", "The provider gave the money back.", Result.REFUND_SUCCEEDED, needs_reference=True
)
_ON_ITS_WAY = Choice(
    "pending", "The refund is on its way there.", Result.REFUND_PENDING, needs_reference=True
)

#: What may have come of each kind of call, the safest first.
CHOICES: Mapping[Kind, tuple[Choice, ...]] = {
    Kind.CREATE_INTENT: (_NOTHING, _MADE),
    Kind.CONFIRM: (_NOTHING, _TAKEN, _HELD),
    Kind.CAPTURE: (_NOTHING, _TAKEN),
    Kind.CANCEL: (_NOTHING, _GIVEN_UP),
    Kind.CREATE_SESSION: (_NOTHING, _TAKEN),
    Kind.EXPIRE_SESSION: (_NOTHING, _CLOSED),
    Kind.LOOK_UP: (_NOTHING,),
    Kind.REFUND: (_NOTHING, _REFUNDED, _ON_ITS_WAY),
    Kind.LOOK_UP_REFUND: (_NOTHING,),
}


def choice_of(kind: Kind, name: str) -> Choice:
    """Return the choice of that name for a kind of call; raises BadDecision for any other."""
    for choice in CHOICES[kind]:
        if choice.name == name:
            return choice
    raise BadDecision("Choose what came of the call.", param="choice")


def as_kept(kind: Kind, decision: Decision, by: Actor) -> dict[str, Any]:
    """Return the JSON in which a decision is kept; raises BadDecision when a part is missing."""
    choice = choice_of(kind, decision.choice)
    because, reference = decision.because.strip(), decision.reference.strip()
    if not because:
        raise BadDecision("Say why, in a few words. The reason is kept.", param="because")
    if len(because) > MAX_BECAUSE or len(reference) > MAX_REFERENCE:
        raise BadDecision("That is too long to keep.", param="because")
    if choice.needs_amount and not decision.amount:
        raise BadDecision("Enter the amount that the provider shows.", param="amount")
    if choice.needs_reference and not reference:
        raise BadDecision("Enter the provider’s own reference.", param="reference")
    return {
        "choice": choice.name,
        "because": because,
        "amount_minor": decision.amount.minor if decision.amount else None,
        "currency": decision.amount.currency if decision.amount else None,
        "reference": reference or None,
        "by_kind": by.kind,
        "by_id": by.id,
    }


def answer_of(kind: Kind, request: Mapping[str, Any], kept: Mapping[str, Any]) -> Outcome | Failure:
    """Return the answer that a kept decision stands for."""
    choice = choice_of(kind, kept["choice"])
    if choice.result is None:
        return Failure("decided_not_done", kept["because"])
    reference, amount = kept["reference"], kept["amount_minor"]
    found = Outcome(
        choice.result,
        intent_id=request.get("intent_id"),
        session_id=request.get("session_id"),
        method_id=request.get("method_id"),
        amount=Money(amount, kept["currency"]) if amount is not None else None,
    )
    if kind is Kind.CREATE_INTENT:
        return replace(found, intent_id=reference)
    if kind is Kind.REFUND:
        given_back = Money(request["amount_minor"], request["currency"])
        return replace(found, refund_id=reference, amount=given_back)
    return replace(found, charge_id=reference)
