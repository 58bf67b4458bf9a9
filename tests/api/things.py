"""One thing of a shop's own for each id that stands in an address, for tests over all of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.api.desk import Shop
from tests.builders import (
    PASSWORD,
    a_checkout,
    a_new_payment_link,
    a_payment,
    a_person,
    an_order,
    inr,
    money_in_wallet,
)
from tests.webhooks.hooks import BY, an_endpoint
from webapp import accounts, api_log, gateway, orders, payments, refunds, wallets, webhooks
from webapp.gateway import Card
from webapp.kernel import db, ids
from webapp.outbox import Actor


def a_customer(shop: Shop) -> str:
    """Make a customer of the shop's."""
    by = Actor("merchant_user", shop.owner.id)
    new = orders.NewCustomer(shop.merchant_id, livemode=False, email="asha@people.example")
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        return orders.create_customer(new, by=by).id


def a_saved_card(shop: Shop) -> str:
    """Keep a token of a test card for one of the shop's users; returns what the shop calls them."""
    token = gateway.Token(f"pm_{shop.merchant_id}", Card("visa", "4242", 12, 2034))
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        return payments.keep_method(token, payments.Keeping(shop.merchant_id, "asha")).user_ref


def a_refund(shop: Shop) -> str:
    """Make a refund of a payment that was taken; it has not left yet."""
    taken = a_payment(payments.Status.CAPTURED, shop.merchant_id)
    by = Actor("merchant_user", shop.owner.id)
    with db.scoped(db.Scope(merchant_id=shop.merchant_id, livemode=False)):
        return refunds.request(taken, amount=inr(100_00), reason="other", by=by).id


def _payment_link(shop: Shop) -> str:
    with db.scoped(_scope(shop)):
        return orders.create_payment_link(a_new_payment_link(shop.merchant_id), by=BY).id


def _endpoint(shop: Shop) -> str:
    with db.scoped(_scope(shop)):
        return an_endpoint(shop.merchant_id, "payment.success").id


def _delivery(shop: Shop) -> str:
    endpoint_id = _endpoint(shop)
    with db.scoped(_scope(shop)):
        return webhooks.test_event(endpoint_id, "payment.success", by=BY)


def _event(shop: Shop) -> str:
    delivery_id = _delivery(shop)
    with db.scoped(_scope(shop)):
        return webhooks.delivery_of(shop.merchant_id, delivery_id).event.id


def _key(shop: Shop) -> str:
    with db.scoped(_scope(shop)):
        made = accounts.create_key(
            shop.merchant_id, livemode=False, kind="secret", name="a key", by=BY
        )
    return made.key.id


def _wallet(shop: Shop) -> str:
    with db.scoped(db.Scope(user_id=shop.owner.id, livemode=False)):
        return wallets.open(shop.owner.id, "INR", livemode=False).id


def _wallet_transfer(shop: Shop) -> str:
    other = a_person()
    money_in_wallet(shop.owner, inr(10))
    asked = wallets.NewTransfer(shop.owner.id, other.id, inr(5), livemode=False)
    with db.scoped(db.Scope(user_id=shop.owner.id, livemode=False)):
        return wallets.transfer(asked, by=BY).id


def _request(shop: Shop) -> str:
    asked = api_log.Asked(
        id=ids.new("request"),
        livemode=False,
        merchant_id=shop.merchant_id,
        key_id=None,
        user_id=None,
        method="GET",
        path="/api/v1/orders",
        query="",
        body=b"",
        version=accounts.API_VERSION,
        idempotency_key=None,
    )
    with db.scoped(_scope(shop)):
        api_log.note(asked, api_log.Told(200, b"{}", 3))
    return asked.id


def _session(shop: Shop) -> str:
    accounts.sign_in(shop.owner.email, PASSWORD, device="Firefox", address="192.0.2.4")
    with db.scoped(db.Scope(user_id=shop.owner.id)):
        return accounts.sessions_of(shop.owner.id)[0].id


def _scope(shop: Shop) -> db.Scope:
    return db.Scope(merchant_id=shop.merchant_id, livemode=False)


#: Makes a thing of the shop (or of its owner) and returns its id, by the name of the parameter.
MAKERS: dict[str, Callable[[Shop], str]] = {
    "delivery_id": _delivery,
    "endpoint_id": _endpoint,
    "event_id": _event,
    "key_id": _key,
    "request_id": _request,
    "session_id": _session,
    "transfer_id": _wallet_transfer,
    "wallet_id": _wallet,
    "order_id": lambda shop: an_order(shop.merchant_id).id,
    "customer_id": a_customer,
    "link_id": _payment_link,
    "checkout_id": lambda shop: a_checkout(shop.merchant_id).ref.session_id,
    "payment_id": lambda shop: a_payment(payments.Status.CAPTURED, shop.merchant_id),
    "refund_id": a_refund,
    "owner_id": a_saved_card,
}
