"""What a person does with a dead letter; each is written to the audit trail with who did it."""

from __future__ import annotations

from typing import Any

from webapp import audit, gateway, notifications, outbox, webhooks
from webapp.dead_letters.errors import LetterNotFound, NotLikeThis
from webapp.dead_letters.models import Letter, LetterKind
from webapp.dead_letters.queries import letter, letters_like
from webapp.gateway import Decision
from webapp.kernel import crypto, db
from webapp.kernel.errors import Conflict, Invalid, NotFound
from webapp.outbox import Actor

#: How many letters one click takes up again at most.
AT_ONCE = 500
MAX_BECAUSE = 300
#: A fact's letter is named `fact_<26 characters>_<consumer>`.
FACT_ID_LENGTH = len("fact_") + 26


def retry(kind: LetterKind, letter_id: str, *, by: Actor) -> None:
    """Have the workers take one letter up again; raises LetterNotFound when it is none any more.

    A call is sent again only while the provider surely remembers its key; later it is looked up.
    """
    with db.transaction():
        found = letter(kind, letter_id)
        _take_up(found)
        _note("dead_letter.retried", found, by, {})


def retry_like(kind: LetterKind, letter_id: str, *, by: Actor) -> int:
    """Have all letters like this one taken up again, at most 500; returns how many were.

    One that somebody else deals with at the same moment is left to them.
    """
    with db.transaction():
        alike = letters_like(letter(kind, letter_id), at_most=AT_ONCE)
    return sum(_retry_if_still(one, by) for one in alike)


def discard(
    kind: LetterKind,
    letter_id: str,
    *,
    because: str,
    by: Actor,
    decision: Decision | None = None,
) -> bool:
    """Let a letter be, for a reason that is kept; raises LetterNotFound when it is none any more.

    A call moves money, so it cannot simply be dropped: `decision` says what a person found came of
    it; a worker looks it up and applies the provider's answer, or else that. Returns False where
    the decision waits for a second admin first. Raises NotLikeThis for a call without one, or
    anything else with one, and Invalid without a reason.
    """
    reason = _checked(because)
    if (decision is not None) is not (kind is LetterKind.CALL):
        raise NotLikeThis
    with db.transaction():
        found = letter(kind, letter_id)
        data: dict[str, Any] = {"because": reason}
        is_final = True
        if decision is not None:
            is_final = gateway.operations.decide(found.id, decision, by=by)
            data |= _decided(decision)
        else:
            _let_be(found, reason)
        _note("dead_letter.discarded" if is_final else "dead_letter.proposed", found, by, data)
        return is_final


def confirm(letter_id: str, *, by: Actor, version: str | None = None) -> None:
    """Sign another admin's decision about a call, as the one of that `version` if given.

    Raises LetterNotFound, NothingToConfirm when there is no such decision, and SameSigner.
    """
    with db.transaction():
        found = letter(LetterKind.CALL, letter_id)
        gateway.operations.confirm(found.id, by=by, version=version)
        _note("dead_letter.confirmed", found, by, {})


def _take_up(found: Letter) -> None:
    match found.kind:
        case LetterKind.CALL:
            gateway.operations.look_again(found.id)
        case LetterKind.EVENT:
            if not gateway.inbox.retry(found.id):
                raise LetterNotFound
        case LetterKind.FACT:
            outbox.tell_again(*_consumer_and_fact(found.id))
        case LetterKind.MAIL:
            notifications.send_again(found.id)
        case LetterKind.DELIVERY:
            webhooks.retry_dead(found.id)


def _let_be(found: Letter, because: str) -> None:
    match found.kind:
        case LetterKind.EVENT:
            if not gateway.inbox.discard(found.id, because=because):
                raise LetterNotFound
        case LetterKind.FACT:
            outbox.never_tell(*_consumer_and_fact(found.id))
        case LetterKind.DELIVERY:
            webhooks.discard_dead(found.id)
        case _:
            notifications.discard_mail(found.id)


def _retry_if_still(one: Letter, by: Actor) -> bool:
    try:
        retry(one.kind, one.id, by=by)
    except (NotFound, Conflict):
        return False
    return True


def _consumer_and_fact(letter_id: str) -> tuple[str, str]:
    return letter_id[FACT_ID_LENGTH + 1 :], letter_id[:FACT_ID_LENGTH]


def _checked(because: str) -> str:
    reason = because.strip()
    if not reason:
        raise Invalid("Say why, in a few words. The reason is kept.", param="because")
    if len(reason) > MAX_BECAUSE:
        raise Invalid(f"Keep the reason to {MAX_BECAUSE} characters.", param="because")
    if crypto.looks_like_card_number(reason):
        raise Invalid("Leave card numbers out: the reason is kept for good.", param="because")
    return reason


def _decided(decision: Decision) -> dict[str, Any]:
    amount = decision.amount
    return {
        "choice": decision.choice,
        "amount_minor": amount.minor if amount else None,
        "currency": amount.currency if amount else None,
        "reference": decision.reference,
    }


def _note(action: str, found: Letter, by: Actor, data: dict[str, Any]) -> None:
    data = {"kind": found.kind.value, "what": found.what, "reason": found.reason, **data}
    audit.record(
        action,
        "dead_letter",
        found.id,
        by=by,
        data=data,
        merchant_id=found.merchant_id,
        livemode=found.livemode,
    )
