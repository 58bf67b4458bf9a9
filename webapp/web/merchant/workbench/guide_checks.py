"""The guide's snippets that check a webhook: they take an endpoint's secret of either kind.

A secret that begins with `whsec_` holds the key in base64; any other is the key as it is written.
"""

from __future__ import annotations

from typing import Final

VERIFY: Final = '''import base64, hashlib, hmac, time

def key_of(secret: str) -> bytes:
    """A secret of ours (whsec_) holds its key in base64; one of your own is the key as written."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    told = secret.removeprefix("whsec_")
    return base64.b64decode(told + "=" * (-len(told) % 4))

def is_ours(secret: str, headers: dict, body: bytes) -> bool:
    """Whether Paydeck sent this body; give the body as it came, before it is parsed."""
    sent = {name.lower(): text for name, text in headers.items()}
    event, sent_at = sent.get("webhook-id", ""), sent.get("webhook-timestamp", "")
    if not sent_at.isdecimal() or abs(time.time() - int(sent_at)) > 300:
        return False
    signed = f"{event}.{sent_at}.".encode() + body
    right = base64.b64encode(hmac.new(key_of(secret), signed, hashlib.sha256).digest())
    given = sent.get("webhook-signature", "").split()
    return any(hmac.compare_digest(b"v1," + right, one.encode()) for one in given)
'''

VERIFY_PLAIN: Final = '''import hashlib, hmac

def is_ours(secret: str, headers: dict, body: bytes) -> bool:
    """Whether the body was signed with the secret as written; this does not tell when."""
    sent = {name.lower(): text for name, text in headers.items()}
    right = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(right.encode(), sent.get("x-webhook-signature", "").encode())
'''

LIBRARY_PYTHON: Final = '''from standardwebhooks import Webhook  # pip install standardwebhooks

def event_of(secret: str, headers: dict, body: bytes) -> dict:
    """What Paydeck sent; raises WebhookVerificationError for what it did not send."""
    key = secret if secret.startswith("whsec_") else secret.encode()  # your own: its bytes
    return Webhook(key).verify(body, headers)
'''

LIBRARY_JAVASCRIPT: Final = """// npm install standardwebhooks
const { Webhook } = require("standardwebhooks");

// What Paydeck sent; throws for what it did not send. The body is a text, as it came.
function eventOf(secret, headers, body) {
  const ours = secret.startsWith("whsec_");
  return new Webhook(secret, ours ? undefined : { format: "raw" }).verify(body, headers);
}
"""
