"""The Python client: when it tries again, with what key, what it refuses, what it raises."""

from __future__ import annotations

import json

import httpx
import pytest

from paydeck import (
    AnswerUnreadable,
    APIError,
    CardRefused,
    ConnectionFailed,
    IdempotencyRefused,
    InvalidRequest,
    NotAuthenticated,
    NotFound,
    NotPermitted,
    Paydeck,
    RateLimited,
)
from paydeck.fields import NewOrder
from tests.clients.desk import KEY, Script, fine, refused

PRICE: NewOrder = {"amount": 50_000, "currency": "INR"}


def keys(script: Script) -> set[str]:
    return {asked.headers["Idempotency-Key"] for asked in script.asked}


@pytest.mark.parametrize(
    "first",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        refused(409, "key_in_use", **{"Retry-After": "1"}),
        refused(429, "rate_limited", **{"Retry-After": "7"}),
        refused(500, "fault"),
        refused(503, "unavailable", **{"Retry-After": "2"}),
        httpx.Response(502, text="<html>"),
    ],
)
def test_what_may_pass_is_tried_again_with_the_same_key(first: httpx.Response | Exception) -> None:
    script = Script(first, refused(503, "unavailable"), fine(id="ord_1"))
    assert script.client().orders.create(**PRICE)["id"] == "ord_1"
    assert len(script.asked) == 3
    assert len(keys(script)) == 1
    assert len({asked.content for asked in script.asked}) == 1


def test_a_retry_after_is_honoured_and_other_waits_grow() -> None:
    script = Script(
        refused(500, "fault"),
        refused(429, "rate_limited", **{"Retry-After": "7"}),
        httpx.ConnectError("refused"),
        fine(id="ord_1"),
    )
    script.client().orders.create(**PRICE)
    assert script.waits == [0.5, 7.0, 2.0]


def test_a_wait_longer_than_one_is_ready_for_is_told_instead() -> None:
    script = Script(refused(429, "rate_limited", **{"Retry-After": "3600"}))
    with pytest.raises(RateLimited) as told:
        script.client().orders.get("ord_1")
    assert told.value.retry_after == 3600
    assert script.waits == []


@pytest.mark.parametrize("failed", [httpx.ConnectError("refused"), httpx.ReadTimeout("")])
def test_trying_ends_after_four_more_times(failed: httpx.TransportError) -> None:
    script = Script(*[failed] * 5)
    with pytest.raises(ConnectionFailed, match=str(failed) or "ReadTimeout"):
        script.client().orders.create(**PRICE)
    assert (len(script.asked), len(script.waits)) == (5, 4)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "parameter_invalid", InvalidRequest),
        (404, "order_not_found", NotFound),
        (409, "order_is_paid", InvalidRequest),
        (401, "credentials_wrong", NotAuthenticated),
        (402, "card_declined", CardRefused),
        (403, "scope_missing", NotPermitted),
        (422, "key_reused", IdempotencyRefused),
    ],
)
def test_what_lasts_is_raised_at_once_by_its_type(
    status: int, code: str, kind: type[APIError]
) -> None:
    script = Script(refused(status, code))
    with pytest.raises(kind) as told:
        script.client().orders.create(**PRICE)
    error = told.value
    assert type(error) is kind
    assert (error.status, error.code, error.param) == (status, code, "amount")
    assert error.request_id == "req_1"
    assert (len(script.asked), script.waits) == (1, [])


def test_a_key_of_ones_own_is_sent_and_is_no_field_of_the_body() -> None:
    script = Script(fine(id="ord_1"), fine(id="ord_1"))
    client = script.client()
    client.orders.create(amount=50_000, currency="INR", idempotency_key="basket-7731")
    client.orders.cancel("ord_1", idempotency_key="cancel-7731")
    assert [one.headers["Idempotency-Key"] for one in script.asked] == [
        "basket-7731",
        "cancel-7731",
    ]
    assert json.loads(script.asked[0].content) == PRICE
    assert script.asked[1].content == b""


def test_each_call_has_a_key_of_its_own_and_reads_have_none() -> None:
    script = Script(fine(id="ord_1"), fine(id="ord_2"), fine(id="ord_1"))
    client = script.client()
    client.orders.create(**PRICE)
    client.orders.create(**PRICE)
    client.orders.get("ord_1")
    made, again, read = (one.headers.get("Idempotency-Key") for one in script.asked)
    assert made
    assert again
    assert made != again
    assert read is None


def test_a_redirect_is_never_followed_with_the_key() -> None:
    script = Script(httpx.Response(307, headers={"Location": "https://elsewhere.example/"}))
    with pytest.raises(AnswerUnreadable, match="307"):
        script.client().orders.create(**PRICE)
    assert [one.url.host for one in script.asked] == ["pay.example.com"]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(204),
        httpx.DecodingError("not gzip"),
    ],
)
def test_what_is_no_object_of_json_is_not_taken_for_an_answer(
    answer: httpx.Response | Exception,
) -> None:
    with pytest.raises(AnswerUnreadable):
        Script(answer).client().orders.get("ord_1")


@pytest.mark.parametrize(
    "base_url",
    [
        "http://pay.example.com",
        "http://127.0.0.1.example.com",
        "ftp://localhost",
        "pay.example.com",
        "https://user:word@pay.example.com",
        "https://pay.example.com?to=there",
        "",
    ],
)
def test_a_key_is_not_sent_in_the_clear_or_to_what_is_no_address(
    base_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYDECK_BASE_URL", "http://pay.example.com")
    with pytest.raises(ValueError, match="base_url"):
        Paydeck(KEY, base_url)


@pytest.mark.parametrize(
    "base_url",
    ["https://pay.example.com", "http://localhost:8000", "http://127.0.0.1:8000", "http://[::1]:1"],
)
def test_https_and_this_machine_are_fine(base_url: str) -> None:
    Paydeck(KEY, base_url).close()


def test_without_a_key_there_is_no_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PAYDECK_API_KEY", raising=False)
    with pytest.raises(ValueError, match="PAYDECK_API_KEY"):
        Paydeck()
    monkeypatch.setenv("PAYDECK_API_KEY", KEY)
    with Paydeck() as client:
        assert KEY not in repr(client)


@pytest.mark.parametrize("thing", ["", ".", "..", "../orders/ord_2", "ord_1?expand[]=customer"])
def test_an_id_never_becomes_another_address(thing: str) -> None:
    script = Script(fine(id="x"))
    client = script.client()
    if thing.strip("."):
        client.orders.get(thing)
        assert script.asked[0].url.raw_path.decode().startswith("/api/v1/orders/")
        assert script.asked[0].url.raw_path.count(b"/") == 4
        assert script.asked[0].url.query == b""
    else:
        with pytest.raises(ValueError, match="empty"):
            client.orders.get(thing)


def test_pages_follow_one_another_in_either_direction() -> None:
    def page(*ids: str, more: bool) -> httpx.Response:
        return fine(object="list", data=[{"id": one} for one in ids], has_more=more, url="/")

    script = Script(page("c", "b", more=True), page("a", more=False))
    walked = script.client().orders.list(limit=2, created_gte=5, status="PENDING").all()
    assert [one["id"] for one in walked] == ["c", "b", "a"]
    first, second = (dict(asked.url.params) for asked in script.asked)
    assert first == {"limit": "2", "created[gte]": "5", "status": "PENDING"}
    assert second == first | {"starting_after": "b"}
    script = Script(page("b", "a", more=True), page("c", more=False))
    walked = script.client().orders.list(limit=2, ending_before="z").all()
    assert [one["id"] for one in walked] == ["a", "b", "c"]
    assert script.asked[1].url.params["ending_before"] == "b"


def test_expansions_version_and_merchant_are_sent_as_the_api_spells_them() -> None:
    script = Script(fine(id="pay_1"))
    client = script.client(version="2026-11-01", merchant="mer_1")
    client.payments.get("pay_1", expand=["order.customer", "refunds"])
    (asked,) = script.asked
    assert asked.url.params.get_list("expand[]") == ["order.customer", "refunds"]
    assert asked.headers["Paydeck-Version"] == "2026-11-01"
    assert asked.headers["Paydeck-Merchant"] == "mer_1"
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
