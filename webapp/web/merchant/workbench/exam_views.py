"""The integration exam: what a program has shown that it can do, judged by what was observed.

Nothing is ticked by hand. Each line says how it is judged and leads to its evidence, or to what
brings it about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import accounts, api_log, payments, webhooks
from webapp.api_log import RequestFilter
from webapp.kernel.paging import PageRequest
from webapp.payments import PaymentFilter
from webapp.webhooks import DeliveryFilter, DeliveryRow, DeliveryState, Event, EventFilter, Verdict

NEWEST = PageRequest(limit=100)
#: What a program hears of late money: it is set aside and does not count as paid.
SET_ASIDE = "anomaly.opened"
Judge = Callable[[Sequence[DeliveryRow]], DeliveryRow | None]


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
    page = api_log.requests_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        asked=RequestFilter(method="POST", has_failed=False, by_programs=True),
        page=NEWEST,
    )
    keyed = next((one.id for one in page.rows if one.idempotency_key), None)
    replayed = next((one.id for one in page.rows if one.is_replay), None)
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
            "One of the newest 100 POST requests that a program’s key made was answered from"
            " memory: same key, same body.",
            seen(replayed, "A request that was replayed"),
            "Send a POST twice with the same key and body.",
            guide,
        ),
    ]


def _of_deliveries() -> list[Task]:
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(state=DeliveryState.DELIVERED, is_tampered=False),
        page=NEWEST,
    )
    ours = _built_in()
    own = [row for row in page.rows if row.delivery.endpoint_id not in ours]
    rehearsed = [row for row in page.rows if row.delivery.endpoint_id in ours]

    def seen(judge: Judge, says: str) -> Evidence | None:
        return _delivered(judge(own), says) or _delivered(judge(rehearsed), says, is_rehearsal=True)

    hooks = url_for("merchant.hooks")
    return [
        Task(
            "Receives webhooks",
            "One of its servers answered a delivery with 2xx.",
            seen(newest, "A delivery that arrived"),
            "Add an endpoint and send it a test event.",
            hooks,
        ),
        Task(
            "Survives a delivery that comes twice",
            "The same event was answered with 2xx twice at one endpoint, of the newest 100.",
            seen(doubled, "The second arrival"),
            "Open an endpoint and send the newest event twice.",
            hooks,
        ),
        Task(
            "Takes events out of order",
            "An older event of an object was answered with 2xx after a newer one, of the newest"
            " 100.",
            seen(overtaken, "The event that came late"),
            "Open an endpoint and press “Send events out of order”: one object’s newest.",
            hooks,
        ),
        Task(
            "Learns of money that came late",
            "An event anomaly.opened, of late money or a test, was answered with 2xx, of the"
            " newest 100.",
            seen(late, "The event that arrived"),
            "Open an endpoint that takes anomaly.opened and send it that test event.",
            hooks,
        ),
        _of_forgeries(ours, hooks),
    ]


def _of_forgeries(ours: frozenset[str], hooks: str) -> Task:
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(is_tampered=True),
        page=NEWEST,
    )
    judged = [row for row in page.rows if row.verdict in (Verdict.REFUSED, Verdict.TAKEN)]
    own = newest([row for row in judged if row.delivery.endpoint_id not in ours])
    met = own or newest(judged)
    refused = met if met is not None and met.verdict is Verdict.REFUSED else None
    taken = met if met is not None and refused is None else None
    is_rehearsal = own is None
    return Task(
        "Refuses a message whose signature does not fit",
        "A tampered test was answered with 4xx; the newest with a clear answer counts. Who answers"
        " 2xx would believe anybody.",
        _delivered(refused, "The forgery that was refused", is_rehearsal=is_rehearsal),
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


def doubled(rows: Sequence[DeliveryRow]) -> DeliveryRow | None:
    """Return an arrival, of some newest first, whose event arrived at its endpoint before."""
    seen: dict[tuple[str, str], DeliveryRow] = {}
    for row in rows:
        whose = (row.event.id, row.delivery.endpoint_id)
        if whose in seen:
            return seen[whose]
        seen[whose] = row
    return None


def overtaken(rows: Sequence[DeliveryRow]) -> DeliveryRow | None:
    """Return an arrival that came after a newer event of its object at the same endpoint."""
    done = [row for row in rows if row.delivery.finished_at is not None and not row.event.is_test]
    known: dict[tuple[str, str], int] = {}
    for row in sorted(done, key=lambda one: (one.delivery.finished_at, one.delivery.id)):
        whose = (row.event.subject_id, row.delivery.endpoint_id)
        if row.event.subject_version < known.get(whose, 0):
            return row
        known[whose] = row.event.subject_version
    return None


def late(rows: Sequence[DeliveryRow]) -> DeliveryRow | None:
    """Return an arrival that told of money which came late, twice or too much."""
    return next((row for row in rows if row.event.name == SET_ASIDE), None)


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
    """Return the success of one of the newest 100 payments that waited for their shopper."""
    asked = _events("payment.requires_action", NEWEST)
    waited = {one.subject_id for one in asked}
    return next(
        (one for one in _events("payment.success", NEWEST) if one.subject_id in waited), None
    )


def _newest_event(name: str) -> Event | None:
    return next(iter(_events(name, PageRequest(limit=10))), None)


def _events(name: str, page: PageRequest) -> list[Event]:
    found = webhooks.events_of(
        g.merchant.id, livemode=g.merchant.livemode, only=EventFilter(names=(name,)), page=page
    )
    return [one for one in found.rows if not one.is_test]


def _event(event: Event | None, says: str) -> Evidence | None:
    return (
        Evidence(says, url_for("merchant.event_row", event_id=event.id))
        if event is not None
        else None
    )


def _delivered(
    row: DeliveryRow | None, says: str, *, is_rehearsal: bool = False
) -> Evidence | None:
    if row is None:
        return None
    href = url_for("merchant.hook_delivery", delivery_id=row.delivery.id)
    return Evidence(says, href, is_rehearsal)
