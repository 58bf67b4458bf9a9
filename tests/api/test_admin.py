"""What admins read and do by the API: everything of the platform, masked, and on the record."""

from __future__ import annotations

import datetime as dt

import pytest
from flask import Flask

from tests.api.desk import Program, Shop, a_shop, a_user
from tests.builders import Someone, a_payment, a_person, an_admin, inr
from tests.refunds.builders import asked
from tests.stories import behind, scalar
from webapp import analytics, outbox
from webapp.kernel import clock, db
from webapp.payments import Status

WHY = {"because": "For a test of it."}


@pytest.fixture
def root(app: Flask) -> Someone:
    """An admin."""
    return an_admin()


@pytest.fixture
def admin(app: Flask, root: Someone) -> Program:
    """The admin’s program."""
    return a_user(app, root)


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


def acts_about(subject_id: str) -> list[str]:
    """Return what the trail says was done to something, oldest first."""
    found = scalar(
        "SELECT array_agg(action ORDER BY id) FROM audit_entry WHERE subject_id = :id",
        id=subject_id,
    )
    return list(found or [])


def test_merchants_are_listed_looked_at_suspended_and_restored(admin: Program, shop: Shop) -> None:
    path = f"/admin/merchants/{shop.merchant_id}"
    assert shop.merchant_id in {
        one["id"] for one in admin.get("/admin/merchants", limit="100").get_json()["data"]
    }
    assert admin.get(path).get_json()["status"] == "ACTIVE"
    program = shop.program()
    assert admin.post(f"{path}/suspend", WHY).get_json()["status"] == "SUSPENDED"
    assert program.get("/orders").status_code == 401
    listed = admin.get("/admin/merchants", status="SUSPENDED").get_json()["data"]
    assert shop.merchant_id in {one["id"] for one in listed}
    assert admin.post(f"{path}/restore", WHY).get_json()["status"] == "ACTIVE"
    assert program.get("/orders").status_code == 200
    assert acts_about(shop.merchant_id)[-3:] == [
        "merchant.viewed",
        "merchant.suspended",
        "merchant.restored",
    ]


def test_an_act_without_a_reason_is_refused(admin: Program, shop: Shop) -> None:
    for why in ({}, {"because": "   "}, {"because": "4242 4242 4242 4242"}):
        answer = admin.post(f"/admin/merchants/{shop.merchant_id}/suspend", why)
        assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, "because")
    assert acts_about(shop.merchant_id) == []


def test_people_are_masked_suspended_and_let_in_again(
    app: Flask, admin: Program, root: Someone
) -> None:
    person = a_person("Asha Raman")
    mine = a_user(app, person)
    got = admin.get(f"/admin/users/{person.id}")
    assert person.email not in got.text
    assert "Asha Raman" not in got.text
    assert admin.post(f"/admin/users/{person.id}/suspend", WHY).get_json()["status"] == "SUSPENDED"
    assert mine.get("/users/me").status_code == 401
    assert admin.post(f"/admin/users/{person.id}/restore", WHY).get_json()["status"] == "ACTIVE"
    own = admin.post(f"/admin/users/{root.id}/suspend", WHY)
    assert (own.status_code, own.get_json()["error"]["type"]) == (403, "permission_error")
    assert acts_about(person.id)[-3:] == ["user.viewed", "user.suspended", "user.restored"]


def test_payments_and_refunds_of_all_merchants_are_read_with_whose_they_are(
    app: Flask, admin: Program, shop: Shop
) -> None:
    paid = a_payment(Status.CAPTURED, shop.merchant_id)
    refund_id = asked(paid, inr(100_00))
    other = a_shop(app)
    theirs = a_payment(Status.AWAITING_METHOD, other.merchant_id)
    found = admin.get("/admin/payments", limit="100").get_json()["data"]
    assert {one["id"]: one["merchant"] for one in found if one["id"] in {paid, theirs}} == {
        paid: shop.merchant_id,
        theirs: other.merchant_id,
    }
    captured = admin.get("/admin/payments", state="captured", limit="100").get_json()["data"]
    assert theirs not in {one["id"] for one in captured}
    assert admin.get("/admin/payments", state="lost").status_code == 400
    assert admin.get(f"/admin/payments/{paid}").get_json()["merchant"] == shop.merchant_id
    assert admin.get(f"/admin/refunds/{refund_id}").get_json()["payment"] == paid
    (listed,) = admin.get("/admin/refunds").get_json()["data"]
    assert listed["id"] == refund_id
    assert acts_about(paid)[-1:] == ["payment.viewed"]
    assert acts_about(refund_id)[-1:] == ["refund.viewed"]


def test_refunds_are_frozen_and_let_go_by_an_admin(admin: Program) -> None:
    assert admin.get("/admin/refund-switch").get_json()["is_frozen"] is False
    frozen = admin.post("/admin/refund-switch/freeze", WHY).get_json()
    assert (frozen["is_frozen"], frozen["because"]) == (True, WHY["because"])
    again = admin.post("/admin/refund-switch/freeze", {"because": "Another reason."}).get_json()
    assert again["because"] == WHY["because"]
    assert admin.post("/admin/refund-switch/unfreeze").get_json()["is_frozen"] is False
    assert acts_about("refunds") == ["refunds.frozen", "refunds.unfrozen"]


def test_the_books_add_up_to_nothing_in_each_mode_and_currency(admin: Program, shop: Shop) -> None:
    a_payment(Status.CAPTURED, shop.merchant_id)
    sums: dict[tuple[bool, str], int] = {}
    for one in admin.get("/admin/books").get_json()["totals"]:
        key = (one["livemode"], one["currency"])
        sums[key] = sums.get(key, 0) + one["amount"]
    assert sums
    assert set(sums.values()) == {0}


@pytest.mark.requirement("S4-26")
def test_figures_of_all_merchants_are_those_of_the_days_asked_for(
    admin: Program, shop: Shop
) -> None:
    today = clock.now().date()
    with clock.standing_at(clock.now().replace(hour=12)):
        a_payment(Status.CAPTURED, shop.merchant_id, inr(1_000_00))
        with db.transaction(behind()):
            facts = outbox.take_due(analytics.CONSUMER)
            analytics.fold(facts)
            outbox.told(analytics.CONSUMER, facts)
    asked_for = {"from": today.isoformat(), "to": today.isoformat()}
    (found,) = admin.get("/admin/analytics/payments", **asked_for).get_json()["figures"]
    assert (found["currency"], found["method"]) == ("INR", "card")
    assert (found["volume"], found["captured"], found["success_rate"]) == (1_000_00, 1, 1.0)
    before = (today - dt.timedelta(days=1)).isoformat()
    empty = admin.get("/admin/analytics/payments", **{"from": before, "to": before})
    assert empty.get_json()["figures"] == []


@pytest.mark.parametrize(
    ("since", "until", "param"),
    [
        ("2026-02-30", "2026-03-01", "from"),
        ("2026-03-02", "2026-03-01", "to"),
        ("2024-01-01", "2026-01-01", "to"),
        ("today", "2026-01-01", "from"),
        ("0001-01-01", "0001-01-02", "from"),
    ],
)
def test_days_that_are_none_are_named(admin: Program, since: str, until: str, param: str) -> None:
    answer = admin.get("/admin/analytics/payments", **{"from": since, "to": until})
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


def test_the_trail_the_checks_and_what_gave_up_are_read(admin: Program, shop: Shop) -> None:
    admin.get(f"/admin/merchants/{shop.merchant_id}")
    (entry,) = admin.get("/admin/audit", action="merchant.viewed").get_json()["data"]
    assert (entry["subject"], entry["actor_kind"]) == (shop.merchant_id, "admin")
    first = admin.get("/admin/audit", limit="1").get_json()
    rest = admin.get("/admin/audit", starting_after=first["data"][0]["id"]).get_json()["data"]
    assert entry["id"] in {one["id"] for one in [*first["data"], *rest]}
    checks = admin.get("/admin/invariants").get_json()["data"]
    assert "payment_is_booked" in {one["name"] for one in checks}
    assert admin.get("/admin/dead-letters").get_json()["data"] == []
    assert admin.get("/admin/dead-letters", kind="nothing").status_code == 400


@pytest.mark.parametrize("kind", ["payment", "refund", "user", "merchant"])
def test_that_all_were_listed_is_on_the_record_once_with_what_was_asked(
    admin: Program, root: Someone, kind: str
) -> None:
    """A list tells as much of many as a page does of one; what is typed in words is not kept."""
    filters = {"payment": {"created[gte]": "5"}, "merchant": {"name": "Lotus"}}.get(kind, {})
    assert admin.get(f"/admin/{kind}s", limit="7", **filters).status_code == 200
    found = admin.get("/admin/audit", action=f"{kind}.listed").get_json()["data"]
    (entry,) = [one for one in found if one["actor"] == root.id]
    assert (entry["actor_kind"], entry["subject_kind"]) == ("admin", kind)
    told = {"limit": 7} | ({"created[gte]": 5} if kind == "payment" else {})
    assert entry["details"] == told
