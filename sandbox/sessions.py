"""Checkout sessions: the provider's own payment page, which needs no JavaScript."""

from typing import Any
from urllib.parse import urlsplit

from sandbox import chance, charging, intents, payment_methods
from sandbox.currencies import check_amount, read_currency
from sandbox.events import emit
from sandbox.lists import Condition, page
from sandbox.store import Json, Record
from sandbox.wire import ApiError, Call, Params, invalid, missing

_SHORTEST_SECONDS, _LONGEST_SECONDS = 30 * 60, 24 * 3600
_SLACK_SECONDS = 60
_EMPTY_AT_FIRST = (
    "adaptive_pricing",
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "invoice",
    "invoice_creation",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "subscription",
    "wallet_options",
)
_DONE = ("succeeded", "requires_capture", "processing")


def create(call: Call) -> Json:
    """`POST /v1/checkout/sessions` for one payment of the line items' total."""
    params = call.params
    params.choice("mode", ("payment",))
    lines, currency = _line_items(params.items("line_items"))
    total = check_amount(sum(line["amount_total"] for line in lines), currency, "line_items")
    for_intent = params.mapping_or_empty("payment_intent_data")
    _try_intent_parameters(call, for_intent, total, currency)
    session_id = chance.new_id("cs_test_", 58)
    body = _body(call, params, session_id)
    body.update(amount_subtotal=total, amount_total=total, currency=currency)
    body["url"] = f"{call.settings.public_origin}/c/pay/{session_id}"
    params.finish()
    session = Record(body, {"lines": lines, "intent_parameters": for_intent})
    call.tx.insert(session)
    wait = body["expires_at"] - call.tx.moment
    charging.start_timer(call.tx, "expire_session", session.id, wait)
    return session.body


def _try_intent_parameters(call: Call, values: Json, total: int, currency: str) -> None:
    nested = Params(values | {"amount": str(total), "currency": currency}, "payment_intent_data")
    intents.new_intent(call, nested)
    nested.finish()


def _body(call: Call, params: Params, session_id: str) -> Json:
    email = params.text("customer_email", longest=512)
    return {
        "id": session_id,
        "object": "checkout.session",
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "cancel_url": _address(params, "cancel_url"),
        "client_reference_id": params.text("client_reference_id", longest=200),
        "created": call.tx.now,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": params.text("customer"),
        "customer_creation": "if_required",
        "customer_details": _customer_details(email) if email else None,
        "customer_email": email,
        "discounts": [],
        "expires_at": _expires_at(call, params),
        "livemode": False,
        "locale": params.text("locale"),
        "metadata": params.metadata(),
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": intents.listed_types(params),
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "submit_type": params.choice("submit_type", ("auto", "book", "donate", "pay")),
        "success_url": _address(params, "success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
    } | dict.fromkeys(_EMPTY_AT_FIRST)


def _customer_details(email: str) -> Json:
    names = ("address", "business_name", "individual_name", "name", "phone", "tax_ids")
    return {"email": email, "tax_exempt": "none"} | dict.fromkeys(names)


def _address(params: Params, name: str) -> str | None:
    url = params.need_text(name) if name == "success_url" else params.text(name)
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc):
        raise invalid(
            "Not a valid URL: an explicit scheme (such as https) must be provided.",
            param=name,
            code="url_invalid",
        )
    return url


def _expires_at(call: Call, params: Params) -> int:
    wanted = params.integer("expires_at")
    if wanted is None:
        return call.tx.now + _LONGEST_SECONDS
    wait = wanted - call.tx.now
    if wait < _SHORTEST_SECONDS - _SLACK_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session "
            "creation.",
            param="expires_at",
        )
    if wait > _LONGEST_SECONDS + _SLACK_SECONDS:
        raise invalid(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return wanted


def _line_items(entries: list[Any]) -> tuple[list[Json], str]:
    if not entries:
        raise invalid("Missing required param: line_items.", param="line_items")
    lines, currencies = [], set()
    for place, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise invalid("Invalid object", param=f"line_items[{place}]")
        line, currency = _line_item(Params(entry, f"line_items[{place}]"))
        lines.append(line)
        currencies.add(currency)
    if len(currencies) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return lines, currencies.pop()


def _line_item(params: Params) -> tuple[Json, str]:
    quantity = params.integer("quantity") or 1
    price = params.mapping("price_data")
    if price is None:
        raise invalid("The sandbox takes line items with price_data.", param=params.name("price"))
    currency = read_currency(price)
    amount = price.need_integer("unit_amount") * quantity
    product = price.mapping("product_data") or Params({})
    name = product.need_text("name")
    product.text("description")
    for nested in (product, price, params):
        nested.finish()
    line = {
        "id": chance.new_id("li_"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": name,
        "price": None,
        "quantity": quantity,
    }
    return line, currency


def find(call: Call) -> Record:
    """The session named in the address."""
    session = call.tx.find("checkout.session", call.arguments["id"])
    if session is None:
        raise missing("checkout.session", call.arguments["id"], param="session")
    return session


def retrieve(call: Call) -> Json:
    """`GET /v1/checkout/sessions/:id`."""
    return find(call).body


def list_sessions(call: Call) -> Json:
    """`GET /v1/checkout/sessions`, of one payment intent when named."""
    intent = call.params.text("payment_intent")
    wanted = Condition("body ->> '$.payment_intent' = ?", (intent,)) if intent else None
    return page(call, "checkout.session", "/v1/checkout/sessions", wanted)


def list_lines(call: Call) -> Json:
    """`GET /v1/checkout/sessions/:id/line_items`."""
    session = find(call)
    url = f"/v1/checkout/sessions/{session.id}/line_items"
    call.params.integer("limit")
    return {"object": "list", "data": session.hidden["lines"], "has_more": False, "url": url}


def expire(call: Call) -> Json:
    """`POST /v1/checkout/sessions/:id/expire`; only an open session can be expired."""
    session = find(call)
    call.params.finish()
    if session.body["status"] != "open":
        raise ApiError(
            400,
            'Only Checkout Sessions with a status in ["open"] can be expired. This Session has a '
            f"status of {session.body['status']}.",
        )
    close(call, session)
    return session.body


def close(call: Call, session: Record) -> None:
    """Expires an open session, and cancels its payment intent if one was begun."""
    session.body.update(status="expired", url=None)
    call.tx.save(session)
    intent = intent_of(call, session)
    if intent and intent.body["status"] not in (*_DONE, "canceled"):
        charging.cancel(call, intent, "automatic")
    emit(call, "checkout.session.expired", session.body)


def intent_of(call: Call, session: Record) -> Record | None:
    """The payment intent behind the session once somebody has tried to pay."""
    return call.tx.find("payment_intent", session.hidden.get("intent"))


def pay(call: Call, session: Record, card: Params, name: str | None) -> ApiError | None:
    """One try on the payment page; returns the decline, raises ApiError for a mistyped card."""
    billing = payment_methods.billing_details(
        Params({"name": name or "", "email": session.body["customer_email"] or ""})
    )
    method = payment_methods.from_fields(call, card, billing)
    intent = intent_of(call, session) or _begin(call, session)
    back = f"{call.settings.public_origin}/c/pay/{session.id}/return"
    decline = charging.confirm(call, intent, method, back)
    follow(call, intent)
    return decline


def _begin(call: Call, session: Record) -> Record:
    values = session.hidden["intent_parameters"] | {
        "amount": str(session.body["amount_total"]),
        "currency": session.body["currency"],
    }
    body = intents.new_intent(call, Params(values))
    body["receipt_email"] = body["receipt_email"] or session.body["customer_email"]
    intent = call.tx.insert(
        Record(body, {"session": session.id, "shop": session.body["success_url"]})
    )
    session.hidden["intent"] = intent.id
    call.tx.save(session)
    emit(call, "payment_intent.created", intent.body)
    return intent


def follow(call: Call, intent: Record) -> None:
    """Brings the session up to where its payment intent has come; call it after every step."""
    session_id = intent.hidden.get("session")
    session = call.tx.find("checkout.session", session_id) if session_id else None
    if session is None or intent.body["status"] not in _DONE:
        return
    body = session.body
    paid = intent.body["status"] == "succeeded"
    before = (body["status"], body["payment_status"])
    body.update(status="complete", payment_intent=intent.id, url=None)
    body["payment_status"] = "paid" if paid else "unpaid"
    call.tx.save(session)
    if before[0] == "open":
        emit(call, "checkout.session.completed", body)
    elif paid and before[1] == "unpaid":
        emit(call, "checkout.session.async_payment_succeeded", body)


def success_address(session: Record) -> str:
    """Where a paid shopper is sent, with the session's id where the shop asked for it."""
    url: str = session.body["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session.id)
