"""The hot verbs' numbers of statements are pinned: a change may lower them, never raise them."""

from __future__ import annotations

from tests.builders import (
    SHOPPER,
    a_checkout,
    a_merchant,
    a_method,
    a_payment,
    a_person,
    answered,
    calls_answered,
    card_tried,
    held,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.counting import statements
from tests.portal import Committed
from webapp import payments
from webapp.gateway import Outcome, Result
from webapp.kernel import db
from webapp.payments import Status

PRICE = inr(1_000_00)
PINNED = {
    "start_card": 15,
    "apply created": 9,
    "apply succeeded": 14,
    "pay_from_wallet": 21,
    "apply authorised": 11,
    "capture": 8,
    "apply captured": 11,
    "void": 8,
}


def test_no_hot_verb_sends_more_statements_than_it_did(committed: Committed) -> None:
    shop, person = a_merchant(), a_person()
    money_in_wallet(person, inr(5_000_00))
    wallet_tried(a_checkout(shop, PRICE), person)
    counted: dict[str, list[str]] = {}
    link, method = a_checkout(shop, PRICE), a_method()
    with statements() as counted["start_card"]:
        payment_id = card_tried(link, method, payer=person.payer)
    with statements() as counted["apply created"]:
        answered(payment_id, Outcome(Result.CREATED, intent_id="pi_1"))
    calls_answered(payment_id)
    with statements() as counted["apply succeeded"]:
        answered(payment_id, succeeded(PRICE, method))
    link = a_checkout(shop, PRICE)
    with statements() as counted["pay_from_wallet"]:
        wallet_tried(link, person)
    counted |= of_held_money(shop)
    sent = {verb: len(found) for verb, found in counted.items()}
    assert sent == PINNED, "\n".join(f"{v}: {s}" for v, found in counted.items() for s in found)


def of_held_money(shop: str) -> dict[str, list[str]]:
    """Return what is sent when money is held, taken and let go."""
    counted: dict[str, list[str]] = {}
    as_shop = db.Scope(merchant_id=shop, livemode=False)
    link, method = a_checkout(shop, PRICE, capture_later=True), a_method()
    payment_id = card_tried(link, method)
    answered(payment_id, Outcome(Result.CREATED, intent_id="pi_2"))
    calls_answered(payment_id)
    with statements() as counted["apply authorised"]:
        answered(payment_id, held(PRICE, method))
    calls_answered(payment_id)
    with statements() as counted["capture"], db.scoped(as_shop):
        payments.capture(payment_id, amount=inr(400_00), by=SHOPPER)
    with statements() as counted["apply captured"]:
        answered(payment_id, succeeded(inr(400_00)))
    other = a_payment(Status.AUTHORISED, shop)
    with statements() as counted["void"], db.scoped(as_shop):
        payments.void(other, because="It is sold out.", by=SHOPPER)
    return counted
