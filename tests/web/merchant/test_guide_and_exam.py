"""The guide's snippets and cards are true; the exam ticks what was observed and nothing else."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from demo import keys as demo_keys
from sandbox import cards as sandbox_cards
from sandbox.wire import ApiError
from tests.api.desk import Program
from tests.web.merchant.world import Shop, a_colleague, a_shop, declined, paid
from tests.webhooks.hooks import FINE, Server, an_endpoint, broken, tell
from webapp import accounts, webhooks
from webapp.accounts import KeyKind
from webapp.kernel import db
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor
from webapp.web.merchant.workbench.guide_cards import DECLINES, TEST_CARDS, ListedCard
from webapp.web.merchant.workbench.guide_words import (
    DEMO_KEY,
    ORDER,
    QUARTER,
    clock_snippet,
    curl_snippet,
    python_snippet,
)

GUIDE = "/merchant/developers/guide"
EXAM = "/merchant/developers/exam"
DOES = {"succeeds": "It is paid.", "declines": DECLINES, "authenticates": "The bank asks"}
DOES |= {"blocked": "The provider blocks it as too risky."}
DOES |= {"refund_pending": "It is paid;", "refund_fails": "It is paid;"}

BRANDS = {"amex": "american express"}
WHY = {
    "generic_decline": "no reason given",
    "insufficient_funds": "not enough money",
    "lost_card": "lost card",
    "stolen_card": "stolen card",
    "expired_card": "expired card",
    "incorrect_cvc": "wrong security code",
    "processing_error": "an error",
    "card_velocity_exceeded": "too often, or over its limit",
}


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def shown(shop: Shop) -> set[str]:
    """Return the evidence that the exam's page leads to, by what it says."""
    db.session.expunge_all()
    links = ("/requests/req_", "/deliveries/whd_", "/events/evt_", "/keys/key_", "/payments/pay_")
    page = shop.client.page(EXAM)
    return {link.split("/")[-2] for link in page.links if any(one in link for one in links)}


def count_shown(shop: Shop) -> int:
    db.session.expunge_all()
    return shop.client.page(EXAM).text.count(" Shown ")


def a_program(shop: Shop) -> Program:
    with db.scoped(shop.scope()):
        made = accounts.create_key(
            shop.id,
            livemode=False,
            kind=KeyKind.SECRET,
            name="Till",
            by=Actor("merchant_user", shop.owner_id),
        )
    return Program(FlaskClient(shop.app, shop.app.response_class), made.token)


def test_the_guides_order_is_taken_by_the_api(shop: Shop) -> None:
    answer = a_program(shop).post("/orders", dict(ORDER))
    assert answer.status_code == 201
    assert json.dumps(ORDER) in curl_snippet("http://localhost:8000", "sk_test_x")
    compile(python_snippet("http://localhost:8000", "sk_test_x"), "snippet", "exec")


def test_the_guides_step_of_the_clock_is_taken_by_the_api(shop: Shop) -> None:
    assert a_program(shop).post("/test-clock/advance", dict(QUARTER)).status_code == 200
    assert json.dumps(QUARTER) in clock_snippet("http://localhost:8000", "sk_test_x")
    assert "/api/v1/test-clock/advance" in shop.client.page(GUIDE).text


@pytest.mark.parametrize("card", TEST_CARDS, ids=lambda card: card.number)
def test_the_guides_cards_do_in_the_sandbox_what_the_guide_says(card: ListedCard) -> None:
    if card.does.startswith("It is refused as it is typed"):
        with pytest.raises(ApiError, match="number is incorrect"):
            sandbox_cards.check_number(card.number)
        return
    found = sandbox_cards.check_number(card.number)
    assert card.does.startswith(DOES[found.behaviour])
    assert card.brand.lower().startswith(BRANDS.get(found.brand, found.brand))
    if found.behaviour in {"declines", "authenticates"}:
        assert ("decline" in card.does) == (found.decline is not None)
    if found.behaviour == "declines" and found.decline is not None:
        told = found.decline.decline_code or found.decline.code
        assert card.does.startswith(f"{DECLINES}: {WHY[told]}")
    behind = sandbox_cards.card_of_token(card.token)
    assert behind is not None
    assert behind.number == found.number


def test_the_guide_lists_every_kind_of_card_that_the_portal_can_tell_apart() -> None:
    listed = {one.number.replace(" ", "") for one in TEST_CARDS}
    told = [one for one in sandbox_cards.TEST_CARDS if one.behaviour in DOES]
    kinds = {(one.brand, one.behaviour, one.decline) for one in told}
    shown = {(one.brand, one.behaviour, one.decline) for one in told if one.number in listed}
    assert kinds == shown
    assert "4242424242424241" in listed


def test_the_demo_key_is_filled_in_for_its_own_shop_alone(shop: Shop) -> None:
    assert DEMO_KEY == demo_keys.SECRET
    page = shop.client.page(GUIDE)
    assert DEMO_KEY not in page.text
    assert "sk_test_…" in page.text
    assert "/docs/errors" in page.links


def test_a_fresh_merchant_has_shown_nothing(shop: Shop) -> None:
    assert "0 of 11 shown" in shop.client.page(EXAM).text
    assert "paydeck listen forwards does not count" in shop.client.page(EXAM).text
    assert shown(shop) == set()


def test_a_key_and_its_replay_are_seen_in_the_requests(shop: Shop) -> None:
    program = a_program(shop)
    once = {"Idempotency-Key": "order-7731"}
    by_hand = {"Idempotency-Key": "order-0", "Sec-Fetch-Site": "same-origin"}
    program.post("/orders", dict(ORDER), **by_hand)
    program.post("/orders", dict(ORDER), **by_hand)
    assert count_shown(shop) == 0
    program.post("/orders", dict(ORDER), **once)
    assert count_shown(shop) == 1
    program.post("/orders", dict(ORDER), **once)
    assert count_shown(shop) == 2
    assert shown(shop) == {"requests"}


def test_arrivals_doubles_and_disorder_are_seen_in_the_deliveries(shop: Shop) -> None:
    endpoint = an_endpoint(shop.id, "payment.success")
    paid(shop)
    tell()
    Server().drain()
    assert count_shown(shop) == 1
    with db.scoped(shop.scope()):
        page = webhooks.events_of(shop.id, livemode=False, page=PageRequest())
        ids = {one.name: one.id for one in page.rows}
    by = Actor("merchant_user", shop.owner_id)
    for done, name in enumerate(["payment.success", "payment.created"], start=2):
        with db.scoped(shop.scope()):
            webhooks.resend_event(ids[name], to=endpoint.id, by=by)
        assert count_shown(shop) == done - 1
        Server().drain()
        assert count_shown(shop) == done


def test_what_was_shown_once_is_not_forgotten_in_traffic(shop: Shop) -> None:
    endpoint = an_endpoint(shop.id, "payment.success", "order.created")
    program, once = a_program(shop), {"Idempotency-Key": "order-7731"}
    program.post("/orders", dict(ORDER), **once)
    program.post("/orders", dict(ORDER), **once)
    paid(shop)
    tell()
    Server().drain()
    with db.scoped(shop.scope()):
        page = webhooks.events_of(shop.id, livemode=False, page=PageRequest())
        ids = {one.name: one.id for one in page.rows}
    by = Actor("merchant_user", shop.owner_id)
    for name in ("payment.success", "payment.created"):
        with db.scoped(shop.scope()):
            webhooks.resend_event(ids[name], to=endpoint.id, by=by)
        Server().drain()
    assert count_shown(shop) == 5
    for _ in range(101):
        program.post("/orders", dict(ORDER))
    tell()
    Server().drain()
    assert count_shown(shop) == 5


def test_what_the_built_in_receiver_answers_is_a_rehearsal_and_does_not_count(shop: Shop) -> None:
    an_endpoint(shop.id, "payment.success", is_built_in=True)
    paid(shop)
    tell()
    Server().drain()
    page = shop.client.page(EXAM)
    assert "0 of 11 shown" in page.text
    assert "Rehearsed" in page.text
    assert shown(shop) == {"deliveries"}


@pytest.mark.parametrize(
    ("status", "counts", "word"), [(401, 1, "refused"), (200, 0, "taken"), (503, 0, "Not yet")]
)
def test_only_an_observed_refusal_of_a_tampered_test_is_shown(
    shop: Shop, status: int, counts: int, word: str
) -> None:
    endpoint = an_endpoint(shop.id, "payment.success")
    address = f"/merchant/developers/webhooks/{endpoint.id}"
    [form] = [one for one in shop.client.page(address).forms if "signature" in one.fields]
    shop.client.post(form.action, data=form.fields)
    assert count_shown(shop) == 0
    Server(lambda _request: FINE if status == 200 else broken(status)).drain()
    assert count_shown(shop) == counts
    task = shop.client.page(EXAM).text.partition("whose signature does not fit")[2]
    assert word in task[:300]
    assert "tests with a wrong signature do not" in shop.client.page(address).text


def test_the_newest_tampered_test_that_was_answered_decides(shop: Shop) -> None:
    endpoint = an_endpoint(shop.id, "payment.success")
    by = Actor("merchant_user", shop.owner_id)
    for answer, counts in ((FINE, 0), (broken(400), 1), (broken(500), 1), (FINE, 0)):
        with db.scoped(shop.scope()):
            webhooks.tampered_event(endpoint.id, "payment.success", by=by)
        Server(lambda _request, came=answer: came).drain()  # type: ignore[misc]
        assert count_shown(shop) == counts


def test_late_money_is_learnt_of_by_an_event_or_its_test(shop: Shop) -> None:
    endpoint = an_endpoint(shop.id, "anomaly.opened")
    by = Actor("merchant_user", shop.owner_id)
    with db.scoped(shop.scope()):
        webhooks.test_event(endpoint.id, "anomaly.opened", by=by)
    Server(lambda _request: broken(500)).drain()
    assert count_shown(shop) == 0
    with db.scoped(shop.scope()):
        webhooks.test_event(endpoint.id, "anomaly.opened", by=by)
    Server().drain()
    # Any arrival shows too that it receives webhooks at all.
    assert count_shown(shop) == 2
    assert "late" in shop.client.page(EXAM).text


def test_a_decline_is_seen_in_the_events(shop: Shop) -> None:
    declined(shop)
    tell()
    assert shown(shop) == {"events"}
    assert count_shown(shop) == 1


def test_a_rolled_key_counts_once_its_replacement_is_used(shop: Shop) -> None:
    by = Actor("merchant_user", shop.owner_id)
    with db.scoped(shop.scope()):
        old = accounts.create_key(shop.id, livemode=False, kind=KeyKind.SECRET, name="Till", by=by)
        fresh = accounts.roll_key(old.key.id, overlap=dt.timedelta(hours=1), by=by)
    assert count_shown(shop) == 0
    accounts.key_for(fresh.token)
    assert shown(shop) == {"keys"}


def test_the_exam_is_for_those_who_see_the_log(shop: Shop) -> None:
    a_colleague(shop, "support").page(EXAM)
    a_colleague(shop, "viewer").page(EXAM, status=403)
