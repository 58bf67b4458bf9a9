"""The wiring diagram on one page: which event is told to whom, and who they are.

An event that nobody is told of stands in UNHEARD with the reason. A test proves that every event
of every flow stands in exactly one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jobs import consumers, settling
from jobs.bus import sinks
from webapp import wallets, webhooks
from webapp.outbox import Fact

#: Browsers that show the object are told to look again.
KNOCK = "knock"
#: People are told: their inbox and their mail.
NOTIFY = "notify"
#: The merchant's figures are added up.
ROLLUP = "rollup"
#: Money set aside goes where it was decided that it goes.
SETTLE = "settle"
#: Merchants' servers are told, as far as they chose to be.
WEBHOOKS = "webhooks"
#: Wallets are opened that were sent money in a currency for the first time.
PURSE = "purse"
#: Other systems are told: everything that happens is added to the streams of events. Brokers that
#: are set up (KAFKA_BROKERS, SNS_TOPIC_ARN or SQS_QUEUE_URL) are told of the same events besides.
BUS = "bus"
#: Who is told of each object in the order of its story: a later fact never overtakes an earlier.
IN_ORDER = frozenset({BUS, sinks.KAFKA, sinks.AWS})

CONSUMERS: Mapping[str, Callable[[Sequence[Fact]], None]] = {
    KNOCK: consumers.knock,
    NOTIFY: consumers.notify,
    ROLLUP: consumers.fold,
    SETTLE: settling.settle,
    WEBHOOKS: webhooks.fan_out,
    PURSE: wallets.open_received,
    BUS: consumers.publish,
}

_TOLD: Mapping[str, tuple[str, ...]] = {
    "user.registered": (KNOCK,),
    "user.verified": (KNOCK,),
    "user.suspended": (KNOCK,),
    "user.restored": (KNOCK,),
    "merchant.created": (KNOCK,),
    "merchant.suspended": (KNOCK,),
    "merchant.restored": (KNOCK,),
    "order.created": (KNOCK, WEBHOOKS),
    "order.completed": (KNOCK, WEBHOOKS),
    "order.cancelled": (KNOCK, WEBHOOKS),
    "payment_link.created": (KNOCK, WEBHOOKS),
    "payment_link.ended": (KNOCK, WEBHOOKS),
    "checkout.opened": (KNOCK, WEBHOOKS),
    "checkout.completed": (KNOCK, WEBHOOKS),
    "checkout.expired": (KNOCK, WEBHOOKS),
    "payment.created": (KNOCK, WEBHOOKS),
    "payment.awaiting_method": (KNOCK,),
    "payment.processing": (KNOCK, WEBHOOKS),
    "payment.requires_action": (KNOCK, WEBHOOKS),
    "payment.authorised": (KNOCK, WEBHOOKS),
    "payment.declined": (KNOCK, ROLLUP, WEBHOOKS),
    "payment.captured": (KNOCK, NOTIFY, ROLLUP, WEBHOOKS),
    "payment.failed": (KNOCK, ROLLUP, WEBHOOKS),
    "payment.cancelled": (KNOCK, ROLLUP, WEBHOOKS),
    "payment.expired": (KNOCK, ROLLUP, WEBHOOKS),
    "correction.requested": (KNOCK,),
    "correction.posted": (KNOCK,),
    "correction.refused": (KNOCK,),
    "correction.withdrawn": (KNOCK,),
    "refund.requested": (KNOCK, WEBHOOKS),
    "refund.approved": (KNOCK, WEBHOOKS),
    "refund.queued": (KNOCK,),
    "refund.sent": (KNOCK, NOTIFY, WEBHOOKS),
    "refund.succeeded": (KNOCK, NOTIFY, ROLLUP, WEBHOOKS),
    "refund.updated": (KNOCK, WEBHOOKS),
    "refund.failed": (KNOCK, NOTIFY, ROLLUP, WEBHOOKS),
    "refund.cancelled": (KNOCK, WEBHOOKS),
    "anomaly.opened": (KNOCK, SETTLE, WEBHOOKS),
    "anomaly.proposed": (KNOCK,),
    "anomaly.refunding": (KNOCK, WEBHOOKS),
    "anomaly.refunded": (KNOCK, WEBHOOKS),
    "anomaly.applying": (KNOCK, SETTLE, WEBHOOKS),
    "anomaly.applied": (KNOCK, WEBHOOKS),
    "anomaly.accepted": (KNOCK, WEBHOOKS),
    "anomaly.reopened": (KNOCK, WEBHOOKS),
    "endpoint.created": (KNOCK,),
    "endpoint.enabled": (KNOCK,),
    "endpoint.paused": (KNOCK,),
    "endpoint.disabled": (KNOCK, NOTIFY, WEBHOOKS),
    "endpoint.deleted": (KNOCK,),
    "wallet.opened": (KNOCK,),
    "wallet.deactivated": (KNOCK,),
    "wallet.activated": (KNOCK,),
    "wallet.transferred": (KNOCK, NOTIFY, PURSE),
    # what has no states of its own
    "audit.recorded": (),
    "user.signed_in": (),
    "message.written": (),
    "mail.sent": (),
    "mail.failed": (),
    "mail.simulated": (),
    "delivery.gave_up": (),
}

ROUTES: Mapping[str, tuple[str, ...]] = {name: (*told, BUS) for name, told in _TOLD.items()}

UNHEARD: Mapping[str, str] = {}
