"""Every fact is in a stream of events: in order per object, capped, and without a person in it."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from jobs import context, telling
from jobs.bus import streams
from jobs.subscriptions import BUS, CONSUMERS
from tests.jobs.bus.telling_all import SETTINGS, Bus, sequences
from webapp import outbox
from webapp.kernel import db, wake
from webapp.kernel.wake import connect


@pytest.mark.requirement("S4-12", "S2-58")
def test_facts_come_into_the_stream_of_their_topic_in_order(bus: Bus) -> None:
    stories = [bus.story(4, BUS) for _ in range(20)]
    assert bus.tell() == 4, "each round takes the next fact of each object"
    assert set(bus.in_stream()) == {one for story in stories for one in story}
    assert set(map(tuple, sequences(bus.published()).values())) == {(1, 2, 3, 4)}
    assert bus.ground.due(BUS) == []


@pytest.mark.requirement("S1-08")
def test_an_entry_says_what_happened_to_what_and_carries_the_name_that_others_know(
    bus: Bus,
) -> None:
    (fact_id,) = bus.story(1, BUS)
    bus.tell()
    entries: Any = wake.client().xrange(streams.stream("payment-events"))
    ((_id, fields),) = entries
    event = json.loads(fields[b"event"])
    assert event["id"] == fields[b"id"].decode() == fact_id.replace("fact_", "evt_")
    assert event["type"] == fields[b"type"].decode() == "payment.success"
    assert event["name"] == "payment.captured"
    assert event["alias"] == fields[b"alias"].decode() == "PAYMENT_SUCCESS_EVENT"
    assert fields[b"key"].decode() == event["subject"]
    assert set(event) == {
        *("id", "type", "name", "alias", "noun", "subject", "sequence", "merchant", "livemode"),
        *("at", "trace", "because", "actor", "snapshot"),
    }


def test_a_stream_keeps_about_as_many_events_as_is_set(bus: Bus) -> None:
    with bus.ground.app.app_context():
        settings = bus.ground.process.settings.bus
    assert settings.stream_length == 5000
    facts = [fact for _ in range(6) for fact in bus.ground.facts(200, BUS)]
    bus.ground.query("ALTER TABLE fact DISABLE TRIGGER USER")
    bus.ground.query("UPDATE fact SET subject_kind = 'payment'")
    with context.working(), db.transaction(db.WORKER):
        taken = outbox.take_due(BUS, at_most=2000, in_order=True)
        assert len(taken) == len(facts) == 1200
        streams.publish(taken, SETTINGS)
    kept = wake.client().xlen(streams.stream("payment-events"))
    assert 1000 <= kept <= 1150, "whole nodes of entries are cut, never below the length"


@pytest.mark.requirement("S1-13")
def test_an_erased_valkey_gets_its_streams_anew_and_nothing_due_is_lost(bus: Bus) -> None:
    first = bus.story(2, BUS)
    bus.tell()
    second = bus.story(3, BUS)
    wake.client().flushall()
    bus.tell()
    assert bus.in_stream() == second
    assert bus.ground.due(BUS) == []
    assert first[0] not in bus.in_stream(), "streams are for those who listen now"


def test_a_valkey_that_is_away_loses_nothing_and_blames_nobody(bus: Bus, tmp_path: Path) -> None:
    written = bus.story(3, BUS)
    wake.use(f"unix://{tmp_path}/nobody.sock")
    try:
        with pytest.raises(telling.Away), context.working():
            telling.tell(BUS, CONSUMERS[BUS])
    finally:
        wake.use(bus.ground.process.settings.redis_url)
    assert bus.ground.due(BUS) == written
    assert set(bus.ground.query("SELECT tries FROM outbox_due")) == {0}
    bus.tell()
    assert bus.in_stream() == written


@pytest.mark.requirement("S0-22")
def test_a_valkey_is_spoken_to_over_tls_and_its_certificate_is_asked_for() -> None:
    pool = connect("rediss://paydeck:secret@valkey.example:6380/0").connection_pool
    assert pool.connection_class.__name__ == "SSLConnection"
    made = pool.connection_class(**pool.connection_kwargs)
    assert made.cert_reqs.name == "CERT_REQUIRED"
    assert made.check_hostname


@pytest.mark.races
def test_two_relays_never_let_a_fact_overtake_an_earlier_one(bus: Bus) -> None:
    stories = [bus.story(6, BUS) for _ in range(15)]
    start = Barrier(2)

    def relay() -> None:
        start.wait()
        for _ in range(400):
            with context.working():
                telling.tell(BUS, CONSUMERS[BUS], at_most=4)
            if not bus.ground.due(BUS):
                return

    threads = [Thread(target=relay) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert set(map(tuple, sequences(bus.published()).values())) == {(1, 2, 3, 4, 5, 6)}
    assert len(bus.in_stream()) == sum(map(len, stories)), "and none comes twice"


def test_what_one_relay_has_taken_holds_back_the_rest_of_its_story(bus: Bus) -> None:
    story, other = bus.story(3, BUS), bus.story(1, BUS)
    with context.working(), db.transaction(db.WORKER):
        (first,) = outbox.take_due(BUS, at_most=1, in_order=True)
        assert first.id == story[0]
        second_relay = Thread(target=bus.tell)
        second_relay.start()
        second_relay.join(30)
        assert bus.in_stream() == other, "nothing of the story that is being told"
    bus.tell()
    assert bus.in_stream() == [*other, *story]


@pytest.mark.races
def test_a_relay_killed_after_publishing_publishes_again_under_the_same_id(
    bus: Bus, tmp_path: Path
) -> None:
    """By a real process, killed as the kernel would."""
    story = bus.story(2, BUS)
    log = tmp_path / "log"
    with bus.ground.running("-m", "tests.jobs.bus.dying_publisher", log=log) as process:
        assert process.wait(30) == -signal.SIGKILL, log.read_text()
    assert bus.in_stream() == story[:1]
    assert bus.ground.due(BUS) == story
    bus.tell()
    assert bus.in_stream() == [story[0], *story]
