"""Nothing secret and no second line gets into a log, whichever library writes it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from webapp.kernel import log

CARD = "4242424242424242"
CANARIES = {
    "a card": CARD,
    "a card in groups": "4242 4242 4242 4242",
    "a card with dashes": "4242-4242-4242-4242",
    "a secret key": "sk_live_abcdef0123456789",
    "the provider's test key": "sk_test_abcdef0123456789",
    "a restricted key": "rk_live_abcdef0123456789",
    "a webhook secret": "whsec_abcdef0123456789",
    "an address": "meera.pillai@people.example",
    "a database password": "postgresql://user:hunter2@db/paydeck",
}


@contextmanager
def served() -> Iterator[None]:
    """Log as a served portal does, and set everything back afterwards."""
    root = logging.getLogger()
    level, handlers, before = root.level, list(root.handlers), structlog.get_config()
    root.handlers[:] = []
    log.configure(level="INFO", as_json=True)
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        structlog.configure(**before)


@pytest.mark.parametrize("name", CANARIES)
def test_a_canary_is_in_no_line(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    canary = CANARIES[name]
    with served():
        logger = structlog.get_logger("test")
        event = f"saw {canary}"
        logger.warning(event, value=canary, inside={"a": [canary, {"b": canary}]})
        logging.getLogger("library").warning("saw %s", canary)
        try:
            raise ValueError(canary)
        except ValueError:
            logger.exception("failed")
            logging.getLogger("library").exception("failed with %s", canary)
    said = capsys.readouterr().err
    assert said.count("\n") == 4, "one event is one line"
    assert log.HIDDEN in said
    for part in (canary, "hunter2", CARD):
        assert part not in said


@pytest.mark.parametrize(
    "field",
    ["password", "new_password", "session_token", "client_secret", "Authorization", "cookie",
     "api_key", "cvc", "card_number", "email", "shopper_email", "phone", "stripe_signature"],
)  # fmt: skip
def test_what_a_secret_field_holds_is_hidden_whatever_it_is(field: str) -> None:
    line = log.redact(None, "info", {field: "x", "inside": {field: "y"}, "path": "/sign-in"})
    assert line == {field: log.HIDDEN, "inside": {field: log.HIDDEN}, "path": "/sign-in"}


@pytest.mark.parametrize("field", ["token_id", "email_id"])
def test_an_id_is_not_a_secret(field: str) -> None:
    assert log.redact(None, "info", {field: "tok_1"}) == {field: "tok_1"}


def test_nobody_forges_a_second_line_or_colours_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = 'ok\n{"event": "payment captured"}\r\x1b[31m'
    with served():
        structlog.get_logger("test").warning("seen", path=forged)
        logging.getLogger("library").warning("seen %s", forged)
    first, second = capsys.readouterr().err.splitlines()
    assert json.loads(first)["path"].startswith("ok\n")
    assert "\\n" in second
    assert "\x1b" not in first + second


def test_lines_carry_the_request_until_it_is_forgotten(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with served():
        log.clear()
        log.bind(request_id="req_1", trace_id=None)
        structlog.get_logger("test").warning("inside")
        log.clear()
        structlog.get_logger("test").warning("outside")
    inside, outside = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert inside["request_id"] == "req_1"
    assert "trace_id" not in inside
    assert "request_id" not in outside
