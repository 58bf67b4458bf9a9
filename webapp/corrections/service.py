"""Asking for a correction and deciding on it; each may be done twice and has one effect."""

from __future__ import annotations

from sqlalchemy import select, text

from webapp import audit, ledger, payments
from webapp.corrections.errors import (
    CorrectionNotFound,
    CorrectionNotPossible,
    CorrectionWaits,
    SameApprover,
)
from webapp.corrections.models import PATIENCE, Correction, Kind, Status, written
from webapp.corrections.preview import (
    EXPLAINED,
    Proposal,
    preview,
    proposal_of,
    why_not_reverse,
)
from webapp.kernel import clock, crypto, db, ids
from webapp.outbox import SYSTEM, Actor
from webapp.payments import Anomaly

SHORTEST_REASON = 3
LONGEST_REASON = 300
AT_MOST = 100
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:transfer_id, 0))")


def request(proposal: Proposal, *, because: str, by: Actor) -> Correction:
    """Ask a second admin to book a proposal; nothing is booked yet.

    Raises TransferNotFound, CorrectionNotPossible when a wallet holds too little, the reason is
    missing, the transfer is not undone so or it is decided what becomes of the money that it set
    aside, and CorrectionWaits while another correction of the same transfer is undecided.
    """
    reason = because.strip()
    if not SHORTEST_REASON <= len(reason) <= LONGEST_REASON:
        raise CorrectionNotPossible(
            f"Say why, in {SHORTEST_REASON} to {LONGEST_REASON} characters. The reason is kept.",
            param="because",
        )
    if crypto.looks_like_card_number(reason):
        raise CorrectionNotPossible(
            "Leave card numbers out: the reason is kept for good.", param="because"
        )
    if any(touched.is_overdrawn for touched in preview(proposal.lines)):
        raise CorrectionNotPossible("The wallet holds less than this would take from it.")
    now = clock.now()
    with db.transaction():
        whose = ledger.transfer(proposal.transfer_id).transfer
        db.session.execute(_ONE_AT_A_TIME, {"transfer_id": whose.id})
        if _waiting_for(whose.id):
            raise CorrectionWaits
        _check(proposal)
        correction = Correction(
            id=ids.new("correction"),
            merchant_id=whose.merchant_id,
            livemode=whose.livemode,
            transfer_id=whose.id,
            kind=proposal.kind.value,
            plan=[written(line) for line in proposal.lines],
            because=reason,
            requested_by=by.id,
            answer="",
            created_at=now,
            deadline_at=now + PATIENCE,
        )
        correction.begin(Status.REQUESTED, because=reason, by=by)
        _audited("correction.requested", correction, by)
        return correction


def approve(correction_id: str, *, by: Actor) -> Correction:
    """Book a correction, as a second admin; one that is posted is left as it is.

    Where it undoes the setting aside of money, that money ends with it: it went back in the
    provider's own pages. Raises SameApprover to whom asked for it, CannotMove when it was decided
    otherwise, CorrectionNotPossible when the transfer was reversed or that money decided on
    meanwhile, and InsufficientBalance when a wallet no longer holds enough: it goes on waiting.
    """
    with db.transaction():
        correction = _locked(correction_id)
        if correction.status == Status.POSTED:
            return correction
        if by.id == correction.requested_by:
            raise SameApprover
        waits = None
        if correction.status == Status.REQUESTED:
            waits = _check(proposal_of(correction))
        correction.approved_by = by.id
        _decide(correction, Status.POSTED, because="A second admin approved it.", by=by)
        db.session.flush()
        _book(correction)
        if waits is not None:
            payments.end_elsewhere(waits, by=by)
        _audited("correction.approved", correction, by)
        return correction


def refuse(correction_id: str, *, because: str, by: Actor) -> Correction:
    """Say no to a correction, as a second admin; raises SameApprover and CannotMove."""
    with db.transaction():
        correction = _locked(correction_id)
        if correction.status == Status.REFUSED:
            return correction
        if by.id == correction.requested_by:
            raise SameApprover("You asked for this correction. Withdraw it instead.")
        correction.answer = because
        _decide(correction, Status.REFUSED, because=because, by=by)
        _audited("correction.refused", correction, by)
        return correction


def withdraw(correction_id: str, *, by: Actor) -> Correction:
    """Take a correction back that nobody has decided on; any admin may. Raises CannotMove."""
    with db.transaction():
        correction = _locked(correction_id)
        if correction.status == Status.WITHDRAWN:
            return correction
        _decide(correction, Status.WITHDRAWN, because="It was taken back.", by=by)
        _audited("correction.withdrawn", correction, by)
        return correction


def lapse_due() -> int:
    """Withdraw corrections that waited for a week; returns how many."""
    due = select(Correction.id).where(Correction.deadline_at <= clock.now()).limit(AT_MOST)
    lapsed = 0
    for correction_id in db.session.scalars(due).all():
        with db.transaction():
            correction = _locked(correction_id)
            if correction.status == Status.REQUESTED:
                because = "Nobody decided on it for a week."
                _decide(correction, Status.WITHDRAWN, because=because, by=SYSTEM)
                lapsed += 1
    return lapsed


def _check(proposal: Proposal) -> Anomaly | None:
    """Return the money set aside that a proposal says went back elsewhere, locked, or None.

    Raises CorrectionNotPossible for what no correction does, by whichever door it came.
    """
    if proposal.kind != Kind.REVERSAL:
        if not EXPLAINED.isdisjoint(
            ref.kind for line in proposal.lines for ref in (line.source, line.target)
        ):
            raise CorrectionNotPossible(
                "What is set aside or on its way back is decided on its own page."
            )
        return None
    detail = ledger.transfer(proposal.transfer_id)
    if reason := why_not_reverse(detail):
        raise CorrectionNotPossible(reason)
    try:
        return payments.locked_anomaly_booked_by(detail.transfer.reference)
    except payments.AnomalyDecided as decided:
        raise CorrectionNotPossible(
            "It is decided what becomes of that money, or it is on its way back."
        ) from decided


def _book(correction: Correction) -> None:
    if correction.kind == Kind.REVERSAL:
        ledger.reverse(
            correction.transfer_id, reference=correction.reference, because=correction.because
        )
        return
    ledger.post(
        correction.reference,
        correction.lines,
        kind="correction.posted",
        merchant_id=correction.merchant_id or "",
        livemode=bool(correction.livemode),
        because=correction.because,
    )


def _decide(correction: Correction, status: Status, *, because: str, by: Actor) -> None:
    correction.decided_at = clock.now()
    correction.deadline_at = None
    correction.decided_by = by.id
    correction.move_to(status, because=because, by=by)


def _locked(correction_id: str) -> Correction:
    wanted = select(Correction).where(Correction.id == correction_id).with_for_update()
    found = db.session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise CorrectionNotFound
    return found


def _waiting_for(transfer_id: str) -> bool:
    waiting = select(Correction.id).where(
        Correction.transfer_id == transfer_id, Correction.status == Status.REQUESTED
    )
    return db.session.scalar(waiting) is not None


def _audited(action: str, correction: Correction, by: Actor) -> None:
    audit.record(
        action,
        "correction",
        correction.id,
        by=by,
        data={"transfer": correction.transfer_id, "because": correction.because},
        merchant_id=correction.merchant_id,
        livemode=correction.livemode,
    )
