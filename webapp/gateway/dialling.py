"""One claimed operation put to its provider: send it, look before sending again, or only look.

What a person decided is looked up too, and their word counts for what the provider leaves open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from webapp.gateway import decisions, policy
from webapp.gateway.calls import (
    Call,
    Cancel,
    Capture,
    Confirm,
    CreateSession,
    ExpireSession,
    Kind,
    LookUp,
    LookUpRefund,
    Refund,
)
from webapp.gateway.claims import Claim, Operation
from webapp.gateway.errors import NeedsPerson, ProviderError, Refused, UnknownOutcome
from webapp.gateway.port import CallKey, Failure, Outcome, Provider, Result
from webapp.kernel import db
from webapp.kernel.crypto import CannotOpen

#: What moves no money, and so may be asked again at any time.
QUESTIONS = frozenset({Kind.LOOK_UP, Kind.LOOK_UP_REFUND})
NOT_FOUND = "not_found"
#: By how much the provider's clock may be behind ours.
CLOCKS_DIFFER = dt.timedelta(minutes=5)
#: Why a call cannot even be asked about from here.
UNASKABLE = frozenset({"other_mode", "unreadable_request"})
_log = structlog.get_logger(__name__)


def dial(provider: Provider, claim: Claim) -> Outcome | Failure:
    """Return the provider's definite answer; raises Unreachable, UnknownOutcome or NeedsPerson.

    Whatever was perhaps sent before is sent again with the same key, which has one effect. Where
    the answer was lost repeatedly we look first, since a provider may repeat a lost answer as an
    error for as long as it knows the key. Once it may have forgotten the key we only look, and so
    we do with refunds that perhaps have not left while they are frozen.
    """
    db.assert_no_transaction()
    operation = claim.operation
    call = _readable(provider, claim)
    key = CallKey(operation.id, operation.subject_id)
    if operation.kind not in QUESTIONS:
        must_look = claim.is_late or claim.is_held
        if must_look or (not claim.is_first and claim.tries >= policy.LOOK_FIRST_AFTER_TRIES):
            found = _look(provider, operation, call)
            if found is not None:
                return found
            if claim.is_late:
                raise NeedsPerson("still_in_doubt", "the provider's key is too old to send again")
            if claim.is_held:
                raise UnknownOutcome("refunds_frozen", "it is not sent while refunds are frozen")
    try:
        return _send(provider, operation.kind)(key, call)
    except Refused as refused:
        _log.warning("provider_refused", operation=operation.id, reason=refused.code)
        return Failure(refused.code, str(refused)[:500])


def weigh(provider: Provider, claim: Claim, kept: Mapping[str, Any]) -> Outcome | Failure:
    """Return the answer to a call that a person decided: the provider's where it settles the call.

    Otherwise the person's, if what the provider shows leaves room for it. Without an answer only
    two signatures count, after ten minutes of asking. Raises as `dial` does.
    """
    db.assert_no_transaction()
    operation = claim.operation
    word = decisions.answer_of(operation.kind, operation.request, kept)
    signed_twice = decisions.is_signed_twice(kept)
    if operation.kind in QUESTIONS or (signed_twice and claim.has_ended_workers):
        return word
    try:
        return _weighed(provider, claim, word)
    except NeedsPerson as wrong:
        if signed_twice and wrong.code in UNASKABLE:
            return word
        raise
    except ProviderError as away:
        if not decisions.is_past_patience(kept):
            raise
        if signed_twice:
            return word
        message = f"{away.code}; without its answer two admins have to decide"
        raise NeedsPerson("not_answered", message) from away


def _weighed(provider: Provider, claim: Claim, word: Outcome | Failure) -> Outcome | Failure:
    operation, call = claim.operation, _readable(provider, claim)
    try:
        found = _ask(provider, operation, call)
    except Refused as refused:
        if refused.code == NOT_FOUND:
            return word
        raise UnknownOutcome(refused.code, str(refused)) from refused
    if policy.settles(operation.kind, call, found):
        return found
    if found.result is Result.PROCESSING:
        raise UnknownOutcome("still_processing", "the provider is still at work on it")
    if isinstance(word, Failure):
        return word
    raise NeedsPerson("provider_shows_otherwise", f"there it is {found.result.value}")


def _readable(provider: Provider, claim: Claim) -> Call:
    operation = claim.operation
    if operation.livemode is not provider.livemode:
        raise NeedsPerson("other_mode", f"{operation.id} belongs to the other mode")
    try:
        return operation.call
    except (CannotOpen, TypeError, KeyError) as wrong:
        raise NeedsPerson("unreadable_request", type(wrong).__name__) from wrong


def _look(provider: Provider, operation: Operation, call: Call) -> Outcome | None:
    """Return what came of an earlier sending if that shows beyond doubt, or None."""
    try:
        found = _ask(provider, operation, call)
    except Refused:
        return None
    return found if policy.settles(operation.kind, call, found) else None


def _ask(provider: Provider, operation: Operation, call: Call) -> Outcome:
    key = CallKey(operation.id, operation.subject_id)
    if isinstance(call, Refund):
        return provider.look_up_refund(key, _refund_question(key, call))
    return provider.look_up(key, _question(operation, call))


def _question(operation: Operation, call: Call) -> LookUp:
    """Return what to ask; a page whose address we never got is sought among those opened since."""
    if isinstance(call, Confirm | Capture | Cancel):
        return LookUp(intent_id=call.intent_id)
    if isinstance(call, ExpireSession):
        return LookUp(session_id=call.session_id)
    if isinstance(call, CreateSession):
        since = int((operation.created_at - CLOCKS_DIFFER).timestamp())
        return LookUp(operation_id=operation.id, opened_since=since)
    return LookUp(operation_id=operation.id)


def _refund_question(key: CallKey, call: Refund) -> LookUpRefund:
    return LookUpRefund(
        intent_id=call.intent_id, refund_id=call.refund_id, operation_id=key.operation_id
    )


def _send(provider: Provider, kind: Kind) -> Callable[[CallKey, Any], Outcome]:
    by_kind: Mapping[Kind, Callable[[CallKey, Any], Outcome]] = {
        Kind.CREATE_INTENT: provider.create_intent,
        Kind.CONFIRM: provider.confirm,
        Kind.CAPTURE: provider.capture,
        Kind.CANCEL: provider.cancel,
        Kind.CREATE_SESSION: provider.create_session,
        Kind.EXPIRE_SESSION: provider.expire_session,
        Kind.LOOK_UP: provider.look_up,
        Kind.REFUND: provider.refund,
        Kind.LOOK_UP_REFUND: provider.look_up_refund,
    }
    return by_kind[kind]
