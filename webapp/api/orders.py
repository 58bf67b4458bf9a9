"""Orders: what is owed and for what."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import orders, payments, webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.expanding import Expand, Expandable, expanded
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import (
    Body,
    CreatedQuery,
    Currency,
    MailAddress,
    Metadata,
    Minor,
    Query,
    Thing,
    Words,
)
from webapp.api.routing import get, patch, post
from webapp.kernel.money import Money

TAG = "Orders"
Status = Literal["PENDING", "COMPLETED", "CANCELLED"]


class Order(Thing):
    """An order: what is owed, by whom and for what."""

    EXAMPLE: ClassVar[dict[str, Any]] = webhooks.BY_NAME["order.created"].example

    object: Literal["order"]
    status: Status
    amount: int = Field(description="Whole minor units.")
    currency: str
    number: str = Field(description="The order’s number on pages and receipts.")
    kind: Literal["sale", "top_up"]
    description: str
    customer: Expandable | None
    capture: Literal["automatic", "manual"]
    payment_link: Expandable | None
    completed_at: int | None


class CreateOrder(Body):
    """A new order."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "amount": 50000,
        "currency": "INR",
        "description": "Two tins of first flush",
        "customer_email": "asha@people.example",
        "metadata": {"basket": "7731"},
    }

    amount: Minor
    currency: Currency
    description: Annotated[Words, Field(max_length=200)] = ""
    customer: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="The id of a customer; or send customer_email."
    )
    customer_email: MailAddress | None = Field(
        None, description="Who is asked to pay; becomes a customer if there is none yet."
    )
    capture: Literal["automatic", "manual"] = Field(
        "automatic", description="With manual a card’s money is held until it is captured."
    )
    metadata: Metadata = Field({}, validate_default=False)


class UpdateOrder(Body):
    """What may change in an order."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"metadata": {"basket": "7731", "gift": "yes"}}

    description: Annotated[Words, Field(max_length=200)] | None = None
    metadata: Metadata | None = Field(None, description="Replaces all that was there.")


class OrderQuery(CreatedQuery):
    """Filters of orders."""

    status: Status | None = None
    customer: str | None = Field(None, max_length=64)
    payment_link: str | None = Field(None, max_length=64)
    currency: Currency | None = None
    expand: Expand


class OrderExpandQuery(Query):
    """What is to be told in full."""

    expand: Expand


@post("/orders", tag=TAG, gives=Order)
@needs(scope="orders:write", act="create_order")
def create_order(body: CreateOrder) -> dict[str, Any]:
    """Create an order.

    It waits to be paid until it is paid or cancelled; it does not expire. Open a checkout session
    to get a link by which it can be paid.
    """
    who = caller()
    asked = orders.NewOrder(
        who.merchant,
        livemode=who.livemode,
        amount=Money(body.amount, body.currency),
        description=body.description,
        customer_email=_email(body),
        capture_later=body.capture == "manual",
        details=dict(body.metadata),
    )
    return shown(orders.create(asked, by=who.actor))


@get("/orders", tag=TAG, gives=Order, is_list=True)
@needs(scope="orders:read")
def list_orders(query: OrderQuery) -> dict[str, Any]:
    """List orders.

    Newest first, by status, customer, currency and when they were created.
    """
    who = caller()
    page = asked_page(query, lambda sent: orders.order_of(who.merchant, sent))
    asked = orders.OrderFilter(
        status=query.status.lower() if query.status else None,
        customer_id=query.customer,
        currency=query.currency,
        payment_link_id=query.payment_link,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )
    found = orders.orders_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    return expanded(listing(found, shown), query.expand)


@get("/orders/<string:order_id>", tag=TAG, gives=Order)
@needs(scope="orders:read")
def get_order(order_id: str, query: OrderExpandQuery) -> dict[str, Any]:
    """Get an order.

    As it stands now.
    """
    return expanded(shown(orders.order_of(caller().merchant, order_id)), query.expand)


@patch("/orders/<string:order_id>", tag=TAG, gives=Order)
@needs(scope="orders:write", act="create_order")
def update_order(order_id: str, body: UpdateOrder) -> dict[str, Any]:
    """Change an order’s description or metadata.

    What is left out stays as it is. What is owed never changes: cancel the order and create
    another.
    """
    who = caller()
    orders.order_of(who.merchant, order_id)
    return shown(
        orders.describe(order_id, description=body.description, details=body.metadata, by=who.actor)
    )


@post("/orders/<string:order_id>/cancel", tag=TAG, gives=Order, status=200)
@needs(scope="orders:write", act="cancel_order")
def cancel_order(order_id: str) -> dict[str, Any]:
    """Cancel an order.

    Its link stops working. Refused with 409 when it is paid, or while a payment is under way;
    cancelling twice changes nothing.
    """
    who = caller()
    orders.order_of(who.merchant, order_id)
    payments.cancel_order(order_id, by=who.actor)
    return shown(orders.order_of(who.merchant, order_id))


def shown(order: orders.Order) -> dict[str, Any]:
    """Return an order as the API shows it."""
    return webhooks.payload_of("order", order.snapshot())


def _email(body: CreateOrder) -> str | None:
    if body.customer is None:
        return body.customer_email
    if body.customer_email is not None:
        raise ParameterInvalid("Send customer or customer_email, not both.", param="customer")
    customer = orders.customer_of(caller().merchant, body.customer)
    if customer is None:
        raise ParameterInvalid("There is no such customer.", param="customer")
    return customer.email
