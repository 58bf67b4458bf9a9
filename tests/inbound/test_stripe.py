"""The provider's door: only its own fresh, whole messages come in, each of them once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from werkzeug.test import Client, TestResponse

from tests.gateway.signing import an_event, raw, signature
from tests.portal import Committed

PATH = "/inbound/stripe"


Spoil = Callable[[bytes], tuple[bytes, str | None]]


@pytest.fixture
def door(committed: Committed) -> Committed:
    """The portal as the web role, with real commits."""
    return committed


def deliver(door: Committed, body: bytes, header: str | None) -> TestResponse:
    headers = {} if header is None else {"Stripe-Signature": header}
    return Client(door.app).post(PATH, data=body, headers=headers, content_type="application/json")


def kept(door: Committed) -> list[str]:
    with door.connect("paydeck_worker") as connection:
        rows = connection.execute("SELECT event_id FROM provider_event ORDER BY event_id")
        return [row[0] for row in rows]


@pytest.mark.requirement("S0-12")
def test_a_signed_message_is_kept_and_answered_at_once(door: Committed) -> None:
    event = an_event()
    body = raw(event)
    answer = deliver(door, body, signature(body))
    assert (answer.status_code, answer.json) == (200, {"received": True, "new": True})
    again = deliver(door, body, signature(body))
    assert (again.status_code, again.json) == (200, {"received": True, "new": False})
    assert kept(door) == [event["id"]]


def forged(body: bytes) -> tuple[bytes, str | None]:
    return body, signature(body, secret="whsec_guessed")


def unsigned(body: bytes) -> tuple[bytes, str | None]:
    return body, None


def old(body: bytes) -> tuple[bytes, str | None]:
    return body, signature(body, at=time.time() - 302)


def of_the_future(body: bytes) -> tuple[bytes, str | None]:
    return body, signature(body, at=time.time() + 90)


def truncated(body: bytes) -> tuple[bytes, str | None]:
    return body[:-2], signature(body)


def serialised_again(body: bytes) -> tuple[bytes, str | None]:
    return body.replace(b"\n", b"").replace(b"  ", b""), signature(body)


def changed(body: bytes) -> tuple[bytes, str | None]:
    return body.replace(b"1000", b"9000"), signature(body)


def not_json(_body: bytes) -> tuple[bytes, str | None]:
    return b"{not json", signature(b"{not json")


def no_event(_body: bytes) -> tuple[bytes, str | None]:
    return b"[1, 2]", signature(b"[1, 2]")


def of_live_mode(body: bytes) -> tuple[bytes, str | None]:
    live = body.replace(b'"livemode": false', b'"livemode": true')
    return live, signature(live)


def of_no_known_status(_body: bytes) -> tuple[bytes, str | None]:
    body = raw(an_event(object={"status": "half_done"}))
    return body, signature(body)


def of_no_known_time(_body: bytes) -> tuple[bytes, str | None]:
    body = raw(an_event(created=10**30))
    return body, signature(body)


def with_an_id_that_is_none(_body: bytes) -> tuple[bytes, str | None]:
    body = raw(an_event("charge.updated", object={"id": {"a": 1}}))
    return body, signature(body)


def without_end(_body: bytes) -> tuple[bytes, str | None]:
    body = b"[" * 100_000
    return body, signature(body)


@pytest.mark.parametrize(
    "spoil",
    [
        of_no_known_status,
        of_no_known_time,
        with_an_id_that_is_none,
        without_end,
        forged,
        unsigned,
        old,
        of_the_future,
        truncated,
        serialised_again,
        changed,
        not_json,
        no_event,
        of_live_mode,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_anything_else_is_refused_and_nothing_of_it_kept(door: Committed, spoil: Spoil) -> None:
    body, header = spoil(raw(an_event()))
    answer = deliver(door, body, header)
    assert answer.status_code == 400
    assert answer.json is not None
    codes = {"bad_signature", "bad_event", "not_our_event"}
    assert answer.json["error"]["code"] in codes
    assert kept(door) == []


def test_text_that_cannot_be_stored_does_not_keep_a_message_out(door: Committed) -> None:
    event = an_event(object={"description": "Two\x00chairs", "metadata": {"a\x00b": "\x00"}})
    body = raw(event)
    assert deliver(door, body, signature(body)).status_code == 200
    assert kept(door) == [event["id"]]


def test_a_message_has_a_longest_length(door: Committed) -> None:
    body = raw(an_event(object={"description": "x" * 300_000}))
    answer = deliver(door, body, signature(body))
    assert answer.status_code == 413
    assert kept(door) == []


def test_the_door_opens_by_post_only(door: Committed) -> None:
    assert Client(door.app).get(PATH).status_code == 405


@pytest.mark.races
def test_eight_deliveries_at_once_are_one_row_and_one_effect(door: Committed) -> None:
    event = an_event()
    body = raw(event)
    header = signature(body)
    together = threading.Barrier(8)
    answers: list[TestResponse] = []

    def send() -> None:
        together.wait()
        answers.append(deliver(door, body, header))

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    assert sum(bool(answer.json and answer.json["new"]) for answer in answers) == 1
    assert kept(door) == [event["id"]]
