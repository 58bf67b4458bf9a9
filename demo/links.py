"""The demo shop's payment links, which nobody has paid yet; their addresses are known to all."""

from __future__ import annotations

import datetime as dt

from demo.cast import Cast
from demo.keys import MAKER, SHOP
from demo.rows import Rows
from webapp.orders import PaymentLink
from webapp.outbox import Actor

#: What each is for, its price in minor units of INR, for how many, for how long, and its token.
LINKS = (
    ("Chai tasting on Saturday", 600_00, 12, dt.timedelta(days=30), "demo-chai-tasting"),
    ("Gift card", 1_000_00, None, None, "demo-gift-card"),
)


def share(rows: Rows, cast: Cast, at: dt.datetime) -> None:
    """Write the links of the demo's first shop, made by its owner at `at`."""
    by = Actor("merchant_user", cast.users[MAKER].id)
    for description, minor, most, lasts, token in LINKS:
        link = PaymentLink(
            id=rows.chance.id("payment_link", at),
            merchant_id=cast.merchants[SHOP].id,
            livemode=False,
            amount_minor=minor,
            currency="INR",
            description=description,
            max_payments=most,
            ends_at=at + lasts if lasts else None,
            created_at=at,
            created_by=by.id,
            details={},
        )
        link.set_token(token)
        rows.step(link, "active", at, because="The link was made.", by=by)
        rows.put("payment_link", link, metadata=link.details)
