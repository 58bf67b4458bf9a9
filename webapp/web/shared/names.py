"""Words for the names that machines use: acts, calls, messages, accounts and who is told."""

from __future__ import annotations

#: What the plain rule (`user.signed_in`: “User signed in”) would say badly, by area.
WORDS: dict[str, dict[str, str]] = {
    "act": {
        "user.signed_in": "Signed in",
        "user.made_admin": "Was made an admin",
        "user.email_changed": "E-mail address changed",
        "user.unmasked": "Personal data shown",
        "payment.unmasked": "Shopper’s address shown",
        "payment.viewed": "Payment looked at",
        "payment.checked": "Provider asked about the payment",
        "merchant.viewed": "Merchant looked at",
        "payments.exported": "Payments exported",
        "fact.told_again": "Fact told again",
        "payment.capture_asked": "Held money taken",
        "payment.void_asked": "Held money let go",
        "refund.viewed": "Refund looked at",
        "transfer.viewed": "Transfer looked at",
        "correction.viewed": "Correction looked at",
        "correction.requested": "Correction asked for",
        "correction.approved": "Correction approved and booked",
        "invariants.asked": "Every money check asked for",
        "invariant.turned_red": "A money check is broken",
        "invariant.turned_green": "A money check holds again",
        "refunds.frozen": "Refunds frozen",
        "refunds.unfrozen": "Refunds let go again",
        "refund.checked": "Provider asked about the refund",
        "refund.requested": "Refund asked for",
        "refunds.exported": "Refunds exported",
        "anomaly.given_back": "Money set aside was given back",
        "anomaly.applied": "Money set aside was applied to an order",
        "anomaly.accepted": "Amount accepted as it was",
        "operation.hurried": "Call looked at now",
        "provider_event.viewed": "Message of the provider looked at",
        "provider_event.retried": "Message of the provider applied again",
        "dead_letter.viewed": "Dead letter looked at",
        "dead_letter.retried": "Taken up again",
        "dead_letter.discarded": "Decided by hand",
        "dead_letter.proposed": "Decided by hand, for a second admin to confirm",
        "dead_letter.confirmed": "Confirmed the decision",
    },
    "actor": {
        "system": "Paydeck",
        "provider": "The provider",
        "user": "A person",
        "shopper": "A shopper",
        "merchant_user": "Somebody of the merchant",
        "admin": "An admin",
        "api": "A program",
        "operator": "An operator at the command line",
    },
    "call": {
        "create_intent": "Announce the payment",
        "confirm": "Charge the card",
        "capture": "Take the authorised money",
        "cancel": "Cancel the payment",
        "create_session": "Open the provider’s page",
        "expire_session": "Close the provider’s page",
        "look_up": "Ask how the payment stands",
        "refund": "Give money back",
        "look_up_refund": "Ask how the refund stands",
    },
    "message": {
        "payment_intent.processing": "The bank has been asked",
        "payment_intent.requires_action": "The bank wants to check the shopper",
        "payment_intent.succeeded": "The payment succeeded",
        "payment_intent.payment_failed": "A try failed",
        "payment_intent.canceled": "The payment was cancelled",
        "payment_intent.amount_capturable_updated": "The money is authorised",
        "charge.succeeded": "The charge succeeded",
        "charge.captured": "The charge was captured",
        "charge.refunded": "Money was given back",
        "charge.refund.updated": "A refund changed",
        "refund.created": "A refund was begun",
        "refund.updated": "A refund changed",
        "refund.failed": "A refund failed",
        "checkout.session.completed": "The provider’s page was finished",
        "checkout.session.expired": "The provider’s page expired",
        "checkout.session.async_payment_succeeded": "The provider’s page was paid later",
    },
    "letter": {
        "receipt": "Receipt",
        "verify_email": "Confirm the e-mail address",
        "reset_password": "Set a new password",
    },
    "account": {
        "clearing_card": "With the provider, from cards",
        "payable": "Owed to merchants",
        "fees": "The platform’s fees",
        "suspense": "Set aside (suspense)",
        "wallet": "In shoppers’ wallets",
        "refunds_in_transit": "Refunds on their way",
        "store_credit": "Store credit",
    },
    "transfer": {
        "payment.captured": "Payment taken",
        "payment.suspense": "Money set aside",
        "wallet.deposited": "Wallet filled",
        "correction.posted": "Correction",
        "refund.sent": "Refund left",
        "refund.settled": "Refund paid out",
    },
    "consumer": {
        "knock": "pages that are open",
        "notify": "inboxes and mails",
        "rollup": "the merchants’ figures",
        "settle": "money that was set aside",
    },
    "anomaly": {
        "late_success": "Paid after the order was cancelled",
        "double_payment": "The order was paid already",
        "overpaid": "More came than the order asks for",
        "underpaid": "Less came than the order asks for",
        "amount_mismatch": "It came in another currency",
    },
    "method": {"card": "Card", "wallet": "Wallet", "hosted": "Provider’s page", "credit": "Credit"},
}


def in_words(name: str, area: str) -> str:
    """Return what `name` of an area, such as `act` or `call`, means.

    A name without words of its own is written out plainly, so that a new one is never raw.
    """
    plain = name.replace(".", " ").replace("_", " ").strip()
    return WORDS[area].get(name) or plain[:1].upper() + plain[1:]
