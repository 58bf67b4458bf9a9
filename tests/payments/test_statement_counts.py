"""The hot verbs' numbers of statements are pinned: a change may lower them, never raise them."""

from __future__ import annotations

from tests.builders import (
    a_checkout,
    a_merchant,
    a_method,
    a_person,
    answered,
    calls_answered,
    card_tried,
    inr,
    money_in_wallet,
    succeeded,
    wallet_tried,
)
from tests.counting import statements
from tests.portal import Committed
from webapp.gateway import Outcome, Result

PRICE = inr(1_000_00)
PINNED = {"start_card": 15, "apply created": 9, "apply succeeded": 14, "pay_from_wallet": 21}


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
    sent = {verb: len(found) for verb, found in counted.items()}
    assert sent == PINNED, "\n".join(f"{v}: {s}" for v, found in counted.items() for s in found)
