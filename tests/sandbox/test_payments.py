"""Payment intents from creation to their end, as the client library sees them."""

from typing import Any

import pytest
import stripe

from tests.sandbox.running import RunningSandbox, wait_until

BAD_INTENTS: list[tuple[dict[str, str], str]] = [
    ({"currency": "inr"}, "amount"),
    ({"amount": "100000"}, "currency"),
    ({"amount": "0", "currency": "inr"}, "amount"),
    ({"amount": "-5", "currency": "inr"}, "amount"),
    ({"amount": "10.5", "currency": "inr"}, "amount"),
    ({"amount": "1e5", "currency": "inr"}, "amount"),
    ({"amount": "49", "currency": "usd"}, "amount"),
    ({"amount": "100000000", "currency": "usd"}, "amount"),
    ({"amount": "1001", "currency": "kwd"}, "amount"),
    ({"amount": "100000", "currency": "xyz"}, "currency"),
    ({"amount": "100000", "currency": "inr", "colour": "red"}, "colour"),
    ({"amount": "100000", "currency": "inr", "capture_method": "later"}, "capture_method"),
    ({"amount": "100000", "currency": "inr", "metadata[x]": "y" * 501}, "metadata"),
    (
        {"amount": "100000", "currency": "inr", "payment_method_types[]": "pix"},
        "payment_method_types",
    ),
]


@pytest.mark.requirement("S2-32")
def test_a_payment_is_created_confirmed_and_booked_less_the_fee(sandbox: RunningSandbox) -> None:
    intent = sandbox.intent(metadata={"operation": "op_1"}, description="Order #1042")
    assert intent.status == "requires_payment_method"
    paid = sandbox.stripe.v1.payment_intents.confirm(
        intent.id,
        {"payment_method": "pm_card_visa", "expand": ["latest_charge.balance_transaction"]},
    )
    assert paid.status == "succeeded"
    charge: Any = paid.latest_charge
    assert charge.captured
    assert charge.balance_transaction.fee == 20_00 + 3_00
    assert charge.balance_transaction.net == 1000_00 - 23_00
    assert charge.metadata["operation"] == "op_1"


@pytest.mark.parametrize(("values", "param"), BAD_INTENTS)
def test_a_wrong_parameter_is_refused_by_name(
    sandbox: RunningSandbox, values: dict[str, str], param: str
) -> None:
    answer = sandbox.post("/v1/payment_intents", values)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert sandbox.get("/control/books")["payment_intents"] == []


def test_money_is_held_and_then_captured_in_part(sandbox: RunningSandbox) -> None:
    held = sandbox.paid(capture_method="manual")
    assert (held.status, held.amount_capturable) == ("requires_capture", 1000_00)
    assert not held.latest_charge.captured
    capture = sandbox.stripe.v1.payment_intents.capture
    with pytest.raises(stripe.InvalidRequestError, match="cannot be larger"):
        capture(held.id, {"amount_to_capture": 1000_01})
    taken = capture(held.id, {"amount_to_capture": 400_00})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 40000, 0)
    with pytest.raises(stripe.InvalidRequestError) as caught:
        capture(held.id)
    assert caught.value.code == "payment_intent_unexpected_state"
    assert sandbox.books_of(held.id)["captured"] == 400_00


def test_held_money_is_let_go_after_seven_days(sandbox: RunningSandbox) -> None:
    held = sandbox.paid(capture_method="manual")
    sandbox.control("clock", offset_seconds=7 * 24 * 3600 + 1)
    wait_until(lambda: sandbox.stripe.v1.payment_intents.retrieve(held.id).status == "canceled")


@pytest.mark.parametrize("method", ["", "pm_card_visa"])
def test_a_payment_is_cancelled_before_it_is_captured(sandbox: RunningSandbox, method: str) -> None:
    intent = sandbox.paid(method, capture_method="manual") if method else sandbox.intent()
    gone = sandbox.stripe.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason) == ("canceled", "abandoned")
    assert sandbox.books_of(intent.id)["captured"] == 0
    with pytest.raises(stripe.InvalidRequestError, match="status of canceled"):
        sandbox.stripe.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})


def test_a_paid_payment_is_neither_cancelled_nor_confirmed_again(sandbox: RunningSandbox) -> None:
    paid = sandbox.paid()
    with pytest.raises(stripe.InvalidRequestError, match="status of succeeded"):
        sandbox.stripe.v1.payment_intents.cancel(paid.id)
    with pytest.raises(stripe.InvalidRequestError, match="already succeeded") as caught:
        sandbox.stripe.v1.payment_intents.confirm(paid.id, {"payment_method": "pm_card_visa"})
    error: Any = caught.value.error
    assert error.payment_intent.status == "succeeded"
    assert sandbox.books_of(paid.id)["successful_charges"] == 1


def test_a_payment_settles_later_when_asked_to(sandbox: RunningSandbox) -> None:
    sandbox.control("settlement", seconds=60)
    paid = sandbox.paid()
    assert (paid.status, paid.latest_charge) == ("processing", None)
    with pytest.raises(stripe.InvalidRequestError, match="status of processing"):
        sandbox.stripe.v1.payment_intents.cancel(paid.id)
    sandbox.control("clock", offset_seconds=61)
    wait_until(lambda: sandbox.stripe.v1.payment_intents.retrieve(paid.id).status == "succeeded")
    assert sandbox.books_of(paid.id)["captured"] == 1000_00


def test_payments_are_found_by_metadata_and_listed_in_pages(sandbox: RunningSandbox) -> None:
    intents = [sandbox.intent(metadata={"operation": f"op_{n}"}) for n in range(5)]
    service = sandbox.stripe.v1.payment_intents
    found = service.search({"query": "metadata['operation']:'op_3'"})
    assert [intent.id for intent in found.data] == [intents[3].id]
    both = service.search({"query": "metadata['operation']:'op_3' AND status:'succeeded'"})
    assert both.data == []
    first = service.list({"limit": 2})
    assert [intent.id for intent in first.data] == [intents[4].id, intents[3].id]
    assert first.has_more
    everything = [intent.id for intent in first.auto_paging_iter()]
    assert everything == [intent.id for intent in reversed(intents)]
    newer = service.list({"ending_before": intents[1].id, "limit": 2})
    assert [intent.id for intent in newer.data] == [intents[3].id, intents[2].id]
    assert service.list({"created": {"gt": intents[0].created + 3600}}).data == []


def test_what_does_not_exist_is_said_so(sandbox: RunningSandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        sandbox.stripe.v1.payment_intents.retrieve("pi_nope")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        sandbox.stripe.v1.payment_intents.retrieve(sandbox.intent().id, {"expand": ["colour"]})


def outcomes(sandbox: RunningSandbox, seed: str, payments: int) -> list[bool]:
    sandbox.control("reset")
    sandbox.control("success-rate", percent=90, seed=seed)
    results = []
    for _ in range(payments):
        answer = sandbox.post(
            "/v1/payment_intents",
            {
                "amount": "100000",
                "currency": "inr",
                "confirm": "true",
                "payment_method": "pm_card_visa",
            },
        )
        assert answer.status_code in {200, 402}
        results.append(answer.status_code == 200)
    return results


@pytest.mark.requirement("S2-37")
def test_nine_of_ten_payments_succeed_and_the_seed_decides_which(sandbox: RunningSandbox) -> None:
    first = outcomes(sandbox, "paydeck", 400)
    assert 0.86 <= sum(first) / len(first) <= 0.94
    assert outcomes(sandbox, "paydeck", 60) == first[:60]
    assert outcomes(sandbox, "another", 60) != first[:60]


def test_a_bad_card_is_declined_whatever_the_rate(sandbox: RunningSandbox) -> None:
    sandbox.control("success-rate", percent=100)
    with pytest.raises(stripe.CardError):
        sandbox.paid("pm_card_chargeDeclined")


def test_no_more_than_was_taken_is_given_back(sandbox: RunningSandbox) -> None:
    paid = sandbox.paid()
    refund = sandbox.stripe.v1.refunds.create
    first = refund({"payment_intent": paid.id, "amount": 300_00})
    assert (first.status, first.amount) == ("succeeded", 300_00)
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        refund({"payment_intent": paid.id, "amount": 700_01})
    assert refund({"charge": paid.latest_charge.id}).amount == 700_00
    with pytest.raises(stripe.InvalidRequestError) as caught:
        refund({"payment_intent": paid.id})
    assert caught.value.code == "charge_already_refunded"
    books = sandbox.books_of(paid.id)
    assert (books["captured"], books["refunded"]) == (1000_00, 1000_00)
    listed = sandbox.stripe.v1.refunds.list({"payment_intent": paid.id})
    assert [entry.amount for entry in listed.data] == [700_00, 300_00]


@pytest.mark.parametrize(
    ("number", "at_first", "in_the_end", "refunded"),
    [
        ("4000000000007726", "pending", "succeeded", 1000_00),
        ("4000000000005126", "succeeded", "failed", 0),
    ],
)
def test_some_refunds_end_later(
    sandbox: RunningSandbox, number: str, at_first: str, in_the_end: str, refunded: int
) -> None:
    paid = sandbox.paid(sandbox.typed_card(number).json()["id"])
    made = sandbox.stripe.v1.refunds.create({"payment_intent": paid.id})
    assert made.status == at_first
    sandbox.control("clock", offset_seconds=60)
    wait_until(lambda: sandbox.stripe.v1.refunds.retrieve(made.id).status == in_the_end)
    assert sandbox.books_of(paid.id)["refunded"] == refunded


def test_what_was_only_held_is_not_refunded(sandbox: RunningSandbox) -> None:
    held = sandbox.paid(capture_method="manual")
    with pytest.raises(stripe.InvalidRequestError, match="uncaptured"):
        sandbox.stripe.v1.refunds.create({"payment_intent": held.id})


def test_the_balance_holds_money_back_for_two_days(sandbox: RunningSandbox) -> None:
    sandbox.paid()
    now = sandbox.stripe.v1.balance.retrieve()
    assert (now.available[0].amount, now.pending[0].amount) == (0, 977_00)
    sandbox.control("clock", offset_seconds=2 * 24 * 3600)
    later = sandbox.stripe.v1.balance.retrieve()
    assert (later.available[0].amount, later.pending[0].amount) == (977_00, 0)


def test_a_refund_carries_the_banks_reference_once_the_bank_has_it(
    sandbox: RunningSandbox,
) -> None:
    refunds: Any = sandbox.stripe.v1.refunds
    at_once = refunds.create({"payment_intent": sandbox.paid().id})
    assert len(at_once.destination_details.card.reference) == 23
    slow = sandbox.paid(sandbox.typed_card("4000000000007726").json()["id"])
    made = refunds.create({"payment_intent": slow.id})
    assert made.destination_details.card.reference_status == "pending"
    sandbox.control("clock", offset_seconds=60)
    wait_until(lambda: refunds.retrieve(made.id).status == "succeeded")
    assert len(refunds.retrieve(made.id).destination_details.card.reference) == 23


def test_a_payment_of_the_past_is_recalled_and_refunded_once(sandbox: RunningSandbox) -> None:
    past = "pi_demo_inr_100000_01KPAST"
    refund = sandbox.stripe.v1.refunds.create
    assert refund({"payment_intent": past, "amount": 400_00}).amount == 400_00
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        refund({"payment_intent": past, "amount": 600_01})
    assert refund({"payment_intent": past}).amount == 600_00
    books = sandbox.books_of(past)
    assert (books["captured"], books["refunded"]) == (1000_00, 1000_00)
    for unlike in ("pi_demo_xxx_100_1", "pi_demo_inr_0_1", "pi_demo_inr_100"):
        with pytest.raises(stripe.InvalidRequestError):
            refund({"payment_intent": unlike})


@pytest.mark.parametrize("end", ["taken", "let go"])
def test_money_held_in_the_past_is_taken_in_part_or_let_go(
    sandbox: RunningSandbox, end: str
) -> None:
    past = f"pi_demo_held_inr_100000_{end.replace(' ', '')}"
    intents = sandbox.stripe.v1.payment_intents
    assert intents.retrieve(past).status == "requires_capture"
    if end == "taken":
        assert intents.capture(past, {"amount_to_capture": 400_00}).amount_received == 400_00
    else:
        assert intents.cancel(past).status == "canceled"
    assert sandbox.books_of(past)["captured"] == (400_00 if end == "taken" else 0)
