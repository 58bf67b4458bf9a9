"""Refunds that wait for somebody: who sees what to press, and what is said once it is pressed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.refunds.builders import asked, bounced, released, told
from tests.stories import scalar
from tests.web.merchant.world import Shop, a_colleague, a_shop, paid
from webapp import accounts, refunds
from webapp.kernel import db
from webapp.kernel.money import Money
from webapp.outbox import Actor
from webapp.refunds import Limits

ATTENTION = "/merchant/attention"
REFUNDS = "/merchant/refunds"
SOME = Money(250_00, "INR")


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


@pytest.fixture
def low_limit() -> Iterator[None]:
    kept = refunds.limits()
    refunds.use(Limits(undo=kept.undo, approval={"INR": 100_00}))
    yield
    refunds.use(kept)


def waiting(shop: Shop) -> str:
    """Have the shop's owner ask for a refund that needs a second person."""
    return asked(paid(shop), SOME, by=Actor("merchant_user", shop.owner_id))


def status_of(refund_id: str) -> str:
    return str(scalar("SELECT status FROM refund WHERE id = :id", id=refund_id))


@pytest.mark.usefixtures("low_limit")
def test_who_may_approve_does_so_from_the_list(shop: Shop) -> None:
    refund_id = waiting(shop)
    boss = a_colleague(shop, "admin")
    assert "Approve ₹250.00" in boss.page(ATTENTION).text
    assert boss.send(ATTENTION, "/approve").status_code == 303
    assert status_of(refund_id) == "approved"


@pytest.mark.usefixtures("low_limit")
def test_who_made_the_key_that_asked_reads_why_another_person_approves(shop: Shop) -> None:
    owner = Actor("merchant_user", shop.owner_id)
    with db.scoped(shop.scope()):
        key = accounts.create_key(shop.id, livemode=False, kind="secret", name="Till", by=owner).key
        key_id = key.id
    refund_id = asked(paid(shop), SOME, by=Actor("api_key", key_id))
    page = shop.client.page(f"{REFUNDS}/{refund_id}")
    assert refunds.SameApprover.by_own_key in page.text
    assert "an API key" in page.text
    assert "Approve ₹250.00" not in shop.client.page(ATTENTION).text
    boss = a_colleague(shop, "admin")
    assert "Approve ₹250.00" in boss.page(ATTENTION).text


@pytest.mark.usefixtures("low_limit")
def test_who_may_not_approve_is_led_to_its_page_instead(shop: Shop) -> None:
    refund_id = waiting(shop)
    for browser in (shop.client, a_colleague(shop, "support")):
        page = browser.page(ATTENTION)
        assert "Approve ₹" not in page.text
        assert "Open" in page.text
        assert page.links.count(f"{REFUNDS}/{refund_id}") == 2


@pytest.mark.usefixtures("low_limit")
def test_only_who_can_act_reads_that_it_waits_for_them(shop: Shop) -> None:
    address = f"{REFUNDS}/{waiting(shop)}"
    second = "We wait for A second person: another owner or admin, or the platform’s team"
    assert second in shop.client.page(address).text
    assert second in a_colleague(shop, "support").page(address).text
    assert "We wait for You" in a_colleague(shop, "admin").page(address).text


@pytest.mark.usefixtures("low_limit")
@pytest.mark.parametrize(
    ("role", "says"),
    [
        ("owner", "Whoever asked for it withdrew it."),
        ("support", "Somebody else than who asked for it withdrew it."),
    ],
)
def test_a_withdrawn_refund_says_who_withdrew_it(shop: Shop, role: str, says: str) -> None:
    refund_id = waiting(shop)
    browser = shop.client if role == "owner" else a_colleague(shop, role)
    answer = browser.send(ATTENTION, "/undo")
    assert "You withdrew the refund. Nothing was sent." in browser.page(answer.location).text
    page = browser.page(f"{REFUNDS}/{refund_id}")
    assert says in page.text
    assert "by you" in page.text
    assert browser.page(f"{REFUNDS}?status=off").text.count("The refund was undone") == 0


def test_a_refund_called_off_before_is_not_said_to_be_undone_now(shop: Shop) -> None:
    payment_id = paid(shop)
    asked(payment_id, SOME)
    form = shop.client.page(f"/merchant/payments/{payment_id}").form("/undo")
    said = []
    for _ in range(2):
        answer = shop.client.post(form.action, data=form.fields)
        said.append(shop.client.page(answer.location).text)
    assert "The refund was undone. Nothing was sent." in said[0]
    assert "The refund was called off before; nothing was sent." in said[1]


def test_a_failed_refund_is_marked_as_dealt_with_and_taken_up_again(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(payment_id, SOME)
    released()
    told(refund_id, bounced(amount=SOME))
    assert shop.client.send(ATTENTION, "/dealt-with").status_code == 303
    assert refund_id not in shop.client.get(ATTENTION).get_data(as_text=True)
    page = shop.client.page(f"{REFUNDS}/{refund_id}")
    assert "Marked as dealt with by you" in page.text
    assert shop.client.send(f"{REFUNDS}/{refund_id}", "/take-up").status_code == 303
    assert refund_id in shop.client.get(ATTENTION).get_data(as_text=True)


def test_who_may_not_refund_marks_nothing(shop: Shop) -> None:
    payment_id = paid(shop)
    refund_id = asked(payment_id, SOME)
    released()
    told(refund_id, bounced(amount=SOME))
    theirs = a_colleague(shop, "viewer")
    page = theirs.page(f"{REFUNDS}/{refund_id}")
    assert "Mark as dealt with" not in page.text
    token = page.form("/sign-out").fields["csrf_token"]
    for act in ("dealt-with", "take-up"):
        answer = theirs.post(f"{REFUNDS}/{refund_id}/{act}", data={"csrf_token": token})
        assert answer.status_code == 403
