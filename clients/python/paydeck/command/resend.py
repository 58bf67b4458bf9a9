"""`paydeck events resend`: an event once more, to where it was sent or to another endpoint."""

from __future__ import annotations

from collections.abc import Callable

from paydeck.client import Paydeck
from paydeck.errors import PaydeckError


def run(
    client: Paydeck, event: str, *, to: str | None = None, say: Callable[[str], None] = print
) -> int:
    """Send it again, once to each endpoint; raises PaydeckError where it was never sent."""
    targets = [to] if to else _endpoints(client, event)
    if not targets:
        raise PaydeckError(f"{event} was sent to no endpoint. Say --to which one.")
    for endpoint in targets:
        fresh = client.events.resend(event, to=endpoint)
        say(f"{event} is on its way to {endpoint} ({fresh['id']}).")
    return 0


def _endpoints(client: Paydeck, event: str) -> list[str]:
    """Return to which endpoints an event was sent, each once, the first one first."""
    deliveries = client.deliveries.list(event=event, limit=100).all()
    return list(dict.fromkeys(reversed([one["endpoint"] for one in deliveries])))
