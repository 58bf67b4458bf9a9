"""What each of Stripe's errors means for our money."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import stripe
import structlog

from webapp.gateway.errors import NeedsPerson, Refused, UnknownOutcome, Unreachable

T = TypeVar("T")
_log = structlog.get_logger(__name__)
CONFLICT, SERVER_ERROR = 409, 500


class CardRefused(Refused):
    """A card error: Stripe's error object travels with it."""

    def __init__(self, error: Mapping[str, Any]) -> None:
        self.error = error
        super().__init__(error.get("code") or "card_declined", error.get("message") or "")


def ask(call: Callable[[], T]) -> T:
    """Make a call; its errors become ours, each saying what it means for our money."""
    try:
        return call()
    except stripe.CardError as declined:
        raise CardRefused(_error_of(declined)) from declined
    except stripe.IdempotencyError as wrong:
        _log.error("provider_key_reused", error=str(wrong))
        raise NeedsPerson("idempotency_error", str(wrong)) from wrong
    except stripe.InvalidRequestError as wrong:
        raise _refused(wrong) from wrong
    except stripe.RateLimitError as wrong:
        raise Unreachable("rate_limited", str(wrong)) from wrong
    except (stripe.AuthenticationError, stripe.PermissionError) as wrong:
        _log.error("provider_refuses_our_key", status=wrong.http_status)
        raise Unreachable("our_key_refused", str(wrong)) from wrong
    except stripe.StripeError as wrong:
        raise _unknown(wrong) from wrong


def _refused(wrong: stripe.InvalidRequestError) -> Refused:
    error = _error_of(wrong)
    code = error.get("code") or "invalid_request"
    if code == "resource_missing":
        is_method = error.get("param") == "payment_method"
        code = "payment_method_unknown" if is_method else "not_found"
    return Refused(code, error.get("message") or "")


def _unknown(wrong: stripe.StripeError) -> UnknownOutcome:
    status = wrong.http_status or 0
    if status == CONFLICT:
        return UnknownOutcome("key_in_use", str(wrong))
    code = "provider_error" if status >= SERVER_ERROR else "unreadable_answer"
    return UnknownOutcome(code, str(wrong))


def _error_of(wrong: stripe.StripeError) -> Mapping[str, Any]:
    body = wrong.json_body
    error = body.get("error") if isinstance(body, Mapping) else None
    return error if isinstance(error, Mapping) else {}
