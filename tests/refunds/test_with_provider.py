"""Refunds against the sandbox as workers make them: lost answers, late failures, many webhooks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from jobs import context
from jobs.subscriptions import ROUTES
from supervisor.stores import Stores
from tests.builders import a_merchant, inr
from tests.portal import Committed, cloned, dispose, environment
from tests.provider_process import running_sandbox
from tests.refunds.builders import PRICE, asked, payment_now, refund_now
from tests.refunds.till import Till
from tests.sandbox.running import wait_until
from tests.stories import scalar, story_is_whole
from webapp import audit, config, invariants, ledger, refunds
from webapp.app import create_app
from webapp.kernel import clock, db
from webapp.outbox import Actor

SUCCEEDED = "succeeded"
LONG = dt.timedelta(hours=1)


@pytest.fixture(scope="module")
def till(stores: Stores, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Till]:
    """A merchant's till with a worker and the sandbox behind it."""
    folder: Path = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder) as sandbox, cloned(stores) as database:
        env = {**environment(stores, database), "PROVIDER_ORIGIN": sandbox.origin}
        web = create_app(config.read(env), ROUTES)
        env["DATABASE_URL"] = stores.url("paydeck_worker", database)
        settings = config.read(env)
        worker = create_app(settings, ROUTES)
        context.put(context.Process("test", settings, worker, clock.now().timestamp()))
        with web.app_context(), db.scoped(db.NOBODY):
            yield Till(Committed(web, stores, database), worker, sandbox, a_merchant())
            db.session.remove()
        dispose(worker)
        dispose(web)


@pytest.fixture(autouse=True)
def calm(till: Till) -> Iterator[None]:
    """No fault before a test nor after it."""
    till.sandbox.calm()
    yield
    till.sandbox.calm()


def is_now(refund_id: str, status: str) -> bool:
    """Whether a refund stands there."""
    return refund_now(refund_id).status == status


@pytest.mark.requirement("S2-27", "S2-36")
def test_a_refund_is_made_at_the_provider_once_and_booked_as_it_says(till: Till) -> None:
    payment_id = till.paid()
    refund_id = till.left(payment_id)
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    till.heard(times=5)
    refund = refund_now(refund_id)
    assert (refund.status, refund.version) == (SUCCEEDED, 3)
    assert till.given_back(payment_id) == PRICE.minor
    assert till.states(refund_id) == ["refund succeeded"]
    assert payment_now(payment_id).outside_status == "REFUNDED"
    story_is_whole("refund", "refund", refund_id)


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "drop_before", "500_before", "409"])
@pytest.mark.parametrize("times", [1, 3])
def test_a_lost_answer_never_sends_it_twice(till: Till, fault: str, times: int) -> None:
    payment_id = till.paid()
    refund_id = till.left(payment_id)
    till.sandbox.fault(fault, endpoint="refunds.create", times=times)
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    assert till.given_back(payment_id) == PRICE.minor
    assert till.states(refund_id) == ["refund succeeded"]


def test_while_nobody_knows_it_stays_not_sent_yet_and_a_webhook_ends_that(till: Till) -> None:
    payment_id = till.paid()
    refund_id = till.left(payment_id)
    till.sandbox.fault("drop_after", endpoint="refunds.create", times=1)
    till.drained(until=lambda: till.states(refund_id) == ["refund unknown"])
    till.sandbox.fault("outage", endpoint="refunds.create", times=0)
    till.sandbox.fault("outage", endpoint="refunds.list", times=0)
    with pytest.raises(AssertionError, match="unknown"):
        till.drained(until=lambda: not is_now(refund_id, "unsent"))
    till.heard(times=5)
    assert is_now(refund_id, SUCCEEDED)
    till.sandbox.calm()
    till.drained(until=lambda: till.states(refund_id) == ["refund succeeded"])
    assert till.given_back(payment_id) == PRICE.minor


def test_a_key_that_the_provider_may_have_forgotten_is_looked_for_and_never_sent(
    till: Till,
) -> None:
    first, second = till.paid(), till.paid()
    done = till.left(first)
    till.sandbox.fault("drop_after", endpoint="refunds.create", times=1)
    till.drained(until=lambda: "refund unknown" in till.states(done))
    never = till.left(second)
    till.sandbox.fault("outage", endpoint="refunds.create", times=0)
    till.drained(until=lambda: "refund unknown" in till.states(never))
    till.aged(24)
    till.drained(until=lambda: till.states(never) == ["refund manual"])
    till.drained(until=lambda: is_now(done, SUCCEEDED))
    assert is_now(never, "unsent")
    assert (till.given_back(first), till.given_back(second)) == (PRICE.minor, 0)


def test_a_bank_that_gives_it_back_later_is_believed(till: Till) -> None:
    payment_id = till.paid("pm_card_refundFail")
    refund_id = till.left(payment_id)
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    till.sandbox.clock(60)
    wait_until(lambda: till.given_back(payment_id) == 0)
    till.heard(times=5)
    refund = refund_now(refund_id)
    assert (refund.status, refund.failure_code) == ("failed", "expired_or_canceled_card")
    assert payment_now(payment_id).refundable == PRICE


def test_a_refund_that_the_bank_takes_its_time_over_is_asked_about(till: Till) -> None:
    payment_id = till.paid("pm_card_pendingRefund")
    refund_id = till.left(payment_id)
    till.drained(until=lambda: is_now(refund_id, "sent"))
    till.sandbox.clock(60)
    assert till.working(refunds.look_again, after=2 * LONG) >= 1
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    assert till.states(refund_id) == ["refund succeeded", "look_up_refund succeeded"]


def test_of_two_refunds_each_finds_its_own_answer(till: Till) -> None:
    payment_id = till.paid()
    till.sandbox.fault("drop_after", endpoint="refunds.create", times=6)
    found = [half(till, payment_id) for _ in range(2)]
    till.drained(until=lambda: all(is_now(one, SUCCEEDED) for one in found))
    assert len({refund_now(one).provider_refund_id for one in found}) == 2
    assert till.given_back(payment_id) == PRICE.minor


def half(till: Till, payment_id: str) -> str:
    """Refund half of a payment."""
    refund_id = asked(payment_id, inr(500_00))
    assert till.working(refunds.release_due) == 1
    return refund_id


def test_our_books_are_sound_and_say_what_the_providers_say(till: Till) -> None:
    with till.worker.app_context(), db.scoped(db.WORKER):
        assert ledger.check_books().problems == []
        audit.seal_pending()
        assert invariants.check_everything().problems == []
        db.session.remove()
    sums = "SELECT coalesce(sum(refunded_minor), 0) FROM payment"
    assert scalar(sums) == till.given_back_in_all()


def sent_behind_its_back(refund_id: str) -> int:
    """Claim the call of a refund, whatever the code says."""
    sends = "UPDATE provider_operation SET first_sent_at = now() WHERE subject_id = :id"
    with db.transaction() as session:
        session.execute(text(sends), {"id": refund_id})
    return 1


def test_freezing_also_holds_refunds_whose_call_was_never_made(till: Till) -> None:
    payment_id = till.paid()
    refund_id = till.left(payment_id)
    root = Actor("admin", "usr_root")
    with db.scoped(db.ADMIN):
        refunds.freeze(because="The books differ.", by=root)
    try:
        paid_meanwhile = till.paid()
        assert payment_now(paid_meanwhile).status == "captured"
        assert (till.states(refund_id), till.given_back(payment_id)) == (["refund pending"], 0)
        with pytest.raises(db.DatabaseError, match="refunds are frozen"):
            till.working(partial(sent_behind_its_back, refund_id))
    finally:
        with db.scoped(db.ADMIN):
            refunds.unfreeze(by=root)
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    assert till.given_back(payment_id) == PRICE.minor


def frozen(till: Till, refund_id: str, *, in_doubt: str) -> None:
    """Freeze refunds while the call of one is in doubt, and have that call made as often as due."""
    root = Actor("admin", "usr_root")
    with db.scoped(db.ADMIN):
        refunds.freeze(because="The books differ.", by=root)
    try:
        if in_doubt == "manual":
            till.taken_up(refund_id)
        till.sandbox.calm()
        with pytest.raises(AssertionError, match="refunds_frozen"):
            till.drained(until=lambda: not is_now(refund_id, "unsent"))
    finally:
        with db.scoped(db.ADMIN):
            refunds.unfreeze(by=root)


@pytest.mark.parametrize("in_doubt", ["unknown", "manual"])
def test_what_perhaps_has_not_left_is_not_sent_while_refunds_are_frozen(
    till: Till, in_doubt: str
) -> None:
    payment_id = till.paid()
    refund_id = till.left(payment_id)
    if in_doubt == "manual":
        till.asked_for_long_ago(refund_id)
        till.sandbox.fault("429", endpoint="refunds.create", times=0)
    else:
        till.sandbox.fault("drop_before", endpoint="refunds.create", times=1)
    till.drained(until=lambda: till.states(refund_id) == [f"refund {in_doubt}"])
    frozen(till, refund_id, in_doubt=in_doubt)
    assert till.given_back(payment_id) == 0
    till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    assert till.given_back(payment_id) == PRICE.minor


def test_what_did_leave_is_found_while_refunds_are_frozen(till: Till) -> None:
    refund_id = till.left(till.paid())
    till.sandbox.fault("drop_after", endpoint="refunds.create", times=1)
    till.drained(until=lambda: till.states(refund_id) == ["refund unknown"])
    root = Actor("admin", "usr_root")
    with db.scoped(db.ADMIN):
        refunds.freeze(because="The books differ.", by=root)
    try:
        till.drained(until=lambda: is_now(refund_id, SUCCEEDED))
    finally:
        with db.scoped(db.ADMIN):
            refunds.unfreeze(by=root)
