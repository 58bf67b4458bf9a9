"""Faults on request: slow answers, cut connections, errors before and after the work is done."""

import json
from dataclasses import dataclass

from sandbox.idempotency import key_in_use
from sandbox.store import Json, Transaction
from sandbox.wire import Answer, ApiError

FAULTS = {
    "slow": "does the work at once, answers late",
    "drop_before": "cuts the connection before doing anything",
    "drop_after": "does the work, then cuts the connection without an answer",
    "500_before": "answers 500 and does nothing",
    "500_after": "does the work, then answers 500",
    "409": "answers that the key is in use",
    "429": "answers that there were too many requests",
    "outage": "cuts every connection until the time is over",
}
_DROPPED_BEFORE = ("drop_before", "outage")
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault switched on; `times` None means until it is switched off or its time is over."""

    endpoint: str
    kind: str
    seconds: float = 0
    times: int | None = None
    until: float | None = None

    @property
    def drops_before(self) -> bool:
        """The connection is cut before anything is done."""
        return self.kind in _DROPPED_BEFORE

    @property
    def drops_after(self) -> bool:
        """The connection is cut when the work is done."""
        return self.kind == "drop_after"

    def shown(self) -> Json:
        """The fault as the control endpoint lists it."""
        return {
            "endpoint": self.endpoint,
            "fault": self.kind,
            "seconds": self.seconds,
            "times": self.times,
            "until": self.until,
            "meaning": FAULTS[self.kind],
        }


def switch_on(tx: Transaction, fault: Fault) -> None:
    """Sets the one fault of an endpoint in place of the one before."""
    switch_off(tx, fault.endpoint)
    tx.db.execute(
        "INSERT INTO faults (endpoint, fault, seconds, times, until) VALUES (?, ?, ?, ?, ?)",
        (fault.endpoint, fault.kind, fault.seconds, fault.times, fault.until),
    )


def switch_off(tx: Transaction, endpoint: str) -> None:
    """Ends the fault of an endpoint, or every fault when the endpoint is `*`."""
    if endpoint == EVERYWHERE:
        tx.db.execute("DELETE FROM faults")
    tx.db.execute("DELETE FROM faults WHERE endpoint = ?", (endpoint,))


def listed(tx: Transaction) -> list[Fault]:
    """Every fault that is switched on."""
    rows = tx.db.execute(
        "SELECT endpoint, fault, seconds, times, until FROM faults"
        " WHERE until IS NULL OR until > ? ORDER BY endpoint",
        (tx.moment,),
    )
    return [Fault(*row) for row in rows]


def find(tx: Transaction, endpoint: str) -> Fault | None:
    """The fault that hits a call of this endpoint now: its own first, then one set for all."""
    faults = {fault.endpoint: fault for fault in listed(tx)}
    return faults.get(endpoint) or faults.get(EVERYWHERE)


def use_up(tx: Transaction, fault: Fault) -> None:
    """Counts one hit of a fault and ends it after its last."""
    if fault.times is None:
        return
    tx.db.execute("UPDATE faults SET times = times - 1 WHERE endpoint = ?", (fault.endpoint,))
    tx.db.execute("DELETE FROM faults WHERE times <= 0")


def answer_before(fault: Fault) -> Answer | None:
    """The answer a fault gives in place of doing the work, None when the work is to be done."""
    if fault.kind == "500_before":
        return server_error()
    if fault.kind == "409":
        return key_in_use().answer()
    if fault.kind == "429":
        return ApiError(
            429,
            "Request rate limit exceeded. Learn more about rate limits here: "
            "https://stripe.com/docs/rate-limits.",
            code="rate_limit",
        ).answer()
    return None


def server_error() -> Answer:
    """The provider's 500."""
    message = "An unknown error occurred. The payment may or may not have been made."
    return Answer(500, json.dumps({"error": {"message": message, "type": "api_error"}}, indent=2))
