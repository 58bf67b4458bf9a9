"""The integration exam: what a program has shown that it can do, judged by what was observed.

Nothing is ticked by hand. Each line says how it is judged and leads to its evidence, or to what
brings it about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import accounts, api_log, payments, webhooks
from webapp.api_log import ApiRequest, RequestFilter
from webapp.kernel.paging import PageRequest
from webapp.payments import PaymentFilter
from webapp.webhooks import DeliveryFilter, DeliveryRow, Event, EventFilter, Verdict

NEWEST = PageRequest(limit=100)
#: Of how many payments that waited for their shopper is looked whether they were paid.
WAITED = 25
#: What a program hears of late money: it is set aside and does not count as paid.
SET_ASIDE = "anomaly.opened"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was observed, in words, and where it can be seen.

    At the demo's built-in receiver it `is_rehearsal`: nothing of the merchant's own took part.
    """

    says: str
    href: str
    is_rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class Task:
    """One line of the exam: evidence where there is any, what to do next where there is none.

    `failed` is where the newest observation speaks against it.
    """

    title: str
    judged: str
    evidence: Evidence | None
    todo: str
    todo_href: str
    failed: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Exam:
    """The whole exam of a merchant in the mode in force."""

    tasks: Sequence[Task]
    passed: int


def exam() -> Exam:
    """Return the exam as the merchant's traffic of this mode shows it now."""
    tasks = [*_of_requests(), *_of_deliveries(), *_of_payments(), _of_keys()]
    passed = sum(task.evidence is not None and not task.evidence.is_rehearsal for task in tasks)
    return Exam(tasks, passed)


def _of_requests() -> list[Task]:
    keyed = next((one.id for one in _posts(NEWEST) if one.idempotency_key), None)
    replayed = next((one.id for one in _posts(PageRequest(limit=1), is_replay=True)), None)
    guide = url_for("merchant.guide")

    def seen(request_id: str | None, says: str) -> Evidence | None:
        if request_id is None:
            return None
        return Evidence(says, url_for("merchant.request_row", request_id=request_id))

    return [
        Task(
            "Sends idempotency keys",
            "One of the newest 100 POST requests that a program’s key made had an Idempotency-Key."
            " The explorer sends one by itself and does not count.",
            seen(keyed, "A request with a key"),
            "Make an order through the API with a key.",
            guide,
        ),
        Task(
            "Asks again safely",
            "A POST request that a program’s key made was answered from memory: same key, same"
            " body.",
            seen(replayed, "A request that was replayed"),
            "Send a POST twice with the same key and body.",
            guide,
        ),
    ]


def _posts(page: PageRequest, *, is_replay: bool | None = None) -> Sequence[ApiRequest]:
    asked = RequestFilter(method="POST", has_failed=False, is_replay=is_replay, by_programs=True)
    return api_log.requests_of(
        g.merchant.id, livemode=g.merchant.livemode, asked=asked, page=page
    ).rows


def _of_deliveries() -> list[Task]:
    own, rehearsed = (
        webhooks.shown_by(
            g.merchant.id, livemode=g.merchant.livemode, is_built_in=is_built_in, name=SET_ASIDE
        )
        for is_built_in in (False, True)
    )

    def seen(kind: str, says: str) -> Evidence | None:
        return _delivered(getattr(own, kind), says) or _delivered(
            getattr(rehearsed, kind), says, is_rehearsal=True
        )

    hooks = url_for("merchant.hooks")
    return [
        Task(
            "Receives webhooks",
            "One of its servers answered a delivery with 2xx.",
            seen("any", "A delivery that arrived"),
            "Add an endpoint and send it a test event.",
            hooks,
        ),
        Task(
            "Survives a delivery that comes twice",
            "The same event was answered with 2xx twice at one endpoint.",
            seen("twice", "The second arrival"),
            "Open an endpoint and send the newest event twice.",
            hooks,
        ),
        Task(
            "Takes events out of order",
            "An older event of an object was answered with 2xx after a newer one.",
            seen("overtaken", "The event that came late"),
            "Open an endpoint and press “Send events out of order”.",
            hooks,
        ),
        Task(
            "Learns of money that came late",
            "An event anomaly.opened, of late money or a test, was answered with 2xx.",
            seen("named", "The event that arrived"),
            "Open an endpoint that takes anomaly.opened and send it that test event.",
            hooks,
        ),
        _of_forgeries(hooks),
    ]


def _of_forgeries(hooks: str) -> Task:
    ours = _built_in()
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(is_tampered=True),
        page=NEWEST,
    )
    judged = [row for row in page.rows if row.verdict in (Verdict.REFUSED, Verdict.TAKEN)]
    own = newest([row for row in judged if row.delivery.endpoint_id not in ours])
    met = own or newest(judged)
    refused = met.delivery.id if met and met.verdict is Verdict.REFUSED else None
    taken = met.delivery.id if met and refused is None else None
    is_rehearsal = own is None
    return Task(
        "Refuses a message whose signature does not fit",
        "A tampered test was answered with 4xx; the newest with a clear answer counts. Who answers"
        " 2xx would believe anybody.",
        _delivered(
            refused,
            "The forgery that was refused",
            is_rehearsal=is_rehearsal,
        ),
        "Open an endpoint and send it a test with a wrong signature.",
        hooks,
        failed=_delivered(taken, "The forgery that was taken", is_rehearsal=is_rehearsal),
    )


def _built_in() -> frozenset[str]:
    found = webhooks.endpoints_of(g.merchant.id, livemode=g.merchant.livemode)
    return frozenset(one.id for one in found if one.is_built_in)


def newest(rows: Sequence[DeliveryRow]) -> DeliveryRow | None:
    """Return the first of some arrivals."""
    return next(iter(rows), None)


def _of_payments() -> list[Task]:
    orders = url_for("merchant.order_rows")
    declined = _newest_event("payment.declined")
    part = payments.payments_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        asked=PaymentFilter(refunded="part"),
        page=PageRequest(limit=1),
    ).rows
    refunded = (
        Evidence(
            "A payment that went back in part",
            url_for("merchant.payment", payment_id=part[0].payment.id),
        )
        if part
        else None
    )
    return [
        Task(
            "Meets a decline",
            "A bank declined a try, and the event payment.declined was made.",
            _event(declined, "The decline"),
            "Pay an order with a test card that declines.",
            orders,
        ),
        Task(
            "Lets a shopper confirm (3-D Secure)",
            "A payment for which the bank asked the shopper was then paid.",
            _event(_confirmed(), "The payment that was confirmed"),
            "Pay an order with a test card that asks, and confirm.",
            orders,
        ),
        Task(
            "Gives back a part",
            "A payment was refunded in part.",
            refunded,
            "Refund a part of a paid payment.",
            url_for("merchant.payment_rows", status="paid"),
        ),
    ]


def _of_keys() -> Task:
    keys = accounts.keys_of(g.merchant.id, livemode=g.merchant.livemode)
    rolled = next((key for key in keys if key.replaced_by), None)
    return Task(
        "Changes its key without a pause",
        "An API key was rolled, and its replacement has been used.",
        Evidence("The key that took its place", url_for("merchant.key", key_id=rolled.replaced_by))
        if rolled
        and any(key.id == rolled.replaced_by and key.last_used_at is not None for key in keys)
        else None,
        "Roll a key, and use the new one.",
        url_for("merchant.key_rows"),
    )


def _confirmed() -> Event | None:
    """Return the success of one of the newest payments that waited for their shopper."""
    for asked in _events(PageRequest(limit=WAITED), "payment.requires_action"):
        paid = _events(PageRequest(limit=1), "payment.success", about=asked.subject_id)
        if paid:
            return paid[0]
    return None


def _newest_event(name: str) -> Event | None:
    return next(iter(_events(PageRequest(limit=1), name)), None)


def _events(page: PageRequest, name: str, *, about: str | None = None) -> Sequence[Event]:
    only = EventFilter(names=(name,), subject_id=about, is_test=False)
    return webhooks.events_of(
        g.merchant.id, livemode=g.merchant.livemode, only=only, page=page
    ).rows


def _event(event: Event | None, says: str) -> Evidence | None:
    return (
        Evidence(says, url_for("merchant.event_row", event_id=event.id))
        if event is not None
        else None
    )


def _delivered(
    delivery_id: str | None, says: str, *, is_rehearsal: bool = False
) -> Evidence | None:
    if delivery_id is None:
        return None
    href = url_for("merchant.hook_delivery", delivery_id=delivery_id)
    return Evidence(says, href, is_rehearsal)
