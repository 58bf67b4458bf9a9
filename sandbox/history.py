"""Payments of the past: intents whose ids say what was taken, made up when first asked for.

A portal that starts with a story of ninety days needs a provider that remembers it. Such an id
is `pi_demo_<currency>_<minor units>_<anything>`; the intent is taken in full, by a card that
works, and nothing is told of it. With `pi_demo_held_…` the money is only held.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

from sandbox import charges, payment_methods
from sandbox.currencies import CURRENCIES
from sandbox.store import Json, Record
from sandbox.wire import Call, Params

_PAST = re.compile(
    r"pi_demo_(?P<held>held_)?(?P<currency>[a-z]{3})_(?P<minor>[1-9][0-9]{0,11})_[A-Za-z0-9]{1,64}"
)
_CARD = "pm_card_visa"
#: Makes the body of a payment intent from parameters.
Make: TypeAlias = Callable[[Call, Params], Json]


def recall(call: Call, intent_id: str | None, make: Make) -> Record | None:
    """The payment intent of that id, kept from now on if its id is one of the past; else None."""
    known = call.tx.find("payment_intent", intent_id)
    body = None if known is not None else made_up(call, intent_id, make)
    if body is None:
        return known
    method = payment_methods.find(call, _CARD)
    intent = call.tx.insert(Record(body | {"payment_method": method.id}))
    charge = charges.past_charge(call, intent, method)
    intent.body["latest_charge"] = charge.id
    call.tx.save(intent)
    return intent


def made_up(call: Call, intent_id: str | None, make: Make) -> Json | None:
    """The body of a payment intent whose id is one of the past, not kept; else None."""
    past = _PAST.fullmatch(intent_id or "")
    if past is None or past["currency"] not in CURRENCIES:
        return None
    manner = "manual" if past["held"] else "automatic"
    given = {"amount": past["minor"], "currency": past["currency"], "capture_method": manner}
    wanted = Params(given)
    body = make(replace(call, params=wanted), wanted)
    if past["held"]:
        stands = {"amount_capturable": body["amount"], "status": "requires_capture"}
    else:
        stands = {"amount_received": body["amount"], "status": "succeeded"}
    return body | {"id": intent_id} | stands
