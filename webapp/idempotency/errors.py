"""What can be the matter with an idempotency key."""

from __future__ import annotations

from typing import ClassVar

from webapp.kernel.errors import Conflict, Invalid


class KeyMissing(Invalid):
    """A request that changes something came without a key (400)."""

    code = "key_missing"
    says = "Send an Idempotency-Key of your own with this request, so that it can be sent again."


class KeyMalformed(Invalid):
    """The key is not 1 to 255 printable ASCII characters (400)."""

    code = "key_malformed"
    says = "An idempotency key has 1 to 255 printable ASCII characters."


class KeyReused(Invalid):
    """The key was used before with another request (422)."""

    code = "key_reused"
    says = "This key was used before with another request. Nothing was changed; use a new key."


class KeyInUse(Conflict):
    """The first request with this key is still running (409); ask again after a second."""

    code = "key_in_use"
    says = "The same request is still being worked on. Ask again in a second."
    retry_after_seconds: ClassVar[int] = 1
