"""What programs asked of the API and were answered, kept for thirty days, without its secrets."""

from webapp.api_log.errors import RequestNotFound
from webapp.api_log.masking import HIDDEN, masked_body, masked_query
from webapp.api_log.models import ApiRequest
from webapp.api_log.queries import RequestFilter, request_of, requests_of
from webapp.api_log.service import KEPT_DAYS, Asked, Told, note, sweep

__all__ = [
    "HIDDEN",
    "KEPT_DAYS",
    "ApiRequest",
    "Asked",
    "RequestFilter",
    "RequestNotFound",
    "Told",
    "masked_body",
    "masked_query",
    "note",
    "request_of",
    "requests_of",
    "sweep",
]
