"""Which events go to which topic, on one page; a test proves it complete over all flows.

A topic is a Redis stream and a Kafka topic of the same name, and an attribute of what goes to
Amazon. Two of the names are settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from webapp.config import BusSettings

USERS: Final = "user-events"
TRANSACTIONS: Final = "transaction-events"
PAYMENTS: Final = "payment-events"
NOTIFICATIONS: Final = "notification-events"
AUDIT: Final = "audit-events"
WEBHOOKS: Final = "webhooks.delivery"

#: Every topic, with what it is about.
TOPICS: Final[Mapping[str, str]] = {
    USERS: "people and merchants: registered, verified, signed in, suspended",
    TRANSACTIONS: "orders, links, checkouts, refunds, wallets, corrections, money set aside",
    PAYMENTS: "each step of a payment",
    NOTIFICATIONS: "messages written and mails sent",
    AUDIT: "who did what, once it is sealed",
    WEBHOOKS: "endpoints of merchants, and what never arrived there",
}

#: By the noun of a fact, the topics that its events go to.
OF_NOUN: Final[Mapping[str, tuple[str, ...]]] = {
    "user": (USERS,),
    "merchant": (USERS,),
    "order": (TRANSACTIONS,),
    "payment_link": (TRANSACTIONS,),
    "checkout_session": (TRANSACTIONS,),
    "payment": (PAYMENTS,),
    "refund": (TRANSACTIONS,),
    "anomaly": (TRANSACTIONS,),
    "correction": (TRANSACTIONS,),
    "wallet": (TRANSACTIONS,),
    "wallet_transfer": (TRANSACTIONS,),
    "message": (NOTIFICATIONS,),
    "mail": (NOTIFICATIONS,),
    "audit_entry": (AUDIT,),
    "webhook_endpoint": (WEBHOOKS,),
    "delivery": (WEBHOOKS,),
}
#: Events that go elsewhere than their noun does.
OF_EVENT: Final[Mapping[str, tuple[str, ...]]] = {"user.signed_in": (USERS, AUDIT)}

#: What other systems call an event, carried beside its name.
ALIASES: Final[Mapping[str, str]] = {"payment.captured": "PAYMENT_SUCCESS_EVENT"}


def topics_of(event: str, noun: str) -> tuple[str, ...]:
    """Return the topics of one event; raises KeyError for a noun that stands nowhere."""
    return OF_EVENT.get(event) or OF_NOUN[noun]


def names(settings: BusSettings) -> dict[str, str]:
    """Return what each topic is called here."""
    called = {PAYMENTS: settings.payments_topic, WEBHOOKS: settings.webhooks_topic}
    return {topic: called.get(topic, topic) for topic in TOPICS}
