"""Pages of other origins may call what a publishable key opens, and nothing else.

No cookie is ever taken here, so any origin may ask; the key says for which merchant.
"""

from __future__ import annotations

from flask import Response, request

from webapp import accounts
from webapp.api.routing import Operation, operations_at

TOLD = (
    "Request-Id, Paydeck-Version, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset,"
    " Retry-After, Idempotent-Replayed, Original-Request"
)
TAKEN = "Authorization, Content-Type, Idempotency-Key, Paydeck-Version"
DAY_SECONDS = 86_400


def open_to_pages(operation: Operation) -> bool:
    """Whether pages of other origins may call the operation."""
    asks = operation.needs
    return asks.scope in accounts.PUBLISHABLE_SCOPES and not asks.secret


def allow(response: Response) -> Response:
    """Put on the answer what browsers ask for, where pages of other origins may call."""
    if "Origin" not in request.headers:
        return response
    methods = [one.method for one in operations_at(request.url_rule) if open_to_pages(one)]
    if not methods:
        return response
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = TOLD
    if request.method == "OPTIONS":
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = TAKEN
        response.headers["Access-Control-Max-Age"] = str(DAY_SECONDS)
    return response
