"""One database with orders and payments in it, which each attack leaves as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from supervisor.stores import Stores
from tests.books import committed_portal
from tests.builders import (
    a_checkout,
    a_merchant,
    a_method,
    a_payment,
    a_person,
    answered,
    card_tried,
    inr,
    money_in_wallet,
    needs_action,
)
from tests.portal import Committed
from tests.schema.scene import Scene
from webapp.payments import Status


@pytest.fixture(scope="package")
def grounds(stores: Stores) -> Iterator[Committed]:
    """The portal of this folder."""
    with committed_portal(stores) as running:
        yield running


@pytest.fixture(scope="package")
def scene(grounds: Committed) -> Scene:
    """Two merchants, a person with money, and payments in several states."""
    with grounds.app.app_context():
        shop, rival, person = a_merchant(), a_merchant(), a_person()
        money_in_wallet(person, inr(100_00))
        link, method = a_checkout(shop), a_method()
        challenged = card_tried(link, method, payer=person.payer)
        answered(challenged, needs_action(method))
        return Scene(
            portal=grounds,
            shop=shop,
            rival=rival,
            person=person.id,
            order=link.ref.order_id,
            payment=challenged,
            free_order=a_checkout(shop).ref.order_id,
            rivals_order=a_checkout(rival).ref.order_id,
            processing=a_payment(Status.PROCESSING, shop),
            declined=a_payment(Status.AWAITING_METHOD, shop),
            captured=a_payment(Status.CAPTURED, shop),
        )
