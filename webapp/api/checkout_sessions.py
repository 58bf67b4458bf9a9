"""Checkout sessions: the links by which orders are paid."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import orders, payments, webhooks
from webapp.api.caller import caller, needs, settings
from webapp.api.errors import ParameterInvalid
from webapp.api.expanding import Expand, Expandable, expanded
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import Body, CreatedQuery, Query, Thing
from webapp.api.routing import get, post

TAG = "Checkout sessions"
Status = Literal["OPEN", "COMPLETE", "EXPIRED"]


class CheckoutSession(Thing):
    """A link by which one order can be paid, for 15 minutes."""

    EXAMPLE: ClassVar[dict[str, Any]] = webhooks.BY_NAME["checkout.opened"].example

    object: Literal["checkout_session"]
    status: Status
    order: Expandable
    expires_at: int
    closed_at: int | None
    url: str | None = Field(
        None, description="Where to send the shopper; told once, when the session is created."
    )


class CreateCheckoutSession(Body):
    """A new link to an order."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"order": "ord_01KAJ8Z5V0W3N7Q2R4S6T8X9YB"}

    order: Annotated[str, Field(max_length=64, description="The id of an order to be paid.")]


class CheckoutQuery(CreatedQuery):
    """Filters of checkout sessions."""

    order: str | None = Field(None, max_length=64)
    status: Status | None = None
    expand: Expand


class ExpandQuery(Query):
    """What is to be told in full."""

    expand: Expand


@post("/checkout-sessions", tag=TAG, gives=CheckoutSession)
@needs(scope="checkout_sessions:write", act="create_order", provider=True)
def create_checkout_session(body: CreateCheckoutSession) -> dict[str, Any]:
    """Create a checkout session.

    Opens a link to pay an order; an older open link of the order ends. Its address is told in this
    answer alone. Refused with 409 while a payment of the order is under way.
    """
    who = caller()
    try:
        order = orders.order_of(who.merchant, body.order)
    except orders.OrderNotFound as unknown:
        raise ParameterInvalid("There is no such order.", param="order") from unknown
    opened = payments.fresh_link(order.id, by=who.actor)
    return {**_one(opened.session_id), "url": checkout_url(opened.token)}


@get("/checkout-sessions", tag=TAG, gives=CheckoutSession, is_list=True)
@needs(scope="checkout_sessions:read", secret=True)
def list_checkout_sessions(query: CheckoutQuery) -> dict[str, Any]:
    """List checkout sessions.

    Newest first, by order, status and when they were opened. Publishable keys are refused.
    """
    who = caller()
    page = asked_page(query, _find)
    asked = orders.CheckoutFilter(
        order_id=query.order,
        status=query.status.lower() if query.status else None,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )
    found = orders.checkouts_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    return expanded(listing(found, checkout_shown), query.expand)


@get("/checkout-sessions/<string:checkout_id>", tag=TAG, gives=CheckoutSession)
@needs(scope="checkout_sessions:read")
def get_checkout_session(checkout_id: str, query: ExpandQuery) -> dict[str, Any]:
    """Get a checkout session.

    As it stands now, without its address.
    """
    return expanded(checkout_shown(_find(checkout_id)), query.expand)


@post(
    "/checkout-sessions/<string:checkout_id>/expire",
    tag=TAG,
    gives=CheckoutSession,
    status=200,
)
@needs(scope="checkout_sessions:write", act="create_order")
def expire_checkout_session(checkout_id: str) -> dict[str, Any]:
    """Expire a checkout session.

    Its link stops working at once; the order stays and can get another. Refused with 409 while a
    payment is under way. Expiring twice changes nothing.
    """
    session = _find(checkout_id)
    return checkout_shown(payments.expire_link(session.id, by=caller().actor))


def checkout_shown(session: orders.CheckoutSession) -> dict[str, Any]:
    """Return a checkout session as the API shows it."""
    return webhooks.payload_of("checkout_session", session.snapshot())


def checkout_url(token: str) -> str:
    """Return the address behind a checkout's token."""
    return f"{settings().public_url}/checkout/{token}"


def _one(session_id: str) -> dict[str, Any]:
    return checkout_shown(orders.checkout_of(session_id))


def _find(session_id: str) -> orders.CheckoutSession:
    """Return a session of the caller's merchant; raises CheckoutNotFound for any other."""
    session = orders.checkout_of(session_id)
    if session.merchant_id != caller().merchant:
        raise orders.CheckoutNotFound
    return session
