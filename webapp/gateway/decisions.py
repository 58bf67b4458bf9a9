"""What a person may say of a call that nobody can answer any more, and the answer that this makes.

A decision is kept with the operation. A worker asks the provider first: an answer that settles the
call wins over what a person says. What books money needs the signatures of two.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from webapp.gateway.calls import Kind
from webapp.gateway.errors import BadDecision, NothingToConfirm, SameSigner
from webapp.gateway.port import Failure, Outcome, Result
from webapp.kernel import clock, crypto
from webapp.kernel.money import Money
from webapp.outbox import Actor

NOT_DONE = "not_done"
MAX_REFERENCE = 100
MAX_BECAUSE = 300
#: How long the provider is asked about a decided call before two signatures count without it.
PATIENCE = dt.timedelta(minutes=10)
_BOOKS = frozenset(
    {Result.SUCCEEDED, Result.AUTHORISED, Result.REFUND_SUCCEEDED, Result.REFUND_PENDING}
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that may have come of a call; `result` is None where nothing was done."""

    name: str
    says: str
    result: Result | None = None
    needs_amount: bool = False
    needs_reference: bool = False

    @property
    def books(self) -> bool:
        """Whether it says that money moved, so that a second admin has to sign it."""
        return self.result in _BOOKS


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person found at the provider: the choice's name, and what its books say.

    `amount` is what the provider took or holds; `reference` is the provider's own id of it.
    """

    choice: str
    because: str
    amount: Money | None = None
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision that waits for a second admin; `version` changes with every new proposal."""

    choice: Choice
    because: str
    amount: Money | None
    reference: str
    by_kind: str
    by_id: str | None
    version: str


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


def as_kept(
    kind: Kind, decision: Decision, by: Actor, *, needs_second: bool = False
) -> dict[str, Any]:
    """Return the JSON in which a decision is kept; raises BadDecision when a part is missing.

    What books money needs a second signature, and anything else where `needs_second` says so.
    """
    choice = choice_of(kind, decision.choice)
    because, reference = decision.because.strip(), decision.reference.strip()
    if not because:
        raise BadDecision("Say why, in a few words. The reason is kept.", param="because")
    if len(because) > MAX_BECAUSE or len(reference) > MAX_REFERENCE:
        raise BadDecision("That is too long to keep.", param="because")
    if crypto.looks_like_card_number(because) or crypto.looks_like_card_number(reference):
        raise BadDecision("Leave card numbers out: this is kept for good.", param="because")
    if choice.needs_amount and not decision.amount:
        raise BadDecision("Enter the amount that the provider shows.", param="amount")
    if choice.needs_reference and not reference:
        raise BadDecision("Enter the provider’s own reference.", param="reference")
    if kind is Kind.CREATE_SESSION and choice.books and not reference.startswith("pi_"):
        raise BadDecision("Enter the payment’s reference, pi_….", param="reference")
    return {
        "choice": choice.name,
        "because": because,
        "amount_minor": decision.amount.minor if decision.amount else None,
        "currency": decision.amount.currency if decision.amount else None,
        "reference": reference or None,
        "by_kind": by.kind,
        "by_id": by.id,
        "at": clock.now().isoformat(),
        "needs_second": needs_second or choice.books,
    }


def waits_for_second(kept: Mapping[str, Any] | None) -> bool:
    """Whether a kept decision is a proposal that nobody has confirmed."""
    return kept is not None and bool(kept.get("needs_second")) and not is_signed_twice(kept)


def is_signed_twice(kept: Mapping[str, Any]) -> bool:
    """Whether a second admin has confirmed a kept decision."""
    return kept.get("confirmed_by_id") is not None


def is_past_patience(kept: Mapping[str, Any]) -> bool:
    """Whether the provider has had its time to answer since a decision was last signed."""
    signed_at = dt.datetime.fromisoformat(kept.get("confirmed_at") or kept["at"])
    return clock.now() >= signed_at + PATIENCE


def confirmed(kept: Mapping[str, Any] | None, by: Actor, *, version: str | None) -> dict[str, Any]:
    """Return a proposal with the second signature.

    Raises NothingToConfirm when there is none, or another than the one of that version, and
    SameSigner to whom made it.
    """
    if kept is None or not waits_for_second(kept) or version not in {None, kept["at"]}:
        raise NothingToConfirm
    if by.id is None or by.id == kept["by_id"]:
        raise SameSigner
    signed = {"confirmed_by_id": by.id, "confirmed_at": clock.now().isoformat()}
    return {**kept, **signed}


def proposal_in(kind: Kind, kept: Mapping[str, Any] | None) -> Proposal | None:
    """Return the proposal that a kept decision is, or None."""
    if kept is None or not waits_for_second(kept):
        return None
    amount = kept["amount_minor"]
    return Proposal(
        choice=choice_of(kind, kept["choice"]),
        because=kept["because"],
        amount=Money(amount, kept["currency"]) if amount is not None else None,
        reference=kept["reference"] or "",
        by_kind=kept["by_kind"],
        by_id=kept["by_id"],
        version=kept["at"],
    )


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
    if kind in {Kind.CREATE_INTENT, Kind.CREATE_SESSION}:
        return replace(found, intent_id=reference)
    if kind is Kind.REFUND:
        given_back = Money(request["amount_minor"], request["currency"])
        return replace(found, refund_id=reference, amount=given_back)
    return replace(found, charge_id=reference)
