"""What this room refuses."""

from __future__ import annotations

from webapp.kernel.errors import Conflict, Forbidden, Invalid, NotFound


class CorrectionNotFound(NotFound):
    """No such correction."""

    code = "correction_not_found"
    says = "There is no such correction."


class CorrectionNotPossible(Invalid):
    """The transfer cannot be put right like this."""

    code = "correction_not_possible"
    says = "The transfer cannot be corrected like this. Nothing was changed."


class CorrectionWaits(Conflict):
    """Another correction of the same transfer waits for its answer."""

    code = "correction_waits"
    says = "A correction of this transfer already waits for a second person. Decide on that first."


class SameApprover(Forbidden):
    """Who asked for a correction does not approve it."""

    code = "correction_same_approver"
    says = "You asked for this correction. Another admin must approve it."
