"""Payment intents as the API offers them: create, read, confirm, capture, cancel."""

from sandbox import chance, charging, history, payment_methods
from sandbox.currencies import check_amount, read_currency
from sandbox.events import emit
from sandbox.lists import Condition, page, search
from sandbox.store import Json, Record
from sandbox.wire import ApiError, Call, Params, invalid, missing

_CAPTURE = ("automatic", "automatic_async", "manual")
_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
_CONFIRMABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
_CANCELLABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
)
_CARD_OPTIONS = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}


def create(call: Call) -> Json:
    """`POST /v1/payment_intents`; with `confirm=true` it is confirmed in the same call."""
    params = call.params
    confirm_now = params.flag("confirm")
    method_id, return_url = params.text("payment_method"), params.text("return_url")
    if return_url and not confirm_now:
        raise invalid(
            "The parameter `return_url` cannot be passed when creating a PaymentIntent unless "
            "`confirm` is set to true.",
            param="return_url",
        )
    body = new_intent(call, params)
    params.finish()
    method = payment_methods.find(call, method_id) if method_id else None
    if method:
        body.update(payment_method=method.id, status="requires_confirmation")
    intent = call.tx.insert(Record(body))
    emit(call, "payment_intent.created", intent.body)
    if confirm_now:
        _confirm(call, intent, method, return_url)
    return intent.body


def listed_types(params: Params) -> list[str]:
    """The methods a call allows, under either of the names that API versions gave the list."""
    older = params.items("payment_method_types")
    return older or params.items("allowed_payment_method_types") or ["card"]


def new_intent(call: Call, params: Params) -> Json:
    """A payment intent's body, not yet stored, from the parameters of create."""
    currency = read_currency(params)
    amount = check_amount(params.need_integer("amount"), currency)
    intent_id = chance.new_id("pi_")
    params.take("automatic_payment_methods")
    params.take("confirmation_method")
    types = listed_types(params)
    if types != ["card"]:
        raise invalid(
            f"The payment method type provided: {types} is invalid. The sandbox takes cards.",
            param="payment_method_types",
        )
    customer = params.text("customer")
    if customer and call.tx.find("customer", customer) is None:
        raise missing("customer", customer, param="customer", status=400)
    return {
        "id": intent_id,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.choice("capture_method", _CAPTURE) or "automatic_async",
        "client_secret": chance.new_id(f"{intent_id}_secret_", 25),
        "confirmation_method": "automatic",
        "created": call.tx.now,
        "currency": currency,
        "customer": customer,
        "description": params.text("description"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": params.metadata(),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": _CARD_OPTIONS,
        "payment_method_types": types,
        "processing": None,
        "receipt_email": params.text("receipt_email", longest=512),
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": params.text("statement_descriptor_suffix", longest=22),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def find(call: Call) -> Record:
    """The payment intent named in the address."""
    intent = history.recall(call, call.arguments["id"], new_intent)
    if intent is None:
        raise missing("payment_intent", call.arguments["id"], param="intent")
    return intent


def retrieve(call: Call) -> Json:
    """`GET /v1/payment_intents/:id`."""
    call.params.take("client_secret")
    intent_id = call.arguments["id"]
    if call.tx.find("payment_intent", intent_id) is None:
        past = history.made_up(call, intent_id, new_intent)
        if past is not None:
            return past
    return find(call).body


def list_intents(call: Call) -> Json:
    """`GET /v1/payment_intents`, of one customer when named."""
    customer = call.params.text("customer")
    wanted = Condition("body ->> '$.customer' = ?", (customer,)) if customer else None
    return page(call, "payment_intent", "/v1/payment_intents", wanted)


def search_intents(call: Call) -> Json:
    """`GET /v1/payment_intents/search`."""
    return search(call, "payment_intent", "/v1/payment_intents/search")


def update(call: Call) -> Json:
    """`POST /v1/payment_intents/:id`: amount before it is paid, texts and metadata always."""
    intent, params = find(call), call.params
    if params.has("amount"):
        if intent.body["status"] not in _CONFIRMABLE:
            raise wrong_state(intent, "updated", _CONFIRMABLE)
        amount = check_amount(params.need_integer("amount"), intent.body["currency"])
        intent.body["amount"] = amount
    for name in ("description", "receipt_email"):
        if params.has(name):
            intent.body[name] = params.text(name)
    intent.body["metadata"] = params.metadata(intent.body["metadata"])
    call.tx.save(intent)
    return intent.body


def confirm(call: Call) -> Json:
    """`POST /v1/payment_intents/:id/confirm`; a decline is a 402 that carries the intent."""
    intent, params = find(call), call.params
    method_id, return_url = params.text("payment_method"), params.text("return_url")
    params.flag("off_session")
    params.flag("use_stripe_sdk")
    receipt_email = params.text("receipt_email", longest=512)
    params.finish()
    if intent.hidden.get("session"):
        raise ApiError(
            400, "This PaymentIntent belongs to a Checkout Session and is confirmed there."
        )
    method = payment_methods.find(call, method_id) if method_id else None
    if receipt_email:
        intent.body["receipt_email"] = receipt_email
    _confirm(call, intent, method, return_url)
    return intent.body


def _confirm(call: Call, intent: Record, method: Record | None, return_url: str | None) -> None:
    if intent.body["status"] == "succeeded":
        raise _state_error(
            intent,
            "You cannot confirm this PaymentIntent because it has already succeeded after being "
            "previously confirmed.",
        )
    if intent.body["status"] not in _CONFIRMABLE:
        raise wrong_state(intent, "confirmed", _CONFIRMABLE)
    if method is None and intent.body["payment_method"]:
        method = call.tx.find("payment_method", intent.body["payment_method"])
    if method is None:
        raise _state_error(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )
    if method.hidden["spent"]:
        raise ApiError(
            400,
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment. It may not be used again. To use a PaymentMethod multiple times, you must "
            "attach it to a Customer first.",
        )
    decline = charging.confirm(call, intent, method, return_url)
    if decline:
        raise Declined(decline)


class Declined(Exception):
    """The bank refused; unlike a refusal of ours, what was written stays written."""

    def __init__(self, decline: ApiError) -> None:
        super().__init__(str(decline))
        self.decline = decline


def capture(call: Call) -> Json:
    """`POST /v1/payment_intents/:id/capture`, the whole amount unless `amount_to_capture`."""
    intent = find(call)
    held = intent.body["amount_capturable"]
    amount = call.params.integer("amount_to_capture")
    call.params.finish()
    if intent.body["status"] != "requires_capture":
        raise wrong_state(intent, "captured", ("requires_capture",))
    amount = held if amount is None else check_amount(amount, intent.body["currency"])
    if amount > held:
        raise ApiError(
            400,
            "The amount to capture cannot be larger than the amount that can be captured.",
            code="amount_too_large",
            param="amount_to_capture",
        )
    charging.capture(call, intent, amount)
    return intent.body


def cancel(call: Call) -> Json:
    """`POST /v1/payment_intents/:id/cancel`."""
    intent = find(call)
    reason = call.params.choice("cancellation_reason", _REASONS)
    call.params.finish()
    if intent.body["status"] not in _CANCELLABLE:
        raise wrong_state(intent, "canceled", _CANCELLABLE)
    session_id = intent.hidden.get("session")
    session = call.tx.find("checkout.session", session_id) if session_id else None
    if session and session.body["status"] == "open":
        raise ApiError(
            400,
            "You cannot cancel a PaymentIntent of an open Checkout Session; expire the session.",
        )
    charging.cancel(call, intent, reason)
    return intent.body


def wrong_state(intent: Record, verb: str, wanted: tuple[str, ...]) -> ApiError:
    """The refusal of a call that the intent's status does not allow."""
    return _state_error(
        intent,
        f"This PaymentIntent could not be {verb} because it has a status of "
        f"{intent.body['status']}. Only a PaymentIntent with one of the following statuses may be "
        f"{verb}: {', '.join(wanted)}.",
    )


def _state_error(intent: Record, message: str) -> ApiError:
    return ApiError(
        400, message, code="payment_intent_unexpected_state", payment_intent=intent.body
    )
