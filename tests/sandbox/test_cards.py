"""Every test card does what the provider's table says, and nothing keeps its number."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import RunningSandbox

ACCEPTED = [
    ("4242424242424242", "visa", "credit"),
    ("4000056655665556", "visa", "debit"),
    ("5555555555554444", "mastercard", "credit"),
    ("2223003122003222", "mastercard", "credit"),
    ("5105105105105100", "mastercard", "prepaid"),
    ("6011111111111117", "discover", "credit"),
    ("3056930009020004", "diners", "credit"),
    ("3566002020360505", "jcb", "credit"),
    ("6200000000000005", "unionpay", "credit"),
    ("4000000000003055", "visa", "credit"),
]
DECLINED = [
    ("4000000000000002", "card_declined", "generic_decline"),
    ("4000000000009995", "card_declined", "insufficient_funds"),
    ("4000000000009987", "card_declined", "lost_card"),
    ("4000000000009979", "card_declined", "stolen_card"),
    ("4000000000000069", "expired_card", None),
    ("4000000000000127", "incorrect_cvc", None),
    ("4000000000000119", "processing_error", None),
    ("4000000000006975", "card_declined", "card_velocity_exceeded"),
    ("4000000000000341", "card_declined", "generic_decline"),
    ("4100000000000019", "card_declined", "fraudulent"),
]
MISTYPED = [
    ({"number": "4242424242424241"}, "incorrect_number", "number"),
    ({"number": "4242"}, "invalid_number", "number"),
    ({"number": "4242abcd42424242"}, "invalid_number", "number"),
    ({"number": "4242424242424242", "exp_month": "13"}, "invalid_expiry_month", "exp_month"),
    ({"number": "4242424242424242", "exp_year": "2020"}, "invalid_expiry_year", "exp_year"),
    ({"number": "4242424242424242", "cvc": "12"}, "invalid_cvc", "cvc"),
    ({"number": "378282246310005", "cvc": "123"}, "invalid_cvc", "cvc"),
    ({"number": "4012888888881881"}, "card_declined", "number"),
]


@pytest.mark.parametrize(("number", "brand", "funding"), ACCEPTED)
def test_a_good_card_is_charged_once(
    sandbox: RunningSandbox, number: str, brand: str, funding: str
) -> None:
    method = sandbox.typed_card(number).json()
    assert (method["card"]["brand"], method["card"]["funding"]) == (brand, funding)
    assert method["card"]["last4"] == number[-4:]
    paid = sandbox.paid(method["id"])
    assert paid.status == "succeeded"
    assert paid.amount_received == 1000_00
    assert paid.latest_charge.payment_method_details.card.brand == brand
    books = sandbox.books_of(paid.id)
    assert (books["captured"], books["successful_charges"]) == (1000_00, 1)


def test_american_express_has_fifteen_digits_and_a_code_of_four(sandbox: RunningSandbox) -> None:
    method = sandbox.typed_card("3782 822463 10005", cvc="1234").json()
    assert method["card"]["brand"] == "amex"
    assert method["card"]["checks"]["cvc_check"] == "pass"


@pytest.mark.parametrize(("number", "code", "decline_code"), DECLINED)
def test_a_bad_card_is_declined_with_its_own_code(
    sandbox: RunningSandbox, number: str, code: str, decline_code: str | None
) -> None:
    method = sandbox.typed_card(number).json()["id"]
    intent = sandbox.intent()
    with pytest.raises(stripe.CardError) as caught:
        sandbox.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": method})
    error: Any = caught.value
    assert (error.http_status, error.code) == (402, code)
    assert error.error.to_dict().get("decline_code") == decline_code
    after: Any = sandbox.stripe.v1.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge"]}
    )
    assert after.status == "requires_payment_method"
    assert after.last_payment_error.code == code
    assert after.latest_charge.failure_code == code
    assert after.latest_charge.outcome.type == (
        "blocked" if number == "4100000000000019" else "issuer_declined"
    )
    books = sandbox.books_of(intent.id)
    assert (books["captured"], books["failed_charges"]) == (0, 1)


def test_a_declined_payment_is_paid_with_another_card(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent()
    confirm = sandbox.stripe.v1.payment_intents.confirm
    with pytest.raises(stripe.CardError):
        confirm(intent.id, {"payment_method": "pm_card_chargeDeclined"})
    after = confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert after.status == "succeeded"
    assert after.last_payment_error is None


@pytest.mark.parametrize(("card", "code", "param"), MISTYPED)
def test_a_mistyped_card_is_refused_by_field(
    sandbox: RunningSandbox, card: dict[str, str], code: str, param: str
) -> None:
    answer = sandbox.typed_card(**card)
    error = answer.json()["error"]
    assert answer.status_code == 402
    assert (error["type"], error["code"], error["param"]) == ("card_error", code, param)


def test_a_real_card_is_refused_and_not_kept(sandbox: RunningSandbox) -> None:
    error = sandbox.typed_card("4012888888881881").json()["error"]
    assert error["decline_code"] == "test_mode_live_card"


def test_a_number_is_taken_from_the_card_fields_only(sandbox: RunningSandbox) -> None:
    with pytest.raises(stripe.StripeError, match="generally unsafe"):
        sandbox.stripe.v1.payment_methods.create(
            {
                "type": "card",
                "card": {
                    "number": "4242424242424242",
                    "exp_month": 12,
                    "exp_year": 2040,
                    "cvc": "123",
                },
            }
        )
    answer = sandbox.post(
        "/v1/payment_intents", {"amount": "100", "currency": "inr"}, secret="pk_test_sandbox"
    )
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "secret_key_required"


@pytest.mark.parametrize("secret", ["", "sk_test_wrong", "pk_live_x"])
def test_a_stranger_is_refused(sandbox: RunningSandbox, secret: str) -> None:
    answer = sandbox.post(
        "/v1/payment_intents", {"amount": "100", "currency": "inr"}, secret=secret
    )
    assert answer.status_code == 401
    assert sandbox.get("/control/books")["payment_intents"] == []


def test_no_file_holds_a_card_number_or_security_code(sandbox: RunningSandbox) -> None:
    canary = "4242421313131318"
    method = sandbox.typed_card(canary, cvc="739").json()
    sandbox.paid(method["id"])
    with pytest.raises(stripe.CardError):
        sandbox.paid(sandbox.typed_card("4000000000009995", cvc="739").json()["id"])
    files = list(sandbox.data.parent.iterdir())
    assert sandbox.data in files
    for file in files:
        content = file.read_bytes()
        assert canary.encode() not in content
        assert b"4000000000009995" not in content
        assert b'"739"' not in content


def test_the_same_card_has_the_same_fingerprint(sandbox: RunningSandbox) -> None:
    prints = [
        sandbox.typed_card(number).json()["card"]["fingerprint"]
        for number in ("4242424242424242", "4242 4242 4242 4242", "5555555555554444")
    ]
    assert prints[0] == prints[1] != prints[2]


def test_a_used_payment_method_is_not_charged_again(sandbox: RunningSandbox) -> None:
    method = sandbox.typed_card("4242424242424242").json()["id"]
    sandbox.paid(method)
    with pytest.raises(stripe.InvalidRequestError, match="may not be used again"):
        sandbox.paid(method)
