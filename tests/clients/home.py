"""A server at home, where `paydeck` posts events to."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import httpx

from paydeck import Paydeck
from paydeck.command.listen import Listener, Place, Target
from tests.webhooks.hooks import tell

HOOK = "http://localhost:4242/hook"


class Home:
    """A server at home: it answers 200, or what `answers` says first, and keeps what came."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.got: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Keep and answer."""
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        self.got.append(request)
        return httpx.Response(answer)

    @property
    def events(self) -> list[str]:
        """The names of the events that came."""
        return [json.loads(one.content)["type"] for one in self.got]


def listener(
    client: Paydeck, home: Home, file: Path, *names: str, **more: Callable[..., None]
) -> Listener:
    """Return a listener that waits for nothing and says nothing, unless told to."""
    http = httpx.Client(transport=httpx.MockTransport(home))
    quiet: dict[str, Callable[..., None]] = {"say": lambda _l: None, "sleep": lambda _s: None}
    target = Target(HOOK, frozenset(names), http)
    return Listener(client, target, Place.at(file), wait=0, **(quiet | more))


def an_order(client: Paydeck) -> str:
    """Make an order, of which the portal has told its webhooks."""
    made = client.orders.create(amount=50_000, currency="INR")
    tell()
    return made["id"]
