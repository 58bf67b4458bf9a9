"""The guide’s checks of a webhook take genuine deliveries, whatever the secret, and no others."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys

import pytest
from flask import Flask

from paydeck import SignatureWrong, Webhook
from tests.web.merchant.world import Shop, a_shop, paid
from tests.webhooks.hooks import BY, Server, an_endpoint, tell
from tests.webhooks.test_other_verifier import ROOT, node
from webapp import webhooks
from webapp.kernel import db
from webapp.web.merchant.workbench import guide_checks
from webapp.webhooks import Request

GUIDE = "/merchant/developers/guide"
SECRETS = {
    "made by us": None,
    "given, of our form": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "given, not padded": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwTw",
    "as the older contract prints it": "webhook_secret_key",
    "a text that is no base64": "my-own-secret-1234",
    "a text that is base64 too": "bXktb3duLXNlY3JldC0xMjM0",
}
PYTHON_CHECKS = {"any secret": guide_checks.VERIFY, "plain header": guide_checks.VERIFY_PLAIN}
ASK = """
import json, sys
said = []
for told in json.load(sys.stdin):
    said.append(is_ours(told["secret"], told["headers"], told["body"].encode()))
print(json.dumps(said))
"""
BY_LIBRARY = f"""
{guide_checks.LIBRARY_PYTHON}
def is_ours(secret, headers, body):
    try:
        return bool(event_of(secret, headers, body))
    except Exception:
        return False
{ASK}"""
BY_NPM = f"""
{guide_checks.LIBRARY_JAVASCRIPT}
const isOurs = (one) => {{
  try {{ return Boolean(eventOf(one.secret, one.headers, one.body)); }} catch {{ return false; }}
}};
const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(asked.map(isOurs)));
"""


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


def said(program: list[str], asked: list[dict[str, object]]) -> list[bool]:
    """Run a program of the guide on some requests and return what it says of each."""
    done = subprocess.run(
        program, input=json.dumps(asked), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    answers: list[bool] = json.loads(done.stdout)
    return answers


def an_endpoints_secret(shop: Shop, secret: str | None) -> str:
    """Add an endpoint with that secret and return the secret it is shown with."""
    made = an_endpoint(shop.id, secret=secret)
    with db.scoped(shop.scope()):
        return webhooks.reveal_secret(made.id, by=BY)


def sent(shop: Shop) -> Request:
    """Have a payment told to the shop’s endpoint and return what was posted."""
    paid(shop)
    tell()
    server = Server()
    server.drain()
    return server.got[0]


def asked(secret: str, request: Request) -> list[dict[str, object]]:
    """Return a genuine request, then one with another body and one by another secret."""
    body = request.body.decode()
    genuine: dict[str, object] = {"secret": secret, "headers": dict(request.headers), "body": body}
    return [genuine, genuine | {"body": f"{body} "}, genuine | {"secret": "another-secret"}]


@pytest.mark.requirement("S4-25", "S4-60", "S4-61")
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS.keys())
def test_every_check_of_the_guide_takes_ours_and_no_others(shop: Shop, secret: str | None) -> None:
    shown = an_endpoints_secret(shop, secret)
    request = sent(shop)
    for check in PYTHON_CHECKS.values():
        program = [sys.executable, "-c", check + ASK]
        assert said(program, asked(shown, request)) == [True, False, False]
    program = [sys.executable, "-c", BY_LIBRARY]
    assert said(program, asked(shown, request)) == [True, False, False]
    assert Webhook(shown).verify(request.body, request.headers)["object"] == "event"
    with pytest.raises(SignatureWrong):
        Webhook(shown).verify(request.body + b" ", request.headers)


@pytest.mark.requirement("S4-25", "S4-60")
@pytest.mark.parametrize("secret", [None, "webhook_secret_key", "my-own-secret-1234"])
def test_so_does_the_guides_check_with_the_npm_library(shop: Shop, secret: str | None) -> None:
    shown = an_endpoints_secret(shop, secret)
    assert said([node(), "-e", BY_NPM], asked(shown, sent(shop))) == [True, False, False]


def test_the_checks_do_not_break_on_what_is_no_delivery(shop: Shop) -> None:
    nothing: dict[str, object] = {"secret": "webhook_secret_key", "headers": {}, "body": ""}
    odd = {
        "webhook-id": "evt_1",
        "webhook-timestamp": "½",
        "webhook-signature": "é",
        "X-Webhook-Signature": "é",
    }
    for check in PYTHON_CHECKS.values():
        program = [sys.executable, "-c", check + ASK]
        assert said(program, [nothing, nothing | {"headers": odd}]) == [False, False]


def test_while_a_secret_is_rolled_each_header_proves_what_the_guide_says(shop: Shop) -> None:
    made = an_endpoint(shop.id, secret="the-old-secret")
    with db.scoped(shop.scope()):
        _endpoint, fresh = webhooks.roll_secret(made.id, overlap=dt.timedelta(hours=1), by=BY)
    request = sent(shop)
    both = [asked(secret, request)[0] for secret in ("the-old-secret", fresh)]
    assert said([sys.executable, "-c", guide_checks.VERIFY + ASK], both) == [True, True]
    assert said([sys.executable, "-c", guide_checks.VERIFY_PLAIN + ASK], both) == [True, False]


def test_the_guide_shows_them_and_names_what_serves_ones_own_machine(shop: Shop) -> None:
    page = shop.client.page(GUIDE)
    for snippet in (*PYTHON_CHECKS.values(), guide_checks.LIBRARY_PYTHON):
        assert " ".join(snippet.split()) in page.text
    for words in ("paydeck listen", "paydeck trigger", "pip install ./clients/python"):
        assert words in page.text
