"""What can come of a call to a provider besides an answer, and what this room refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.kernel.errors import Conflict, Invalid, NotFound


class ProviderError(Exception):
    """A call to the provider gave no usable answer; `code` is stable, the message for operators."""

    def __init__(self, code: str, message: str = "") -> None:
        self.code = code
        super().__init__(message or code)


class Unreachable(ProviderError):
    """Surely nothing was done: never connected, turned away before the work, or asked to wait."""


class UnknownOutcome(ProviderError):
    """It may or may not have been done: cut off, too slow, a server error, or still running."""


class Refused(ProviderError):
    """A definite no to the request itself; no money moved and asking again gives the same."""


class NeedsPerson(ProviderError):
    """Something that must not happen did, such as one key with two requests; a person decides."""


class BadSignature(Invalid):
    """The bytes were not signed by the provider with our secret, just now."""

    code = "bad_signature"
    says = "This message is not signed by the payment provider."


class BadEvent(Invalid):
    """Signed by the provider, yet not an event of this installation."""

    code = "bad_event"
    says = "This message is not an event for this installation."


class NotOurEvent(BadEvent):
    """An event that was signed with our secret and is of another account or mode, or unreadable."""

    code = "not_our_event"
    says = "This message is signed, and yet not one of this account and mode."

    def __init__(self, reason: str, payload: Mapping[str, Any]) -> None:
        self.reason = reason
        self.event_id = str(payload["id"])
        self.kind = str(payload["type"])
        self.livemode = bool(payload["livemode"])
        account = payload.get("account")
        self.account = str(account) if account else None
        super().__init__()


class OperationUnderWay(Conflict):
    """A charge of this subject is not settled yet, so another must not begin."""

    code = "operation_under_way"
    passes = True
    says = "A charge of this payment is still being settled. Wait for its outcome."


class NotWaitingForPerson(Conflict):
    """Only an operation that waits for a person can be taken up again by one."""

    code = "not_waiting_for_person"
    says = "This operation is not waiting for a decision."


class BadDecision(Invalid):
    """A decision about a call that leaves out what it must say."""

    code = "bad_decision"
    says = "That decision is not complete."


class NothingToConfirm(Conflict):
    """No decision about this call waits for a second admin, or another than the one shown."""

    code = "nothing_to_confirm"
    says = "The decision was changed or taken up meanwhile. Look at it again."


class SameSigner(Conflict):
    """What books money is decided by one admin and confirmed by another."""

    code = "same_signer"
    says = "You made this decision. Another admin has to confirm it."


class ForeignObject(Conflict):
    """A signed message about an object that is not the one it claims to be; nothing was applied."""

    code = "foreign_object"
    says = "The message names a payment that this object of the provider does not belong to."


class RefundMadeElsewhere(ForeignObject):
    """A refund of a payment of ours that no call of ours asked for: the books do not have it."""

    code = "refund_made_elsewhere"
    says = "This refund of a payment was made in the provider’s own pages; it is not in the books."


class UnknownOperation(NotFound):
    """A signed message about a call that this installation has never made."""

    code = "unknown_operation"
    says = "The message names a call that was never made here."


class EventNotFound(NotFound):
    """No such message of the provider."""

    code = "event_not_found"
    says = "There is no such message of the provider."
