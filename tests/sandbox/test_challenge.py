"""3-D Secure: the bank asks, the shopper answers once, and the shop learns how it ended."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from tests.sandbox.running import RunningSandbox

BACK = "http://localhost:9/checkout/return?x=1"
ASKING = ["4000002500003155", "4000002760003184", "4000000000003220"]


def asked(sandbox: RunningSandbox, number: str = ASKING[0]) -> tuple[Any, str]:
    """A payment that waits for the shopper, and the address of its challenge page."""
    intent = sandbox.intent()
    waiting = sandbox.stripe.v1.payment_intents.confirm(
        intent.id,
        {"payment_method": sandbox.typed_card(number).json()["id"], "return_url": BACK},
    )
    assert waiting.status == "requires_action"
    assert waiting.latest_charge is None
    action: Any = waiting.next_action
    assert action.type == "redirect_to_url"
    assert action.redirect_to_url.return_url == BACK
    return waiting, action.redirect_to_url.url


def answer(url: str, choice: str) -> requests.Response:
    return requests.post(url, data={"answer": choice}, allow_redirects=False, timeout=10)


def returned(response: requests.Response) -> dict[str, str]:
    assert response.status_code == 303
    address = response.headers["Location"]
    assert address.startswith("http://localhost:9/checkout/return?x=1&")
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.parametrize("number", ASKING)
def test_a_confirmed_payment_is_charged(sandbox: RunningSandbox, number: str) -> None:
    intent, url = asked(sandbox, number)
    page = requests.get(url, timeout=10).text
    assert "₹1,000.00" in page
    back = returned(answer(url, "complete"))
    assert back["redirect_status"] == "succeeded"
    assert back["payment_intent"] == intent.id
    assert back["payment_intent_client_secret"] == intent.client_secret
    paid: Any = sandbox.stripe.v1.payment_intents.retrieve(intent.id, {"expand": ["latest_charge"]})
    assert paid.status == "succeeded"
    secure = paid.latest_charge.payment_method_details.card.three_d_secure
    assert secure.result == "authenticated"


def test_a_payment_that_was_not_confirmed_moves_no_money_and_can_be_tried_again(
    sandbox: RunningSandbox,
) -> None:
    intent, url = asked(sandbox)
    assert returned(answer(url, "fail"))["redirect_status"] == "failed"
    after: Any = sandbox.stripe.v1.payment_intents.retrieve(intent.id)
    assert after.status == "requires_payment_method"
    assert after.last_payment_error.code == "payment_intent_authentication_failure"
    books = sandbox.books_of(intent.id)
    assert (books["captured"], books["failed_charges"]) == (0, 0)
    paid = sandbox.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert paid.status == "succeeded"


def test_a_bank_may_decline_after_the_shopper_confirmed(sandbox: RunningSandbox) -> None:
    intent, url = asked(sandbox, "4000008400001629")
    assert returned(answer(url, "complete"))["redirect_status"] == "failed"
    after: Any = sandbox.stripe.v1.payment_intents.retrieve(intent.id)
    assert after.last_payment_error.code == "card_declined"
    assert sandbox.books_of(intent.id)["failed_charges"] == 1


@pytest.mark.parametrize(("first", "second"), [("complete", "fail"), ("fail", "complete")])
def test_only_the_first_answer_counts(sandbox: RunningSandbox, first: str, second: str) -> None:
    intent, url = asked(sandbox)
    answer(url, first)
    status = sandbox.stripe.v1.payment_intents.retrieve(intent.id).status
    again = answer(url, second)
    assert again.status_code == 200
    assert "Back to the shop" in again.text
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).status == status
    assert sandbox.books_of(intent.id)["successful_charges"] == (1 if first == "complete" else 0)


def test_an_older_challenge_is_void_once_another_card_was_tried(sandbox: RunningSandbox) -> None:
    intent, url = asked(sandbox)
    sandbox.stripe.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_authenticationRequired", "return_url": BACK}
    )
    assert answer(url, "complete").status_code == 404
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_a_cancelled_payment_is_not_charged_by_a_late_answer(sandbox: RunningSandbox) -> None:
    intent, url = asked(sandbox)
    sandbox.stripe.v1.payment_intents.cancel(intent.id)
    answer(url, "complete")
    assert sandbox.books_of(intent.id)["captured"] == 0


def test_nobody_answers_without_the_address(sandbox: RunningSandbox) -> None:
    intent, url = asked(sandbox)
    forged = url.rsplit("/", 1)[0] + "/guessed"
    assert answer(forged, "complete").status_code == 404
    foreign = requests.post(
        url, data={"answer": "complete"}, headers={"Origin": "http://evil.example"}, timeout=10
    )
    assert foreign.status_code == 403
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).status == "requires_action"


def test_without_a_return_address_the_shop_shows_the_challenge_itself(
    sandbox: RunningSandbox,
) -> None:
    waiting = sandbox.paid("pm_card_threeDSecure2Required")
    assert waiting.next_action.type == "use_stripe_sdk"
    url = waiting.next_action.use_stripe_sdk.stripe_js
    assert "This payment is confirmed" in answer(url, "complete").text


def test_a_held_payment_is_held_after_the_challenge(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent(capture_method="manual")
    waiting: Any = sandbox.stripe.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_authenticationRequired", "return_url": BACK}
    )
    back = returned(answer(waiting.next_action.redirect_to_url.url, "complete"))
    assert back["redirect_status"] == "succeeded"
    assert sandbox.stripe.v1.payment_intents.retrieve(intent.id).status == "requires_capture"


def test_a_return_address_is_not_taken_without_confirming(sandbox: RunningSandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="return_url"):
        sandbox.intent(return_url=BACK)
