"""The Python client against the portal itself: each resource, as a merchant's program uses it."""

from __future__ import annotations

import hashlib
import hmac

import httpx
import pytest
from flask import Flask

from paydeck import InvalidRequest, NotAuthenticated, NotFound, NotPermitted, Paydeck, Webhook
from paydeck.fields import NewOrder
from paydeck.resource import Resource
from tests.api.desk import Shop, a_shop, a_user
from tests.api.things import MAKERS
from tests.builders import inr, money_in_wallet
from tests.clients.desk import Door, a_client, all_calls
from tests.webhooks.hooks import Server, public_names, tell
from webapp import api

PRICE: NewOrder = {"amount": 50_000, "currency": "INR"}
#: Addresses of older contracts, which have the same as the resources in another form.
BESIDES = {"payment-methods", "users", "webhooks"}


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


@pytest.fixture
def client(shop: Shop) -> Paydeck:
    """Its program, with the Python client."""
    return a_client(shop)


def test_customers_and_orders_are_made_found_changed_and_walked_over(client: Paydeck) -> None:
    asha = client.customers.create(email="asha@people.example", name="Asha")
    assert client.customers.list(email="asha@people.example").data == [asha]
    assert client.customers.update(asha["id"], name="Asha R.")["name"] == "Asha R."
    made = [
        client.orders.create(amount=50_000, currency="INR", customer=asha["id"])["id"]
        for _ in range(5)
    ]
    walked = [one["id"] for one in client.orders.list(limit=2, customer=asha["id"]).all()]
    assert walked == made[::-1]
    newer = client.orders.list(limit=2, ending_before=made[0]).all()
    assert [one["id"] for one in newer] == made[1:]
    changed = client.orders.update(made[0], metadata={"basket": "7"})
    assert changed["metadata"] == {"basket": "7"}
    assert client.orders.cancel(made[0])["status"] == "CANCELLED"
    assert client.orders.get(made[0])["status"] == "CANCELLED"


def test_one_key_makes_one_order(client: Paydeck) -> None:
    first = client.orders.create(amount=50_000, currency="INR", idempotency_key="basket-7731")
    again = client.orders.create(amount=50_000, currency="INR", idempotency_key="basket-7731")
    assert first == again
    assert len(client.orders.list()) == 1


def test_refusals_come_as_exceptions_with_what_they_are_about(shop: Shop, client: Paydeck) -> None:
    with pytest.raises(InvalidRequest) as told:
        client.orders.create(amount=-1, currency="INR")
    assert (told.value.code, told.value.param) == ("parameter_invalid", "amount")
    assert client.requests.get(str(told.value.request_id))["status"] == 400
    with pytest.raises(NotFound):
        client.orders.get(MAKERS["order_id"](a_shop(shop.app)))
    with pytest.raises(NotPermitted):
        a_client(shop, scopes=["orders:read"]).orders.create(**PRICE)
    stranger = Paydeck("sk_test_x", "http://localhost", http=httpx.Client(transport=Door(shop.app)))
    with pytest.raises(NotAuthenticated):
        stranger.orders.list()


def test_a_payment_is_read_with_its_story_and_its_order(shop: Shop, client: Paydeck) -> None:
    taken = MAKERS["payment_id"](shop)
    payment = client.payments.get(taken, expand=["order"])
    assert (payment["status"], payment["amount_captured"]) == ("SUCCESS", payment["amount"])
    assert isinstance(payment["order"], dict)
    assert [one["id"] for one in client.payments.list(status="SUCCESS")] == [taken]
    assert client.payments.timeline(taken).data
    assert client.transactions.list().data[0]["source"] == taken
    (owed,) = client.ledger.balance()["booked"]
    assert owed == {"amount": payment["amount"] - payment["fee"], "currency": "INR"}
    assert client.analytics.currencies()["object"] == "currencies"
    assert client.analytics.today(currency="INR")["currency"] == "INR"


def test_a_refund_is_asked_for_and_taken_back(shop: Shop, client: Paydeck) -> None:
    taken = MAKERS["payment_id"](shop)
    refund = client.refunds.create(payment=taken, amount=10_000, note="A cracked tin")
    assert (refund["status"], refund["payment"]) == ("PENDING", taken)
    assert client.refunds.withdraw(refund["id"])["status"] == "CANCELLED"
    assert client.refunds.get(refund["id"])["status"] == "CANCELLED"
    assert [one["id"] for one in client.refunds.list(payment=taken)] == [refund["id"]]


def test_a_checkout_is_opened_and_ended(client: Paydeck) -> None:
    session = client.checkout_sessions.create(order=client.orders.create(**PRICE)["id"])
    assert session["url"]
    assert client.checkout_sessions.expire(session["id"])["status"] == "EXPIRED"
    assert not client.checkout_sessions.get(session["id"]).get("url")


def test_a_payment_link_is_made_and_ended(client: Paydeck) -> None:
    link = client.payment_links.create(
        amount=50_000, currency="INR", description="A seat", max_payments=3
    )
    assert (link["status"], link["payments"], link["max_payments"]) == ("ACTIVE", 0, 3)
    assert client.payment_links.get(link["id"]) == link
    assert client.payment_links.update(link["id"], active=False)["status"] == "ENDED"
    assert [one["id"] for one in client.payment_links.list(status="ENDED")] == [link["id"]]


def test_what_waits_is_read_and_brought_nearer(client: Paydeck) -> None:
    client.checkout_sessions.create(order=client.orders.create(**PRICE)["id"])
    kinds = {one["kind"]: one["count"] for one in client.test_clock.get()["waiting"]}
    assert kinds["checkout_session"] == 1
    advanced = client.test_clock.advance(seconds=900)
    assert (advanced["seconds"], advanced["moved"]) == (900, {"checkout_session": 1})
    with pytest.raises(InvalidRequest):
        client.test_clock.advance(seconds=0)


@pytest.mark.requirement("S4-60", "S4-61")
def test_what_the_portal_delivers_is_believed_by_the_clients_helper(client: Paydeck) -> None:
    with public_names():
        endpoint = client.webhook_endpoints.create(url="https://shop.example/hook", events=["*"])
        tell()
        order = client.orders.create(**PRICE)
        tell()
        server = Server()
        server.drain()
    (got,) = server.got
    event = Webhook(endpoint["secret"]).verify(got.body, got.headers)
    assert (event["type"], event["data"]["object"]["id"]) == ("order.created", order["id"])
    plain = hmac.new(endpoint["secret"].encode(), got.body, hashlib.sha256).hexdigest()
    assert got.headers["X-Webhook-Signature"] == plain
    assert got.headers["X-Webhook-Event"] == "order.created"
    assert got.headers["Content-Type"] == "application/json"
    with public_names():
        rolled = client.webhook_endpoints.roll_secret(endpoint["id"], overlap_seconds=3600)
        client.events.resend(event["id"], to=endpoint["id"])
        server.drain()
    for secret in (endpoint["secret"], rolled["secret"]):
        again = Webhook(secret).verify(server.got[-1].body, server.got[-1].headers)
        assert again["id"] == event["id"]
    (second, first) = client.deliveries.list(event=event["id"])
    assert first["status"] == second["status"] == "delivered"
    assert len(client.deliveries.get(first["id"])["attempts"]) == 1
    health = client.webhook_endpoints.health(endpoint["id"])
    assert health["arrived_share"] == 1.0
    assert client.webhook_endpoints.delete(endpoint["id"])["deleted"] is True


def test_events_come_oldest_first_after_one_that_is_known(client: Paydeck) -> None:
    made = [client.orders.create(**PRICE)["id"] for _ in range(3)]
    tell()
    heard = client.events.after("beginning")
    assert [one["data"]["object"]["id"] for one in heard] == made
    rest = client.events.after(heard[0]["id"])
    assert [one["id"] for one in rest] == [one["id"] for one in heard[1:]]
    assert client.events.get(heard[0]["id"]) == heard[0]
    assert client.events.after(heard[-1]["id"]) == []


def test_keys_are_made_rolled_and_revoked(client: Paydeck) -> None:
    made = client.api_keys.create(name="The till", scopes=["orders:write"])
    assert made["token"].startswith("sk_test_")
    rolled = client.api_keys.roll(made["id"], overlap_seconds=0)
    assert client.api_keys.get(made["id"])["replaced_by"] == rolled["id"]
    assert client.api_keys.revoke(rolled["id"])["status"] == "revoked"
    assert "token" not in client.api_keys.get(rolled["id"])


def test_a_persons_token_opens_their_wallet(shop: Shop) -> None:
    money_in_wallet(shop.owner, inr(100))
    token = a_user(shop.app, shop.owner).token
    http = httpx.Client(transport=Door(shop.app))
    person = Paydeck(token, "http://localhost", http=http)
    (wallet,) = person.wallets.list()
    assert person.wallets.balance(wallet["id"])["available"] == wallet["balance"] == 100
    assert person.wallets.statement(wallet["id"]).data
    for_shop = Paydeck(token, "http://localhost", http=http, merchant=shop.merchant_id)
    assert for_shop.orders.list().data == []


def test_every_resource_for_programs_has_calls_in_the_client(client: Paydeck) -> None:
    have = {name for name, one in vars(client).items() if isinstance(one, Resource)}
    served = {
        one.rule.split("/")[1]
        for one in api.OPERATIONS.values()
        if not one.root and one.needs.scope
    }
    assert {one.replace("-", "_") for one in served - BESIDES} <= have


def test_every_call_of_the_client_leads_to_an_operation() -> None:
    wanted = all_calls()
    assert len(wanted) > 50
    known = {(one.method, one.address) for one in api.OPERATIONS.values()}
    shapes = {(method, _shape(path)) for method, path in wanted}
    assert shapes - {(method, _shape(path)) for method, path in known} == set()


def _shape(path: str) -> str:
    parts = ["*" if "<" in part or part == "x1" else part for part in path.split("/")]
    return "/".join(parts)
