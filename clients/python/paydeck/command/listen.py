"""`paydeck listen`: events as they happen, signed, to a server that the internet cannot reach.

The place up to which events were forwarded is kept in a file, so that whatever happens while
nobody listens, or while the server is away, is forwarded afterwards, in order.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from paydeck.client import Paydeck
from paydeck.errors import APIError, ConnectionFailed, InvalidRequest, PaydeckError
from paydeck.objects import Event
from paydeck.webhook import Webhook, as_sent

FORWARD_SECONDS: Final = 30.0
WAIT_SECONDS: Final = 20
BEGINNING, NOW = "beginning", "now"
_FIRST_REST, _LONGEST_REST = 1.0, 15.0
_PASSING = frozenset({429, 500, 502, 503, 504})


@dataclass
class Place:
    """Up to where events were forwarded, and what they are signed with; kept in a file."""

    file: Path
    after: str | None = None
    secret: str = ""

    @classmethod
    def at(cls, file: Path) -> Place:
        """Return what a file keeps, or a fresh place; raises PaydeckError for another’s file."""
        if not file.exists():
            return cls(file, secret=new_secret())
        try:
            kept = json.loads(file.read_text())
            return cls(file, after=kept["after"], secret=kept["secret"])
        except (ValueError, KeyError, TypeError) as wrong:
            raise PaydeckError(f"{file} is not a file of paydeck listen.") from wrong

    def save(self) -> None:
        """Keep it; only its owner may read the file, and it is never seen half written."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_name(f"{self.file.name}.new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump({"after": self.after, "secret": self.secret}, out)
        fresh.replace(self.file)


@dataclass(frozen=True)
class Target:
    """Where events are forwarded to, and which; all of them where no names are given."""

    url: str
    names: frozenset[str]
    http: httpx.Client

    def post(self, event: Event, secret: str) -> str:
        """Post an event once, signed now; returns the status and how long it took, as told.

        Raises httpx.RequestError where no answer came.
        """
        body = as_sent(event)
        signed = Webhook(secret).sign(body, message=event["id"], event=event["type"])
        began = time.monotonic()
        answer = self.http.post(self.url, content=body, headers=signed)
        took = round((time.monotonic() - began) * 1000)
        return f"{answer.status_code} in {took} ms"


@dataclass
class Listener:
    """Asks for what comes after the place, and forwards it, oldest first, one after another."""

    client: Paydeck
    target: Target
    place: Place
    say: Callable[[str], None] = lambda line: print(line, flush=True)
    sleep: Callable[[float], None] = time.sleep
    wait: int = WAIT_SECONDS
    _rest: float = field(default=_FIRST_REST, init=False)

    def begin(self, start: str | None) -> None:
        """Choose where to go on: `start`, else where it was left, else what comes from now on."""
        if start not in (None, NOW):
            self.place.after = start
        elif start == NOW or self.place.after is None:
            newest = self.client.events.list(limit=1).data
            self.place.after = newest[0]["id"] if newest else BEGINNING
        self.place.save()
        self.say(f"Forwarding to {self.target.url} what comes after {self.place.after}.")
        self.say(f"Verify with the secret {self.place.secret}")

    def step(self) -> int:
        """Wait for events and forward them; returns how many came. Passing failures are rested."""
        began = time.monotonic()
        try:
            found = self.client.events.after(self.place.after or BEGINNING, wait=self.wait)
        except (APIError, ConnectionFailed) as failed:
            self._pass_over(failed)
            return 0
        for event in found:
            self._forward(event)
            self.place.after = event["id"]
            self.place.save()
        self._rest = _FIRST_REST
        if not found and self.wait and time.monotonic() - began < 1.0:
            self.sleep(_FIRST_REST)  # the server has as many waiting as it takes
        return len(found)

    def _pass_over(self, failed: APIError | ConnectionFailed) -> None:
        if isinstance(failed, InvalidRequest) and failed.code == "cursor_unknown":
            message = f"{self.place.after} is not known there. Begin with --from now or beginning."
            raise PaydeckError(message) from failed
        if isinstance(failed, APIError) and failed.status not in _PASSING:
            raise failed
        self.say(f"No events at the moment ({failed}). Trying again.")
        self._be_patient()

    def _forward(self, event: Event) -> None:
        """Forward one event until anything at all answers."""
        if self.target.names and event["type"] not in self.target.names:
            return
        while True:
            try:
                answered = self.target.post(event, self.place.secret)
            except httpx.RequestError as failed:
                told = str(failed) or type(failed).__name__
                self.say(f"{event['type']}  {event['id']}  no answer ({told}); trying again")
                self._be_patient()
                continue
            self.say(f"{event['type']}  {event['id']}  {answered}")
            self._rest = _FIRST_REST
            return

    def _be_patient(self) -> None:
        self.sleep(self._rest)
        self._rest = min(_LONGEST_REST, self._rest * 2)


def new_secret() -> str:
    """Return a fresh secret to sign with."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def usual_file(whose: str) -> Path:
    """Return where the place is kept for one Paydeck, key and target; the name tells none."""
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    name = hashlib.sha256(whose.encode()).hexdigest()[:16]
    return home / "paydeck" / f"listen-{name}.json"
