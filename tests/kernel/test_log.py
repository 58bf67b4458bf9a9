"""Nothing secret and no second line gets into a log, whichever library writes it."""

from __future__ import annotations

import json
import logging
import time
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


@pytest.mark.parametrize("text", ["a" * 64_000, "4 " * 32_000, "4" * 64_000, "a@" * 32_000])
def test_a_long_text_is_cleaned_in_a_time_that_grows_with_its_length_alone(text: str) -> None:
    """Measured as a ratio in one run: half the text takes about half the time, not a quarter."""
    half = min(_seconds(text[: len(text) // 2]) for _ in range(5))
    whole = min(_seconds(text) for _ in range(5))
    assert whole < 3 * half + 0.002


def test_a_key_is_hidden_whatever_letters_it_has() -> None:
    assert log.clean_text("used sk_test_ab_c-defghij0123 here") == "used [hidden] here"


def _seconds(text: str) -> float:
    began = time.process_time()
    log.clean_text(text)
    return time.process_time() - began
