"""The client's webhook helper, beside the verifier of Standard Webhooks itself."""

from __future__ import annotations

import base64
import datetime as dt
import json
import time
from typing import Any

import pytest
import standardwebhooks

from paydeck import SignatureWrong, Webhook
from paydeck.webhook import as_sent

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()
EVENT: Any = {"id": "evt_1", "type": "payment.success", "data": {"object": {"words": "Tea – ₹5"}}}
BODY = as_sent(EVENT)
NOW = 1_763_717_400


def by_standard(secret: str, at: int = NOW, body: bytes = BODY) -> dict[str, str]:
    """Return headers as Standard Webhooks' own package signs them."""
    moment = dt.datetime.fromtimestamp(at, dt.UTC)
    signed = standardwebhooks.Webhook(secret).sign("evt_1", moment, body.decode())
    return {"webhook-id": "evt_1", "webhook-timestamp": str(at), "webhook-signature": signed}


def ours(secret: str = SECRET) -> Webhook:
    return Webhook(secret, now=lambda: NOW)


def test_what_standard_webhooks_signs_is_believed_and_the_other_way_round() -> None:
    assert ours().verify(BODY, by_standard(SECRET)) == EVENT
    assert ours().verify(BODY.decode(), by_standard(SECRET)) == EVENT
    signed = Webhook(SECRET).sign(BODY, message="evt_1", event="payment.success")
    assert standardwebhooks.Webhook(SECRET).verify(BODY, signed) == EVENT
    assert Webhook(SECRET).verify(BODY, signed) == EVENT


def test_both_refuse_what_was_changed() -> None:
    at = int(time.time())
    headers = by_standard(SECRET, at)
    changes = {
        "body": (BODY.replace(b"success", b"failed"), headers),
        "id": (BODY, headers | {"webhook-id": "evt_2"}),
        "time": (BODY, headers | {"webhook-timestamp": str(at - 1)}),
        "signature": (BODY, headers | {"webhook-signature": "v1," + "A" * 43 + "="}),
        "kind": (BODY, headers | {"webhook-signature": "v2" + headers["webhook-signature"][2:]}),
        "key": (BODY, by_standard(OTHER, at)),
    }
    for body, sent in changes.values():
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(SECRET).verify(body, sent)
        with pytest.raises(SignatureWrong):
            Webhook(SECRET).verify(body, sent)


@pytest.mark.parametrize("away", [-301, 301])
def test_what_is_too_old_or_from_the_future_is_refused(away: int) -> None:
    with pytest.raises(SignatureWrong, match="too far"):
        ours().verify(BODY, by_standard(SECRET, NOW + away))
    edge = NOW + (300 if away > 0 else -300)
    assert ours().verify(BODY, by_standard(SECRET, edge)) == EVENT


def test_one_of_several_signatures_is_enough_while_a_secret_is_rolled() -> None:
    old, new = by_standard(SECRET), by_standard(OTHER)
    both = f"v2,abc {new['webhook-signature']} {old['webhook-signature']}"
    rolled = old | {"webhook-signature": both}
    assert ours(SECRET).verify(BODY, rolled) == EVENT
    assert ours(OTHER).verify(BODY, rolled) == EVENT


def test_headers_are_found_in_any_case_and_missed_by_name() -> None:
    titled = {name.title(): text for name, text in by_standard(SECRET).items()}
    assert ours().verify(BODY, titled) == EVENT
    for name in by_standard(SECRET):
        left = {one: text for one, text in by_standard(SECRET).items() if one != name}
        with pytest.raises(SignatureWrong, match=name):
            ours().verify(BODY, left)


@pytest.mark.parametrize("at", ["", "-5", "1e9", "½", "9" * 400, "nan"])
def test_a_timestamp_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(SignatureWrong, match="timestamp"):
        ours().verify(BODY, by_standard(SECRET) | {"webhook-timestamp": at})


def test_a_text_of_ones_own_is_the_key_itself() -> None:
    plain = "a-plain-secret-of-ours"
    as_standard = "whsec_" + base64.b64encode(plain.encode()).decode()
    assert ours(plain).verify(BODY, by_standard(as_standard)) == EVENT


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_*"])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match=r"secret|base64"):
        Webhook(secret)


def test_a_signed_body_that_is_no_json_is_refused() -> None:
    with pytest.raises(SignatureWrong, match="JSON"):
        ours().verify(b"tea", by_standard(SECRET, body=b"tea"))


def test_a_body_is_sent_as_the_portal_sends_it() -> None:
    assert json.loads(BODY) == EVENT
    assert b"\xe2\x82\xb9" in BODY
    assert b'": ' not in BODY
