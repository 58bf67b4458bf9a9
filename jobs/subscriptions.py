"""The wiring diagram on one page: which event is told to whom, and who they are.

An event that nobody is told of stands in UNHEARD with the reason. A test proves that every event
of every flow stands in exactly one of the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from jobs import consumers, settling
from jobs.bus import sinks
from webapp import wallets
from webapp.outbox import Fact

#: Browsers that show the object are told to look again.
KNOCK = "knock"
#: People are told: their inbox and their mail.
NOTIFY = "notify"
#: The merchant's figures are added up.
ROLLUP = "rollup"
#: Money set aside goes where it was decided that it goes.
SETTLE = "settle"
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
    "order.created": (KNOCK,),
    "order.completed": (KNOCK,),
    "order.cancelled": (KNOCK,),
    "checkout.opened": (KNOCK,),
    "checkout.completed": (KNOCK,),
    "checkout.expired": (KNOCK,),
    "payment.created": (KNOCK,),
    "payment.awaiting_method": (KNOCK,),
    "payment.processing": (KNOCK,),
    "payment.requires_action": (KNOCK,),
    "payment.authorised": (KNOCK,),
    "payment.declined": (KNOCK, ROLLUP),
    "payment.captured": (KNOCK, NOTIFY, ROLLUP),
    "payment.failed": (KNOCK, ROLLUP),
    "payment.cancelled": (KNOCK, ROLLUP),
    "payment.expired": (KNOCK, ROLLUP),
    "correction.requested": (KNOCK,),
    "correction.posted": (KNOCK,),
    "correction.refused": (KNOCK,),
    "correction.withdrawn": (KNOCK,),
    "refund.requested": (KNOCK,),
    "refund.approved": (KNOCK,),
    "refund.queued": (KNOCK,),
    "refund.sent": (KNOCK, NOTIFY),
    "refund.succeeded": (KNOCK, NOTIFY),
    "refund.updated": (KNOCK,),
    "refund.failed": (KNOCK, NOTIFY),
    "refund.cancelled": (KNOCK,),
    "anomaly.opened": (KNOCK, SETTLE),
    "anomaly.refunding": (KNOCK,),
    "anomaly.refunded": (KNOCK,),
    "anomaly.applying": (KNOCK, SETTLE),
    "anomaly.applied": (KNOCK,),
    "anomaly.accepted": (KNOCK,),
    "anomaly.reopened": (KNOCK,),
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
}

ROUTES: Mapping[str, tuple[str, ...]] = {name: (*told, BUS) for name, told in _TOLD.items()}

UNHEARD: Mapping[str, str] = {}
