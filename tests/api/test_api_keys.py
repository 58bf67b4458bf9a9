"""API keys by the API: told once, never wider than who makes them, ended at once."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.api.desk import Program, Shop, a_shop, a_user, nobody
from tests.stories import scalar
from tests.webhooks.hooks import public_names
from webapp.api.aliases.methods import SavedMethod
from webapp.api.caller import MERCHANT_HEADER
from webapp.api.routing import OPERATIONS, Key
from webapp.kernel import clock

ASKED = {"name": "The shop’s server", "scopes": ["orders:write"]}


@pytest.fixture
def shop(app: Flask) -> Shop:
    """A merchant."""
    return a_shop(app)


@pytest.fixture
def owner(app: Flask, shop: Shop) -> Program:
    """Its owner’s program."""
    return a_user(app, shop.owner, **{MERCHANT_HEADER: shop.merchant_id})


def holding(app: Flask, token: str) -> Program:
    """Return a program with a key."""
    return Program(nobody(app).client, token)


@pytest.mark.requirement("S2-79")
def test_a_key_is_told_once_and_works(app: Flask, owner: Program) -> None:
    made = owner.post("/api-keys", ASKED)
    assert made.status_code == 201, made.text
    key = made.get_json()
    assert key["token"].startswith("sk_test_")
    assert (key["scopes"], key["status"], key["kind"]) == (["orders:write"], "works", "secret")
    with_it = holding(app, key["token"])
    assert with_it.get("/orders").status_code == 200
    assert with_it.get("/events").status_code == 403
    got = owner.get(f"/api-keys/{key['id']}").get_json()
    assert "token" not in got
    assert got["last_used_at"] is not None
    (listed,) = owner.get("/api-keys").get_json()["data"]
    assert listed == got


def test_the_answer_that_tells_a_key_is_kept_sealed(owner: Program) -> None:
    key = {"Idempotency-Key": "one-key"}
    first, second = (owner.post("/api-keys", ASKED, **key) for _ in range(2))
    assert first.data == second.data
    token = first.get_json()["token"]
    kept = (
        "SELECT count(*) FROM idempotency_key WHERE position(:token in encode(body, 'escape')) > 0"
    )
    assert scalar(kept, token=token) == 0
    assert scalar("SELECT count(*) FROM idempotency_key WHERE key = 'one-key'") == 1


def test_a_key_makes_none_that_may_do_more_than_itself(shop: Shop) -> None:
    narrow = shop.program(scopes=["api_keys:write", "orders:read"])
    wider = narrow.post("/api-keys", {"name": "wider", "scopes": ["payments:write"]})
    assert (wider.status_code, wider.get_json()["error"]["code"]) == (403, "key_too_wide")
    assert wider.get_json()["error"]["type"] == "permission_error"
    assert narrow.post("/api-keys", {"name": "all"}).status_code == 403
    same = narrow.post("/api-keys", {"name": "same", "scopes": ["orders:read"]})
    assert same.status_code == 201


def test_a_key_that_may_do_less_is_not_told_the_answer_of_one_that_may_do_more(
    shop: Shop,
) -> None:
    key, body = {"Idempotency-Key": "one-key"}, {"name": "server"}
    made = shop.program().post("/api-keys", body, **key)
    narrow = shop.program(scopes=["api_keys:write", "requests:read"])
    asked = narrow.post("/api-keys", body, **key)
    assert (asked.status_code, asked.get_json()["error"]["code"]) == (422, "key_reused")
    assert made.get_json()["token"] not in asked.text


def test_an_answer_that_tells_a_secret_is_given_again_to_whom_it_was_told_alone(
    shop: Shop, owner: Program
) -> None:
    program = shop.program()
    endpoint = {"url": "https://shop.example/hook", "events": ["payment.success"]}
    asked: dict[str, dict[str, Any]] = {
        "/api-keys": {"name": "server"},
        "/webhook-endpoints": endpoint,
    }
    for path, body in asked.items():
        key = {"Idempotency-Key": f"key-of-{path}"}
        with public_names():
            made = program.post(path, body, **key)
        assert made.status_code == 201, made.text
        for other in (shop.program(), owner):
            assert told(other.post(path, body, **key)) == (422, "key_reused")
        assert program.post(path, body, **key).data == made.data


def test_a_key_that_is_being_replaced_is_not_told_its_successor_by_asking_again(
    app: Flask, shop: Shop, owner: Program
) -> None:
    program, key = shop.program(), {"Idempotency-Key": "roll-1"}
    heir = program.post("/api-keys", {"name": "server"}, **{"Idempotency-Key": "make-1"})
    (own,) = (one for one in owner.get("/api-keys").get_json()["data"] if one["name"] == "tests")
    path, body = f"/api-keys/{own['id']}/roll", {"overlap_seconds": 3600}
    rolled = program.post(path, body, **key)
    assert rolled.status_code == 201, rolled.text
    assert told(program.post(path, body, **key)) == (409, "key_ended")
    again = program.post("/api-keys", {"name": "server"}, **{"Idempotency-Key": "make-1"})
    assert told(again) == (409, "key_ended")
    assert heir.get_json()["token"] not in again.text
    assert program.get("/orders").status_code == 200
    assert holding(app, rolled.get_json()["token"]).get("/orders").status_code == 200


def test_a_rolled_key_is_not_told_what_a_person_was_told_by_the_roll(
    shop: Shop, owner: Program
) -> None:
    program, key = shop.program(), {"Idempotency-Key": "roll-1"}
    (own,) = owner.get("/api-keys").get_json()["data"]
    path, body = f"/api-keys/{own['id']}/roll", {"overlap_seconds": 3600}
    rolled = owner.post(path, body, **key)
    assert told(program.post(path, body, **key)) == (422, "key_reused")
    assert owner.post(path, body, **key).data == rolled.data


def test_every_operation_that_tells_a_secret_says_so() -> None:
    assert {one.name for one in OPERATIONS.values() if one.tells_secret} == {
        "create_api_key",
        "create_webhook",
        "create_webhook_endpoint",
        "roll_api_key",
        "roll_webhook_secret",
    }
    for one in OPERATIONS.values():
        if one.key is not Key.NONE and {"secret", "token"} & set(one.gives.model_fields):
            assert one.tells_secret or one.gives is SavedMethod, one.name


def test_a_rolled_key_works_beside_the_new_one_until_the_overlap_is_over(
    app: Flask, owner: Program
) -> None:
    old = owner.post("/api-keys", ASKED).get_json()
    path = f"/api-keys/{old['id']}/roll"
    new = owner.post(path, {"overlap_seconds": 3600}).get_json()
    for token in (old["token"], new["token"]):
        assert holding(app, token).get("/orders").status_code == 200
    again = owner.post(path, {"overlap_seconds": 0})
    assert (again.status_code, again.get_json()["error"]["type"]) == (409, "invalid_request_error")
    swift = owner.post(f"/api-keys/{new['id']}/roll", {"overlap_seconds": 0}).get_json()
    assert holding(app, new["token"]).get("/orders").status_code == 401
    assert holding(app, swift["token"]).get("/orders").status_code == 200


def test_a_revoked_key_opens_nothing_and_stays_listed(app: Flask, owner: Program) -> None:
    key = owner.post("/api-keys", ASKED).get_json()
    for _ in range(2):
        ended = owner.post(f"/api-keys/{key['id']}/revoke")
        assert (ended.status_code, ended.get_json()["status"]) == (200, "revoked")
    assert holding(app, key["token"]).get("/orders").status_code == 401
    assert owner.get("/api-keys").get_json()["data"][0]["status"] == "revoked"


def told(answer: TestResponse) -> tuple[int, str]:
    """Return the status and the code of a refusal."""
    return answer.status_code, answer.get_json()["error"]["code"]


def test_a_key_that_ends_makes_rolls_and_revokes_none_that_lasts_longer(
    app: Flask, owner: Program
) -> None:
    soon = int((clock.now() + dt.timedelta(hours=1)).timestamp())
    brief = owner.post("/api-keys", {"name": "brief", "expires_at": soon}).get_json()
    lasting = owner.post("/api-keys", {"name": "lasting"}).get_json()
    program = holding(app, brief["token"])
    for later in (None, soon + 1):
        made = program.post("/api-keys", {"name": "heir", "expires_at": later})
        assert told(made) == (403, "key_outlives")
    for path in (f"/api-keys/{brief['id']}/roll", f"/api-keys/{lasting['id']}/roll"):
        assert told(program.post(path, {"overlap_seconds": 0})) == (403, "key_outlives")
    assert told(program.post(f"/api-keys/{lasting['id']}/revoke")) == (403, "key_outlives")
    same = program.post("/api-keys", {"name": "same", "expires_at": soon})
    assert (same.status_code, same.get_json()["expires_at"]) == (201, soon)
    assert program.post(f"/api-keys/{same.get_json()['id']}/revoke").status_code == 200
    assert holding(app, lasting["token"]).get("/orders").status_code == 200


def test_a_key_that_is_being_replaced_makes_rolls_and_revokes_no_other(
    app: Flask, owner: Program
) -> None:
    old = owner.post("/api-keys", {"name": "leaked"}).get_json()
    new = owner.post(f"/api-keys/{old['id']}/roll", {"overlap_seconds": 3600}).get_json()
    program = holding(app, old["token"])
    soon = int((clock.now() + dt.timedelta(minutes=1)).timestamp())
    made = program.post("/api-keys", {"name": "heir", "expires_at": soon})
    assert told(made) == (409, "key_ended")
    for act in ("roll", "revoke"):
        body = {"overlap_seconds": 0} if act == "roll" else None
        assert told(program.post(f"/api-keys/{new['id']}/{act}", body)) == (409, "key_ended")
    assert holding(app, new["token"]).get("/orders").status_code == 200
    assert program.post(f"/api-keys/{old['id']}/revoke").status_code == 200


def test_a_key_revokes_none_that_may_do_more_but_always_itself(shop: Shop, owner: Program) -> None:
    wide = owner.post("/api-keys", {"name": "wide"}).get_json()["id"]
    narrow = shop.program(scopes=["api_keys:write"])
    assert told(narrow.post(f"/api-keys/{wide}/revoke")) == (403, "key_too_wide")
    assert owner.get(f"/api-keys/{wide}").get_json()["status"] == "works"
    kept = narrow.get("/api-keys").get_json()["data"]
    itself = next(one["id"] for one in kept if one["scopes"] == ["api_keys:write"])
    assert narrow.post(f"/api-keys/{itself}/revoke").status_code == 200
    assert narrow.get("/api-keys").status_code == 401


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"scopes": ["everything:write"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"kind": "publishable"}, "scopes"),
        ({"name": ""}, "name"),
        ({"name": "4242 4242 4242 4242"}, "name"),
        ({"expires_at": 1}, "expires_at"),
    ],
)
def test_what_a_key_cannot_be_is_named(
    owner: Program, change: dict[str, object], param: str
) -> None:
    answer = owner.post("/api-keys", ASKED | change)
    assert (answer.status_code, answer.get_json()["error"]["param"]) == (400, param)


def test_anothers_key_is_not_there(app: Flask, owner: Program) -> None:
    key = owner.post("/api-keys", ASKED).get_json()["id"]
    stranger = a_shop(app).program()
    assert stranger.get(f"/api-keys/{key}").status_code == 404
    assert stranger.post(f"/api-keys/{key}/revoke").status_code == 404
    assert stranger.post(f"/api-keys/{key}/roll", {}).status_code == 404
    assert owner.get(f"/api-keys/{key}").get_json()["status"] == "works"
