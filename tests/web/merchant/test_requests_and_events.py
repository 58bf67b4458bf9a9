"""The log of API requests and the events through the door: filtered, opened, and whose."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.api.desk import Program
from tests.web.merchant.world import Shop, a_colleague, a_shop, paid
from tests.webhooks.hooks import an_endpoint, tell
from webapp import accounts, api_log, webhooks
from webapp.accounts import KeyKind
from webapp.kernel import db, ids
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor
from webapp.webhooks import Event

REQUESTS = "/merchant/developers/requests"
EVENTS = "/merchant/developers/events"
KEY = "3c1e4a52-0a6b-4a57-9a0e-5d7c1f0b9a11"


@pytest.fixture
def shop(app: Flask) -> Shop:
    return a_shop(app)


def asked_for_an_order(shop: Shop, amount: object, key: str = KEY) -> tuple[str, str]:
    """Ask the API for an order; returns the request's id and the key's text."""
    with db.scoped(shop.scope()):
        made = accounts.create_key(
            shop.id,
            livemode=False,
            kind=KeyKind.SECRET,
            name="Till",
            by=Actor("merchant_user", shop.owner_id),
        )
    program = Program(FlaskClient(shop.app, shop.app.response_class), made.token)
    body = {"amount": amount, "currency": "INR", "description": "Two tins"}
    answer = program.post("/orders", body, **{"Idempotency-Key": key})
    return answer.headers["Request-Id"], made.token


def events(shop: Shop) -> list[Event]:
    db.session.expunge_all()
    with db.scoped(shop.scope()):
        page = webhooks.events_of(shop.id, livemode=False, page=PageRequest())
        return list(page.rows)


def fragment(shop: Shop, url: str) -> str:
    return shop.client.get(url, headers={"X-Fragment": "1"}).get_data(as_text=True)


def test_a_request_is_found_by_each_filter_and_opened(shop: Shop) -> None:
    made, token = asked_for_an_order(shop, 50_000)
    refused, _token = asked_for_an_order(shop, "much", key="another-key-of-mine")
    every = shop.client.page(REQUESTS).links
    assert {f"{REQUESTS}/{made}", f"{REQUESTS}/{refused}"} <= set(every)
    for query, found in (
        ("method=POST&outcome=fine", made),
        ("outcome=failed", refused),
        ("status=400", refused),
        ("path=/api/v1/orders&status=201", made),
        ("path=orders&status=201", made),
    ):
        links = shop.client.page(f"{REQUESTS}?{query}").links
        assert [link for link in links if re.match(rf"{REQUESTS}/req_", link)] == [
            f"{REQUESTS}/{found}"
        ], query
    none = shop.client.page(f"{REQUESTS}?code=nothing_like_it")
    assert "No request matches" in none.text
    page = shop.client.page(f"{REQUESTS}/{made}")
    assert "Two tins" in page.text
    assert token not in page.text
    assert any(link.startswith("/merchant/orders/ord_") for link in page.links)


def test_reads_can_be_left_out_of_the_list(shop: Shop) -> None:
    made, token = asked_for_an_order(shop, 50_000)
    read = Program(FlaskClient(shop.app, shop.app.response_class), token).get("/events")
    looked = f"{REQUESTS}/{read.headers['Request-Id']}"
    assert looked in shop.client.page(REQUESTS).links
    page = shop.client.page(f"{REQUESTS}?method=but-GET")
    assert looked not in page.links
    assert f"{REQUESTS}/{made}" in page.links
    assert "Method All but GET" in page.text
    assert shop.client.page(f"{REQUESTS}?method=GET").links.count(looked) == 1


def test_a_request_is_shown_as_curl_with_placeholders_for_what_is_secret(shop: Shop) -> None:
    made, token = asked_for_an_order(shop, 50_000)
    text = shop.client.page(f"{REQUESTS}/{made}").text
    assert "curl -g -X POST http://localhost:8000/api/v1/orders" in text
    assert "Bearer $PAYDECK_API_KEY" in text
    assert f'"Idempotency-Key: {KEY}"' not in text
    assert token not in text


@pytest.mark.parametrize(("role", "status"), [("support", 200), ("analyst", 403)])
def test_who_may_see_the_log(shop: Shop, role: str, status: int) -> None:
    made, _token = asked_for_an_order(shop, 50_000)
    colleague = a_colleague(shop, role)
    colleague.page(REQUESTS, status=status)
    colleague.page(f"{REQUESTS}/{made}", status=status)


def test_another_merchants_requests_and_events_are_not_there(shop: Shop, app: Flask) -> None:
    made, _token = asked_for_an_order(shop, 50_000)
    tell()
    [event, *_] = events(shop)
    other = a_shop(app)
    other.client.page(f"{REQUESTS}/{made}", status=404)
    other.client.page(f"{EVENTS}/{event.id}", status=404)
    assert "No requests yet" in other.client.page(REQUESTS).text
    assert "No events here" in other.client.page(EVENTS).text


def test_an_event_shows_what_changed_since_the_objects_event_before(shop: Shop) -> None:
    payment_id = paid(shop)
    tell()
    taken = next(one for one in events(shop) if one.name == "payment.success")
    page = shop.client.page(f"{EVENTS}/{taken.id}")
    assert "amount_captured" in page.text
    assert f"/merchant/payments/{payment_id}" in page.links
    found = shop.client.page(f"{EVENTS}?name=payment.success&object={payment_id}")
    assert [link for link in found.links if f"{EVENTS}/evt_" in link] == [f"{EVENTS}/{taken.id}"]
    first = shop.client.page(f"{EVENTS}/{events(shop)[-1].id}")
    assert "This is the first event of its object." in first.text


def test_an_event_made_by_a_program_names_its_key(shop: Shop) -> None:
    asked_for_an_order(shop, 50_000)
    tell()
    made = next(one for one in events(shop) if one.name == "order.created")
    page = shop.client.page(f"{EVENTS}/{made.id}")
    assert "A program, with an API key" in page.text
    assert any("/developers/keys/key_" in link for link in page.links)


def test_an_event_is_sent_to_an_endpoint_that_never_got_it(shop: Shop) -> None:
    paid(shop)
    tell()
    endpoint = an_endpoint(shop.id)
    [event, *_] = events(shop)
    address = f"{EVENTS}/{event.id}"
    answer = shop.client.send(address, f"{address}/resend", to=endpoint.id)
    assert answer.status_code == 303
    assert answer.location in shop.client.page(address).links
    refused = a_colleague(shop, "viewer")
    own = refused.page(address).form("/resend").fields
    assert refused.post(f"{address}/resend", data=own).status_code == 403


def test_the_lists_keep_themselves_fresh_with_their_filters(shop: Shop) -> None:
    made, _token = asked_for_an_order(shop, 50_000)
    paid(shop)
    tell()
    success = next(one.id for one in events(shop) if one.name == "payment.success")
    for page, query, has in (
        (REQUESTS, "?method=POST", f"row-{made}"),
        (EVENTS, "?name=payment.success", f"row-{success}"),
    ):
        live = f'data-live-url="{page}/live{query}"'
        part = fragment(shop, f"{page}/live{query}")
        assert live in part
        assert has in part
        assert live in shop.client.get(f"{page}{query}").get_data(as_text=True)
    assert "row-" not in fragment(shop, f"{REQUESTS}/live?method=GET")


def test_the_live_log_is_for_those_who_see_the_log(shop: Shop) -> None:
    assert a_colleague(shop, "viewer").get(f"{REQUESTS}/live").status_code == 403


def test_a_request_that_is_kept_has_the_log_looked_at_again(shop: Shop) -> None:
    asked = api_log.Asked(
        ids.new("request"), False, shop.id, None, None, "GET", "/", "", b"", "1", None
    )
    with db.scoped(shop.scope()), db.transaction() as session:
        api_log.note(asked, api_log.Told(200, b"", 1))
        assert session.info["wakes"] == {f"look:api_request:{shop.id}:test"}


@pytest.mark.parametrize("page", ["keys", "webhooks", "events", "requests", "guide", "exam"])
def test_every_page_for_developers_says_its_mode(shop: Shop, page: str) -> None:
    text = shop.client.page(f"/merchant/developers/{page}").text
    assert "keys, events and requests of test mode" in text
