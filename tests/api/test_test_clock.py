"""The test clock through the API: what waits is told, and comes nearer once for each key."""

from __future__ import annotations

from typing import get_args

import pytest
from flask import Flask

from tests.api.desk import Shop, a_shop
from tests.builders import a_checkout, a_payment_link
from tests.test_clock.waiting import WEEK
from webapp import orders, payments, refunds, test_clock, webhooks
from webapp.api.test_clock import WaitKind
from webapp.kernel import clock, db

CLOCK, ADVANCE = "/test-clock", "/test-clock/advance"
QUARTER = {"seconds": 900}


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant with an open checkout link, and a payment link that ends."""
    shop = a_shop(app)
    a_checkout(shop.merchant_id)
    a_payment_link(shop.merchant_id, ends_at=WEEK.replace(year=2099))
    return shop


def test_what_waits_is_told_by_kind(shop: Shop) -> None:
    answer = shop.program().get(CLOCK)
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert (told["object"], told["livemode"]) == ("test_clock", False)
    waiting = {one["kind"]: one for one in told["waiting"]}
    assert set(waiting) == set(get_args(WaitKind))
    assert (waiting["checkout_session"]["count"], waiting["payment_link"]["count"]) == (1, 1)
    assert 0 < waiting["checkout_session"]["next_at"] - told["now"] <= 900
    assert (waiting["refund"]["count"], waiting["refund"]["next_at"]) == (0, None)


def test_it_comes_nearer_and_the_link_ends(shop: Shop) -> None:
    program = shop.program()
    answer = program.post(ADVANCE, QUARTER)
    assert answer.status_code == 200, answer.text
    told = answer.get_json()
    assert told["seconds"] == 900
    assert told["moved"] == {"checkout_session": 1, "payment_link": 1}
    waiting = {one["kind"]: one["count"] for one in told["waiting"]}
    assert (waiting["checkout_session"], waiting["payment_link"]) == (0, 1)
    with db.scoped(db.WORKER):
        assert payments.expire_due() == 1
    (session,) = program.get("/checkout-sessions").get_json()["data"]
    assert session["status"] == "EXPIRED"
    assert session["expires_at"] <= int(clock.now().timestamp())


def test_the_same_key_moves_it_once(shop: Shop) -> None:
    program = shop.program()
    first = program.post(ADVANCE, {"seconds": 60}, **{"Idempotency-Key": "one-minute"})
    again = program.post(ADVANCE, {"seconds": 60}, **{"Idempotency-Key": "one-minute"})
    assert first.data == again.data
    assert again.headers["Idempotent-Replayed"] == "true"
    assert program.post(ADVANCE, {"seconds": 60}).get_json()["moved"]["payment_link"] == 1


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "parameter_missing", "seconds"),
        ({"seconds": 0}, "parameter_invalid", "seconds"),
        ({"seconds": -900}, "parameter_invalid", "seconds"),
        ({"seconds": test_clock.MOST_SECONDS + 1}, "parameter_invalid", "seconds"),
        ({"seconds": "900"}, "parameter_invalid", "seconds"),
        ({"seconds": 1.5}, "parameter_invalid", "seconds"),
        ({"seconds": 60, "back": True}, "parameter_unknown", "back"),
    ],
)
def test_a_step_that_is_none_is_named(
    shop: Shop, body: dict[str, object], code: str, param: str
) -> None:
    answer = shop.program().post(ADVANCE, body)
    error = answer.get_json()["error"]
    assert (answer.status_code, error["code"], error["param"]) == (400, code, param)


def test_live_keys_have_no_clock(shop: Shop) -> None:
    program = shop.program(livemode=True)
    for answer in (program.get(CLOCK), program.post(ADVANCE, QUARTER)):
        error = answer.get_json()["error"]
        assert (answer.status_code, error["code"]) == (403, "no_live_clock")
        assert error["doc_url"].endswith("/docs/errors/no_live_clock")


def test_a_key_that_may_only_read_it_does_not_move_it(shop: Shop) -> None:
    program = shop.program(scopes=["test_clock:read"])
    assert program.get(CLOCK).status_code == 200
    assert program.post(ADVANCE, QUARTER).status_code == 403
    assert shop.program(scopes=["test_clock:write"]).post(ADVANCE, QUARTER).status_code == 200


def test_the_kinds_are_those_that_the_rooms_have(shop: Shop) -> None:
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        rooms = (orders, payments, refunds, webhooks)
        found = [one for room in rooms for one in room.waiting_of(shop.merchant_id, limit=0)]
    assert {one.kind.name for one in found} == set(get_args(WaitKind))
