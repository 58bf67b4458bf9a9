"""How many requests a minute: a hundred from an address without a key, each key its own number.

A publishable key is everybody's, so that each address that sends it has that number for itself.

Counted in Valkey, so that all web processes count together. While it is away each process counts
for itself: requests stay quick, and limits stay.
"""

from __future__ import annotations

import ipaddress
import threading
from dataclasses import dataclass

from flask import Response, g, request

from webapp.api.caller import Caller, settings
from webapp.api.errors import RateLimited
from webapp.kernel import cache, clock

PER_ADDRESS = 100
WINDOW_SECONDS = 60
#: What one subscriber has of IPv6 addresses, to choose among as they like.
IPV6_BITS = 56


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a limit after this request."""

    limit: int
    remaining: int
    reset_seconds: int


class OwnCount:
    """Counts of the present minute in this process, for while Valkey is away."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minute = 0
        self._counts: dict[str, int] = {}

    def add(self, whose: str, minute: int) -> int:
        """Count one more in this minute and return how many there were with it."""
        with self._lock:
            if minute != self._minute:
                self._minute, self._counts = minute, {}
            self._counts[whose] = self._counts.get(whose, 0) + 1
            return self._counts[whose]


_own = OwnCount()


def count(who: Caller | None) -> None:
    """Count this request for its caller, None where nobody is known; raises RateLimited."""
    if who is None or who.kind == "nobody":
        limit, whose = PER_ADDRESS, f"address:{_place()}"
    else:
        limit, whose = settings().api_rate_per_key, f"caller:{who.key_id or who.user_id}"
        whose += "" if who.is_secret else f":{_place()}"
    minute, second = divmod(int(clock.now().timestamp()), WINDOW_SECONDS)
    counted = cache.count(f"rate:{whose}:{minute}", seconds=WINDOW_SECONDS)
    if counted is None:
        counted = _own.add(whose, minute)
    g.standing = Standing(limit, max(0, limit - counted), WINDOW_SECONDS - second)
    if counted > limit:
        raise RateLimited


def _place() -> str:
    """Return from where is asked: the address, or of IPv6 the network that it is chosen from."""
    try:
        address = ipaddress.ip_address((request.remote_addr or "").partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network(f"{address}/{IPV6_BITS}", strict=False))


def tell(response: Response) -> Response:
    """Put on the answer what is left of the limit."""
    standing: Standing | None = g.get("standing")
    if standing is not None:
        response.headers["RateLimit-Limit"] = str(standing.limit)
        response.headers["RateLimit-Remaining"] = str(standing.remaining)
        response.headers["RateLimit-Reset"] = str(standing.reset_seconds)
        if response.status_code == 429:  # noqa: PLR2004 - too many requests
            response.headers.setdefault("Retry-After", str(standing.reset_seconds))
    return response
