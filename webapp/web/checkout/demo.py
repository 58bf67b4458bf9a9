"""The demo installation's ready checkout link: a fresh order and session each time it is opened."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

from webapp import accounts, orders
from webapp.kernel import db
from webapp.kernel.errors import NotFound
from webapp.kernel.money import Money
from webapp.kernel.paging import PageRequest
from webapp.outbox import Actor
from webapp.web.shared.guards import anyone, guard, settings

blueprint = guard(Blueprint("demo", __name__), anyone)
DEMO_MERCHANT = "Lotus Tea House"
PRICE = Money(1_000_00, "INR")
WARE = "First flush Darjeeling, 250 g"
DEMO = Actor("demo")


@blueprint.get("/demo/checkout")
def checkout() -> Response:
    """Open the checkout of a fresh ₹1,000.00 order of the demo merchant."""
    db.use_scope(db.Scope(role=db.Role.ADMIN))
    found = accounts.merchants_page(PageRequest(limit=1), name=DEMO_MERCHANT).rows
    if not found:
        raise NotFound("The demo data is not there. Run `flask seed` first.")
    merchant_id = found[0].id
    livemode = settings().livemode
    db.use_scope(db.Scope(merchant_id=merchant_id, livemode=livemode))
    with db.transaction():
        order = orders.create(
            orders.NewOrder(merchant_id, livemode, PRICE, description=WARE),
            by=DEMO,
        )
        opened = orders.open_checkout(order.id, by=DEMO)
    return redirect(url_for("checkout.show", token=opened.token), code=303)
