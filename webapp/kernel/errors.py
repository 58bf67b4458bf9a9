"""Six kinds of refusal, as a caller has six reactions; rooms subclass them with stable codes."""

from __future__ import annotations

from typing import ClassVar


class Refusal(Exception):
    """Something asked for cannot be done; `code` is stable, the message is a sentence for people.

    `param` names the field that is wrong, where one is.
    """

    code: ClassVar[str] = "refused"
    says: ClassVar[str] = "That cannot be done."

    def __init__(self, message: str | None = None, *, param: str | None = None) -> None:
        self.message = message or self.says
        self.param = param
        super().__init__(self.message)


class NotFound(Refusal):
    """There is no such thing, or it is somebody else's; the two are never told apart."""

    code = "not_found"
    says = "There is nothing here with that address."


class Conflict(Refusal):
    """The thing is not in a state in which this is possible, or was changed meanwhile.

    `passes` says that it may be possible in a moment without anybody asking for something else.
    """

    code = "conflict"
    passes: ClassVar[bool] = False
    says = "That was changed meanwhile. Reload and look again."


class Forbidden(Refusal):
    """The caller is known and may not do this."""

    code = "forbidden"
    says = "Your role does not allow that."


class Invalid(Refusal):
    """The input is wrong; `param` names the field and the message says what would be right."""

    code = "invalid"
    says = "Some of what you typed is not valid."


class Declined(Refusal):
    """Somebody else (a bank, a limit, a balance) said a definite no; no money moved.

    `decline_code` is the entry of the catalogue of declines that says the same, where one does.
    """

    code = "declined"
    says = "The payment was declined. No money has moved."
    decline_code: ClassVar[str | None] = None


class Unavailable(Refusal):
    """Not now: a dependency is away or busy; trying again later is right."""

    code = "unavailable"
    says = "This is not available at the moment. Try again in a few seconds."


class BrokenTransaction(Exception):
    """A failure inside a transaction was swallowed; nothing of that transaction was committed."""
