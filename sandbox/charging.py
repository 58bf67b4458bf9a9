"""What happens to a payment intent between confirm and its end: the bank, 3-D Secure, the money."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from sandbox import chance
from sandbox.charges import AUTHORISED_SECONDS, record_charge, take_money
from sandbox.events import emit
from sandbox.store import Json, Record, Transaction
from sandbox.wire import ApiError, Call, doc_url

_GENERIC = ["card_declined", "generic_decline", "Your card was declined."]
_FAILED_AUTHENTICATION = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or "
    "a new PaymentMethod to attempt to fulfill this PaymentIntent again."
)
_PERCENT = 100


def confirm(call: Call, intent: Record, method: Record, return_url: str | None) -> ApiError | None:
    """One try to pay the intent with the method; returns the decline when the bank refuses."""
    intent.hidden["tries"] = intent.hidden.get("tries", 0) + 1
    intent.body.update(payment_method=method.id, last_payment_error=None, next_action=None)
    if method.hidden["behaviour"] == "authenticates":
        _ask_bank(call, intent, method, return_url)
        return None
    return _charge(call, intent, method, authenticated=False)


def _ask_bank(call: Call, intent: Record, method: Record, return_url: str | None) -> None:
    token = chance.new_id("", 32)
    url = f"{call.settings.public_origin}/3ds/{intent.id}/{token}"
    intent.hidden["challenge"] = {
        "token": token,
        "method": method.id,
        "return_url": return_url,
        "outcome": None,
    }
    if return_url:
        redirect = {"return_url": return_url, "url": url}
        action: Json = {"redirect_to_url": redirect, "type": "redirect_to_url"}
    else:
        inside = {"stripe_js": url, "type": "three_d_secure_redirect"}
        action = {"type": "use_stripe_sdk", "use_stripe_sdk": inside}
    intent.body.update(status="requires_action", next_action=action)
    call.tx.save(intent)
    emit(call, "payment_intent.requires_action", intent.body)


def finish_challenge(call: Call, intent: Record, *, completed: bool) -> None:
    """The shopper's answer on the challenge page; only the first one counts."""
    challenge = intent.hidden["challenge"]
    if challenge["outcome"] is not None or intent.body["status"] != "requires_action":
        return
    challenge["outcome"] = "completed" if completed else "failed"
    intent.body["next_action"] = None
    method = call.tx.find("payment_method", challenge["method"])
    if method is None:
        raise LookupError(challenge["method"])
    if completed:
        _charge(call, intent, method, authenticated=True)
        return
    code = "payment_intent_authentication_failure"
    error = {
        "code": code,
        "doc_url": doc_url(code),
        "message": _FAILED_AUTHENTICATION,
        "payment_method": method.body,
        "payment_method_type": "card",
        "type": "invalid_request_error",
    }
    _fail(call, intent, error)


def return_address(intent: Record) -> str | None:
    """Where the challenge page sends the shopper back to, with the provider's parameters."""
    url: str | None = intent.hidden["challenge"]["return_url"]
    if not url:
        return None
    good = intent.body["status"] in {"succeeded", "requires_capture", "processing"}
    parts = urlsplit(url)
    query = [
        *parse_qsl(parts.query, keep_blank_values=True),
        ("payment_intent", intent.id),
        ("payment_intent_client_secret", intent.body["client_secret"]),
        ("redirect_status", "succeeded" if good else "failed"),
    ]
    return urlunsplit(parts._replace(query=urlencode(query)))


def _charge(call: Call, intent: Record, method: Record, *, authenticated: bool) -> ApiError | None:
    decline = _decline(call, intent, method)
    if decline:
        return _refuse(call, intent, method, decline, authenticated=authenticated)
    method.hidden["spent"] = True
    call.tx.save(method)
    seconds = call.tx.switch("settle_seconds")
    if seconds:
        intent.hidden["authenticated"] = authenticated
        intent.body["status"] = "processing"
        call.tx.save(intent)
        start_timer(call.tx, "settle_intent", intent.id, seconds)
        emit(call, "payment_intent.processing", intent.body)
    else:
        settle(call, intent, method, authenticated=authenticated)
    return None


def settle(call: Call, intent: Record, method: Record, *, authenticated: bool) -> None:
    """The bank said yes: the money is taken, or held when capture is manual."""
    charge = record_charge(call, intent, method, decline=None, authenticated=authenticated)
    body = intent.body
    body["latest_charge"] = charge.id
    if body["capture_method"] == "manual":
        body.update(status="requires_capture", amount_capturable=body["amount"])
        start_timer(call.tx, "release_authorisation", intent.id, AUTHORISED_SECONDS)
        kind = "payment_intent.amount_capturable_updated"
    else:
        body.update(status="succeeded", amount_received=body["amount"])
        kind = "payment_intent.succeeded"
    call.tx.save(intent)
    emit(call, kind, body)


def capture(call: Call, intent: Record, amount: int) -> None:
    """Takes `amount` minor units of what is held; the rest is let go."""
    charge = call.tx.find("charge", intent.body["latest_charge"])
    if charge is None:
        raise LookupError(intent.id)
    take_money(call.tx, charge, amount)
    intent.body.update(status="succeeded", amount_received=amount, amount_capturable=0)
    call.tx.save(intent)
    emit(call, "charge.captured", charge.body)
    emit(call, "payment_intent.succeeded", intent.body)


def cancel(call: Call, intent: Record, reason: str | None) -> None:
    """Ends the intent without money; what was held is let go."""
    body = intent.body
    if body["status"] == "requires_capture":
        charge = call.tx.find("charge", body["latest_charge"])
        if charge:
            charge.body.update(amount_refunded=charge.body["amount"], refunded=True)
            call.tx.save(charge)
            emit(call, "charge.refunded", charge.body)
    body.update(
        status="canceled",
        canceled_at=call.tx.now,
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    call.tx.save(intent)
    emit(call, "payment_intent.canceled", body)


def start_timer(tx: Transaction, verb: str, object_id: str, seconds: float) -> None:
    """Something that happens by itself when the sandbox's clock gets there."""
    tx.db.execute(
        "INSERT INTO timers (due_at, verb, object_id) VALUES (?, ?, ?)",
        (tx.moment + seconds, verb, object_id),
    )


def success_rate(call: Call) -> int | None:
    """How many of a hundred good cards are accepted, None when the rate is switched off."""
    switch = call.tx.switch("success_rate")
    if switch is None:
        return call.settings.success_rate
    rate: int | None = switch["percent"]
    return rate


def _decline(call: Call, intent: Record, method: Record) -> Json | None:
    refusal = method.hidden["decline"]
    if refusal is None and _out_of_luck(call, intent):
        refusal = _GENERIC
    if refusal is None:
        return None
    code, decline_code, message = refusal
    blocked = method.hidden["behaviour"] == "blocked"
    return {"code": code, "decline_code": decline_code, "message": message, "blocked": blocked}


def _out_of_luck(call: Call, intent: Record) -> bool:
    rate = success_rate(call)
    if rate is None:
        return False
    seed = (call.tx.switch("success_rate") or {}).get("seed") or call.settings.seed
    return chance.drawn(seed, "charge", intent.nth, intent.hidden["tries"]) * _PERCENT >= rate


def _refuse(
    call: Call, intent: Record, method: Record, decline: Json, *, authenticated: bool
) -> ApiError:
    charge = record_charge(call, intent, method, decline=decline, authenticated=authenticated)
    intent.body["latest_charge"] = charge.id
    error: Json = {
        "charge": charge.id,
        "code": decline["code"],
        "doc_url": doc_url(decline["code"]),
        "message": decline["message"],
        "payment_method": method.body,
        "payment_method_type": "card",
        "type": "card_error",
    }
    if decline["decline_code"]:
        error["decline_code"] = decline["decline_code"]
    _fail(call, intent, error)
    shown = {name: value for name, value in error.items() if name not in {"message", "doc_url"}}
    return ApiError(402, decline["message"], **shown, payment_intent=intent.body)


def _fail(call: Call, intent: Record, error: Json) -> None:
    intent.body.update(
        status="requires_payment_method", payment_method=None, last_payment_error=error
    )
    call.tx.save(intent)
    emit(call, "payment_intent.payment_failed", intent.body)
