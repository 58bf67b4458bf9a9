"""Refunds: money given back from a charge, never more than was taken."""

from sandbox import chance, history, intents
from sandbox.charges import record_movement
from sandbox.charging import start_timer
from sandbox.currencies import check_amount, spoken
from sandbox.events import emit
from sandbox.lists import Condition, page
from sandbox.store import Json, Record
from sandbox.wire import ApiError, Call, invalid, missing

_REASONS = ("duplicate", "fraudulent", "requested_by_customer")
SETTLES_SECONDS = 5.0
REFERENCE_DIGITS = 23


def create(call: Call) -> Json:
    """`POST /v1/refunds` for a charge or a payment intent; the rest of the charge by default."""
    params = call.params
    charge = _charge_to_refund(call)
    amount = params.integer("amount")
    reason, metadata = params.choice("reason", _REASONS), params.metadata()
    params.finish()
    left = _left(charge)
    if left == 0:
        raise ApiError(
            400,
            f"Charge {charge.id} has already been refunded.",
            code="charge_already_refunded",
        )
    currency = charge.body["currency"]
    amount = left if amount is None else check_refund(amount, left, currency)
    pending = charge.hidden["behaviour"] == "refund_pending"
    movement = record_movement(call.tx, charge, -amount, fee=0, kind="refund")
    refund = Record(
        {
            "id": chance.new_id("re_"),
            "object": "refund",
            "amount": amount,
            "balance_transaction": movement.id,
            "charge": charge.id,
            "created": call.tx.now,
            "currency": currency,
            "destination_details": {
                "card": {"type": "refund", **_reference(is_known=not pending)},
                "type": "card",
            },
            "metadata": metadata,
            "payment_intent": charge.body["payment_intent"],
            "reason": reason,
            "receipt_number": None,
            "source_transfer_reversal": None,
            "status": "pending" if pending else "succeeded",
            "transfer_reversal": None,
        },
        parent=charge.id,
    )
    call.tx.insert(refund)
    movement.body["source"] = refund.id
    call.tx.save(movement)
    _count(call, charge, amount)
    emit(call, "refund.created", refund.body)
    emit(call, "charge.refunded", charge.body)
    if charge.hidden["behaviour"] in {"refund_pending", "refund_fails"}:
        start_timer(call.tx, "settle_refund", refund.id, SETTLES_SECONDS)
    return refund.body


def check_refund(amount: int, left: int, currency: str) -> int:
    """The amount of a refund in minor units; refuses more than is left of the charge."""
    if amount > left:
        raise ApiError(
            400,
            f"Refund amount ({spoken(amount, currency)}) is greater than unrefunded amount on "
            f"charge ({spoken(left, currency)})",
            param="amount",
        )
    if amount < 1:
        check_amount(amount, currency)
    return amount


def _charge_to_refund(call: Call) -> Record:
    charge_id, intent_id = call.params.text("charge"), call.params.text("payment_intent")
    if charge_id:
        charge = call.tx.find("charge", charge_id)
        if charge is None:
            raise missing("charge", charge_id)
    elif intent_id:
        intent = history.recall(call, intent_id, intents.new_intent)
        if intent is None:
            raise missing("payment_intent", intent_id, param="payment_intent")
        charge = call.tx.find("charge", intent.body["latest_charge"])
    else:
        raise invalid(
            "One of the following params should be provided for this request: "
            "payment_intent or charge."
        )
    if charge is None or charge.body["status"] != "succeeded":
        raise ApiError(
            400,
            f"This PaymentIntent ({intent_id}) does not have a successful charge to refund.",
        )
    if not charge.body["captured"]:
        raise ApiError(
            400,
            f"This uncaptured Charge was created by a PaymentIntent "
            f"({charge.body['payment_intent']}). You must cancel the PaymentIntent to reverse the "
            "authorization instead of refunding the Charge directly.",
        )
    return charge


def _reference(*, is_known: bool) -> Json:
    """What the shopper can quote to their bank: 23 digits, once the bank has it."""
    about: Json = {"reference_type": "acquirer_reference_number"}
    if not is_known:
        return about | {"reference_status": "pending"}
    reference = "7" + chance.new_digits(REFERENCE_DIGITS - 1)
    return about | {"reference_status": "available", "reference": reference}


def _left(charge: Record) -> int:
    left: int = charge.body["amount_captured"] - charge.body["amount_refunded"]
    return left


def _count(call: Call, charge: Record, amount: int) -> None:
    charge.body["amount_refunded"] += amount
    charge.body["refunded"] = _left(charge) == 0
    call.tx.save(charge)


def settle(call: Call, refund: Record) -> None:
    """The bank's late word on a refund: a pending one succeeds, the failing card's one fails."""
    charge = call.tx.find("charge", refund.body["charge"])
    if charge is None:
        raise LookupError(refund.id)
    if charge.hidden["behaviour"] == "refund_pending":
        refund.body["status"] = "succeeded"
        refund.body["destination_details"]["card"] |= _reference(is_known=True)
        call.tx.save(refund)
        emit(call, "refund.updated", refund.body)
        emit(call, "charge.refund.updated", refund.body)
        return
    amount = refund.body["amount"]
    movement = record_movement(call.tx, charge, amount, fee=0, kind="refund_failure")
    movement.body["source"] = refund.id
    call.tx.save(movement)
    refund.body.update(
        status="failed",
        failure_reason="expired_or_canceled_card",
        failure_balance_transaction=movement.id,
    )
    call.tx.save(refund)
    _count(call, charge, -amount)
    emit(call, "refund.failed", refund.body)
    emit(call, "charge.refund.updated", refund.body)


def retrieve(call: Call) -> Json:
    """`GET /v1/refunds/:id`."""
    record = call.tx.find("refund", call.arguments["id"])
    if record is None:
        raise missing("refund", call.arguments["id"])
    return record.body


def list_refunds(call: Call) -> Json:
    """`GET /v1/refunds`, of one charge or payment intent when named."""
    charge, intent = call.params.text("charge"), call.params.text("payment_intent")
    wanted = Condition()
    if charge:
        wanted = wanted.and_also("parent = ?", charge)
    if intent:
        wanted = wanted.and_also("body ->> '$.payment_intent' = ?", intent)
    return page(call, "refund", "/v1/refunds", wanted)
