"""The wire to a provider: 3 s to connect, 20 s in all, no redirect, no retry, and honest errors.

An error says which of two things it is: surely nothing was sent, or nobody knows.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping

import stripe
import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationValueError,
    NewConnectionError,
    ReadTimeoutError,
)

from webapp.gateway.errors import UnknownOutcome, Unreachable

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 20.0
MAX_BODY = 4 * 1024 * 1024
POOL_SIZE = 16
_CHUNK = 64 * 1024


class Transport(stripe.HTTPClient):
    """Carries the SDK's requests; raises Unreachable or UnknownOutcome instead of its errors."""

    name = "paydeck"

    def __init__(self, *, total_seconds: float = TOTAL_SECONDS) -> None:
        super().__init__()
        self._total = total_seconds
        self._pool = urllib3.PoolManager(
            maxsize=POOL_SIZE, retries=False, ca_certs=stripe.ca_bundle_path
        )

    def request(  # type: ignore[override]
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: str | bytes | None = None,
        **_more: object,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Return body, status and headers of one exchange.

        The body is bytes, as from the SDK's own clients, which their base's annotation denies.
        """
        ends = time.monotonic() + self._total
        try:
            answer = self._pool.request(
                method.upper(),
                url,
                headers=dict(headers or {}),
                body=post_data,
                redirect=False,
                preload_content=False,
                timeout=urllib3.Timeout(connect=CONNECT_SECONDS, total=self._total),
            )
            try:
                body = _read(answer, ends)
            except BaseException:
                answer.close()
                raise
            answer.release_conn()
        except (HTTPError, OSError) as wrong:
            raise _translated(wrong) from wrong
        return body, answer.status, answer.headers

    def close(self) -> None:
        """Let go of idle connections."""
        self._pool.clear()


def _read(answer: urllib3.BaseHTTPResponse, ends: float) -> bytes:
    """Read the body piece by piece, so that a dripping one cannot hold us past the deadline."""
    pieces: list[bytes] = []
    size = 0
    while piece := answer.read1(_CHUNK):
        size += len(piece)
        if size > MAX_BODY:
            raise UnknownOutcome("answer_too_long", "the provider's answer has no end")
        if time.monotonic() > ends:
            raise UnknownOutcome("timeout", "the provider's answer took too long")
        pieces.append(piece)
    return b"".join(pieces)


def _translated(wrong: Exception) -> Unreachable | UnknownOutcome:
    """Say whether the request can have reached the provider."""
    if isinstance(wrong, NewConnectionError | ConnectTimeoutError | LocationValueError):
        return Unreachable("no_connection", str(wrong))
    if isinstance(_innermost(wrong), ssl.SSLCertVerificationError):
        return Unreachable("certificate_refused", str(wrong))
    if isinstance(wrong, ReadTimeoutError | TimeoutError):
        return UnknownOutcome("timeout", str(wrong))
    return UnknownOutcome("connection_lost", str(wrong))


def _innermost(wrong: BaseException) -> BaseException:
    while wrong.args and isinstance(wrong.args[0], BaseException):
        wrong = wrong.args[0]
    return wrong
