"""Tills, approvers, sweepers and the provider at one refund at once: never more than was taken."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.builders import GUEST, an_order, inr
from tests.races.racing import Race
from tests.refunds.builders import (
    CLERK,
    OWNER,
    PRICE,
    a_guests_payment,
    a_member_of,
    a_paid_payment,
    asked,
    bounced,
    paid_out,
    payment_now,
    refund_now,
    sent,
    told,
)
from tests.stories import behind, operations, scalar, story_is_whole
from webapp import audit, invariants, ledger, refunds
from webapp.gateway import Failure, Outcome
from webapp.kernel import clock, db
from webapp.kernel.money import Money
from webapp.outbox import Actor

pytestmark = pytest.mark.races
ROUNDS = 10


@pytest.fixture(autouse=True)
def at_once(race: Race) -> Iterator[None]:
    """Nothing can be undone here, so that all leaves at once."""
    before = refunds.limits()
    refunds.use(refunds.Limits(dt.timedelta(0), before.approval))
    yield
    refunds.use(before)


def till(shop: str, payment_id: str, amount: Money, seen: Money | None = None) -> str:
    """Ask for a refund at one of a merchant's tills."""
    with db.scoped(db.Scope(merchant_id=shop, livemode=False)):
        return refunds.request(
            payment_id, amount=amount, reason="other", seen_available=seen, by=CLERK
        ).id


def refunded(payment_id: str) -> int:
    """Return the sum of a payment's refunds that count, in minor units."""
    return int(
        scalar(
            "SELECT coalesce(sum(amount_minor), 0) FROM refund WHERE payment_id = :id"
            " AND status NOT IN ('failed', 'cancelled')",
            id=payment_id,
        )
    )


def test_of_fifty_refunds_of_a_tenth_each_exactly_ten_are_made(race: Race) -> None:
    payment_id = a_paid_payment(race.shop)
    tenth = partial(till, race.shop, payment_id, inr(100_00))
    ends = race.run(*((False, tenth) for _ in range(50)))
    made = [end for end in ends if str(end).startswith("re_")]
    assert len(made) == 10
    refused = Counter(end for end in ends if end not in made)
    assert sum(refused.values()) == 40
    assert set(refused) <= {"refund_not_possible", "refund_exceeds_available"}
    payment = payment_now(payment_id)
    assert (refunded(payment_id), payment.refund_reserved_minor) == (1_000_00, 1_000_00)


def test_of_two_who_saw_the_same_amount_one_is_told_that_it_changed(race: Race) -> None:
    for _round in range(ROUNDS):
        payment_id = a_paid_payment(race.shop)
        ask = partial(till, race.shop, payment_id, inr(300_00), PRICE)
        ends = race.run((False, ask), (False, ask), (False, ask))
        assert Counter(ends)["available_changed"] == 2
        assert refunded(payment_id) == 300_00


def test_two_approvers_at_once_approve_once(race: Race) -> None:
    for _round in range(ROUNDS):
        payment_id = a_paid_payment(race.shop, inr(60_000_00))
        refund_id = asked(payment_id, inr(60_000_00))
        one, two = a_member_of(race.shop), a_member_of(race.shop, "owner")

        def approve(who: str, refund_id: str = refund_id) -> str:
            with db.scoped(db.Scope(merchant_id=race.shop, livemode=False)):
                by = Actor("merchant_user", who)
                return refunds.approve(refund_id, by=by).approved_by_id or ""

        ends = race.run(*((False, partial(approve, who)) for who in (one, two, one)))
        winner = refund_now(refund_id).approved_by_id
        assert set(ends) <= {winner, "refund_decided"}
        assert refund_now(refund_id).version == 2
        story_is_whole("refund", "refund", refund_id)


def test_a_refund_is_either_undone_or_leaves_once(race: Race) -> None:
    left = 0
    for _round in range(ROUNDS):
        payment_id = a_paid_payment(race.shop)
        refund_id = later(payment_id)

        def undo(refund_id: str = refund_id) -> str:
            with db.scoped(db.Scope(merchant_id=race.shop, livemode=False)):
                return refunds.undo(refund_id, by=OWNER).status

        release = (True, refunds.release_due)
        race.run((False, undo), release, release, (False, undo))
        race.run(release)
        is_out = refund_now(refund_id).status == "unsent"
        assert operations(refund_id) == (["refund"] if is_out else [])
        assert postings(refund_id) == int(is_out)
        assert is_out or refund_now(refund_id).status == "cancelled"
        assert payment_now(payment_id).refundable == (inr(0) if is_out else PRICE)
        story_is_whole("refund", "refund", refund_id)
        left += is_out
    assert 0 <= left <= ROUNDS


def later(payment_id: str) -> str:
    """Ask for a refund that leaves in about as long as a race takes to begin."""
    before = refunds.limits()
    refunds.use(refunds.Limits(dt.timedelta(milliseconds=25), before.approval))
    try:
        return asked(payment_id)
    finally:
        refunds.use(before)


def postings(refund_id: str, fact: str = "sent") -> int:
    """Return how often the books say that of a refund."""
    reference = f"refund.{fact}:{refund_id}"
    statement = "SELECT count(*) FROM transfer WHERE reference = :reference"
    return int(scalar(statement, reference=reference))


def in_transit() -> int:
    """Return what is on its way back, in minor units."""
    with db.scoped(behind()):
        return ledger.balance(ledger.refunds_in_transit(False, "INR")).minor


def one_that_left(race: Race, payment_id: str) -> str:
    """Ask for a refund and let it leave."""
    refund_id = asked(payment_id)
    race.run((True, refunds.release_due))
    assert refund_now(refund_id).status == "unsent"
    return refund_id


def test_answer_webhooks_and_look_up_at_once_book_it_once(race: Race) -> None:
    before = in_transit()
    for number in range(ROUNDS):
        payment_id = a_paid_payment(race.shop)
        refund_id = one_that_left(race, payment_id)
        news: list[Outcome] = [sent(f"re_p{number}"), *[paid_out(f"re_p{number}")] * 5]
        ends = race.run(*((True, partial(refunds.apply, refund_id, one)) for one in news))
        assert ends == [None] * 6
        refund = refund_now(refund_id)
        assert (refund.status, refund.version <= 4) == ("succeeded", True)
        assert (postings(refund_id), postings(refund_id, "settled")) == (1, 1)
        assert payment_now(payment_id).refunded_minor == PRICE.minor
        story_is_whole("refund", "refund", refund_id)
    assert in_transit() == before


def test_a_webhook_before_our_own_answer_is_the_end_of_it(race: Race) -> None:
    refund_id = one_that_left(race, a_paid_payment(race.shop))
    told(refund_id, *[paid_out("re_early")] * 5)
    told(refund_id, paid_out("re_early"), purpose="refund")
    told(refund_id, Failure("charge_already_refunded"), purpose="refund")
    assert refund_now(refund_id).status == "succeeded"
    assert postings(refund_id, "settled") == 1


def test_success_and_failure_at_once_end_as_failed_and_booked_back(race: Race) -> None:
    for number in range(ROUNDS):
        payment_id = a_paid_payment(race.shop)
        refund_id = one_that_left(race, payment_id)
        named = f"re_q{number}"
        news = (paid_out(named), bounced(named), sent(named), bounced(named))
        race.run(*((True, partial(refunds.apply, refund_id, one)) for one in news))
        assert refund_now(refund_id).status == "failed"
        assert payment_now(payment_id).refundable == PRICE
        assert postings(refund_id, "settled") == postings(refund_id, "unsettled")
        assert postings(refund_id) == postings(refund_id, "failed") == 1


def test_two_credits_for_one_order_pay_it_once(race: Race) -> None:
    for _round in range(ROUNDS):
        target = an_order(race.shop, inr(400_00), email=GUEST).id
        paid = [a_guests_payment(race.shop) for _ in range(2)]

        def ask(payment_id: str, target: str = target) -> str:
            return asked(
                payment_id, inr(400_00), destination="order_credit", target_order_id=target
            )

        ends = race.run(*((False, partial(ask, payment_id)) for payment_id in paid))
        assert len([end for end in ends if str(end).startswith("re_")]) == 1
        race.run((True, refunds.release_due), (True, refunds.release_due))
        race.run((True, refunds.release_due))
        assert sum(refunded(payment_id) for payment_id in paid) == 400_00
        captured = "SELECT count(*) FROM payment WHERE order_id = :id AND status = 'captured'"
        assert scalar(captured, id=target) == 1


def test_after_freezing_nothing_leaves_that_had_not_begun_to(race: Race) -> None:
    found = [later(a_paid_payment(race.shop)) for _ in range(6)]
    admin = Actor("admin", "usr_root")

    def freeze() -> dt.datetime:
        with db.scoped(db.ADMIN):
            refunds.freeze(because="The books differ.", by=admin)
        return clock.now()

    with ThreadPoolExecutor(1) as pool:
        try:
            waiting = pool.submit(
                race.run, (True, refunds.release_due), (True, refunds.release_due)
            )
            race.run((False, freeze))
            waiting.result(20)
            before = [refund_now(one).status for one in found]
            race.run((True, refunds.release_due))
            assert [refund_now(one).status for one in found] == before
        finally:
            with race.web.app_context(), db.scoped(db.ADMIN):
                refunds.unfreeze(by=admin)
    race.run((True, refunds.release_due))
    for one in found:
        assert refund_now(one).status == "unsent"
        assert postings(one) == len(operations(one)) == 1


def test_a_freeze_in_the_middle_of_leaving_costs_the_refund_no_time(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    refund_id = asked(a_paid_payment(race.shop))
    admin = Actor("admin", "usr_root")

    def freeze(_payment: object) -> list[str]:
        with db.scoped(db.ADMIN):
            refunds.freeze(because="The books differ.", by=admin)
        return []

    def meet_a_freeze(payment: object) -> list[str]:
        race.run((False, partial(freeze, payment)))
        return []

    try:
        with monkeypatch.context() as patched:
            patched.setattr("webapp.refunds.blockers.blocked_because", meet_a_freeze)
            assert race.run((True, refunds.release_due)) == [0]
        assert refund_now(refund_id).status == "approved"
    finally:
        with race.web.app_context(), db.scoped(db.ADMIN):
            refunds.unfreeze(by=admin)
    race.run((True, refunds.release_due))
    assert refund_now(refund_id).status == "unsent"
    assert postings(refund_id) == len(operations(refund_id)) == 1


def test_the_books_are_sound_after_all_of_it(race: Race) -> None:
    with race.worker.app_context(), db.scoped(db.WORKER):
        assert ledger.check_books().problems == []
        audit.seal_pending()
        assert invariants.check_everything().problems == []
        db.session.remove()
