"""The checks behind /health and the admin's health page, each bounded in time."""

from __future__ import annotations

import time
from dataclasses import dataclass

from webapp import gateway
from webapp.kernel import db, wake

HEALTHY = "healthy"
UNHEALTHY = "unhealthy"
DEGRADED = "degraded"
#: How long a provider's answer is believed before it is asked again.
ASK_AGAIN_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Check:
    """How one dependency answered; `error` is a word for operators, never a secret."""

    name: str
    status: str
    error: str | None
    milliseconds: int

    @property
    def is_healthy(self) -> bool:
        """Whether it answered as it should."""
        return self.status == HEALTHY

    def as_json(self) -> dict[str, str | int | None]:
        """Return the check as S4-80 writes it."""
        return {"status": self.status, "error": self.error, "ms": self.milliseconds}


def all_checks() -> list[Check]:
    """Ask the database, Valkey and the provider."""
    return [database(), redis(), provider()]


def database() -> Check:
    """Ask the database for a number."""
    begun = time.monotonic()
    try:
        db.ping()
    except db.DatabaseError as gone:
        return _bad("database", type(gone.orig).__name__, begun)
    return _good("database", begun)


def redis() -> Check:
    """Ask Valkey for its pulse."""
    begun = time.monotonic()
    if wake.answers():
        return _good("redis", begun)
    return _bad("redis", "does not answer", begun)


def provider() -> Check:
    """Ask the payment provider, at most every 15 seconds."""
    begun = time.monotonic()
    if _asked and begun - _asked[0][0] < ASK_AGAIN_SECONDS:
        return _asked[0][1]
    db.end_reads()
    name = gateway.provider().name
    try:
        gateway.provider().ping()
        check = _good(name, begun)
    except gateway.ProviderError as gone:
        check = _bad(name, gone.code, begun)
    _asked[:] = [(begun, check)]
    return check


def overall(checks: list[Check]) -> str:
    """Return healthy, or degraded when any check failed (S4-80)."""
    return HEALTHY if all(check.is_healthy for check in checks) else DEGRADED


_asked: list[tuple[float, Check]] = []


def _good(name: str, begun: float) -> Check:
    return Check(name, HEALTHY, None, _since(begun))


def _bad(name: str, error: str, begun: float) -> Check:
    return Check(name, UNHEALTHY, error, _since(begun))


def _since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
