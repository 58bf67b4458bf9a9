"""Lists of payments through the API: filtered by what they show, page by page, everybody's own."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop, a_user
from tests.api.test_payments import listed, paid_for, read, refused
from tests.builders import a_checkout, a_payment, a_person, inr, money_in_wallet, wallet_tried
from webapp.payments import Status


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.mark.parametrize(
    ("status", "outside"),
    [
        (Status.PROCESSING, "PROCESSING"),
        (Status.AWAITING_METHOD, "PENDING"),
        (Status.CAPTURED, "SUCCESS"),
        (Status.FAILED, "FAILED"),
        (Status.CANCELLED, "CANCELLED"),
    ],
)
def test_a_list_is_filtered_by_the_status_that_it_shows(
    shop: Shop, status: Status, outside: str
) -> None:
    program = shop.program()
    payment_id = a_payment(
        Status.PROCESSING if status == Status.CREATED else status, shop.merchant_id
    )
    shown = read(program, payment_id)["status"]
    assert shown == outside
    assert listed(program, status=shown) == [payment_id]
    others = {"PENDING", "SUCCESS", "FAILED", "CANCELLED", "EXPIRED", "REFUNDED"} - {shown}
    assert [one for other in others for one in listed(program, status=other)] == []


def test_what_a_bank_holds_until_it_is_captured_is_found_by_its_state(shop: Shop) -> None:
    program = shop.program()
    held_one = a_payment(Status.AUTHORISED, shop.merchant_id)
    under_way = a_payment(Status.PROCESSING, shop.merchant_id)
    assert listed(program, status="PROCESSING") == [under_way, held_one]
    assert listed(program, state="authorised") == [held_one]
    assert listed(program, state="authorised", status="PROCESSING") == [held_one]
    assert listed(program, state="captured") == []
    assert read(program, held_one)["state"] == "authorised"
    never = program.get("/payments", state="authorised", status="SUCCESS")
    assert refused(never) == (400, "parameter_invalid", "state")
    unknown = program.get("/payments", state="held")
    assert refused(unknown) == (400, "parameter_invalid", "state")


def test_people_filter_their_own_payments_too(app: Flask, shop: Shop) -> None:
    shopper = a_person()
    money_in_wallet(shopper, inr(500_00))
    first = wallet_tried(a_checkout(shop.merchant_id, inr(100_00)), shopper)
    second = wallet_tried(a_checkout(shop.merchant_id, inr(200_00)), shopper)
    me = a_user(app, shopper)
    order = read(me, first)["order"]
    paid = {"status": "SUCCESS", "method": "wallet", "currency": "INR", "state": "captured"}
    assert listed(me, **paid) == [second, first]
    assert listed(me, order=order) == [first]
    assert listed(me, status="FAILED") == listed(me, currency="JPY") == []
    assert {first, second}.isdisjoint(listed(me, method="card"))
    assert listed(me, customer="cus_nothing") == []
    assert listed(me, **{"created[lte]": 1}) == listed(me, **{"created[gte]": 4_000_000_000}) == []


def test_lists_are_filtered_and_go_on_page_by_page(shop: Shop) -> None:
    program = shop.program()
    made = [paid_for(program, customer_email="asha@people.example") for _ in range(2)]
    yen = paid_for(program, currency="JPY")
    assert listed(program) == [yen["id"], made[1]["id"], made[0]["id"]]
    assert listed(program, currency="jpy") == [yen["id"]]
    assert listed(program, order=made[0]["order"]) == [made[0]["id"]]
    assert listed(program, customer=made[0]["customer"]) == [made[1]["id"], made[0]["id"]]
    assert listed(program, limit=1, starting_after=made[1]["id"]) == [made[0]["id"]]
    assert listed(program, limit=1, ending_before=made[1]["id"]) == [yen["id"]]
    elsewhere = a_payment(Status.CAPTURED)
    wrong = program.get("/payments", starting_after=elsewhere)
    assert refused(wrong) == (400, "cursor_unknown", "starting_after")
