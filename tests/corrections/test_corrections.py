"""Corrections: asked for by one admin, booked by another, once, and nothing is ever edited."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.builders import (
    Someone,
    a_merchant,
    a_payment,
    a_person,
    an_imported_sale,
    inr,
    money_in_wallet,
)
from tests.refunds.builders import asked as refund_asked
from tests.refunds.builders import bounced, paid_out, refund_now, released, told
from tests.stories import scalar, story_is_whole
from webapp import corrections, ledger, payments
from webapp.corrections import Correction, Kind, Proposal, Status
from webapp.kernel import clock, db
from webapp.kernel.errors import Conflict
from webapp.outbox import Actor

AS_ADMIN = db.Scope(role=db.Role.ADMIN, livemode=False)


@pytest.fixture
def merchant(app: Flask) -> str:
    """A merchant whose one sale of ₹1,000.00 is booked."""
    return a_merchant()


@pytest.fixture
def booked(merchant: str) -> str:
    """The transfer that books that sale."""
    return an_imported_sale(merchant)


def transfer_of(reference: str) -> str:
    """Return the id of the transfer that books something."""
    return str(scalar("SELECT id FROM transfer WHERE reference = :it", it=reference))


def turned_round(transfer_id: str) -> None:
    """Reverse a transfer as something else than a correction does."""
    with db.scoped(db.WORKER), db.transaction():
        ledger.reverse(transfer_id, reference=f"otherwise:{transfer_id}", because="It failed.")


def acting(admin: Someone) -> Actor:
    """Return an admin as the one who does something."""
    return Actor("admin", admin.id)


def undone(transfer_id: str) -> Proposal:
    """Propose to reverse a transfer."""
    with db.scoped(AS_ADMIN):
        return corrections.reversal(ledger.transfer(transfer_id))


def shifted(transfer_id: str, merchant_id: str, minor: int = 5_00) -> Proposal:
    """Propose to give a merchant back a part of its fee."""
    fees = ledger.fees(False, "INR").name
    payable = ledger.payable(merchant_id, False, "INR").name
    with db.scoped(AS_ADMIN):
        detail = ledger.transfer(transfer_id)
        return corrections.adjustment(detail, [(fees, payable, inr(minor))])


def asked(proposal: Proposal, by: Actor) -> Correction:
    """Ask for a correction."""
    with db.scoped(AS_ADMIN):
        return corrections.request(proposal, because="Booked for the wrong shop.", by=by)


def owed(merchant_id: str) -> int:
    """Return what we owe a merchant, in paise."""
    with db.scoped(AS_ADMIN):
        return ledger.balance(ledger.payable(merchant_id, False, "INR")).minor


def test_a_reversal_waits_for_a_second_admin_and_then_undoes_the_transfer(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    assert owed(merchant) == 980_00
    correction = asked(undone(booked), asks)
    assert correction.status == Status.REQUESTED
    assert owed(merchant) == 980_00
    with db.scoped(AS_ADMIN):
        corrections.approve(correction.id, by=decides)
        found = corrections.any_correction(correction.id)
        assert (found.status, found.approved_by) == (Status.POSTED, decides.id)
        assert owed(merchant) == 0
        undoes = ledger.transfer_by_reference(f"correction:{correction.id}")
        assert undoes is not None
        link = ledger.transfer(undoes.id)
        assert link.corrects is not None
        assert link.reverses is not None
        assert (link.corrects.id, link.reverses.id) == (booked, booked)
        first = ledger.transfer(booked)
        assert [line.id for line in first.changed_by] == [undoes.id]
        assert first.is_reversed
    with db.scoped(db.OWNER):
        assert ledger.check_books().problems == []
    story_is_whole("correction", "correction", correction.id)


def test_an_adjustment_books_its_own_lines_beside_the_first(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    correction = asked(shifted(booked, merchant), asks)
    with db.scoped(AS_ADMIN):
        corrections.approve(correction.id, by=decides)
        assert owed(merchant) == 985_00
        first = ledger.transfer(booked)
        assert not first.is_reversed
        (beside,) = first.changed_by
        assert beside.reference == f"correction:{correction.id}"
        (line,) = ledger.transfer(beside.id).lines
        assert (line.source.kind, line.target.kind, line.amount) == ("fees", "payable", inr(5_00))


def test_the_preview_says_what_each_account_holds_before_and_after(
    booked: str, merchant: str
) -> None:
    proposal = undone(booked)
    with db.scoped(AS_ADMIN):
        touched = {one.account.kind: one for one in corrections.preview(proposal.lines)}
        assert touched["payable"].before == inr(980_00)
        assert touched["payable"].after == inr(0)
        assert touched["clearing_card"].change == inr(1_000_00)
        assert sum(one.change.minor for one in touched.values()) == 0
        assert not any(one.is_overdrawn for one in touched.values())


def test_who_asked_neither_approves_nor_refuses_but_may_withdraw(
    booked: str, merchant: str, asks: Actor
) -> None:
    correction = asked(undone(booked), asks)
    with db.scoped(AS_ADMIN):
        with pytest.raises(corrections.SameApprover):
            corrections.approve(correction.id, by=asks)
        with pytest.raises(corrections.SameApprover):
            corrections.refuse(correction.id, because="No.", by=asks)
        assert corrections.any_correction(correction.id).status == Status.REQUESTED
        assert owed(merchant) == 980_00
        corrections.withdraw(correction.id, by=asks)
        assert corrections.any_correction(correction.id).status == Status.WITHDRAWN
        assert owed(merchant) == 980_00


def test_deciding_twice_changes_nothing_and_otherwise_is_refused(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    correction = asked(shifted(booked, merchant), asks)
    with db.scoped(AS_ADMIN):
        corrections.approve(correction.id, by=decides)
        corrections.approve(correction.id, by=decides)
        assert owed(merchant) == 985_00
        with pytest.raises(Conflict):
            corrections.refuse(correction.id, because="No.", by=decides)
        with pytest.raises(Conflict):
            corrections.withdraw(correction.id, by=asks)
        assert len(corrections.moves_of(correction.id)) == 2


def test_a_refused_correction_books_nothing_and_keeps_the_reason(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    correction = asked(undone(booked), asks)
    with db.scoped(AS_ADMIN):
        corrections.refuse(correction.id, because="The shop is right.", by=decides)
        found = corrections.any_correction(correction.id)
        assert (found.status, found.answer) == (Status.REFUSED, "The shop is right.")
        assert found.approved_by is None
        assert owed(merchant) == 980_00
        assert ledger.transfer_by_reference(found.reference) is None


def test_one_correction_of_a_transfer_waits_at_a_time(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    first = asked(undone(booked), asks)
    with pytest.raises(corrections.CorrectionWaits):
        asked(shifted(booked, merchant), decides)
    with db.scoped(AS_ADMIN):
        corrections.refuse(first.id, because="No.", by=decides)
    asked(shifted(booked, merchant), asks)


def test_a_transfer_is_reversed_once_and_a_reversal_never(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    correction = asked(undone(booked), asks)
    with db.scoped(AS_ADMIN):
        corrections.approve(correction.id, by=decides)
        (undoes,) = ledger.transfer(booked).changed_by
    for transfer_id in (booked, undoes.id):
        with pytest.raises(corrections.CorrectionNotPossible):
            undone(transfer_id)
    again = asked(shifted(undoes.id, merchant), asks)
    with db.scoped(AS_ADMIN):
        corrections.approve(again.id, by=decides)
        assert owed(merchant) == 5_00


def test_what_was_reversed_meanwhile_is_neither_asked_for_nor_approved(
    booked: str, merchant: str, asks: Actor, decides: Actor
) -> None:
    waiting, late = asked(undone(booked), asks), undone(booked)
    turned_round(booked)
    with db.scoped(AS_ADMIN):
        with pytest.raises(corrections.CorrectionNotPossible, match="reversed before"):
            corrections.approve(waiting.id, by=decides)
        found = corrections.any_correction(waiting.id)
        assert (found.status, found.approved_by) == (Status.REQUESTED, None)
        corrections.refuse(waiting.id, because="It was done.", by=decides)
        with pytest.raises(corrections.CorrectionNotPossible, match="reversed before"):
            corrections.request(late, because="Once more.", by=asks)
        assert owed(merchant) == 0


def test_what_a_payment_or_a_refund_books_is_undone_by_no_correction(
    merchant: str, asks: Actor
) -> None:
    payment_id = a_payment(payments.Status.CAPTURED, merchant)
    refund_id = refund_asked(payment_id)
    released()
    told(refund_id, paid_out())
    money_in_wallet(a_person(), inr(300_00))
    top_up = "SELECT reference FROM transfer WHERE kind = 'wallet.deposited'"
    references = [f"payment.captured:{payment_id}", f"refund.sent:{refund_id}", str(scalar(top_up))]
    for reference in [*references, f"refund.settled:{refund_id}"]:
        transfer_id = transfer_of(reference)
        with pytest.raises(corrections.CorrectionNotPossible, match="instead"):
            undone(transfer_id)
        with db.scoped(AS_ADMIN):
            lines = ledger.transfer(transfer_id).lines
            turned = [ledger.Line(line.target, line.source, line.amount) for line in lines]
            by_hand = Proposal(transfer_id, Kind.REVERSAL, turned)
            with pytest.raises(corrections.CorrectionNotPossible, match="instead"):
                corrections.request(by_hand, because="By hand.", by=asks)
    told(refund_id, bounced())
    assert refund_now(refund_id).status == "failed"
    assert owed(merchant) == 980_00


def test_a_wallet_that_was_spent_cannot_be_emptied_by_a_correction(
    app: Flask, asks: Actor, decides: Actor
) -> None:
    person = a_person()
    money_in_wallet(person, inr(300_00))
    deposit = str(scalar("SELECT t.id FROM transfer t JOIN entry e ON e.transfer_id = t.id"
                         " WHERE e.user_id = :id", id=person.id))  # fmt: skip
    wallet = ledger.wallet(person.id, False, "INR").name
    clearing = ledger.clearing(False, "INR").name
    with db.scoped(AS_ADMIN):
        detail = ledger.transfer(deposit)
        more = corrections.adjustment(detail, [(wallet, clearing, inr(300_01))])
        with pytest.raises(corrections.CorrectionNotPossible):
            corrections.request(more, because="Too much.", by=asks)
        whole = corrections.adjustment(detail, [(wallet, clearing, inr(300_00))])
    all_of_it = asked(whole, asks)
    some = Proposal(deposit, Kind.ADJUSTMENT, [ledger.Line(
        ledger.account_named(wallet), ledger.account_named(clearing), inr(1))])  # fmt: skip
    with pytest.raises(corrections.CorrectionWaits):
        asked(some, decides)
    with db.scoped(db.WORKER), db.transaction():
        ledger.post("spent:1", [ledger.Line(ledger.account_named(wallet),
                    ledger.suspense(False, "INR"), inr(1))], kind="x",
                    merchant_id=ledger.PLATFORM_ID, livemode=False, because="x")  # fmt: skip
    with db.scoped(AS_ADMIN):
        with pytest.raises(ledger.InsufficientBalance):
            corrections.approve(all_of_it.id, by=decides)
        found = corrections.any_correction(all_of_it.id)
        assert (found.status, found.approved_by) == (Status.REQUESTED, None)


@pytest.mark.parametrize("reason", ["", "  ", "no", "x" * 301])
def test_a_correction_needs_a_reason(booked: str, asks: Actor, reason: str) -> None:
    proposal = undone(booked)
    with db.scoped(AS_ADMIN), pytest.raises(corrections.CorrectionNotPossible) as refused:
        corrections.request(proposal, because=reason, by=asks)
    assert refused.value.param == "because"
    assert scalar("SELECT count(*) FROM correction") == 0


def test_a_card_number_is_kept_in_no_reason(booked: str, asks: Actor) -> None:
    proposal = undone(booked)
    with db.scoped(AS_ADMIN), pytest.raises(corrections.CorrectionNotPossible) as refused:
        corrections.request(proposal, because="For card 4242 4242 4242 4242.", by=asks)
    assert refused.value.param == "because"
    assert scalar("SELECT count(*) FROM correction") == 0


def test_lines_that_are_none_are_refused_by_field(booked: str, merchant: str) -> None:
    payable = ledger.payable(merchant, False, "INR").name
    other = ledger.payable(a_merchant(), False, "INR").name
    fees = ledger.fees(False, "INR").name
    wrong = {
        "source": (other, fees, inr(1)),
        "target": (fees, other, inr(1)),
        "amount": (fees, payable, inr(0)),
    }
    with db.scoped(AS_ADMIN):
        detail = ledger.transfer(booked)
        for field, line in wrong.items():
            with pytest.raises(corrections.CorrectionNotPossible) as refused:
                corrections.adjustment(detail, [line])
            assert refused.value.param == field
        with pytest.raises(corrections.CorrectionNotPossible):
            corrections.adjustment(detail, [(fees, fees, inr(1))])
        with pytest.raises(corrections.CorrectionNotPossible):
            corrections.adjustment(detail, [])
        with pytest.raises(corrections.CorrectionNotPossible):
            corrections.adjustment(detail, [(fees, payable, inr(1))] * 6)


def test_what_nobody_decides_on_for_a_week_is_withdrawn(
    booked: str, asks: Actor, decides: Actor
) -> None:
    correction = asked(undone(booked), asks)
    with db.scoped(db.WORKER):
        assert corrections.lapse_due() == 0
        with clock.standing_at(clock.now() + dt.timedelta(days=7, seconds=1)):
            assert corrections.lapse_due() == 1
            assert corrections.lapse_due() == 0
    with db.scoped(AS_ADMIN):
        assert corrections.any_correction(correction.id).status == Status.WITHDRAWN
        with pytest.raises(Conflict):
            corrections.approve(correction.id, by=decides)


def test_each_step_is_written_to_the_audit_trail(booked: str, asks: Actor, decides: Actor) -> None:
    correction = asked(undone(booked), asks)
    with db.scoped(AS_ADMIN):
        corrections.approve(correction.id, by=decides)
    for action, admin in (("requested", asks), ("approved", decides)):
        assert scalar("SELECT actor_id FROM audit_entry WHERE subject_id = :id AND action = :act",
                      id=correction.id, act=f"correction.{action}") == admin.id  # fmt: skip
