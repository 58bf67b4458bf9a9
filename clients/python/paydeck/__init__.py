"""Paydeck’s client: orders, payments, refunds and all about them, typed and safe to try again."""

from paydeck.client import Paydeck
from paydeck.errors import (
    AnswerUnreadable,
    APIError,
    CardRefused,
    ConnectionFailed,
    IdempotencyRefused,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    PaydeckError,
    RateLimited,
    SignatureWrong,
)
from paydeck.pages import Page
from paydeck.webhook import Webhook
from paydeck.wire import Retries

__all__ = [
    "APIError",
    "AnswerUnreadable",
    "CardRefused",
    "ConnectionFailed",
    "IdempotencyRefused",
    "InvalidRequest",
    "NotAuthenticated",
    "NotFound",
    "NotPermitted",
    "Page",
    "Paydeck",
    "PaydeckError",
    "RateLimited",
    "Retries",
    "SignatureWrong",
    "Webhook",
]
