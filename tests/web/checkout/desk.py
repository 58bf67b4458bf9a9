"""What the tests of the checkout share: a shop, a link's addresses, the press on Pay."""

from __future__ import annotations

from werkzeug.test import TestResponse

from tests.builders import (
    Link,
    inr,
)
from tests.checked_client import CheckedClient, Page
from tests.stories import scalar

PRICE = inr(1_000_00)
WRITTEN = ("payment", "attempt", "provider_operation", "transfer", "move", "fact", "customer",
           "idempotency_key", "checkout_session")  # fmt: skip


def counts() -> dict[str, int]:
    """Return how many rows there are of everything that paying can write."""
    return {table: scalar(f"SELECT count(*) FROM {table}") for table in WRITTEN}


def at(link: Link, what: str = "") -> str:
    """Return an address of a link's checkout."""
    return f"/checkout/{link.token}{f'/{what}' if what else ''}"


def press_pay(client: CheckedClient, link: Link, **fields: str) -> TestResponse:
    """Open the checkout and press Pay with those fields."""
    return client.send(at(link), "/pay", **fields)


def payment_of(link: Link) -> str:
    """Return the id of the newest payment of a link's order."""
    found = scalar("SELECT max(id) FROM payment WHERE order_id = :id", id=link.ref.order_id)
    return str(found)


def text_of(response: TestResponse) -> str:
    """Return what a page says."""
    return Page(response.get_data(as_text=True)).text


def set_together(page: Page) -> str:
    """Return what a page says without its spaces: typography sets the parts of amounts apart."""
    return page.text.replace(" ", "")
