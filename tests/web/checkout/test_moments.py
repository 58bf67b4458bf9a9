"""A checkout is read while its payment comes to an end: it shows one moment or the other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.books import worker_of
from tests.jobs.shop import Shop, open_shop
from tests.portal import Committed
from webapp import orders, payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.orders import CheckoutRef
from webapp.web.checkout.presenters import Stage, checkout_view

READS = ("checkout_of", "order_of", "current_payment")


def paid_meanwhile(portal: Committed, payment_id: str) -> None:
    """Let the provider's success arrive in another thread, and wait for it."""

    def succeed() -> None:
        with worker_of(portal):
            payments.apply(
                payment_id, Outcome(Result.SUCCEEDED, intent_id="pi_1", amount=Money(100_00, "INR"))
            )

    with ThreadPoolExecutor(1) as other:
        other.submit(succeed).result()


def seen(shop: Shop, ref: CheckoutRef) -> Stage:
    with db.scoped(shop.scope):
        return checkout_view(ref, "token", user_id=shop.shopper_id).stage


@pytest.mark.parametrize("name", READS)
def test_a_payment_that_ends_between_two_reads_never_makes_its_link_look_expired(
    committed: Committed, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shop = open_shop(committed)
    ref = shop.order(100_00)
    payment_id = shop.pay(ref)
    assert seen(shop, ref) is Stage.CONFIRMING
    room = payments if name == "current_payment" else orders
    read: Callable[..., Any] = getattr(room, name)

    def before(*words: Any) -> Any:
        monkeypatch.undo()
        paid_meanwhile(committed, payment_id)
        return read(*words)

    monkeypatch.setattr(room, name, before)
    assert seen(shop, ref) in {Stage.CONFIRMING, Stage.PAID}
    assert seen(shop, ref) is Stage.PAID
