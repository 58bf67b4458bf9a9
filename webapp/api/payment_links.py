"""Payment links: made once, shared, and paid by whoever opens them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import orders, webhooks
from webapp.api.caller import caller, needs
from webapp.api.errors import ParameterInvalid
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import (
    LATEST,
    Body,
    CreatedQuery,
    Currency,
    Metadata,
    Minor,
    Thing,
    Words,
)
from webapp.api.payment_link_shape import payment_link_shown
from webapp.api.routing import get, patch, post
from webapp.kernel.money import Money

TAG = "Payment links"
Status = Literal["ACTIVE", "ENDED"]


class PaymentLink(Thing):
    """What is asked for again and again under one address that can be shared."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        **webhooks.BY_NAME["payment_link.created"].example,
        "payments": 3,
        "url": "https://pay.example/pay/tJ0m7Yk5sQ2w9VfXh3LbNcRaZeUoPiDg4T6yKq8Wx1E",
    }

    object: Literal["payment_link"]
    status: Status
    amount: int = Field(description="Whole minor units.")
    currency: str
    description: str
    max_payments: int | None = Field(description="After how many payments it ends.")
    ends_at: int | None
    ended_at: int | None
    payments: int = Field(
        description="How many of its orders are paid. It can be more than max_payments where two"
        " people paid the last one at the same moment; a refund does not take one away."
    )
    url: str = Field(description="The address to share: whoever has it may pay.")


class CreatePaymentLink(Body):
    """A new link."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "amount": 50000,
        "currency": "INR",
        "description": "A seat at the spring tasting",
        "max_payments": 40,
        "metadata": {"event": "spring"},
    }

    amount: Minor
    currency: Currency
    description: Annotated[Words, Field(min_length=1, max_length=200)]
    max_payments: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None, description="The link ends when it was paid so often; without, there is no limit."
    )
    ends_at: Annotated[int, Field(ge=0, le=LATEST)] | None = Field(
        None, description="Unix time in seconds, from which on nothing can be paid."
    )
    metadata: Metadata = Field({}, validate_default=False)


class UpdatePaymentLink(Body):
    """What may change of a link."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"metadata": {"event": "spring", "room": "2"}}

    active: bool | None = Field(
        None, description="False ends the link for good; one that has ended stays so."
    )
    metadata: Metadata | None = Field(None, description="Replaces all that was there.")


class PaymentLinkQuery(CreatedQuery):
    """Filters of payment links."""

    status: Status | None = None


@post("/payment-links", tag=TAG, gives=PaymentLink)
@needs(scope="payment_links:write", act="create_order", provider=True)
def create_payment_link(body: CreatePaymentLink) -> dict[str, Any]:
    """Create a payment link.

    Each time somebody presses the button on its page, a fresh order and checkout are made; opening
    the page makes nothing. Payments are counted as its orders are paid.
    """
    who = caller()
    asked = orders.NewPaymentLink(
        who.merchant,
        livemode=who.livemode,
        amount=Money(body.amount, body.currency),
        description=body.description,
        max_payments=body.max_payments,
        ends_at=moment(body.ends_at),
        details=dict(body.metadata),
    )
    return payment_link_shown(orders.create_payment_link(asked, by=who.actor))


@get("/payment-links", tag=TAG, gives=PaymentLink, is_list=True)
@needs(scope="payment_links:read")
def list_payment_links(query: PaymentLinkQuery) -> dict[str, Any]:
    """List payment links.

    Newest first, by status and by when they were created.
    """
    who = caller()
    page = asked_page(query, lambda sent: orders.payment_link_of(who.merchant, sent))
    asked = orders.PaymentLinkFilter(
        status=query.status.lower() if query.status else None,
        since=moment(query.created_gte),
        until=after(query.created_lte),
    )
    found = orders.payment_links_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    counts = orders.times_paid([link.id for link in found.rows])
    return listing(found, lambda link: payment_link_shown(link, counts))


@get("/payment-links/<string:link_id>", tag=TAG, gives=PaymentLink)
@needs(scope="payment_links:read")
def get_payment_link(link_id: str) -> dict[str, Any]:
    """Get a payment link.

    As it stands now, with its address and how often it was paid.
    """
    return payment_link_shown(orders.payment_link_of(caller().merchant, link_id))


@patch("/payment-links/<string:link_id>", tag=TAG, gives=PaymentLink)
@needs(scope="payment_links:write", act="create_order")
def update_payment_link(link_id: str, body: UpdatePaymentLink) -> dict[str, Any]:
    """End a payment link, or change its metadata.

    What is left out stays as it is. What it asks for never changes: end it and create another.
    Refused with 409 payment_link_ended where one that has ended is to be active again.
    """
    who = caller()
    link = orders.payment_link_of(who.merchant, link_id)
    if body.active and orders.has_ended(link):
        raise orders.PaymentLinkEnded(param="active")
    if body.active is None and body.metadata is None:
        raise ParameterInvalid("Send active or metadata.", param="active")
    if body.metadata is not None:
        link = orders.note_on_payment_link(who.merchant, link_id, body.metadata, by=who.actor)
    if body.active is False:
        link = orders.end_payment_link(who.merchant, link_id, by=who.actor)
    return payment_link_shown(link)
