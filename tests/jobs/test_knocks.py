"""Who hears of a fact, and that only the newest of many knocks is sent."""

from __future__ import annotations

from typing import Any

from jobs.knocks import newest, topics_of
from jobs.looks import knock_of
from webapp.outbox import Fact
from webapp.realtime import Knock


def a_fact(kind: str, subject_id: str, **more: object) -> Fact:
    known: dict[str, Any] = {
        "merchant_id": "mer_1",
        "livemode": False,
        "user_id": None,
        "snapshot": {},
    }
    return Fact(subject_kind=kind, subject_id=subject_id, version=1, **(known | more))


def test_a_payment_is_heard_by_its_merchant_its_shopper_its_checkouts_and_admins() -> None:
    fact = a_fact("payment", "pay_1", user_id="usr_1", snapshot={"order": "ord_1"})
    assert topics_of(fact, {"ord_1": ["chk_1", "chk_2"], "ord_2": ["chk_3"]}) == [
        "admin",
        "merchant:mer_1:test",
        "user:usr_1",
        "checkout:chk_1",
        "checkout:chk_2",
    ]


def test_test_and_live_are_heard_apart() -> None:
    assert "merchant:mer_1:live" in topics_of(a_fact("order", "ord_1", livemode=True), {})
    assert "merchant:mer_1:test" not in topics_of(a_fact("order", "ord_1", livemode=True), {})


def test_a_guests_payment_is_no_users() -> None:
    assert not [topic for topic in topics_of(a_fact("payment", "pay_1"), {}) if "user" in topic]


def test_a_checkout_session_is_heard_by_its_own_page() -> None:
    assert "checkout:chk_9" in topics_of(a_fact("checkout_session", "chk_9"), {})


def test_a_person_is_heard_by_themselves_and_admins_only() -> None:
    fact = a_fact("user", "usr_1", merchant_id=None, livemode=None, user_id="usr_1")
    assert topics_of(fact, {}) == ["admin", "user:usr_1"]


def test_of_many_knocks_about_one_object_the_newest_is_sent() -> None:
    knocks = [
        Knock("admin", "payment", "pay_1", 1),
        Knock("admin", "payment", "pay_2", 1),
        Knock("admin", "payment", "pay_1", 3),
        Knock("admin", "payment", "pay_1", 2),
        Knock("user:usr_1", "payment", "pay_1", 2),
    ]
    assert newest(knocks) == [
        Knock("admin", "payment", "pay_1", 3),
        Knock("admin", "payment", "pay_2", 1),
        Knock("user:usr_1", "payment", "pay_1", 2),
    ]


def test_a_look_is_heard_by_its_merchants_mode_alone() -> None:
    assert knock_of("look:delivery:mer_1:test") == Knock(
        "merchant:mer_1:test", "delivery", "mer_1", 0
    )
    assert knock_of("look:delivery:mer_1:live") == Knock(
        "merchant:mer_1:live", "delivery", "mer_1", 0
    )


def test_other_wake_ups_are_no_looks() -> None:
    assert [knock_of(kind) for kind in ("facts", "webhooks", "look", "look:delivery")] == [None] * 4


def test_money_set_aside_is_heard_by_the_checkouts_of_the_payment_that_brought_it() -> None:
    fact = a_fact("anomaly", "ano_1", snapshot={"payment": "pay_1", "order": "ord_2"})
    assert topics_of(fact, {"pay_1": ["chk_1"], "ord_2": ["chk_2"]}) == [
        "admin",
        "merchant:mer_1:test",
        "checkout:chk_1",
    ]
