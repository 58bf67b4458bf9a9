"""Expanding: where an object names another one, that one can be told in its place.

`expand[]=order` puts the order's object where its id stood; `order.customer` goes on from there,
four steps at most. In a list the paths begin with `data.`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from webapp import orders, payments, refunds, webhooks
from webapp.api.caller import Caller, caller
from webapp.api.customer_shape import customer_shown
from webapp.api.errors import ParameterInvalid, ScopeMissing
from webapp.api.payment_link_shape import payment_link_shown
from webapp.api.refund_shape import refund_for

Payload: TypeAlias = dict[str, Any]
Loader: TypeAlias = Callable[[Caller, Payload], Payload | None]
DEEPEST = 4
LIST = "data"
PARAM = "expand[]"
MOST = 100
#: How many things are loaded for one answer at most: each is a question to the database.
MOST_LOADED = 200

#: What a field holds that can be expanded: an id, or the object in its place.
Expandable = Annotated[
    str | dict[str, Any], Field(description="An id, or the object itself where it is expanded.")
]
Expand = Annotated[
    list[Annotated[str, Field(max_length=120)]],
    Field(
        default_factory=list,
        alias=PARAM,
        max_length=20,
        description="Which named objects to tell in full, such as order or order.customer.",
    ),
]


def expanded(payload: Payload, paths: list[str]) -> Payload:
    """Return an object with what `paths` name told in full; raises ParameterInvalid, ScopeMissing.

    Of a list each path begins with `data.` and is followed in every object. At most 200 things are
    loaded.
    """
    known: dict[str, Payload | None] = {}
    for path in paths:
        steps = path.split(".")
        if steps == [LIST]:
            raise ParameterInvalid("Name what of each is to be told in full.", param=PARAM)
        if not 0 < len(steps) - (steps[0] == LIST) <= DEEPEST:
            raise ParameterInvalid("Go four steps at most.", param=PARAM)
        if payload["object"] == "list":
            if steps[0] != LIST:
                raise ParameterInvalid("In a list a path begins with data.", param=PARAM)
            _check(payload["data"][:1], steps[1:])
            for one in payload["data"]:
                _follow(one, steps[1:], known)
        else:
            _follow(payload, steps, known)
    return payload


def _check(sample: list[Payload], steps: list[str]) -> None:
    if not steps or (sample and (sample[0]["object"], steps[0]) not in FIELDS):
        raise ParameterInvalid("There is nothing to expand of that name.", param=PARAM)


def _follow(
    payload: Payload,
    steps: list[str],
    known: dict[str, Payload | None],
    passed: frozenset[tuple[str, str]] = frozenset(),
) -> None:
    """Put in place what the steps name; a path comes by no field twice, as it would go in rings."""
    name, rest = steps[0], steps[1:]
    place = (payload["object"], name)
    found = FIELDS.get(place)
    if found is None:
        raise ParameterInvalid("There is nothing to expand of that name.", param=PARAM)
    if place in passed:
        raise ParameterInvalid("This path leads back to where it has been.", param=PARAM)
    scope, load = found
    who = caller()
    if who.kind == "key" and scope not in who.scopes:
        raise ScopeMissing(f"To expand this, the key would need the scope {scope}.")
    if not isinstance(payload.get(name), dict):
        told = _loaded(f"{payload['id']}.{name}", lambda: load(who, payload), known)
        if told is None:
            return
        payload[name] = told
    inside: Payload = payload[name]
    if rest and inside["object"] == "list":
        for one in inside["data"]:
            _follow(one, rest, known, passed | {place})
    elif rest:
        _follow(inside, rest, known, passed | {place})


def _loaded(
    mark: str, load: Callable[[], Payload | None], known: dict[str, Payload | None]
) -> Payload | None:
    """Return what is known by its mark, loaded once; raises ParameterInvalid where it is enough."""
    if mark not in known:
        if len(known) >= MOST_LOADED:
            message = "This is too much for one answer: ask for a shorter list, or expand less."
            raise ParameterInvalid(message, param=PARAM)
        known[mark] = load()
    return known[mark]


def _order(who: Caller, payload: Payload, field: str = "order") -> Payload | None:
    if payload.get(field) is None:
        return None
    order = orders.order_of(who.merchant, payload[field])
    return webhooks.payload_of("order", order.snapshot())


def _target_order(who: Caller, payload: Payload) -> Payload | None:
    return _order(who, payload, "target_order")


def _customer(who: Caller, payload: Payload) -> Payload | None:
    customer = orders.customer_of(who.merchant, payload.get("customer"))
    return customer_shown(customer) if customer else None


def _payment_link(who: Caller, payload: Payload) -> Payload | None:
    if payload.get("payment_link") is None:
        return None
    return payment_link_shown(orders.payment_link_of(who.merchant, payload["payment_link"]))


def _payment(who: Caller, payload: Payload) -> Payload:
    payment = payments.payment_of(who.merchant, payload["payment"]).payment
    return webhooks.payload_of("payment", payment.snapshot())


def _checkout(_who: Caller, payload: Payload) -> Payload | None:
    if payload.get("checkout_session") is None:
        return None
    session = orders.checkout_of(payload["checkout_session"])
    return webhooks.payload_of("checkout_session", session.snapshot())


def _refunds(who: Caller, payload: Payload) -> Payload:
    found = refunds.refunds_of_payment(payload["id"])
    shown = [refund_for(who, one) for one in reversed(found)]
    return {
        "object": "list",
        "data": shown[:MOST],
        "has_more": len(shown) > MOST,
        "url": f"/api/v1/payments/{payload['id']}/refunds",
    }


#: What can be expanded: by the object's noun and field, the scope that it asks for, and how.
FIELDS: dict[tuple[str, str], tuple[str, Loader]] = {
    ("order", "customer"): ("customers:read", _customer),
    ("order", "payment_link"): ("payment_links:read", _payment_link),
    ("payment", "order"): ("orders:read", _order),
    ("payment", "customer"): ("customers:read", _customer),
    ("payment", "checkout_session"): ("checkout_sessions:read", _checkout),
    ("payment", "refunds"): ("refunds:read", _refunds),
    ("refund", "payment"): ("payments:read", _payment),
    ("refund", "target_order"): ("orders:read", _target_order),
    ("checkout_session", "order"): ("orders:read", _order),
}
