"""The demo shop's webhook endpoint: Paydeck's own receiver, told of everything from the start."""

from __future__ import annotations

import datetime as dt
import json

from demo.cast import Cast
from demo.keys import MAKER, SHOP
from demo.rows import Rows
from webapp import webhooks
from webapp.outbox import Actor
from webapp.webhooks import Status

SAYS = "Keeps what it got, for you to look at"


def listen(rows: Rows, cast: Cast, at: dt.datetime) -> None:
    """Write the endpoint of the demo's first shop, which is sent what happens from `at` on."""
    endpoint = webhooks.built_in_endpoint(
        rows.chance.id("webhook_endpoint", at), cast.merchants[SHOP].id, description=SAYS, at=at
    )
    by = Actor("merchant_user", cast.users[MAKER].id)
    rows.step(endpoint, Status.ENABLED, at, because="A webhook endpoint was added.", by=by)
    rows.put(
        "webhook_endpoint",
        endpoint,
        events=json.dumps(endpoint.events),
        metadata=endpoint.details,
    )
