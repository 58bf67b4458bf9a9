"""The admin's first page, health and the audit trail."""

from __future__ import annotations

from dataclasses import dataclass

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from webapp import (
    accounts,
    audit,
    corrections,
    dead_letters,
    gateway,
    invariants,
    outbox,
    payments,
    refunds,
)
from webapp.kernel import clock, wake
from webapp.kernel.paging import PageRequest, page_request
from webapp.web.admin.bus_rows import SinkRow, sink_rows
from webapp.web.admin.door import blueprint
from webapp.web.admin.people import trail_of
from webapp.web.shared.guards import settings
from webapp.web.status import checks

SILENT_SECONDS = 15
#: A process silent for this long has ended; whoever replaced it reports by itself.
FORGOTTEN_SECONDS = 300
SHORT = PageRequest(limit=8)


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """One process as it last reported itself."""

    name: str
    pid: int
    seconds_ago: int
    up_minutes: int

    @property
    def is_silent(self) -> bool:
        """Whether it has not been heard of for too long."""
        return self.seconds_ago > SILENT_SECONDS


@dataclass(frozen=True, slots=True)
class Health:
    """What the health page shows."""

    checks: list[checks.Check]
    overall: str
    processes: list[ProcessRow]
    waiting: dict[str, int]
    oldest_waiting_seconds: int
    backlog: gateway.Backlog
    letters: int
    trail: audit.Verification
    sinks: list[SinkRow]


@blueprint.get("/admin")
def overview() -> Response:
    """Show what needs somebody, and how much there is of everything."""
    return make_response(render_template("admin/overview.html", **_overview()))


@blueprint.get("/admin/now")
def overview_now() -> Response:
    """Give the live part of the first page."""
    return make_response(render_template("admin/_overview.html", **_overview()))


@blueprint.get("/admin/health")
def health() -> Response:
    """Show every dependency, process and queue."""
    return make_response(render_template("admin/health.html", health=_health()))


@blueprint.get("/admin/audit")
def trail() -> Response:
    """Show who did what, newest first."""
    asked = page_request(older=request.args.get("older"), newer=request.args.get("newer"))
    page = audit.recent(asked, action=request.args.get("action") or None)
    return make_response(
        render_template(
            "admin/audit.html", page=page, trail=trail_of(page.rows), proof=audit.verify()
        )
    )


def _overview() -> dict[str, object]:
    backlog = gateway.backlog()
    newest = payments.payments_everywhere(asked=payments.PaymentFilter(), page=SHORT)
    return {
        "merchants": accounts.merchant_counts(),
        "users": accounts.user_counts(),
        "backlog": backlog,
        "letters": sum(dead_letters.counts().values()),
        "broken_checks": invariants.red_count(),
        "corrections": corrections.waiting_count(),
        "frozen": refunds.frozen(),
        "set_aside": payments.unfinished_anomalies(limit=1)[1],
        "waiting": sum(outbox.waiting_counts().values()),
        "rows": newest.rows,
        "sellers": accounts.merchant_cards(row.payment.merchant_id or "" for row in newest.rows),
    }


def _health() -> Health:
    oldest = outbox.oldest_waiting()
    found = checks.all_checks()
    now = clock.now()
    return Health(
        checks=found,
        overall=checks.overall(found),
        processes=_processes(now.timestamp()),
        waiting=outbox.waiting_counts(),
        oldest_waiting_seconds=max(0, int((now - oldest).total_seconds())) if oldest else 0,
        backlog=gateway.backlog(),
        letters=sum(dead_letters.counts().values()),
        trail=audit.verify(),
        sinks=sink_rows(settings().bus),
    )


def _processes(now: float) -> list[ProcessRow]:
    return [
        ProcessRow(
            name=beat.name,
            pid=beat.pid,
            seconds_ago=max(0, int(now - beat.seen_at)),
            up_minutes=max(0, int((now - beat.started_at) / 60)),
        )
        for beat in sorted(wake.processes(), key=lambda one: one.name)
        if now - beat.seen_at < FORGOTTEN_SECONDS
    ]
