"""What the checks found, as gauges: for this machine or who carries the token, and nobody else."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from tests.checked_client import CheckedClient
from webapp import config, invariants
from webapp.config import BadSetting
from webapp.invariants import INVARIANTS, Reach
from webapp.kernel import db
from webapp.outbox import Actor

TOKEN = "a-token-of-some-length"


@pytest.fixture
def guarded(app: Flask) -> Iterator[None]:
    """A portal whose metrics are read with a token."""
    before = app.extensions["paydeck_settings"]
    app.extensions["paydeck_settings"] = dataclasses.replace(before, metrics_token=TOKEN)
    yield
    app.extensions["paydeck_settings"] = before


def gauges(text: str) -> dict[tuple[str, str, str], float]:
    """Return every gauge by name, check and reach."""
    return {
        (sample.name, sample.labels.get("check", ""), sample.labels.get("reach", "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_gauges_say_what_the_last_looks_found(client: CheckedClient) -> None:
    with db.scoped(db.WORKER):
        invariants.run_due(seconds=60)
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain")
    found = gauges(response.text)
    for invariant in INVARIANTS:
        assert found["paydeck_invariant_rows", invariant.name, Reach.ALL.value] == 0
        assert found["paydeck_invariant_duration_seconds", invariant.name, "all"] >= 0
        assert found["paydeck_invariant_ran_timestamp_seconds", invariant.name, "all"] > 1e9
    assert found["paydeck_invariants_red", "", ""] == 0
    assert found["paydeck_refunds_frozen", "", ""] == 0


def test_before_the_first_look_nothing_is_claimed(client: CheckedClient) -> None:
    found = gauges(client.get("/metrics").text)
    assert [name for name, check, _ in found if check] == []


def test_a_freeze_shows(client: CheckedClient) -> None:
    from webapp import refunds  # noqa: PLC0415 - of this test alone

    with db.scoped(db.ADMIN):
        refunds.freeze(because="Something is wrong.", by=Actor("admin", "usr_x"))
    assert gauges(client.get("/metrics").text)["paydeck_refunds_frozen", "", ""] == 1


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.1.1", "2001:db8::1"])
def test_for_others_the_address_is_not_there(client: CheckedClient, address: str) -> None:
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address}).status_code == 404
    local = {"REMOTE_ADDR": "127.0.0.1"}
    for name in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"):
        passed_on = client.get("/metrics", environ_base=local, headers={name: "127.0.0.1"})
        assert passed_on.status_code == 404, name


def test_outside_a_demo_nobody_reads_them_without_a_token(
    app: Flask, client: CheckedClient
) -> None:
    """A proxy that adds no header makes everybody look as if they came from this machine."""
    before = app.extensions["paydeck_settings"]
    app.extensions["paydeck_settings"] = dataclasses.replace(before, demo=False)
    try:
        assert client.get("/metrics").status_code == 404
    finally:
        app.extensions["paydeck_settings"] = before


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        ("", 404),
        (TOKEN, 404),
        (f"Bearer {TOKEN}x", 404),
        (f"Bearer {TOKEN[:-1]}", 404),
        ("Bearer é", 404),
    ],
)
def test_with_a_token_set_only_who_carries_it_may_read(
    client: CheckedClient, guarded: None, given: str, status: int
) -> None:
    headers = {"Authorization": given} if given else {}
    assert client.get("/metrics", headers=headers).status_code == status
    far = client.get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": "10.1.2.3"})
    assert far.status_code == status


def test_a_short_token_stops_the_start(app: Flask) -> None:
    from tests.kernel.test_config import GOOD  # noqa: PLC0415 - the settings that are enough

    assert config.read(GOOD).metrics_token is None
    assert config.read(GOOD | {"METRICS_TOKEN": TOKEN}).metrics_token == TOKEN
    with pytest.raises(BadSetting, match="METRICS_TOKEN"):
        config.read(GOOD | {"METRICS_TOKEN": "short"})
    assert TOKEN not in repr(config.read(GOOD | {"METRICS_TOKEN": TOKEN}))
