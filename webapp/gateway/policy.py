"""When to try again, when to look before sending again, when to stop; pure."""

from __future__ import annotations

import datetime as dt
import zlib

from webapp.gateway.calls import Call, Confirm, CreateSession, Kind
from webapp.gateway.port import Outcome, Result

LEASE = dt.timedelta(seconds=10)
BEAT_SECONDS = 3
#: A heartbeat lets go after this many beats: no call lasts that long.
MOST_BEATS = 10
#: The provider remembers a key for 24 hours; after this only looking is safe.
KEY_LASTS = dt.timedelta(hours=23)
LOOK_FIRST_AFTER_TRIES = 2
#: What was claimed so often without any outcome is set aside: it may be what ends its workers.
QUARANTINE_AFTER_CLAIMS = 3
LONGEST_WAIT_SECONDS = 600
INBOX_TRIES = 8
_JITTER = 0.2

#: Where a refund stands; nothing that is said of a payment.
REFUND_RESULTS = frozenset({Result.REFUND_PENDING, Result.REFUND_SUCCEEDED, Result.REFUND_FAILED})
#: Where a payment page stands that nobody has paid on.
PAGE_RESULTS = frozenset({Result.SESSION_OPEN, Result.SESSION_EXPIRED})
#: Where an intent is at its end, so that nothing of it can be given up any more.
GIVEN_UP = frozenset({Result.SUCCEEDED, Result.CANCELLED})
#: What the answer to giving something up must be, for that to be done: else it is still open.
ENDS: dict[Kind, frozenset[Result]] = {
    Kind.CANCEL: GIVEN_UP,
    Kind.EXPIRE_SESSION: GIVEN_UP | {Result.SESSION_EXPIRED},
}
_SETTLES: dict[Kind, frozenset[Result]] = {
    Kind.CREATE_INTENT: frozenset(Result) - {Result.SESSION_EXPIRED} - REFUND_RESULTS,
    Kind.CONFIRM: frozenset(
        {
            Result.SUCCEEDED,
            Result.AUTHORISED,
            Result.PROCESSING,
            Result.REQUIRES_ACTION,
            Result.CANCELLED,
        }
    ),
    Kind.CAPTURE: frozenset({Result.SUCCEEDED, Result.CANCELLED}),
    Kind.CANCEL: GIVEN_UP,
    Kind.CREATE_SESSION: frozenset({Result.SUCCEEDED, Result.PROCESSING, Result.CANCELLED}),
    Kind.EXPIRE_SESSION: frozenset({Result.SUCCEEDED, Result.PROCESSING, Result.SESSION_EXPIRED}),
    Kind.LOOK_UP: frozenset(Result) - REFUND_RESULTS,
    Kind.REFUND: REFUND_RESULTS,
    Kind.LOOK_UP_REFUND: REFUND_RESULTS,
}


def wait_seconds(operation_id: str, tries: int) -> float:
    """Return how long to wait after the `tries`-th provider failure: 1, 2, 4 … 600 s, ± 20 %.

    The jitter follows from the operation, so that a simulation replays exactly.
    """
    plain = min(LONGEST_WAIT_SECONDS, 2 ** max(0, min(tries, 30) - 1))
    share = zlib.crc32(f"{operation_id}:{tries}".encode()) / 0xFFFFFFFF
    return float(plain * (1 - _JITTER + 2 * _JITTER * share))


def settles(kind: Kind, call: Call, found: Outcome) -> bool:
    """Whether what a look-up found shows beyond doubt what came of the call.

    A decline counts only for the very method that the call charged: an older try's decline says
    nothing about this one. A page that was opened counts once we know which one it is.
    """
    if isinstance(call, CreateSession) and found.result in PAGE_RESULTS:
        return found.session_id is not None
    if isinstance(call, Confirm) and found.result is Result.DECLINED:
        return found.method_id == call.method_id
    return found.result in _SETTLES[kind]
