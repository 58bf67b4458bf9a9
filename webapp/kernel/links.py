"""Links that prove what they name: parts in the open with a keyed hash, for one purpose only."""

from __future__ import annotations

import base64
import binascii
import hmac

from webapp.kernel import crypto
from webapp.kernel.errors import NotFound

_BETWEEN = "."


def signed(purpose: str, *parts: str) -> str:
    """Return a URL-safe text that `opened` with the same purpose turns back into `parts`."""
    body = base64.urlsafe_b64encode("\n".join(parts).encode()).decode().rstrip("=")
    return f"{body}{_BETWEEN}{_proof(purpose, body)}"


def opened(purpose: str, link: str) -> tuple[str, ...]:
    """Return the parts of a signed text; raises NotFound when it was not signed by us for this."""
    body, _, proof = link.rpartition(_BETWEEN)
    if not body or not hmac.compare_digest(proof.encode(), _proof(purpose, body).encode()):
        raise NotFound
    try:
        return tuple(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode().split("\n"))
    except (binascii.Error, UnicodeDecodeError) as wrong:
        raise NotFound from wrong


def _proof(purpose: str, body: str) -> str:
    return crypto.blind_index(body, purpose=f"link:{purpose}")[:40]
