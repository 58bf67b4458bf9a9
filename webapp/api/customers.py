"""Customers: who buys from a merchant."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from webapp import accounts, orders
from webapp.api.caller import caller, needs
from webapp.api.customer_shape import customer_shown
from webapp.api.lists import after, asked_page, listing, moment
from webapp.api.models import Body, CreatedQuery, MailAddress, Metadata, Thing, Words
from webapp.api.routing import get, patch, post

TAG = "Customers"
Name = Annotated[Words, Field(min_length=1, max_length=120)]


class Customer(Thing):
    """Somebody who buys from a merchant; one e-mail address is one customer."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "id": "cus_01KAJ8Z5V0W3N7Q2R4S6T8X9YB",
        "object": "customer",
        "created": 1763717400,
        "livemode": False,
        "metadata": {"crm": "4711"},
        "email": "asha@people.example",
        "name": "Asha Raman",
    }

    object: Literal["customer"]
    email: str = Field(description="In full to programs; people’s tokens see it masked.")
    name: str | None


class CreateCustomer(Body):
    """A new customer."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "email": "asha@people.example",
        "name": "Asha Raman",
        "metadata": {"crm": "4711"},
    }

    email: MailAddress
    name: Name | None = None
    metadata: Metadata = Field({}, validate_default=False)


class UpdateCustomer(Body):
    """What may change of a customer."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"name": "Asha R. Raman"}

    email: MailAddress | None = None
    name: Name | None = Field(None, description="null takes it away.")
    metadata: Metadata | None = Field(None, description="Replaces all that was there.")


class CustomerQuery(CreatedQuery):
    """Filters of customers."""

    email: str | None = Field(None, max_length=254, description="The exact address.")


@post("/customers", tag=TAG, gives=Customer)
@needs(scope="customers:write", act="create_order")
def create_customer(body: CreateCustomer) -> dict[str, Any]:
    """Create a customer.

    Refused with 409 customer_exists where there is one with that address. Orders with a
    customer_email make their customer by themselves.
    """
    who = caller()
    asked = orders.NewCustomer(
        who.merchant,
        who.livemode,
        email=accounts.checked_email(body.email),
        name=body.name,
        details=dict(body.metadata),
    )
    return customer_shown(orders.create_customer(asked, by=who.actor))


@get("/customers", tag=TAG, gives=Customer, is_list=True)
@needs(scope="customers:read")
def list_customers(query: CustomerQuery) -> dict[str, Any]:
    """List customers.

    Newest first, by address and by when they were created.
    """
    who = caller()
    page = asked_page(query, lambda sent: orders.customer_of(who.merchant, sent))
    asked = orders.CustomerFilter(
        email=query.email, since=moment(query.created_gte), until=after(query.created_lte)
    )
    found = orders.customers_of(who.merchant, livemode=who.livemode, asked=asked, page=page)
    return listing(found, customer_shown)


@get("/customers/<string:customer_id>", tag=TAG, gives=Customer)
@needs(scope="customers:read")
def get_customer(customer_id: str) -> dict[str, Any]:
    """Get a customer.

    As it stands now.
    """
    customer = orders.customer_of(caller().merchant, customer_id)
    if customer is None:
        raise orders.CustomerNotFound
    return customer_shown(customer)


@patch("/customers/<string:customer_id>", tag=TAG, gives=Customer)
@needs(scope="customers:write", act="create_order")
def update_customer(customer_id: str, body: UpdateCustomer) -> dict[str, Any]:
    """Change a customer.

    What is left out stays as it is. Customers are not deleted: orders and payments name them.
    """
    who = caller()
    has_no_name = "name" in body.model_fields_set and body.name is None
    change = orders.CustomerChange(
        email=accounts.checked_email(body.email) if body.email is not None else None,
        name="" if has_no_name else body.name,
        details=body.metadata,
    )
    return customer_shown(orders.change_customer(who.merchant, customer_id, change, by=who.actor))
