"""The health page says of each place that facts are published to whether it keeps up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from tests.builders import an_admin, browser_of
from tests.checked_client import CheckedClient
from tests.dead_letters.piles import run
from webapp.config import KafkaSettings
from webapp.kernel import ids

ERROR = "_TRANSPORT: brokers are down"


@pytest.fixture
def desk(app: Flask) -> CheckedClient:
    """The admin's browser, where nothing waits for the bus."""
    browser = browser_of(app, an_admin())
    run("DELETE FROM outbox_due")
    return browser


@pytest.fixture
def with_kafka(app: Flask) -> Iterator[None]:
    """Kafka is set up, and nobody publishes to it here."""
    before = app.extensions["paydeck_settings"]
    kafka = KafkaSettings("localhost:9092", "PLAINTEXT", None, None, None, None)
    app.extensions["paydeck_settings"] = replace(before, bus=replace(before.bus, kafka=kafka))
    yield
    app.extensions["paydeck_settings"] = before


def a_due_fact(consumer: str, *, minutes: int = 0, error: str | None = None) -> None:
    """Have a fact of some minutes ago wait for a consumer."""
    fact_id = ids.new("fact")
    run(
        "INSERT INTO fact (id, name, subject_kind, subject_id, version, snapshot, because,"
        " actor_kind, at) VALUES (:id, 'test.happened', 'test', :id, 1, '{}', 'It did.',"
        " 'system', clock_now() - make_interval(mins => :minutes))",
        id=fact_id,
        minutes=minutes,
    )
    run(
        "INSERT INTO outbox_due (fact_id, consumer, due_at, last_error)"
        " VALUES (:id, :consumer, clock_now(), :error)",
        id=fact_id,
        consumer=consumer,
        error=error,
    )


def row(desk: CheckedClient, name: str) -> str:
    """Return the words of one row of the page's table of the bus."""
    said = " ".join(desk.page("/admin/health").text.split())
    words = said.split("Last error", 1)[1].split(name, 1)[1]
    return words.split("Kafka")[0].split("Amazon SNS or SQS")[0].split("What waits")[0].strip()


def test_streams_are_always_there_and_brokers_only_where_they_are_set_up(
    desk: CheckedClient,
) -> None:
    assert row(desk, "Redis streams") == "Working 0 0 s None"
    assert row(desk, "Kafka") == row(desk, "Amazon SNS or SQS") == "Not set up 0 0 s None"


def test_a_stream_that_falls_behind_says_since_when(desk: CheckedClient) -> None:
    a_due_fact("bus", minutes=2)
    a_due_fact("bus")
    said = row(desk, "Redis streams").split()
    assert said[:2] == ["Behind", "2"]
    assert 120 <= int(said[2]) < 180


def test_a_broker_that_is_away_is_named_with_what_it_said(
    desk: CheckedClient, with_kafka: None
) -> None:
    assert row(desk, "Kafka") == "Working 0 0 s None"
    a_due_fact("bus_kafka", error=ERROR)
    assert row(desk, "Kafka").startswith("Put off 1 ")
    assert ERROR in row(desk, "Kafka")


def test_what_waits_for_a_broker_that_was_taken_away_is_not_forgotten(desk: CheckedClient) -> None:
    a_due_fact("bus_kafka", error=ERROR)
    assert row(desk, "Kafka").startswith("Not set up any more 1 ")
    forget = desk.application.test_cli_runner()
    assert forget.invoke(args=["bus-forget", "bus_kafka"]).output == "1 facts forgotten\n"
    assert row(desk, "Kafka") == "Not set up 0 0 s None"


def test_a_broker_that_is_set_up_cannot_be_forgotten(desk: CheckedClient, with_kafka: None) -> None:
    a_due_fact("bus_kafka")
    done = desk.application.test_cli_runner().invoke(args=["bus-forget", "bus_kafka"])
    assert done.exit_code == 2
    assert "is set up" in done.output
    assert row(desk, "Kafka").startswith("Working 1 ")
