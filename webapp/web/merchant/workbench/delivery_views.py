"""What the pages about deliveries show: each try with both sides, and what differs."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import g, url_for

from webapp import webhooks
from webapp.kernel.paging import PageRequest
from webapp.kernel.words import zone
from webapp.web.merchant.door import why_not
from webapp.web.shared.pills import Pill, pill
from webapp.webhooks import Attempt, DeliveryFilter, DeliveryRow

#: Headers that differ at each try by what they are; a comparison leaves them out.
ALWAYS_DIFFER = frozenset({"webhook-timestamp", "webhook-signature", "date"})
COMPARABLE = 25


@dataclass(frozen=True, slots=True)
class DeliveryLine:
    """One delivery in a list."""

    id: str
    href: str
    name: str
    subject: str
    is_test: bool
    is_tampered: bool
    pill: Pill
    last_status: int | None
    tries: int
    created_at: dt.datetime
    due_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class TryLine:
    """One try: what was sent, what came back, and what differs from the try before."""

    number: int
    is_late: bool
    started_at: dt.datetime
    duration_ms: int
    url: str
    address: str | None
    request_headers: str
    status: int | None
    arrived: bool
    response_headers: str
    response_body: str
    is_cut: bool
    error: str | None
    changes: Sequence[Changed]


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that differs; None where a side does not have it."""

    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """One delivery for its page."""

    line: DeliveryLine
    event_id: str
    event_href: str
    subject_href: str | None
    endpoint_name: str
    endpoint_href: str | None
    resend_of: str | None
    api_version: str
    last_error: str | None
    body: str
    tries: Sequence[TryLine]
    others: Sequence[tuple[str, str]]
    endpoint_id: str
    why_not: str | None


def delivery_line(row: DeliveryRow) -> DeliveryLine:
    """Return a delivery as lists show it."""
    delivery, event = row.delivery, row.event
    return DeliveryLine(
        id=delivery.id,
        href=url_for("merchant.hook_delivery", delivery_id=delivery.id),
        name=event.name,
        subject=event.subject_id,
        is_test=event.is_test,
        is_tampered=delivery.is_tampered,
        pill=pill("tampered_test", row.verdict)
        if row.verdict
        else pill("delivery", delivery.state),
        last_status=row.last_status,
        tries=delivery.tries,
        created_at=delivery.created_at,
        due_at=delivery.due_at,
    )


def delivery_page(delivery_id: str) -> DeliveryPage:
    """Return one of the merchant's deliveries for its page; raises NotFound."""
    row = webhooks.delivery_of(g.merchant.id, delivery_id)
    delivery, event = row.delivery, row.event
    name, href = _endpoint(delivery.endpoint_id)
    return DeliveryPage(
        line=delivery_line(row),
        event_id=event.id,
        event_href=url_for("merchant.event_row", event_id=event.id),
        subject_href=None if event.is_test else subject_href(event.subject_id),
        endpoint_name=name,
        endpoint_href=href,
        resend_of=delivery.resend_of,
        api_version=delivery.api_version,
        last_error=delivery.last_error,
        body=indented(webhooks.body_of(event, delivery.api_version)),
        tries=_tries(delivery.id),
        others=_others(row),
        endpoint_id=delivery.endpoint_id,
        why_not=why_not("manage_webhooks"),
    )


def differences(first_id: str, second_id: str) -> list[Changed]:
    """Return what differs between two of the merchant's deliveries, the first as before.

    Their bodies by the paths in them, and the last try of each; raises NotFound.
    """
    sides = [_side(first_id), _side(second_id)]
    return compared(*sides)


def compared(before: Mapping[str, str], after: Mapping[str, str]) -> list[Changed]:
    """Return what two flat sides have differently, in the order of their labels."""
    labels = list(dict.fromkeys([*before, *after]))
    return [
        Changed(label, before.get(label), after.get(label))
        for label in labels
        if before.get(label) != after.get(label)
    ]


def flat(value: object, path: str = "") -> dict[str, str]:
    """Return a JSON value as texts by path, such as `data.object.amount`."""
    if isinstance(value, dict) and value:
        found: dict[str, str] = {}
        for name, inner in value.items():
            found |= flat(inner, f"{path}.{name}" if path else str(name))
        return found
    if isinstance(value, list) and value:
        found = {}
        for place, inner in enumerate(value):
            found |= flat(inner, f"{path}[{place}]")
        return found
    return {path: json.dumps(value, ensure_ascii=False)}


def indented(text: str) -> str:
    """Return JSON spread over lines; anything else as it is."""
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def subject_href(subject_id: str) -> str | None:
    """Return the page of an object of ours by its id, where it has one."""
    start = subject_id.partition("_")[0]
    if start == "pay":
        return url_for("merchant.payment", payment_id=subject_id)
    if start == "ord":
        return url_for("merchant.order", order_id=subject_id)
    if start == "re":
        return url_for("merchant.refund", refund_id=subject_id)
    if start == "we":
        return url_for("merchant.hook", endpoint_id=subject_id)
    return None


def _side(delivery_id: str) -> dict[str, str]:
    row = webhooks.delivery_of(g.merchant.id, delivery_id)
    body = json.loads(webhooks.body_of(row.event, row.delivery.api_version))
    found = {f"body {path}": text for path, text in flat(body).items()}
    tries = webhooks.attempts_of(delivery_id)
    return found | (_try_side(tries[-1]) if tries else {})


def _try_side(attempt: Attempt) -> dict[str, str]:
    found = {"sent to": attempt.url, "answer": str(attempt.status or attempt.error or "none")}
    for kind, headers in (
        ("request", attempt.request_headers),
        ("response", attempt.response_headers),
    ):
        found |= {
            f"{kind} {name.lower()}": value
            for name, value in headers.items()
            if name.lower() not in ALWAYS_DIFFER
        }
    return found | {"response body": attempt.response_body}


def _tries(delivery_id: str) -> list[TryLine]:
    found: list[TryLine] = []
    before: Attempt | None = None
    for one in webhooks.attempts_of(delivery_id):
        changes = compared(_try_side(before), _try_side(one)) if before is not None else []
        found.append(_try_line(one, changes))
        before = one
    return found[::-1]


def _try_line(one: Attempt, changes: Sequence[Changed]) -> TryLine:
    return TryLine(
        number=one.number,
        is_late=one.is_late,
        started_at=one.started_at,
        duration_ms=one.duration_ms,
        url=one.url,
        address=one.address,
        request_headers=_lines(one.request_headers),
        status=one.status,
        arrived=one.error is None,
        response_headers=_lines(one.response_headers),
        response_body=indented(one.response_body),
        is_cut=one.is_cut,
        error=one.error,
        changes=changes,
    )


def _lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _endpoint(endpoint_id: str) -> tuple[str, str | None]:
    try:
        endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    except webhooks.EndpointNotFound:
        return "An endpoint that was removed", None
    name = "Built-in receiver" if endpoint.is_built_in else endpoint.url
    return name, url_for("merchant.hook", endpoint_id=endpoint_id)


def _others(row: DeliveryRow) -> list[tuple[str, str]]:
    """Return deliveries to compare with: of the same event first, then to the same endpoint."""
    found: dict[str, str] = {}
    for only in (
        DeliveryFilter(event_id=row.event.id),
        DeliveryFilter(endpoint_id=row.delivery.endpoint_id),
    ):
        page = webhooks.deliveries_of(
            g.merchant.id,
            livemode=g.merchant.livemode,
            only=only,
            page=PageRequest(limit=COMPARABLE),
        )
        for one in page.rows:
            if one.delivery.id != row.delivery.id:
                end = one.delivery.id[-6:]
                begun = one.delivery.created_at.astimezone(zone(g.merchant.timezone))
                found.setdefault(one.delivery.id, f"{one.event.name}, {begun:%H:%M:%S} …{end}")
    return list(found.items())
