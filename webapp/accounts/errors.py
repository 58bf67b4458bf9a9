"""What accounts refuse, each with a stable code and a sentence that says what to do."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Declined, Forbidden, Invalid, NotFound, Unavailable


class WrongCredentials(Declined):
    """The e-mail address and password do not belong together; which of them is never said."""

    code = "wrong_credentials"
    says = "That e-mail address and password do not match. Check both and try again."


class TooManyTries(Unavailable):
    """Too many tries for this account or from this network; wait `wait_seconds`."""

    code = "too_many_sign_ins"

    def __init__(self, wait_seconds: int) -> None:
        minutes = max(1, -(-wait_seconds // 60))
        unit = "minute" if minutes == 1 else "minutes"
        super().__init__(f"Too many tries. Wait {minutes} {unit}, or reset your password.")
        self.wait_seconds = wait_seconds


class Suspended(Forbidden):
    """The password is right and the account is closed by the platform."""

    code = "account_suspended"
    says = "This account is suspended. Write to support to have it looked at."


class AlreadyRegistered(Conflict):
    """The e-mail address has an account; said to its owner by mail, never on a page."""

    code = "already_registered"
    says = "That e-mail address has an account already."


class WeakPassword(Invalid):
    """The password is too easy to guess; the message says why."""

    code = "weak_password"


class LinkSpent(NotFound):
    """A link from a mail is unknown, was used already, or has expired."""

    code = "link_spent"
    says = "This link has been used already or has expired. Ask for a new one."


class EmailTaken(Conflict):
    """Another account got the e-mail address between asking and confirming."""

    code = "email_taken"
    says = "That e-mail address belongs to another account now. Use a different one."


class BadImport(Invalid):
    """A password hash to be imported is not one that sign-in could ever check."""

    code = "bad_password_hash"
    says = "The password hash must be bcrypt ($2a$, $2b$ or $2y$) with a cost from 4 to 15."


class Busy(Unavailable):
    """Too many passwords are being checked at this moment."""

    code = "busy"
    says = "Many people are signing in right now. Try again in a few seconds."


class KeyEnded(Conflict):
    """A key that was revoked, has expired or was rolled is not rolled, and answers for none."""

    code = "key_ended"
    says = "This key has ended or was rolled already. Create a new one."


class KeyOutlives(Forbidden):
    """A key that ends may not make or end one that lasts longer than itself."""

    code = "key_outlives"
    says = "A key that ends cannot make, roll or revoke one that lasts longer than itself."


class TooManyKeys(Conflict):
    """A merchant has as many working keys of one mode as it may have."""

    code = "too_many_keys"
    says = "There are enough keys already. Revoke one that is not used any more."


class KeyTooWide(Forbidden):
    """A key may neither hand out nor end more than it may do itself."""

    code = "key_too_wide"
    says = "A key cannot make, roll or revoke one that may do more than itself."


class RefreshEnded(Declined):
    """A refresh token is unknown, has expired, was used before, or its sign-in has ended."""

    code = "refresh_ended"
    says = "This refresh token does not work any more. Sign in again."
