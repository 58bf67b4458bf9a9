"""A refund from asking to its end: state, books, what is left of the payment, and its story."""

from __future__ import annotations

import datetime as dt
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from flask import Flask

from tests.builders import (
    a_merchant,
    a_payment,
    a_person,
    a_top_up,
    an_admin,
    answered,
    card_tried,
    inr,
    succeeded,
)
from tests.refunds.builders import (
    CLERK,
    OWNER,
    PRICE,
    a_paid_payment,
    an_approver,
    asked,
    at_counter,
    bounced,
    paid_out,
    payment_now,
    refund_now,
    released,
    sent,
    told,
)
from tests.stories import behind, operations, scalar, story_is_whole
from webapp import ledger, payments, refunds
from webapp.gateway import Failure, Outcome, Result
from webapp.kernel import clock, db
from webapp.kernel.errors import Conflict, Invalid
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.refunds import Status


@pytest.fixture
def shop(app: Flask) -> str:
    """A merchant's id."""
    return a_merchant()


def held(account: ledger.AccountRef) -> int:
    """Return what an account holds, in minor units."""
    with db.scoped(behind()):
        return ledger.balance(account).minor


def balances(shop: str) -> tuple[int, int, int, int]:
    """Return payable, fees, refunds in transit and clearing, in minor units."""
    return (
        held(ledger.payable(shop, False, "INR")),
        held(ledger.fees(False, "INR")),
        held(ledger.refunds_in_transit(False, "INR")),
        held(ledger.clearing(False, "INR")),
    )


@pytest.mark.requirement("S2-27")
def test_a_refund_leaves_after_its_undo_window_and_is_booked_on_the_way(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    refund_id = asked(payment_id)
    assert refund_now(refund_id).status == Status.APPROVED
    assert released(after=dt.timedelta(seconds=10)) == 0
    assert operations(refund_id) == []
    assert released() == 1
    assert refund_now(refund_id).status == Status.UNSENT
    assert operations(refund_id) == ["refund"]
    assert balances(shop) == (-2000, 2000, PRICE.minor, -PRICE.minor)
    told(refund_id, sent())
    assert refund_now(refund_id).status == Status.SENT
    told(refund_id, paid_out())
    refund = refund_now(refund_id)
    assert (refund.status, refund.bank_reference) == (Status.SUCCEEDED, "7412034567")
    assert balances(shop) == (-2000, 2000, 0, 0)
    assert payment_now(payment_id).outside_status == "REFUNDED"
    story_is_whole("refund", "refund", refund_id)


def test_several_refunds_of_one_payment_stop_at_what_was_taken(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    first = asked(payment_id, inr(600_00))
    with pytest.raises(refunds.RefundExceedsAvailable):
        asked(payment_id, inr(400_01))
    asked(payment_id, inr(400_00))
    with pytest.raises(refunds.RefundNotPossible):
        asked(payment_id, inr(1))
    released()
    told(first, paid_out(amount=inr(600_00)))
    payment = payment_now(payment_id)
    assert (payment.refund_reserved_minor, payment.refunded_minor) == (1_000_00, 600_00)
    assert payment.outside_status == "PARTIALLY_REFUNDED"
    assert not payment.refundable


def test_whoever_saw_another_amount_refunds_nothing(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    asked(payment_id, inr(300_00), seen_available=PRICE)
    with pytest.raises(refunds.AvailableChanged):
        asked(payment_id, inr(300_00), seen_available=PRICE)
    asked(payment_id, inr(300_00), seen_available=inr(700_00))
    assert payment_now(payment_id).refundable == inr(400_00)


@pytest.mark.requirement("S4-22")
def test_a_refund_keeps_its_reason_its_note_and_its_metadata(shop: str) -> None:
    note = "Customer requested refund"
    refund_id = asked(a_paid_payment(shop), note=note, details={"refund_request_id": "rr_77"})
    refund = refund_now(refund_id)
    assert (refund.reason, refund.note) == ("requested_by_customer", note)
    assert refund.details == {"refund_request_id": "rr_77"}
    assert refund.outside_status == "PENDING"


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"amount": inr(0)}, "amount"),
        ({"amount": Money(100, "EUR")}, "amount"),
        ({"reason": "because"}, "reason"),
        ({"destination": "bank"}, "destination"),
        ({"destination": "order_credit"}, "target_order_id"),
        ({"target_order_id": "ord_x"}, "target_order_id"),
        ({"note": "x" * 501}, "note"),
        ({"note": "the card was 4242 4242 4242 4242"}, "note"),
        ({"details": {str(n): n for n in range(51)}}, "metadata"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_refunded(
    shop: str, wrong: dict[str, Any], param: str
) -> None:
    payment_id = a_paid_payment(shop)
    with pytest.raises(Invalid) as refused:
        asked(payment_id, **wrong)
    assert refused.value.param == param
    assert payment_now(payment_id).refundable == PRICE


def test_only_what_was_taken_can_be_refunded(shop: str) -> None:
    with pytest.raises(refunds.RefundNotPossible):
        asked(a_payment(payments.Status.AWAITING_METHOD, shop))
    person = a_person()
    top_up = card_tried(a_top_up(person, PRICE), payer=person.payer)
    answered(top_up, Outcome(Result.CREATED, intent_id="pi_topup"), succeeded(PRICE))
    with pytest.raises(refunds.RefundNotPossible, match="stays there"):
        asked(top_up)


def test_a_large_refund_waits_for_a_second_person_and_never_for_the_first(shop: str) -> None:
    payment_id = a_paid_payment(shop, inr(60_000_00))
    refund_id = asked(payment_id, inr(50_000_01))
    assert refund_now(refund_id).status == Status.REQUESTED
    assert released() == 0
    for nobody_else in (CLERK, Actor("api", CLERK.id), Actor("system")):
        with pytest.raises(refunds.SameApprover):
            at_counter(payment_id, partial(refunds.approve, refund_id, by=nobody_else))
    second = an_approver(shop)
    for _twice in range(2):
        at_counter(payment_id, lambda: refunds.approve(refund_id, by=second))
    with pytest.raises(refunds.RefundDecided):
        at_counter(payment_id, partial(refunds.approve, refund_id, by=Actor("user", "usr_3")))
    refund = refund_now(refund_id)
    assert (refund.status, refund.version, refund.approved_by_id) == ("approved", 2, second.id)
    assert released() == 1


def test_a_large_refund_does_not_pass_as_several_small_ones(shop: str) -> None:
    payment_id = a_paid_payment(shop, inr(60_000_00))
    assert refund_now(asked(payment_id, inr(30_000_00))).status == Status.APPROVED
    assert refund_now(asked(payment_id, inr(20_000_01))).status == Status.REQUESTED


@pytest.mark.parametrize(
    ("currency", "alone"),
    [("INR", 50_000_00), ("JPY", 90_000), ("KWD", 180_000), ("USD", 600_00), ("BHD", 100_000)],
)
def test_how_much_one_person_refunds_alone_is_set_for_each_currency(
    shop: str, currency: str, alone: int
) -> None:
    payment_id = a_paid_payment(shop, Money(alone + 10, currency))
    refund_id = asked(payment_id, Money(alone, currency))
    assert refund_now(refund_id).status == Status.APPROVED
    assert refund_now(asked(payment_id, Money(10, currency))).status == Status.REQUESTED


def test_a_refused_refund_gives_its_part_of_the_payment_free(shop: str) -> None:
    payment_id = a_paid_payment(shop, inr(60_000_00))
    refund_id = asked(payment_id, inr(60_000_00))
    with pytest.raises(Invalid):
        at_counter(payment_id, lambda: refunds.refuse(refund_id, because=" ", by=OWNER))
    for _twice in range(2):
        at_counter(payment_id, lambda: refunds.refuse(refund_id, because="No.", by=OWNER))
    assert refund_now(refund_id).status == Status.CANCELLED
    assert payment_now(payment_id).refundable == inr(60_000_00)
    with pytest.raises(refunds.RefundDecided):
        at_counter(payment_id, lambda: refunds.approve(refund_id, by=OWNER))
    story_is_whole("refund", "refund", refund_id)


def test_a_refund_that_nobody_approves_is_withdrawn_after_a_week(shop: str) -> None:
    payment_id = a_paid_payment(shop, inr(60_000_00))
    refund_id = asked(payment_id, inr(60_000_00))
    with db.scoped(behind()):
        with clock.standing_at(clock.now() + dt.timedelta(days=6, hours=23)):
            assert refunds.look_again() == 0
        with clock.standing_at(clock.now() + dt.timedelta(days=7, minutes=1)):
            assert refunds.look_again() == 1
            assert refunds.look_again() == 0
    assert refund_now(refund_id).status == Status.CANCELLED


def test_a_refund_can_be_undone_until_it_leaves_and_no_later(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    first = asked(payment_id)
    for _twice in range(2):
        at_counter(payment_id, lambda: refunds.undo(first, by=OWNER))
    assert refund_now(first).status == Status.CANCELLED
    second = asked(payment_id)
    late = clock.standing_at(clock.now() + dt.timedelta(seconds=31))
    with late, pytest.raises(refunds.UndoTooLate):
        at_counter(payment_id, lambda: refunds.undo(second, by=OWNER))
    assert released() == 1
    with pytest.raises(refunds.UndoTooLate):
        at_counter(payment_id, lambda: refunds.undo(second, by=OWNER))


def test_a_refusal_of_the_provider_gives_everything_back(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    before = balances(shop)
    refund_id = asked(payment_id)
    released()
    told(refund_id, Failure("not_found"), purpose="look_up")
    assert refund_now(refund_id).status == Status.UNSENT, (
        "a question that finds nothing ends nothing"
    )
    told(refund_id, Failure("charge_disputed"), Failure("charge_disputed"), purpose="refund")
    refund = refund_now(refund_id)
    assert (refund.status, refund.failure_code) == (Status.FAILED, "charge_disputed")
    assert balances(shop) == before
    assert payment_now(payment_id).refundable == PRICE


def test_a_bank_that_gives_a_refund_back_days_later_is_booked_back(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    before = balances(shop)
    refund_id = asked(payment_id)
    released()
    told(refund_id, paid_out(), bounced(), bounced(), paid_out(), sent())
    refund = refund_now(refund_id)
    assert (refund.status, refund.failure_code) == ("failed", "expired_or_canceled_card")
    assert balances(shop) == before
    payment = payment_now(payment_id)
    assert (payment.refund_reserved_minor, payment.refunded_minor) == (0, 0)
    assert payment.outside_status == "SUCCESS"
    story_is_whole("refund", "refund", refund_id)


NEWS = {"sent": sent(), "paid out": paid_out(), "bounced": bounced()}


@pytest.mark.parametrize("order", list(permutations(NEWS)), ids=" then ".join)
def test_the_providers_words_lead_to_one_end_in_any_order(shop: str, order: tuple[str]) -> None:
    refund_id = asked(a_paid_payment(shop))
    released()
    for word in order:
        told(refund_id, NEWS[word], NEWS[word])
    assert refund_now(refund_id).status == Status.FAILED
    assert balances(shop) == (PRICE.minor - 2000, 2000, 0, -PRICE.minor)


def test_a_refund_that_was_given_up_and_yet_was_done_is_booked_anew(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    refund_id = asked(payment_id)
    released()
    told(refund_id, Failure("decided_not_done"), purpose="refund")
    told(refund_id, paid_out(), paid_out())
    assert refund_now(refund_id).status == Status.SUCCEEDED
    assert balances(shop) == (-2000, 2000, 0, 0)
    assert payment_now(payment_id).outside_status == "REFUNDED"
    told(refund_id, bounced())
    assert balances(shop) == (PRICE.minor - 2000, 2000, 0, -PRICE.minor)
    story_is_whole("refund", "refund", refund_id)


def test_news_of_another_refund_or_amount_changes_nothing(shop: str) -> None:
    refund_id = asked(a_paid_payment(shop))
    with pytest.raises(refunds.RefundMismatch):
        told(refund_id, paid_out())
    released()
    with pytest.raises(refunds.RefundMismatch):
        told(refund_id, paid_out(amount=inr(999_00)))
    told(refund_id, sent("re_one"))
    with pytest.raises(refunds.RefundMismatch):
        told(refund_id, paid_out("re_two"))
    told(refund_id, Outcome(Result.SUCCEEDED, amount=PRICE))
    assert refund_now(refund_id).status == Status.SENT


def test_what_other_rooms_have_against_it_is_said_and_stops_it(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    earlier = asked(payment_id, inr(100_00))
    reason = "The shopper has disputed this payment."
    refunds.block_by("disputes", lambda payment: reason if payment.id == payment_id else None)
    try:
        assert at_counter(payment_id, lambda: refunds.why_not_refund(payment_now(payment_id))) == [
            reason
        ]
        with pytest.raises(refunds.RefundBlocked) as refused:
            asked(payment_id, inr(100_00))
        assert refused.value.reasons == (reason,)
        assert released() == 0
        assert refund_now(earlier).status == Status.CANCELLED
    finally:
        refunds.unblock_by("disputes")
    asked(payment_id, PRICE)


def test_while_refunds_are_frozen_nothing_leaves_and_undoing_stays_possible(shop: str) -> None:
    payment_id = a_paid_payment(shop)
    first, second = asked(payment_id, inr(100_00)), asked(payment_id, inr(200_00))
    admin = Actor("admin", "usr_root")
    for said in ("The books differ.", "Another reason."):
        with db.scoped(db.ADMIN):
            assert refunds.freeze(because=said, by=admin).because == "The books differ."
    assert released() == 0
    late = clock.now() + dt.timedelta(hours=1)
    with clock.standing_at(late):
        at_counter(payment_id, lambda: refunds.undo(first, by=OWNER))
    with db.scoped(db.ADMIN):
        refunds.unfreeze(by=admin)
        refunds.unfreeze(by=admin)
    assert released() == 1
    assert [refund_now(one).status for one in (first, second)] == ["cancelled", "unsent"]
    deeds = "SELECT count(*) FROM audit_entry WHERE subject_kind = 'refunds'"
    assert scalar(deeds) == 2


def test_an_admin_approves_refuses_undoes_and_asks_with_the_rights_of_an_admin(shop: str) -> None:
    admin, large = Actor("admin", an_admin().id), inr(60_000_00)
    found = [asked(a_paid_payment(shop, large), large) for _ in range(3)]
    with db.scoped(db.ADMIN):
        refunds.approve(found[0], by=admin)
        refunds.refuse(found[1], because="Not this one.", by=admin)
        refunds.approve(found[2], by=admin)
        refunds.undo(found[2], by=admin)
    assert [refund_now(one).status for one in found] == ["approved", "cancelled", "cancelled"]
    assert released() == 1
    with db.scoped(db.ADMIN):
        refunds.check_now(found[0])
        refunds.check_now(found[0])
        refunds.check_now(found[1])
    assert sorted(operations(found[0])) == ["look_up_refund", "refund"]


def test_a_refund_that_cannot_leave_holds_nobody_else_up(shop: str) -> None:
    stuck = a_paid_payment(shop)
    first, second = asked(stuck), asked(a_paid_payment(shop))

    def against(payment: payments.Payment) -> str | None:
        if payment.id == stuck:
            raise Conflict("The other room is away.")
        return None

    refunds.block_by("disputes", against)
    try:
        assert released() == 1
    finally:
        refunds.unblock_by("disputes")
    assert [refund_now(one).status for one in (first, second)] == ["approved", "unsent"]
    assert released(after=dt.timedelta(minutes=2)) == 1
