"""The admins' door: it is not there for others, masks by default, and writes down who looked."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.builders import (
    Someone,
    a_checkout,
    a_merchant,
    a_payment,
    a_person,
    an_admin,
    answered,
    browser_of,
    card_tried,
    inr,
    succeeded,
)
from tests.checked_client import CheckedClient, Page
from tests.stories import scalar
from tests.web.admin.test_refunds import late_money
from tests.web.routes import address_of, rules
from webapp.kernel import ids
from webapp.payments import Payer, Status

PAGES = (
    "/admin", "/admin/merchants", "/admin/users", "/admin/payments", "/admin/health",
    "/admin/audit", "/admin/anomalies", "/admin/books",
    "/admin/invariants", "/admin/corrections",
)  # fmt: skip


@pytest.fixture
def root(app: Flask) -> Someone:
    """An admin."""
    return an_admin()


@pytest.fixture
def desk(app: Flask, root: Someone) -> CheckedClient:
    """The admin's browser."""
    return browser_of(app, root)


def audited(action: str, subject_id: str) -> int:
    """Return how often the trail says that this was done to that."""
    found = scalar(
        "SELECT count(*) FROM audit_entry WHERE action = :action AND subject_id = :id",
        action=action,
        id=subject_id,
    )
    return int(found)


def admin_rules(app: Flask, method: str) -> list[str]:
    """Return every address of the admins' door."""
    found = rules(app, method)
    return [address_of(rule) for rule in found if rule.endpoint.startswith("admin.")]


@pytest.mark.requirement("S2-77")
def test_to_everybody_else_the_door_is_not_there(app: Flask) -> None:
    owner = a_person()
    a_merchant(owner)
    for person in (a_person(), owner):
        other = browser_of(app, person)
        token = other.page("/account").form("/sign-out").fields["csrf_token"]
        nothing = Page(other.get("/nothing").text).title
        for path in admin_rules(app, "GET"):
            response = other.get(path)
            assert response.status_code == 404, path
            assert Page(response.text).title == nothing
        for path in admin_rules(app, "POST"):
            given = {"csrf_token": token, "because": "why not"}
            assert other.post(path, data=given).status_code == 404, path
    assert scalar("SELECT count(*) FROM audit_entry WHERE actor_kind = 'admin'") == 0


def test_who_is_not_signed_in_is_led_to_sign_in(app: Flask, client: CheckedClient) -> None:
    for path in admin_rules(app, "GET"):
        response = client.get(path)
        assert response.status_code == 303
        assert response.location.startswith("/sign-in")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_there(desk: CheckedClient, path: str) -> None:
    a_payment(Status.CAPTURED)
    assert desk.page(path).title


@pytest.mark.parametrize(
    "path",
    ["/admin/merchants/{}", "/admin/users/{}", "/admin/payments/{}"],
)
@pytest.mark.parametrize("subject", ["nothing", "pay_' OR 1=1 --", "x" * 3000])
def test_what_is_not_there_is_not_found_and_not_audited(
    desk: CheckedClient, path: str, subject: str
) -> None:
    before = scalar("SELECT count(*) FROM audit_entry")
    assert desk.get(path.format(subject)).status_code == 404
    assert scalar("SELECT count(*) FROM audit_entry") == before


def test_looking_at_a_merchant_or_a_payment_is_written_down(desk: CheckedClient) -> None:
    merchant_id = a_merchant()
    payment_id = a_payment(Status.CAPTURED, merchant_id)
    desk.page(f"/admin/merchants/{merchant_id}")
    desk.page(f"/admin/payments/{payment_id}")
    assert audited("merchant.viewed", merchant_id) == 1
    assert audited("payment.viewed", payment_id) == 1


@pytest.mark.requirement("S4-43")
def test_people_are_masked_until_somebody_asks_and_that_is_written_down(
    desk: CheckedClient,
) -> None:
    person = a_person("Meera Pillai")
    for path in ("/admin/users", f"/admin/users/{person.id}"):
        said = desk.get(path).text
        assert "Pillai" not in said
        assert person.email not in said
    assert audited("user.unmasked", person.id) == 0
    response = desk.send(f"/admin/users/{person.id}", "/unmask")
    assert response.status_code == 200
    assert "Meera Pillai" in response.text
    assert person.email in response.text
    assert audited("user.unmasked", person.id) == 1


@pytest.mark.requirement("S4-43")
def test_a_payments_page_shows_no_shoppers_address(desk: CheckedClient) -> None:
    payer = Payer(email="meera.pillai@people.example")
    payment_id = card_tried(a_checkout(a_merchant()), payer=payer)
    answered(payment_id, succeeded(inr(1_000_00)))
    for path in (f"/admin/payments/{payment_id}", "/admin/payments", "/admin"):
        said = desk.get(path).text
        assert "meera" not in said.lower()
        assert "secret-token" not in said


def test_a_person_is_found_by_the_exact_address_alone(desk: CheckedClient) -> None:
    person = a_person()
    found = desk.get("/admin/users", query_string={"q": person.email})
    assert person.id in found.text
    missed = desk.get("/admin/users", query_string={"q": person.email[:-1]})
    assert person.id not in missed.text


@pytest.mark.parametrize("subject", ["merchant", "user"])
@pytest.mark.parametrize("because", ["", "   ", "x" * 301])
def test_suspending_needs_a_reason_and_without_one_changes_nothing(
    desk: CheckedClient, subject: str, because: str
) -> None:
    subject_id = a_merchant() if subject == "merchant" else a_person().id
    path = f"/admin/{subject}s/{subject_id}"
    response = desk.send(path, "/suspend", because=because)
    assert response.status_code == 400
    text = response.get_data(as_text=True)
    assert 'id="because-error"' in text
    assert f'value="{because}"' in text
    table = "merchant" if subject == "merchant" else "app_user"
    assert scalar(f"SELECT status FROM {table} WHERE id = :id", id=subject_id) == "active"


@pytest.mark.parametrize("subject", ["merchant", "user"])
def test_suspending_and_restoring_is_kept_with_its_reason(
    app: Flask, desk: CheckedClient, subject: str
) -> None:
    person = a_person()
    subject_id = a_merchant() if subject == "merchant" else person.id
    theirs = browser_of(app, person)
    path = f"/admin/{subject}s/{subject_id}"
    assert desk.send(path, "/suspend", because="Fraud was reported.").status_code == 303
    if subject == "user":
        assert theirs.get("/home").status_code == 303, "signed out everywhere"
    assert desk.send(path, "/restore", because="It was a mistake.").status_code == 303
    assert audited(f"{subject}.suspended", subject_id) == 1
    assert audited(f"{subject}.restored", subject_id) == 1
    table = "merchant" if subject == "merchant" else "app_user"
    assert scalar(f"SELECT version FROM {table} WHERE id = :id", id=subject_id) >= 3


def test_an_admin_does_not_suspend_themselves(desk: CheckedClient, root: Someone) -> None:
    token = desk.page("/admin").form("/sign-out").fields["csrf_token"]
    given = {"csrf_token": token, "because": "Tired."}
    response = desk.post(f"/admin/users/{root.id}/suspend", data=given)
    assert response.status_code == 403
    assert scalar("SELECT status FROM app_user WHERE id = :id", id=root.id) == "active"


def test_asking_the_provider_about_a_payment_plans_one_question(desk: CheckedClient) -> None:
    payment_id = a_payment(Status.PROCESSING)
    path = f"/admin/payments/{payment_id}"
    for _ in range(3):
        assert desk.send(path, "/check").status_code == 303
    asked = scalar(
        "SELECT count(*) FROM provider_operation WHERE subject_id = :id AND kind = 'look_up'",
        id=payment_id,
    )
    assert asked == 1
    token = desk.page("/admin").form("/sign-out").fields["csrf_token"]
    missing = f"/admin/payments/{ids.new('payment')}/check"
    assert desk.post(missing, data={"csrf_token": token}).status_code == 404


@pytest.mark.parametrize(
    "query", ["status=paid", "status=%00", "older=%00", "older=' OR 1=1", "newer=%ff"]
)
def test_a_filter_that_is_not_ours_is_refused_in_words(desk: CheckedClient, query: str) -> None:
    response = desk.get(f"/admin/payments?{query}")
    assert response.status_code == 400
    assert Page(response.text).headings


def test_the_books_are_checked_on_request(desk: CheckedClient) -> None:
    a_payment(Status.CAPTURED)
    assert "transfers" in desk.page("/admin/books").text.lower()


def test_the_machines_names_are_in_words_with_the_name_beside_them(desk: CheckedClient) -> None:
    payment_id = a_payment(Status.CAPTURED)
    desk.page(f"/admin/payments/{payment_id}")
    page = desk.get(f"/admin/payments/{payment_id}").text
    assert '<span title="create_intent">Announce the payment</span>' in page
    trail = desk.get("/admin/audit").text
    assert '<span title="payment.viewed">Payment looked at</span>' in trail
    assert '<span title="admin">An admin</span>' in trail
    books = desk.get("/admin/books").text
    assert '<span title="clearing_card">With the provider, from cards</span>' in books


def test_lists_keep_their_filters_from_page_to_page(desk: CheckedClient) -> None:
    for _ in range(26):
        a_merchant(name="Nilgiri Looms")
    first = desk.page("/admin/merchants?status=active&q=Nilgiri")
    older = next(link for link in first.links if "older=" in link)
    assert "status=active" in older
    assert "q=Nilgiri" in older
    assert any("newer=" in link for link in desk.page(older).links)


def test_the_trail_names_people_masked_with_their_ids_beside(desk: CheckedClient) -> None:
    person = a_person("Meera Pillai")
    desk.send(f"/admin/users/{person.id}", "/suspend", because="Fraud was reported.")
    page = desk.page("/admin/audit")
    assert "M. P. usr_" in page.text
    assert "An admin You usr_" in page.text
    assert person.id.partition("_")[2] in page.text
    assert "Pillai" not in desk.get("/admin/audit").text


@pytest.mark.parametrize(
    ("amounts", "says"),
    [
        (1, "1 amount is set aside because it fits no order."),
        (2, "2 amounts are set aside because they fit no order."),
    ],
)
def test_one_is_not_said_as_many(desk: CheckedClient, amounts: int, says: str) -> None:
    shop = a_merchant()
    for _ in range(amounts):
        late_money(shop)
    assert says in desk.page("/admin").text
