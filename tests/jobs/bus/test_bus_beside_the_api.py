"""What is asked for over REST is told on the bus, and both say the same of it."""

from __future__ import annotations

import pytest

from jobs.subscriptions import ROUTES
from tests.api.desk import a_shop
from tests.jobs.bus.telling_all import Bus
from tests.portal import dispose, environment
from webapp import config, webhooks
from webapp.app import create_app
from webapp.kernel import db

PRICE = {"amount": 50_000, "currency": "INR", "description": "Tea"}


@pytest.mark.requirement("S3-15")
def test_an_order_made_and_cancelled_over_rest_is_told_on_the_bus_as_the_api_shows_it(
    bus: Bus,
) -> None:
    web = create_app(config.read(environment(bus.ground.stores, bus.ground.database)), ROUTES)
    with web.app_context():
        program = a_shop(web).program()
        made = program.post("/orders", PRICE).get_json()
        cancelled = program.post(f"/orders/{made['id']}/cancel").get_json()
        db.session.remove()
    dispose(web)
    bus.tell()
    told = [one for one in bus.published("transaction-events") if one["subject"] == made["id"]]
    assert [one["type"] for one in told] == ["order.created", "order.cancelled"]
    shown = [
        webhooks.payload_of("order", {"livemode": one["livemode"], **one["snapshot"]})
        for one in told
    ]
    assert shown == [made, cancelled]
