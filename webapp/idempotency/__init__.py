"""Remembered answers: a request sent twice with one key has one effect and one answer."""

from webapp.idempotency.errors import KeyInUse, KeyMalformed, KeyMissing, KeyReused
from webapp.idempotency.keys import check_key, request_hash
from webapp.idempotency.models import Remembered
from webapp.idempotency.service import Answer, Refused, once, sweep

__all__ = [
    "Answer",
    "KeyInUse",
    "KeyMalformed",
    "KeyMissing",
    "KeyReused",
    "Refused",
    "Remembered",
    "check_key",
    "once",
    "request_hash",
    "sweep",
]
