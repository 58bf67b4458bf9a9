"""Requests as older contracts printed them: with the headers that they name, and no others."""

from __future__ import annotations

import json
from typing import Any

from tests.api.desk import Program
from webapp.kernel import db


def bare(program: Program, path: str, body: object, **headers: str) -> Any:
    """Send a request as it was printed: no Idempotency-Key unless it is one of the headers."""
    sent = {"Authorization": f"Bearer {program.token}"} if program.token else {}
    db.end_reads()
    text = body if isinstance(body, str) else json.dumps(body)
    return program.client.post(
        path, data=text, content_type="application/json", headers={**sent, **headers}
    )


def refused(answer: Any) -> tuple[int, str, str | None]:
    """Return an error's status, code and field."""
    error = answer.get_json()["error"]
    return answer.status_code, error["code"], error["param"]
