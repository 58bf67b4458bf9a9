"""Payments of the past: intents whose ids say what was taken, made up when first asked for.

A portal that starts with a story of ninety days needs a provider that remembers it. Such an id
is `pi_demo_<currency>_<minor units>_<anything>`; the intent is taken in full, by a card that
works, and nothing is told of it.
"""

import re
from dataclasses import replace

from sandbox import charges, intents, payment_methods
from sandbox.currencies import CURRENCIES
from sandbox.store import Record
from sandbox.wire import Call, Params

_PAST = re.compile(r"pi_demo_(?P<currency>[a-z]{3})_(?P<minor>[1-9][0-9]{0,11})_[A-Za-z0-9]{1,64}")
_CARD = "pm_card_visa"


def recall(call: Call, intent_id: str | None) -> Record | None:
    """The payment intent of that id, made up now if its id is one of the past; else None."""
    known = call.tx.find("payment_intent", intent_id)
    past = _PAST.fullmatch(intent_id or "")
    if known is not None or past is None or past["currency"] not in CURRENCIES:
        return known
    wanted = Params({"amount": past["minor"], "currency": past["currency"]})
    body = intents.new_intent(replace(call, params=wanted), wanted)
    body |= {"id": intent_id, "amount_received": body["amount"], "status": "succeeded"}
    method = payment_methods.find(call, _CARD)
    intent = call.tx.insert(Record(body | {"payment_method": method.id}))
    charge = charges.past_charge(call, intent, method)
    intent.body["latest_charge"] = charge.id
    call.tx.save(intent)
    return intent
