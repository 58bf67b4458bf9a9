"""What the front has refused is told by the API as it tells all refusals."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.desk import a_shop
from tests.api.test_protocol import error_of
from webapp.front import REFUSED


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "request_malformed"),
        (408, "body_too_slow"),
        (413, "body_too_large"),
        (503, "unavailable"),
    ],
)
def test_what_the_front_has_refused_is_told_in_the_envelope(
    app: Flask, status: int, code: str
) -> None:
    program = a_shop(app).program()
    answer = program.ask("POST", "/orders", environ_overrides={REFUSED: status})
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)
