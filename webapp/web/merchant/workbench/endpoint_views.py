"""What the pages about webhook endpoints show: frozen views, read in the merchant's scope."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from flask import g, request, url_for

from webapp import webhooks
from webapp.kernel import clock
from webapp.kernel.paging import PageRequest
from webapp.web.merchant.door import why_not
from webapp.web.merchant.lists import Tab, address, asked_page, live_address, older_newer
from webapp.web.merchant.workbench.delivery_views import DeliveryLine, delivery_line
from webapp.web.shared.guards import settings
from webapp.web.shared.pills import Pill, pill
from webapp.webhooks import (
    Answer,
    DeliveryFilter,
    DeliveryState,
    Endpoint,
    EndpointHealth,
    Recent,
    Status,
    TestModeOnly,
)

ONLY_TAMPERED = "No delivery yet that counts: tests with a wrong signature do not."
DAY = dt.timedelta(days=1)
STATES: dict[str, tuple[str, DeliveryState | None]] = {
    "": ("All", None),
    "due": ("Waiting", DeliveryState.DUE),
    "delivered": ("Delivered", DeliveryState.DELIVERED),
    "dead": ("Gave up", DeliveryState.DEAD),
    "resent": ("Sent again", DeliveryState.RESENT),
    "discarded": ("Let be", DeliveryState.DISCARDED),
}
#: What the built-in receiver can be told, in words.
ANSWERS: dict[Answer, str] = {
    Answer.OK: "200, or 400 to a wrong signature",
    Answer.TRUSTING: "200 to everything, unchecked",
    Answer.ERROR: "500: an error of the server",
    Answer.BUSY: "503: come again in 20 seconds",
    Answer.GONE: "410: gone for good (this switches the endpoint off)",
    Answer.MOVED: "302: moved (a redirect is not followed)",
    Answer.SLOW: "Nothing in time: it answers after we have hung up",
}


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """One endpoint in the list, and how it fared in the last 24 hours."""

    id: str
    href: str
    name: str
    description: str
    pill: Pill
    events: str
    fared: str
    tone: str
    next_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Bar:
    """One delivery of the strip: how it stands as a class; only an arrival is green."""

    tone: str
    x: int


@dataclass(frozen=True, slots=True)
class EndpointPage:
    """One endpoint for its page: how it fares, what waits, and its deliveries."""

    row: EndpointRow
    url: str
    chosen: Sequence[str]
    api_version: str
    created_at: dt.datetime
    old_secret_until: dt.datetime | None
    disabled_reason: str | None
    is_on: bool
    is_off: bool
    is_built_in: bool
    answer: str
    bars: Sequence[Bar]
    strip_says: str
    health: EndpointHealth
    waits: Sequence[tuple[str, int]]
    tabs: Sequence[Tab]
    deliveries: Sequence[DeliveryLine]
    live_url: str
    newer: str | None
    older: str | None
    why_not: str | None
    why_no_example: str | None


def endpoint_list() -> list[EndpointRow]:
    """Return the merchant's endpoints of the mode in force, newest first."""
    found = webhooks.endpoints_of(g.merchant.id, livemode=g.merchant.livemode)
    since = clock.now() - DAY
    recent = webhooks.recent_of(g.merchant.id, livemode=g.merchant.livemode, since=since)
    return [
        endpoint_row(one, recent.get(one.id), webhooks.health_of(one.id).next_at) for one in found
    ]


def endpoint_row(
    endpoint: Endpoint, recent: Recent | None = None, next_at: dt.datetime | None = None
) -> EndpointRow:
    """Return an endpoint as lists show it."""
    says, tone = _fared(recent)
    return EndpointRow(
        id=endpoint.id,
        href=url_for("merchant.hook", endpoint_id=endpoint.id),
        name=name_of(endpoint),
        description=endpoint.description,
        pill=pill("webhook_endpoint", endpoint.status),
        events=_events(endpoint),
        fared=says,
        tone=tone,
        next_at=next_at if endpoint.status == Status.ENABLED else None,
    )


def endpoint_page(endpoint_id: str) -> EndpointPage:
    """Return one of the merchant's endpoints for its page; raises NotFound."""
    endpoint = webhooks.endpoint_of(g.merchant.id, endpoint_id)
    health = webhooks.health_of(endpoint.id)
    state = request.args.get("state", "")
    kept = {"endpoint_id": endpoint.id, "state": state if state in STATES else ""}
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(endpoint_id=endpoint.id, state=STATES[kept["state"]][1]),
        page=asked_page(),
    )
    newer_older = older_newer("merchant.hook", kept, page)
    until = endpoint.old_secret_until
    return EndpointPage(
        row=endpoint_row(endpoint),
        url=webhooks.current_url(endpoint.id, endpoint.url, is_built_in=endpoint.is_built_in),
        chosen=endpoint.events,
        api_version=endpoint.api_version,
        created_at=endpoint.created_at,
        old_secret_until=until if until and until > clock.now() else None,
        disabled_reason=endpoint.disabled_reason,
        is_on=endpoint.status == Status.ENABLED,
        is_off=endpoint.status == Status.DISABLED,
        is_built_in=endpoint.is_built_in,
        answer=endpoint.receiver_answer or "",
        bars=_bars(health),
        strip_says=_strip_says(health) if health.strip or not page.rows else ONLY_TAMPERED,
        health=health,
        waits=_waits(endpoint.id) if health.waiting else [],
        tabs=_tabs(kept),
        deliveries=[delivery_line(one) for one in page.rows],
        live_url=live_address("merchant.hook_live", kept),
        newer=newer_older[1],
        older=newer_older[0],
        why_not=(barred := why_not("manage_webhooks")),
        why_no_example=barred or (TestModeOnly.says if endpoint.livemode else None),
    )


def name_of(endpoint: Endpoint) -> str:
    """Return what an endpoint is called on pages."""
    return "Built-in receiver" if endpoint.is_built_in else endpoint.url


def targets(endpoint_id: str | None = None) -> list[tuple[str, str]]:
    """Return where events can be sent, as choices, an endpoint of one's own first."""
    found = [
        one
        for one in webhooks.endpoints_of(g.merchant.id, livemode=g.merchant.livemode)
        if one.status != Status.DISABLED
    ]
    found.sort(key=lambda one: one.id != endpoint_id)
    return [
        (one.id, f"{name_of(one)} ({one.description})" if one.description else name_of(one))
        for one in found
    ]


def has_receiver() -> bool:
    """Whether the built-in receiver can be chosen here."""
    return settings().demo


def _events(endpoint: Endpoint) -> str:
    if webhooks.EVERYTHING in endpoint.events:
        return "Every event"
    return endpoint.events[0] if len(endpoint.events) == 1 else f"{len(endpoint.events)} events"


def _fared(recent: Recent | None) -> tuple[str, str]:
    if recent is None:
        return "Nothing to send", "quiet"
    parts = [f"{recent.arrived} arrived"]
    parts += [f"{recent.waiting} on the way"] if recent.waiting else []
    parts += [f"{recent.lost} never arrived"] if recent.lost else []
    return ", ".join(parts), "bad" if recent.lost else ""


def _bars(health: EndpointHealth) -> list[Bar]:
    """Return the strip's bars, the oldest at the left."""
    tones = {DeliveryState.DELIVERED: "arrived", DeliveryState.DUE: "waiting"}
    found = []
    for x, one in enumerate(reversed(health.strip)):
        tone = tones.get(one.state, "lost")
        found.append(Bar("retrying" if tone == "waiting" and one.tries else tone, x * 7))
    return found


def _strip_says(health: EndpointHealth) -> str:
    count = Counter(bar.tone for bar in _bars(health))
    words = {
        "arrived": "arrived (2xx)",
        "waiting": "not tried yet",
        "retrying": "failed and tried again",
        "lost": "never arrived",
    }
    if not count:
        return "No delivery yet."
    total = len(health.strip)
    what = f"the last {total} deliveries" if total > 1 else "the only delivery"
    told = ", ".join(f"{count[tone]} {says}" for tone, says in words.items() if count[tone])
    return f"Of {what}: {told}."


def _waits(endpoint_id: str) -> list[tuple[str, int]]:
    """Return what waits by event, the most frequent first, from the newest 100."""
    page = webhooks.deliveries_of(
        g.merchant.id,
        livemode=g.merchant.livemode,
        only=DeliveryFilter(endpoint_id=endpoint_id, state=DeliveryState.DUE),
        page=PageRequest(limit=100),
    )
    return Counter(one.event.name for one in page.rows).most_common()


def _tabs(kept: dict[str, str]) -> list[Tab]:
    return [
        Tab(label, address("merchant.hook", {**kept, "state": name}), active=kept["state"] == name)
        for name, (label, _state) in STATES.items()
    ]
