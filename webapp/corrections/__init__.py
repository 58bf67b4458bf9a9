"""Corrections: an operator's change to the books, asked for by one admin, approved by another.

Nothing is edited: a correction is a new transfer, linked to the one that it puts right.
"""

from webapp.corrections.errors import (
    CorrectionNotFound,
    CorrectionNotPossible,
    CorrectionWaits,
    SameApprover,
)
from webapp.corrections.models import FLOW, Correction, Kind, Status
from webapp.corrections.preview import (
    Proposal,
    Touched,
    accounts_for,
    adjustment,
    preview,
    reversal,
    why_not_reverse,
)
from webapp.corrections.queries import (
    any_correction,
    corrections_of_transfer,
    corrections_page,
    moves_of,
    unfinished,
    waiting_count,
)
from webapp.corrections.service import approve, lapse_due, refuse, request, withdraw

__all__ = [
    "FLOW",
    "Correction",
    "CorrectionNotFound",
    "CorrectionNotPossible",
    "CorrectionWaits",
    "Kind",
    "Proposal",
    "SameApprover",
    "Status",
    "Touched",
    "accounts_for",
    "adjustment",
    "any_correction",
    "approve",
    "corrections_of_transfer",
    "corrections_page",
    "lapse_due",
    "moves_of",
    "preview",
    "refuse",
    "request",
    "reversal",
    "unfinished",
    "waiting_count",
    "why_not_reverse",
    "withdraw",
]
