"""What can come of a call to a provider besides an answer, and what this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Invalid


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


class OperationUnderWay(Conflict):
    """A charge of this subject is not settled yet, so another must not begin."""

    code = "operation_under_way"
    says = "A charge of this payment is still being settled. Wait for its outcome."


class NotWaitingForPerson(Conflict):
    """Only an operation that waits for a person can be taken up again by one."""

    code = "not_waiting_for_person"
    says = "This operation is not waiting for a decision."
