"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Invalid, NotFound


class LetterNotFound(NotFound):
    """It has not given up, or somebody has dealt with it."""

    code = "letter_not_found"
    says = "This is no dead letter, or somebody has dealt with it meanwhile."


class NotLikeThis(Invalid):
    """A way to discard a letter that its kind does not have."""

    code = "not_like_this"
    says = "A call to the provider is discarded by saying what came of it, anything else is not."
