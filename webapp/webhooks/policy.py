"""When a delivery is tried again, when an endpoint is left alone, and when it is given up: pure."""

from __future__ import annotations

import datetime as dt
import email.utils
import zlib
from typing import Final

from webapp.webhooks.states import Verdict

#: Pauses between tries: eleven tries in about 75 hours.
PAUSES: Final = (5, 30, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
TRIES: Final = len(PAUSES) + 1
JITTER: Final = 0.1
#: The longest that a receiver may have us wait.
LONGEST_WAIT: Final = 86_400

#: An endpoint that has failed so often in a row and keeps us waiting is left alone for a while,
#: then asked once. One that refuses at once costs next to nothing: each event is tried in time.
OPENS_AFTER: Final = 5
FIRST_REST: Final = 5
LONGEST_REST: Final = 30
#: An endpoint at which nothing arrived for so long is switched off.
GIVEN_UP_AFTER: Final = dt.timedelta(days=5)

#: After so long without a failure the five days begin anew: longer than the longest pause.
SILENCE: Final = dt.timedelta(days=2)

IN_FLIGHT: Final = 4
#: What a merchant's endpoints have in flight together, and besides those that are slow.
OF_A_MERCHANT: Final = 8
SLOW_OF_A_MERCHANT: Final = 4
LEASE: Final = dt.timedelta(seconds=60)
CLAIMS: Final = 3
#: An answer that took longer makes an endpoint slow: it gets one thread, slow ones half of all.
SLOW_SECONDS: Final = 2.0
#: So many quick successes in a row make it a quick one, also one that is new.
QUICK_AFTER: Final = 10

GONE: Final = 410
#: Refusals that are about the moment, not about the message.
COME_AGAIN: Final = frozenset({408, 425, 429})
IT_IS_GONE: Final = "It answered that it is gone for good (410)."
NOTHING_ARRIVED: Final = "Nothing has arrived there for five days."


def is_success(status: int | None) -> bool:
    """Whether an answer says that the event has arrived (S4-62)."""
    return status is not None and 200 <= status <= 299  # noqa: PLR2004


def verdict(status: int | None) -> Verdict:
    """Return what the answer to a tampered test event says of the receiver.

    Only a 4xx is a refusal, but for those that ask us to come again; no answer says nothing.
    """
    if is_success(status):
        return Verdict.TAKEN
    if status is not None and 400 <= status <= 499 and status not in COME_AGAIN:  # noqa: PLR2004
        return Verdict.REFUSED
    return Verdict.UNCLEAR


def wait_seconds(delivery_id: str, tries: int, *, asked: float | None = None) -> float | None:
    """Return how long to wait after the `tries`-th failed try, None when it was the last.

    ± 10 %, following from the delivery, so that a simulation replays exactly. Where the receiver
    `asked` for a longer wait it gets it, up to a day.
    """
    if tries >= TRIES:
        return None
    share = zlib.crc32(f"{delivery_id}:{tries}".encode()) / 0xFFFFFFFF
    plain = PAUSES[tries - 1] * (1 - JITTER + 2 * JITTER * share)
    return max(plain, min(asked or 0.0, LONGEST_WAIT))


def rest_seconds(failures: int, *, took: float) -> float | None:
    """Return how long an endpoint is left alone after so many failures in a row, or None.

    `took` is how long the last of them kept us waiting, in seconds.
    """
    if failures < OPENS_AFTER or took <= SLOW_SECONDS:
        return None
    return float(min(LONGEST_REST, FIRST_REST * 2 ** min(failures - OPENS_AFTER, 10)))


def retry_after(value: str | None, now: dt.datetime) -> float | None:
    """Read a Retry-After header, in seconds or as a date; anything else is as if it were not."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return max(0.0, (aware - now).total_seconds())
