"""What a shopper reads of a refund through the API: never what the merchant thinks of them."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import a_shop, a_user
from tests.builders import a_checkout, a_person, inr, money_in_wallet, wallet_tried


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("fraudulent", "other"),
        ("other", "other"),
        ("duplicate", "duplicate"),
        ("requested_by_customer", "requested_by_customer"),
    ],
)
def test_a_reason_that_judges_the_shopper_is_the_merchants_own(
    app: Flask, reason: str, told: str
) -> None:
    shop, shopper = a_shop(app), a_person()
    money_in_wallet(shopper, inr(500_00))
    paid = wallet_tried(a_checkout(shop.merchant_id, inr(500_00)), shopper)
    sent = {"reason": reason, "note": "They lie", "metadata": {"score": "9"}}
    refund = shop.program().post(f"/payments/{paid}/refunds", sent).get_json()
    assert refund["reason"] == reason
    theirs = a_user(app, shopper)
    seen = [
        theirs.get(f"/refunds/{refund['id']}").get_json(),
        *theirs.get("/refunds").get_json()["data"],
        *theirs.get(f"/payments/{paid}", **{"expand[]": "refunds"}).get_json()["refunds"]["data"],
    ]
    assert [one["id"] for one in seen] == [refund["id"]] * 3
    assert [(one["reason"], one["metadata"]) for one in seen] == [(told, {})] * 3
    assert not any(one.get("note") for one in seen)


def test_people_filter_the_refunds_to_themselves_but_not_by_a_reason_that_is_not_told(
    app: Flask,
) -> None:
    shop, shopper = a_shop(app), a_person()
    money_in_wallet(shopper, inr(900_00))
    made = []
    for _ in range(2):
        paid = wallet_tried(a_checkout(shop.merchant_id, inr(300_00)), shopper)
        refund = shop.program().post(f"/payments/{paid}/refunds", {"reason": "fraudulent"})
        made.append((paid, refund.get_json()["id"]))
    me = a_user(app, shopper)

    def found(**query: object) -> list[str]:
        rows = me.ask("GET", "/refunds", query_string=query).get_json()["data"]
        return [row["id"] for row in rows]

    assert found() == found(currency="INR") == [made[1][1], made[0][1]]
    assert found(payment=made[0][0]) == [made[0][1]]
    assert (
        found(status="FAILED") == found(currency="USD") == found(destination="order_credit") == []
    )
    assert found(**{"created[lte]": 1}) == []
    error = me.get("/refunds", reason="fraudulent").get_json()["error"]
    assert (error["code"], error["param"]) == ("parameter_unknown", "reason")
