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
