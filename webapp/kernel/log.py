"""Structured logs: one JSON object a line, with request and trace id, and nothing secret in it."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from webapp.kernel.crypto import without_card_numbers

HIDDEN = "[hidden]"
_PLAIN = logging.Formatter()
_SECRET_NAMES = re.compile(
    r"pass|secret|token|authorization|cookie|api_key|cvc|cvv|card_number|email|phone|signature",
    re.IGNORECASE,
)
_SECRET_VALUES = re.compile(
    # An address begins where its first letter does, so that long texts are read through once.
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"
    r"|(sk|rk|whsec|pk)_(live|test)?_?[A-Za-z0-9_+/=-]{8,}|(?<=://)[^/@\s:]*:[^/@\s]*(?=@)"
)


def configure(*, level: str, as_json: bool) -> None:
    """Set up logging of the process to standard error."""
    renderer: Any = (
        structlog.processors.JSONRenderer(sort_keys=True)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(name)s %(message)s")
    for handler in logging.getLogger().handlers:
        handler.addFilter(_redact_record)


def bind(**facts: str | None) -> None:
    """Put facts such as request_id and trace_id on every later line of this context."""
    structlog.contextvars.bind_contextvars(**{k: v for k, v in facts.items() if v is not None})


def clear() -> None:
    """Forget the facts of this context."""
    structlog.contextvars.clear_contextvars()


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets, card numbers and addresses, by name and by shape; one line stays one."""
    for name, value in line.items():
        if _SECRET_NAMES.search(name) and not name.endswith("_id"):
            line[name] = HIDDEN
        else:
            line[name] = _clean(value)
    return line


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {k: HIDDEN if _SECRET_NAMES.search(str(k)) else _clean(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(one) for one in value]
    return value


def clean_text(text: str) -> str:
    """Return `text` without secrets, addresses and card numbers, and escapes made harmless.

    In a time that grows with its length alone, whatever it is.
    """
    text = without_card_numbers(_SECRET_VALUES.sub(HIDDEN, text), HIDDEN)
    return text.replace("\x1b", "\\x1b")


def _redact_record(record: logging.LogRecord) -> bool:
    record.msg = clean_text(record.getMessage()).replace("\r", "\\r").replace("\n", "\\n")
    record.args = ()
    if record.exc_info:
        cause = _PLAIN.formatException(record.exc_info)
        record.exc_info, record.exc_text = None, None
        record.msg += " " + clean_text(cause).replace("\r", "\\r").replace("\n", "\\n")
    return True
