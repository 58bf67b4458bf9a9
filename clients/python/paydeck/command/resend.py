"""`paydeck events resend`: an event, or all of a stretch of time, once more.

To where it was sent, to one endpoint, or to a server that the internet cannot reach.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from paydeck.client import Paydeck
from paydeck.command.listen import Target
from paydeck.errors import PaydeckError
from paydeck.objects import Event

Say = Callable[[str], None]


@dataclass(frozen=True)
class Span:
    """From one moment up to another, in Unix seconds; the second is not included."""

    since: int
    until: int

    @classmethod
    def typed(cls, since: int | None, until: int | None) -> Span | None:
        """Return the span of what was typed, up to now where no end was; None for nothing."""
        if since is None and until is None:
            return None
        if since is None:
            raise PaydeckError("Say --since when the stretch of time begins.")
        return cls(since, int(time.time()) + 1 if until is None else until)


def run(client: Paydeck, event: str, *, to: str | None = None, say: Say = print) -> int:
    """Send it again, once to each endpoint; raises PaydeckError where it was never sent."""
    targets = [to] if to else _endpoints(client, event)
    if not targets:
        raise PaydeckError(f"{event} was sent to no endpoint. Say --to which one.")
    for endpoint in targets:
        fresh = client.events.resend(event, to=endpoint)
        say(f"{event} is on its way to {endpoint} ({fresh['id']}).")
    return 0


def run_span(client: Paydeck, span: Span, *, to: str, say: Say = print) -> int:
    """Send an endpoint everything of that time that it chose, whether it arrived or not."""
    sent = client.webhook_endpoints.resend(
        to, since=span.since, until=span.until, only_failed=False
    )
    say(f"{sent['count']} on their way to {to}.")
    return 0


def forward(
    client: Paydeck, asked: str | Span, *, target: Target, secret: str, say: Say = print
) -> int:
    """Post it to the target from here, oldest first, signed with the secret, each once.

    Returns 0 where every answer was 2xx, else 1; raises PaydeckError where none came.
    """
    found = [client.events.get(asked)] if isinstance(asked, str) else _events(client, asked)
    if not found:
        say("Nothing happened then.")
    refused = 0
    for event in found:
        try:
            answered = target.post(event, secret)
        except httpx.RequestError as failed:
            told = str(failed) or type(failed).__name__
            raise PaydeckError(f"{event['id']}: no answer from {target.url} ({told}).") from failed
        say(f"{event['type']}  {event['id']}  {answered}")
        refused += not answered.startswith("2")
    return 1 if refused else 0


def _events(client: Paydeck, span: Span) -> Sequence[Event]:
    """Return what happened then, oldest first."""
    page = client.events.list(created_gte=span.since, created_lte=span.until - 1, limit=100)
    return list(page.all())[::-1]


def _endpoints(client: Paydeck, event: str) -> list[str]:
    """Return to which endpoints an event was sent, each once, the first one first."""
    deliveries = client.deliveries.list(event=event, limit=100).all()
    return list(dict.fromkeys(reversed([one["endpoint"] for one in deliveries])))
