"""Payment methods and customers: what is kept of a card is never its number."""

import time

from sandbox import cards, chance
from sandbox.cards import TestCard
from sandbox.lists import page
from sandbox.store import Json, Record, Transaction
from sandbox.wire import ApiError, Call, Params, invalid, missing

_ADDRESS = ("city", "country", "line1", "line2", "postal_code", "state")
_TOKEN_YEARS_AHEAD = 3


def create(call: Call) -> Json:
    """`POST /v1/payment_methods`: a card number only from the card fields, else a test token."""
    params = call.params
    params.choice("type", ("card",))
    card = params.mapping("card")
    if card is None:
        raise invalid("Missing required param: card.", param="card", code="parameter_missing")
    billing = billing_details(params.mapping("billing_details"))
    metadata = params.metadata()
    if card.has("token"):
        record = from_token(call, card.need_text("token").replace("tok_", "pm_card_", 1))
    elif call.publishable:
        record = from_fields(call, card, billing)
    else:
        raise ApiError(
            402,
            "Sending credit card numbers directly to the Stripe API is generally unsafe. To "
            "continue processing use the card fields page or a test token such as pm_card_visa.",
            remember=False,
        )
    card.finish()
    record.body["billing_details"] = billing
    record.body["metadata"] = metadata
    call.tx.save(record)
    return record.body


def billing_details(params: Params | None) -> Json:
    """The payer's own particulars, every one of them optional."""
    params = params or Params({})
    address = params.mapping("address") or Params({}, "billing_details[address]")
    details = {
        "address": {name: address.text(name) for name in _ADDRESS},
        "email": params.text("email", longest=512),
        "name": params.text("name"),
        "phone": params.text("phone"),
        "tax_id": None,
    }
    address.finish()
    params.finish()
    return details


def from_fields(call: Call, card: Params, billing: Json) -> Record:
    """A payment method from typed card fields; refuses what the provider would refuse."""
    number = card.need_text("number").replace(" ", "").replace("-", "")
    month, year = card.need_integer("exp_month"), card.need_integer("exp_year")
    cvc = card.text("cvc", longest=8)
    kept = cards.check_number(number)
    today = time.gmtime(call.tx.now)
    expiry = cards.check_expiry(month, year, today=(today.tm_year, today.tm_mon))
    check = cards.check_cvc(cvc, kept.brand)
    return _store(call.tx, kept, expiry, check, billing, call.settings.secret_key)


def from_token(call: Call, token: str) -> Record:
    """A new payment method with the behaviour of a well-known test token."""
    kept = cards.card_of_token(token)
    if kept is None:
        raise missing("PaymentMethod", token, param="payment_method", status=400)
    expiry = (12, time.gmtime(call.tx.now).tm_year + _TOKEN_YEARS_AHEAD)
    key = call.settings.secret_key
    return _store(call.tx, kept, expiry, "unchecked", billing_details(None), key)


def find(call: Call, method_id: str) -> Record:
    """The payment method of that id; a test token becomes a new one."""
    if method_id.startswith("pm_card_"):
        return from_token(call, method_id)
    record = call.tx.find("payment_method", method_id)
    if record is None:
        raise missing("PaymentMethod", method_id, param="payment_method", status=400)
    return record


def retrieve(call: Call) -> Json:
    """`GET /v1/payment_methods/:id`."""
    record = call.tx.find("payment_method", call.arguments["id"])
    if record is None:
        raise missing("PaymentMethod", call.arguments["id"], param="payment_method")
    return record.body


def create_customer(call: Call) -> Json:
    """`POST /v1/customers`."""
    params = call.params
    record = Record(
        {
            "id": chance.new_id("cus_", 14),
            "object": "customer",
            "address": None,
            "balance": 0,
            "created": call.tx.now,
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": params.text("description"),
            "email": params.text("email", longest=512),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": params.metadata(),
            "name": params.text("name"),
            "phone": params.text("phone"),
            "preferred_locales": [],
            "shipping": None,
            "tax_exempt": "none",
        }
    )
    return call.tx.insert(record).body


def retrieve_customer(call: Call) -> Json:
    """`GET /v1/customers/:id`."""
    record = call.tx.find("customer", call.arguments["id"])
    if record is None:
        raise missing("customer", call.arguments["id"])
    return record.body


def list_customers(call: Call) -> Json:
    """`GET /v1/customers`."""
    return page(call, "customer", "/v1/customers")


def _store(
    tx: Transaction, kept: TestCard, expiry: tuple[int, int], check: str, billing: Json, key: str
) -> Record:
    decline = kept.decline
    hidden = {
        "behaviour": kept.behaviour,
        "decline": [decline.code, decline.decline_code, decline.message] if decline else None,
        "spent": False,
    }
    body = {
        "id": chance.new_id("pm_"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        "card": card_details(kept, expiry, check, key),
        "created": tx.now,
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    return tx.insert(Record(body, hidden))


def card_details(kept: TestCard, expiry: tuple[int, int], check: str, key: str) -> Json:
    """What the provider shows of a card: brand, last four digits, expiry, funding, country."""
    return {
        "brand": kept.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": check,
        },
        "country": kept.country,
        "display_brand": kept.brand,
        "exp_month": expiry[0],
        "exp_year": expiry[1],
        "fingerprint": cards.fingerprint(kept.number, key),
        "funding": kept.funding,
        "generated_from": None,
        "last4": kept.number[-4:],
        "networks": {"available": [kept.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
