"""Any story of pays, transfers, captures, refunds, lost answers and clock jumps: one truth."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.payments.bank import Bank
from tests.races.stage import Stage
from tests.races.story import Story
from webapp import gateway
from webapp.kernel import clock, db

pytestmark = pytest.mark.races
#: How many stories are told: a few in each run of the tests, as many as one likes by hand.
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "20"))
STEPS = int(os.environ.get("MODEL_STEPS", "25"))
BY_HAND = "MODEL_EXAMPLES" in os.environ
#: What at least must have come about in the stories of one run.
HAPPENED = {
    *("retried", "paid too late", "taken in part", "let go", "let go in time", "failed in time"),
    *("refunded", "refused", "undone", "answer lost", "worker ended"),
    *("sent", "sent back", "too little to send"),
}


@pytest.fixture
def stage(portals: tuple[Flask, Flask]) -> Iterator[Stage]:
    """Both processes with the provider of this test."""
    web, worker = portals
    usual, bank = gateway.provider(), Bank()
    gateway.put(bank)
    with web.app_context(), db.scoped(db.NOBODY):
        yield Stage(worker, bank, clock.now())
        db.session.remove()
    gateway.put(usual)


def tell_one_of_each(story: Story) -> None:
    """Let everything that can come about come about once, whatever chance brings afterwards."""

    def then(step: Callable[[], None]) -> None:
        step()
        story.the_books_agree()
        story.the_provider_agrees()
        story.every_payment_says_what_the_model_says()

    then(lambda: story.top_up(500_00))
    then(lambda: story.transfer(90_00, back=False))
    then(lambda: story.transfer(90_01, back=True))
    then(lambda: story.transfer(30_00, back=True))
    then(lambda: story.disturb("after"))
    then(lambda: story.pay(100_00, later=False))
    then(lambda: story.disturb("operation.before_apply"))
    then(lambda: story.pay(200_00, later=True))
    then(lambda: story.capture(0, 40, and_void=True))
    then(lambda: story.pay(300_00, later=True))
    then(lambda: story.void(0))
    then(lambda: story.be_declined(400_00, later=False))
    then(lambda: story.retry(0))
    then(lambda: story.be_declined(50_00, later=False))
    then(lambda: story.pay_too_late(0))
    then(lambda: story.pay_from_wallet(60_00))
    for number, to in enumerate(("original", "wallet", "order_credit")):
        then(partial(story.refund, number, 30, to, undone=False))
    then(lambda: story.refund(0, 20, "original", undone=True))
    then(lambda: story.refund(0, 130, "original", undone=False))
    then(lambda: story.be_declined(70_00, later=False))
    then(lambda: story.pay(80_00, later=True))
    then(story.let_the_bank_wait)
    story.teardown()


@pytest.mark.requirement("S1-04", "S2-30", "S2-106")
def test_every_story_of_payments_leaves_the_books_that_the_model_has(stage: Stage) -> None:
    told = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=not BY_HAND,
        phases=[phase for phase in Phase if BY_HAND or phase in (Phase.explicit, Phase.generate)],
        suppress_health_check=list(HealthCheck),
    )
    seen: Counter[str] = Counter()
    tell_one_of_each(Story(stage, seen))
    run_state_machine_as_test(lambda: Story(stage, seen), settings=told)  # type: ignore[arg-type]
    seen |= Counter(stage.seen)
    assert set(seen) >= HAPPENED, f"too tame to prove anything: {dict(seen)}"


def test_the_model_notices_a_unit_that_goes_astray(stage: Stage) -> None:
    story = Story(stage, Counter())
    story.top_up(5_00)
    story.pay_from_wallet(2_00)
    story.the_books_agree()
    story.model.payable += 1
    with pytest.raises(AssertionError):
        story.the_books_agree()
    story.model.payable -= 1
    story.the_books_agree()
    story.transfer(1_00, back=False)
    story.model.friend -= 1
    with pytest.raises(AssertionError):
        story.the_books_agree()
