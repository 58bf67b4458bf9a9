"""Webhooks: proof that a body was sent by Paydeck, as Standard Webhooks has it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from paydeck.errors import SignatureWrong
from paydeck.objects import Event

TOLERANCE_SECONDS: Final = 300
_PREFIX: Final = "whsec_"


class Webhook:
    """Verifies and signs with one endpoint’s secret: `whsec_…`, or a text of your own."""

    def __init__(
        self,
        secret: str,
        *,
        tolerance_seconds: int = TOLERANCE_SECONDS,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._secret = secret
        self._key = _key_of(secret)
        self._tolerance = tolerance_seconds
        self._now = now

    def verify(self, body: bytes | str, headers: Mapping[str, str]) -> Event:
        """Return the event that a request tells; `body` is exactly as it came.

        Raises SignatureWrong unless one of its signatures is by this secret, over this body, and
        not older (or newer) than the tolerance. An event may come twice: keep its id.
        """
        raw = body.encode() if isinstance(body, str) else body
        sent = {name.lower(): text for name, text in headers.items()}
        try:
            message, at = sent["webhook-id"], sent["webhook-timestamp"]
            signatures = sent["webhook-signature"].split()
        except KeyError as missing:
            raise SignatureWrong(f"The header {missing} is missing.") from missing
        self._check_time(at)
        expected = self._signature(message, at, raw)
        if not any(_is_same(expected, one) for one in signatures):
            raise SignatureWrong("None of the signatures is by this secret over this body.")
        try:
            return cast("Event", json.loads(raw))
        except ValueError as wrong:
            raise SignatureWrong("The body is not JSON.") from wrong

    def sign(self, body: bytes, *, message: str, event: str) -> dict[str, str]:
        """Return the headers with which Paydeck would send this body now, for tests of yours."""
        at = str(int(self._now()))
        plain = hmac.new(self._secret.encode(), body, hashlib.sha256).hexdigest()
        return {
            "Content-Type": "application/json",
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": self._signature(message, at, body),
            "X-Webhook-Signature": plain,
            "X-Webhook-Event": event,
        }

    def _signature(self, message: str, at: str, body: bytes) -> str:
        signed = f"{message}.{at}.".encode() + body
        made = hmac.new(self._key, signed, hashlib.sha256).digest()
        return f"v1,{base64.b64encode(made).decode()}"

    def _check_time(self, at: str) -> None:
        if not (at.isascii() and at.isdigit() and len(at) <= 12):  # noqa: PLR2004 - 30,000 years
            raise SignatureWrong("The timestamp is not one.")
        if abs(self._now() - int(at)) > self._tolerance:
            raise SignatureWrong("The timestamp is too far from now.")


def _is_same(expected: str, sent: str) -> bool:
    return hmac.compare_digest(expected.encode(), sent.encode(errors="replace"))


def as_sent(event: Mapping[str, Any]) -> bytes:
    """Return an event’s body in the form in which deliveries carry it."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()


def _key_of(secret: str) -> bytes:
    if not secret.startswith(_PREFIX):
        key = secret.encode()
    else:
        try:
            told = secret.removeprefix(_PREFIX)
            key = base64.b64decode(told + "=" * (-len(told) % 4), validate=True)
        except binascii.Error as wrong:
            raise ValueError("Behind whsec_ stands base64.") from wrong
    if not key:
        raise ValueError("The secret is empty.")
    return key
