"""Corrections reach money set aside in one way only: it went back in the provider's own pages."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.books import at_once
from tests.builders import a_merchant, a_payment, an_admin, inr
from tests.corrections.test_corrections import AS_ADMIN, asked, transfer_of, undone
from tests.portal import Committed
from tests.refunds.builders import asked as refund_asked
from tests.refunds.builders import released
from tests.refunds.test_destinations import anomaly_now, set_aside
from tests.stories import story_is_whole
from webapp import corrections, invariants, ledger, payments, refunds
from webapp.corrections import Kind, Proposal, Status
from webapp.kernel import db
from webapp.kernel.errors import Conflict
from webapp.outbox import SYSTEM, Actor
from webapp.payments import Anomaly


@pytest.fixture
def merchant(app: Flask) -> str:
    """A merchant."""
    return a_merchant()


def test_no_line_of_a_correction_reaches_what_waits_or_is_under_way(
    merchant: str, asks: Actor
) -> None:
    payment_id, _anomaly_id = set_aside(merchant)
    captured = a_payment(payments.Status.CAPTURED, merchant)
    refund_id = refund_asked(captured)
    released()
    payable = ledger.payable(merchant, False, "INR").name
    for reference in (f"payment.suspense:{payment_id}", f"refund.sent:{refund_id}"):
        with db.scoped(AS_ADMIN):
            detail = ledger.transfer(transfer_of(reference))
            kinds = {account.kind for account in corrections.accounts_for(detail)}
            assert kinds == {"payable", "fees", "clearing_card"}
            for hidden in (ledger.suspense(False, "INR"), ledger.refunds_in_transit(False, "INR")):
                with pytest.raises(corrections.CorrectionNotPossible, match="accounts"):
                    corrections.adjustment(detail, [(payable, hidden.name, inr(1))])
                line = ledger.Line(ledger.payable(merchant, False, "INR"), hidden, inr(1))
                by_hand = Proposal(detail.transfer.id, Kind.ADJUSTMENT, [line])
                with pytest.raises(corrections.CorrectionNotPossible, match="its own page"):
                    corrections.request(by_hand, because="By hand.", by=asks)


def test_money_set_aside_that_went_back_elsewhere_ends_with_the_undoing_of_its_booking(
    merchant: str, asks: Actor, decides: Actor
) -> None:
    payment_id, anomaly_id = set_aside(merchant)
    booking = transfer_of(f"payment.suspense:{payment_id}")
    waiting = asked(undone(booking), asks)
    assert anomaly_now(anomaly_id) == "open"
    for _twice in range(2):
        with db.scoped(AS_ADMIN):
            corrections.approve(waiting.id, by=decides)
    assert anomaly_now(anomaly_id) == "refunded"
    story_is_whole("anomaly", "anomaly", anomaly_id)
    with db.scoped(AS_ADMIN):
        assert ledger.balance(ledger.suspense(False, "INR")).minor == 0
        assert ledger.balance(ledger.clearing(False, "INR")).minor == 0
        with pytest.raises(payments.AnomalyDecided):
            refunds.refund_set_aside(anomaly_id, by=decides)
    with db.scoped(db.WORKER):
        assert invariants.check_everything().problems == []


def test_what_is_decided_of_money_set_aside_is_not_undone_beside_it(
    merchant: str, asks: Actor, decides: Actor
) -> None:
    payment_id, anomaly_id = set_aside(merchant)
    booking = transfer_of(f"payment.suspense:{payment_id}")
    waiting, late = asked(undone(booking), asks), undone(booking)
    with db.scoped(db.WORKER):
        refunds.refund_set_aside(anomaly_id, by=SYSTEM)
    with db.scoped(AS_ADMIN):
        with pytest.raises(corrections.CorrectionNotPossible, match="on its way back"):
            corrections.approve(waiting.id, by=decides)
        assert corrections.any_correction(waiting.id).status == Status.REQUESTED
        corrections.refuse(waiting.id, because="It goes back from here.", by=decides)
        with pytest.raises(Conflict):
            corrections.approve(waiting.id, by=decides)
        with pytest.raises(corrections.CorrectionNotPossible, match="on its way back"):
            corrections.request(late, because="Once more.", by=asks)
    assert anomaly_now(anomaly_id) == "refunding"


def end(anomaly: Anomaly, *, by: Actor) -> None:
    """Say that money set aside went back elsewhere, without any correction."""
    payments.end_elsewhere(anomaly, by=by)
    db.session.flush()


def test_no_admin_ends_money_set_aside_while_it_is_in_suspense(
    merchant: str, decides: Actor
) -> None:
    _payment_id, anomaly_id = set_aside(merchant)
    with db.transaction(AS_ADMIN) as session:
        waiting = payments.locked_anomaly(anomaly_id)
        with pytest.raises(db.DatabaseError, match="people decide"):
            end(waiting, by=decides)
        session.rollback()
    assert anomaly_now(anomaly_id) == "open"


@pytest.mark.races
def test_given_back_and_gone_back_at_once_end_in_one_of_the_two(committed: Committed) -> None:
    payment_id, anomaly_id = set_aside(a_merchant())
    first, second = (Actor("admin", an_admin().id) for _ in range(2))
    waiting = asked(undone(transfer_of(f"payment.suspense:{payment_id}")), first)

    def decide(number: int) -> str:
        try:
            if number % 2:
                return corrections.approve(waiting.id, by=second).status
            return f"refund {refunds.refund_set_aside(anomaly_id, by=first).anomaly_id}"
        except (corrections.CorrectionNotPossible, payments.AnomalyDecided) as late:
            return late.code

    ends = set(at_once(committed.app, AS_ADMIN, decide, threads=6))
    assert len(ends & {"posted", f"refund {anomaly_id}"}) == 1
    with committed.connect("postgres") as root:
        row = root.execute(
            "SELECT (SELECT count(*) FROM refund WHERE anomaly_id = %(id)s) + (SELECT count(*)"
            " FROM transfer WHERE reverses IS NOT NULL), status FROM anomaly WHERE id = %(id)s",
            {"id": anomaly_id},
        ).fetchone()
    assert row in {(1, "refunded"), (1, "refunding")}
