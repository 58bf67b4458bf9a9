"""Every code of an error, with what happened and what to do: one page each, and one table here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from webapp.api.errors import PROTOCOL, status_of_kind, type_of
from webapp.kernel.errors import Refusal

_LOOK = (
    "Check the id. One of another merchant, or of the other mode, is told as one that never was."
)
_READ = (
    "Read the object again and decide by its status; a new try of the same kind would end alike."
)
_MEND = "Mend the field that param names, and send the request with a new Idempotency-Key."
_WAIT = "Wait for the outcome, by a webhook or by reading the object again; do not try beside it."
_OTHER_PERSON = "Have another person with the right role do it."
_OPERATIONS = "Programs do not meet this one; it is told to the platform’s admins on their pages."
_METHOD = "Offer the shopper another method, or a new try where the decline allows one."

#: What to do, by code.
ADVICE: dict[str, str] = {
    # who asks
    "credentials_missing": "Add the header. Keys are made on the developers’ pages; tokens of"
    " people come from POST /api/v1/auth/tokens.",
    "credentials_wrong": "Look at the key on the developers’ pages: copied whole, of this"
    " installation, not ended? Refresh an access token after 60 minutes.",
    "scope_missing": "Use a key with the scope that the message names, or make one.",
    "role_missing": "Ask an owner or admin of the merchant to do it, or to give you the role.",
    "merchant_not_named": "Send Paydeck-Merchant with an id from GET /api/v1/users/me/memberships.",
    "mode_not_connected": "Use a key of the mode in which this installation runs: test or live.",
    "no_live_clock": "Use a test key, or wait: what waits in live mode keeps its moment.",
    "forbidden": "Use a credential that may do this: its kind or its rights are not enough.",
    "account_suspended": "Write to the platform’s support.",
    "wrong_credentials": "Check address and password; after five wrong tries there is a delay.",
    "refresh_ended": "Sign in anew with POST /api/v1/auth/tokens. A refresh token is good once.",
    "too_many_sign_ins": "Wait as long as Retry-After says.",
    "busy": "Try again after some seconds.",
    "link_spent": "Ask for a new link.",
    "rate_limited": "Wait as long as Retry-After says. Spread requests, and cache what you read.",
    # the request itself
    "request_malformed": "Build the request with an HTTP library and send it again.",
    "address_unknown": "Check the path against the API’s documentation.",
    "method_not_allowed": "Use one of the methods in the header Allow.",
    "body_too_slow": "Send the same request again; its body has to follow at once.",
    "body_too_large": "Send less at once; metadata is for a few short notes.",
    "body_not_json": "Set Content-Type: application/json and send one JSON object.",
    "body_unreadable": "Check the JSON: one object, each name once, UTF-8, no NaN, no NUL.",
    "parameter_missing": _MEND,
    "parameter_unknown": "Take the field out, or check how it is spelt: nothing is ignored here.",
    "parameter_invalid": _MEND,
    "invalid": _MEND,
    "cursor_unknown": "Send the id of an object from the page that you go on from.",
    "version_unknown": "Leave Paydeck-Version out for the key’s own, or send a listed date.",
    # once and only once
    "key_missing": "Make a random text for each thing to be done, and send it again with each"
    " repeat of the same request.",
    "key_malformed": "Use 1 to 255 printable ASCII characters, such as a UUID.",
    "key_reused": "Use a new key for a new request; the old key still answers as it did.",
    "key_in_use": "Send the same request again after Retry-After; it gets the first one’s answer.",
    # what is not there
    "not_found": _LOOK,
    "order_not_found": _LOOK,
    "customer_not_found": _LOOK,
    "payment_link_not_found": _LOOK,
    "checkout_not_found": "Open a fresh checkout session for the order.",
    "payment_not_found": _LOOK,
    "anomaly_not_found": _LOOK,
    "refund_not_found": _LOOK,
    "transfer_not_found": _LOOK,
    "webhook_endpoint_not_found": _LOOK,
    "delivery_not_found": _LOOK,
    "webhook_event_not_found": _LOOK,
    "request_not_found": "Search the request log by time; older requests are gone.",
    # states
    "conflict": _READ,
    "wrong_state": _READ,
    "already_registered": "Sign in, or have the password reset.",
    "email_taken": "Use another address.",
    "customer_exists": "Use the customer that you have: list customers by email.",
    "checkout_expired": "Open a fresh checkout session; the order is still open.",
    "payment_link_ended": "Create another payment link, or an order of its own.",
    "payment_link_closed": "Ask the platform’s team why the merchant is suspended.",
    "order_not_payable": "Read the order: it is paid or cancelled. Refund a paid one instead.",
    "already_paid": "Nothing is to be done: read the order and its payment.",
    "payment_under_way": _WAIT,
    "operation_under_way": _WAIT,
    "capture_under_way": _WAIT,
    "void_under_way": _WAIT,
    "not_held": "Capture and cancel need a payment whose money is held; read it again.",
    "capture_exceeds_held": "Take at most what amount_authorised says.",
    "anomaly_decided": _READ,
    "does_not_fit": "Choose an open order of the same shopper, currency and amount.",
    "reference_reused": "Use a reference of its own for each booking.",
    # keys and endpoints
    "key_ended": "Create a new key.",
    "key_outlives": "Ask for an end no later than the asking key’s own; or let a person do it.",
    "key_too_wide": "Ask for no more scopes than the key has that asks; or let a person do it.",
    "too_many_keys": "Revoke keys that nobody uses.",
    "too_many_endpoints": "Delete an endpoint that is not used.",
    "endpoint_off": "Resume the endpoint, then send again.",
    "old_secret_signs": "Wait for the old secret’s end, or send overlap_seconds: 0.",
    "test_mode_only": "Send it with a test key to an endpoint of test mode.",
    "too_many_lookups": "Wait as long as Retry-After says. Check that your name server answers.",
    "too_much_again": "Wait until what is on its way has arrived, or choose a shorter time.",
    "unknown_event": "Choose from the list of events, or * for all.",
    "bad_webhook_secret": "Leave the secret out to have one made.",
    # money
    "declined": _METHOD,
    "wrong_method": "Choose another method; the order tells what it takes.",
    "too_many_attempts": "Create a new order: ten tries are the limit of one payment.",
    "method_refused": "Have the shopper enter the card again.",
    "seller_suspended": "Ask the platform’s team why the merchant is suspended.",
    "sign_in_to_pay": "Have the shopper sign in; a wallet is paid from by its owner alone.",
    "card_number_refused": "Send the payment_method that the provider’s card fields return.",
    "card_unusable": "Use a card or token that the provider takes; in test mode one of the test"
    " cards.",
    "card_expired": "Have the shopper use another card.",
    "insufficient_balance": "Top the wallet up, or take less.",
    "wallet_inactive": "Offer another method; the platform’s team can switch the wallet on.",
    "recipient_unknown": "Check the address; the recipient must have confirmed it.",
    "recipient_is_sender": "Name somebody else.",
    # refunds
    "refund_exceeds_available": "Refund at most what amount_refundable says.",
    "available_changed": "Read the payment again, and decide again.",
    "refund_not_possible": "Read the payment: only money that was captured can be given back.",
    "refund_blocked": "Try later; the message says what stands in the way.",
    "refund_decided": _READ,
    "undo_too_late": "Wait for the outcome: a refund that has left cannot be called back.",
    "refund_mismatch": _OPERATIONS,
    "refund_without_room": _OPERATIONS,
    "refund_made_elsewhere": _OPERATIONS,
    "same_approver": _OTHER_PERSON,
    # the platform's own
    "unknown_operation": _OPERATIONS,
    "event_not_found": _OPERATIONS,
    "letter_not_found": _OPERATIONS,
    "correction_not_found": _OPERATIONS,
    "correction_waits": _OPERATIONS,
    "correction_same_approver": _OTHER_PERSON,
    "correction_not_possible": _OPERATIONS,
    "not_waiting_for_person": _OPERATIONS,
    "nothing_to_confirm": _OPERATIONS,
    "same_signer": _OTHER_PERSON,
    "foreign_object": _OPERATIONS,
    "bad_signature": _OPERATIONS,
    "bad_event": _OPERATIONS,
    "not_our_event": _OPERATIONS,
    "bad_decision": _OPERATIONS,
    "not_like_this": _OPERATIONS,
    "bad_password_hash": _OPERATIONS,
    "weak_password": "Choose a longer password that is not a common one.",
    # us
    "unavailable": "Send the same request with the same Idempotency-Key after Retry-After.",
    "fault": "Send the same request with the same Idempotency-Key later. If it stays, tell the"
    " platform’s team the request_id.",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: with which status and type it comes, what happened and what to do."""

    code: str
    status: int
    type: str
    happened: str
    advice: str


def entries() -> dict[str, Entry]:
    """Return every code there is, in order of the alphabet."""
    found = {}
    for kind in refusals():
        status = status_of_kind(kind)
        found[kind.code] = _entry(kind.code, status, kind.says)
    for status, (code, says) in PROTOCOL.items():
        found.setdefault(code, _entry(code, status, says))
    return dict(sorted(found.items()))


def refusals() -> Iterator[type[Refusal]]:
    """Yield every kind of refusal that the portal's code has."""
    waiting = list(Refusal.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("webapp."):
            yield kind


def _entry(code: str, status: int, happened: str) -> Entry:
    return Entry(code, status, type_of(status, code), happened, ADVICE.get(code, _READ))
