"""/metrics: what the wall's checks found last, as gauges; the same from any process."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterable, Iterator

from flask import Response, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from webapp import invariants, refunds
from webapp.invariants import Look
from webapp.kernel.errors import NotFound
from webapp.web.shared.guards import settings
from webapp.web.status.routes import blueprint

BEARER = "Bearer "
#: What a proxy adds: then the address that we see says nothing about who asks.
PASSED_ON = ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip")


@blueprint.get("/metrics")
def metrics() -> Response:
    """Tell a collector what the checks found; to whom may not know, the address is not there."""
    if not may_read():
        raise NotFound
    registry = CollectorRegistry()
    registry.register(Gauges(invariants.counts(), is_frozen=refunds.frozen() is not None))
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def may_read() -> bool:
    """Whether the request carries the token; in a demo without one, whether it comes from here.

    Elsewhere the token is needed: behind a proxy that adds no header, everybody comes from here.
    """
    token = settings().metrics_token
    if token is not None:
        given = request.headers.get("Authorization", "")
        return hmac.compare_digest(given.encode(), f"{BEARER}{token}".encode())
    if not settings().demo or any(name in request.headers for name in PASSED_ON):
        return False
    return ipaddress.ip_address(request.remote_addr or "0.0.0.0").is_loopback  # noqa: S104 - none


class Gauges(Collector):
    """The last looks as gauges, by check and reach (`hour` or `all`)."""

    def __init__(self, looks: Iterable[Look], *, is_frozen: bool) -> None:
        self._looks = list(looks)
        self._is_frozen = is_frozen

    def collect(self) -> Iterator[Metric]:
        """Yield one family of gauges after the other."""
        yield self._gauge(
            "paydeck_invariant_rows", "Rows for which a check is false.", lambda look: look.found
        )
        yield self._gauge(
            "paydeck_invariant_ran_timestamp_seconds",
            "When a check looked last (Unix time).",
            lambda look: look.ran_at.timestamp() if look.ran_at else None,
        )
        yield self._gauge(
            "paydeck_invariant_duration_seconds",
            "How long a check took.",
            lambda look: None if look.milliseconds is None else look.milliseconds / 1000,
        )
        red = len({look.name for look in self._looks if look.is_red})
        yield GaugeMetricFamily(
            "paydeck_invariants_red", "Checks that are false for some rows.", value=red
        )
        yield GaugeMetricFamily(
            "paydeck_refunds_frozen", "1 while no refund leaves.", value=int(self._is_frozen)
        )

    def _gauge(self, name: str, says: str, value: Callable[[Look], float | None]) -> Metric:
        family = GaugeMetricFamily(name, says, labels=("check", "reach"))
        for look in self._looks:
            number = value(look)
            if number is not None:
                family.add_metric((look.name, look.reach), number)
        return family
