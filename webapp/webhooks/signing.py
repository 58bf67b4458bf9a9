"""Secrets of endpoints, sealed at rest, and the headers that prove a body to be ours.

A secret that begins with `whsec_` holds the key in base64, as Standard Webhooks has it; any other
that a merchant gives is the key itself, as written.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from typing import Final

from standardwebhooks import Webhook

from webapp.kernel import clock, crypto, ids
from webapp.webhooks.errors import BadSecret
from webapp.webhooks.models import Endpoint

PREFIX: Final = "whsec_"
_GIVEN = re.compile(r"[!-~]{12,200}")
_LEAST_BYTES, _MOST_BYTES = 24, 64
AGENT: Final = "Paydeck-Webhooks/1"


def new_secret() -> str:
    """Return a fresh secret: `whsec_` and 32 random bytes in base64."""
    key = base64.urlsafe_b64decode(ids.secret_token() + "=")
    return PREFIX + base64.b64encode(key).decode()


def checked_secret(given: str | None) -> str:
    """Return the secret that was given, or a fresh one for None; raises BadSecret."""
    if given is None:
        return new_secret()
    if not _GIVEN.fullmatch(given):
        raise BadSecret(param="secret")
    if given.startswith(PREFIX):
        key_of(given)
    return given


def key_of(secret: str) -> bytes:
    """Return the signing key that a secret stands for; raises BadSecret."""
    if not secret.startswith(PREFIX):
        return secret.encode()
    body = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError) as wrong:
        raise BadSecret(param="secret") from wrong
    if not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise BadSecret(param="secret")
    return key


def sealed(endpoint_id: str, secret: str) -> str:
    """Return a secret sealed for its endpoint."""
    return crypto.seal(secret, context=f"webhook_endpoint:secret:{endpoint_id}")


def secret_of(endpoint: Endpoint) -> str:
    """Return an endpoint's present secret in the clear; showing it to people is audited."""
    return _opened(endpoint, endpoint.secret_sealed)


def secrets_of(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the secrets that sign now, the present one first and one that is ending last."""
    now = clock.now()
    present = secret_of(endpoint)
    if endpoint.old_secret_sealed and endpoint.old_secret_until and now < endpoint.old_secret_until:
        return present, _opened(endpoint, endpoint.old_secret_sealed)
    return (present,)


def _opened(endpoint: Endpoint, text: str) -> str:
    return crypto.unseal(text, context=f"webhook_endpoint:secret:{endpoint.id}")


def other_body(body: str) -> str:
    """Return a body that differs from `body`, for a signature that is right but does not fit."""
    return f"{body} "


def headers(
    body: str, *, event_id: str, name: str, signers: tuple[str, ...], at: dt.datetime
) -> dict[str, str]:
    """Return the headers of one try: a fresh timestamp, one signature for each secret.

    `X-Webhook-Signature` is the body's HMAC-SHA256 in hex under a secret as written. It holds one
    signature alone: the old secret's until that has ended, so that who only knows it goes on.
    """
    signed = " ".join(
        Webhook(key_of(secret)).sign(msg_id=event_id, timestamp=at, data=body) for secret in signers
    )
    plain = hmac.new(signers[-1].encode(), body.encode(), hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signed,
        "X-Webhook-Signature": plain,
        "X-Webhook-Event": name,
    }
