"""Charges and the movements of the merchant's balance that follow from them."""

from sandbox import chance
from sandbox.events import emit
from sandbox.lists import Condition, page, shown
from sandbox.store import Json, Record, Transaction
from sandbox.wire import Call, missing

FEE_BASIS_POINTS = 200
_FIXED_FEE_MINOR = {"inr": 300, "usd": 30, "eur": 25, "gbp": 20, "jpy": 30, "kwd": 100}
_HALF, _WHOLE = 5_000, 10_000
HELD_SECONDS = 2 * 24 * 3600
AUTHORISED_SECONDS = 7 * 24 * 3600
_APPROVED = {
    "advice_code": None,
    "network_advice_code": None,
    "network_decline_code": None,
    "network_status": "approved_by_network",
    "reason": None,
    "risk_level": "normal",
    "risk_score": 12,
    "seller_message": "Payment complete.",
    "type": "authorized",
}
_AUTHENTICATED = {
    "authentication_flow": "challenge",
    "electronic_commerce_indicator": "05",
    "exemption_indicator": None,
    "result": "authenticated",
    "result_reason": None,
    "transaction_id": None,
    "version": "2.2.0",
}
_EMPTY_AT_FIRST = (
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
)


def fee_minor(amount: int, currency: str) -> int:
    """The provider's fee in minor units: 2 % rounded half up, and a fixed part."""
    share = (amount * FEE_BASIS_POINTS + _HALF) // _WHOLE
    return min(amount, share + _FIXED_FEE_MINOR.get(currency, 30))


def record_charge(
    call: Call, intent: Record, method: Record, *, decline: Json | None, authenticated: bool
) -> Record:
    """A new charge for the intent: taken, only authorised, or declined (`decline` says why)."""
    charge = _new_charge(call, intent, method, decline=decline, authenticated=authenticated)
    emit(call, "charge.failed" if decline else "charge.succeeded", charge.body)
    return charge


def past_charge(call: Call, intent: Record, method: Record) -> Record:
    """A charge of the past, taken in full; nothing is told of it."""
    return _new_charge(call, intent, method, decline=None, authenticated=False)


def _new_charge(
    call: Call, intent: Record, method: Record, *, decline: Json | None, authenticated: bool
) -> Record:
    now, body = call.tx.now, intent.body
    manual = body["capture_method"] == "manual"
    details = _method_details(method, authenticated=authenticated, approved=decline is None)
    if manual and decline is None:
        details["card"]["capture_before"] = now + AUTHORISED_SECONDS
        details["card"]["amount_authorized"] = body["amount"]
    charge = Record(
        _body(now, intent, method, decline) | {"payment_method_details": details},
        hidden={"behaviour": method.hidden["behaviour"]},
        parent=intent.id,
    )
    call.tx.insert(charge)
    if decline is None and not manual:
        take_money(call.tx, charge, body["amount"])
    return charge


def _body(now: int, intent: Record, method: Record, decline: Json | None) -> Json:
    body = intent.body
    return {
        "id": chance.new_id("ch_"),
        "object": "charge",
        "amount": body["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": method.body["billing_details"],
        "calculated_statement_descriptor": "PAYDECK SANDBOX",
        "captured": False,
        "created": now,
        "currency": body["currency"],
        "customer": body["customer"],
        "description": body["description"],
        "disputed": False,
        "failure_code": decline["code"] if decline else None,
        "failure_message": decline["message"] if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(body["metadata"]),
        "outcome": _declined(decline) if decline else dict(_APPROVED),
        "paid": decline is None,
        "payment_intent": intent.id,
        "payment_method": method.id,
        "receipt_email": body["receipt_email"],
        "refunded": False,
        "status": "failed" if decline else "succeeded",
    } | dict.fromkeys(_EMPTY_AT_FIRST)


def _declined(decline: Json) -> Json:
    blocked = decline["blocked"]
    return _APPROVED | {
        "network_status": "not_sent_to_network" if blocked else "declined_by_network",
        "reason": "highest_risk_level" if blocked else decline["decline_code"] or decline["code"],
        "risk_level": "highest" if blocked else "normal",
        "risk_score": 92 if blocked else 12,
        "seller_message": "Stripe blocked this payment as too risky."
        if blocked
        else "The bank did not return any further details with this decline.",
        "type": "blocked" if blocked else "issuer_declined",
    }


def _method_details(method: Record, *, authenticated: bool, approved: bool) -> Json:
    card = method.body["card"]
    secure = _AUTHENTICATED | {"transaction_id": chance.new_id("", 32)} if authenticated else None
    return {
        "card": {
            "amount_authorized": None,
            "authorization_code": chance.new_digits(6) if approved else None,
            "brand": card["brand"],
            "checks": card["checks"] | {"cvc_check": "pass"},
            "country": card["country"],
            "exp_month": card["exp_month"],
            "exp_year": card["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": card["fingerprint"],
            "funding": card["funding"],
            "incremental_authorization": {"status": "unavailable"},
            "installments": None,
            "last4": card["last4"],
            "mandate": None,
            "multicapture": {"status": "unavailable"},
            "network": card["brand"],
            "network_token": {"used": False},
            "network_transaction_id": chance.new_digits(12),
            "overcapture": {"maximum_amount_capturable": 0, "status": "unavailable"},
            "regulated_status": card["regulated_status"],
            "three_d_secure": secure,
            "wallet": None,
        },
        "type": "card",
    }


def take_money(tx: Transaction, charge: Record, amount: int) -> None:
    """Captures `amount` minor units of the charge and books it to the balance, less the fee."""
    fee = fee_minor(amount, charge.body["currency"])
    movement = record_movement(tx, charge, amount, fee=fee, kind="charge")
    charge.body.update(
        amount_captured=amount, captured=True, balance_transaction=movement.body["id"]
    )
    tx.save(charge)


def record_movement(tx: Transaction, source: Record, amount: int, *, fee: int, kind: str) -> Record:
    """A movement of the balance: `amount` is signed, in minor units, before the fee."""
    body = source.body
    fees = [
        {
            "amount": fee,
            "application": None,
            "currency": body["currency"],
            "description": "Stripe processing fees",
            "type": "stripe_fee",
        }
    ]
    return tx.insert(
        Record(
            {
                "id": chance.new_id("txn_"),
                "object": "balance_transaction",
                "amount": amount,
                "available_on": tx.now + HELD_SECONDS,
                "balance_type": "payments",
                "created": tx.now,
                "currency": body["currency"],
                "description": body.get("description"),
                "exchange_rate": None,
                "fee": fee,
                "fee_details": fees if fee else [],
                "net": amount - fee,
                "reporting_category": kind,
                "source": source.id,
                "status": "pending",
                "type": kind,
            },
            parent=source.id,
        )
    )


def retrieve(call: Call) -> Json:
    """`GET /v1/charges/:id`."""
    record = call.tx.find("charge", call.arguments["id"])
    if record is None:
        raise missing("charge", call.arguments["id"])
    return record.body


def list_charges(call: Call) -> Json:
    """`GET /v1/charges`, for one payment intent when it is named."""
    intent = call.params.text("payment_intent")
    condition = Condition("parent = ?", (intent,)) if intent else Condition()
    return page(call, "charge", "/v1/charges", condition)


def retrieve_movement(call: Call) -> Json:
    """`GET /v1/balance_transactions/:id`."""
    record = call.tx.find("balance_transaction", call.arguments["id"])
    if record is None:
        raise missing("balance transaction", call.arguments["id"])
    return shown(call.tx, record.body)


def list_movements(call: Call) -> Json:
    """`GET /v1/balance_transactions`, for one source when it is named."""
    source = call.params.text("source")
    condition = Condition("parent = ?", (source,)) if source else Condition()
    return page(call, "balance_transaction", "/v1/balance_transactions", condition)


def balance(call: Call) -> Json:
    """`GET /v1/balance`: per currency, what is available and what is still held back."""
    rows = call.tx.db.execute(
        "SELECT body ->> '$.currency', sum((body ->> '$.net') * (body ->> '$.available_on' <= ?)),"
        " sum((body ->> '$.net') * (body ->> '$.available_on' > ?))"
        " FROM objects WHERE kind = 'balance_transaction' GROUP BY 1 ORDER BY 1",
        (call.tx.now, call.tx.now),
    ).fetchall() or [("inr", 0, 0)]
    return {
        "object": "balance",
        "available": [_part(code, free) for code, free, _ in rows],
        "livemode": False,
        "pending": [_part(code, held) for code, _, held in rows],
    }


def _part(currency: str, amount: int) -> Json:
    return {"amount": amount, "currency": currency, "source_types": {"card": amount}}
