"""Publishing to a broker: each by itself, put off when it is away, and never out of order."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event, Thread

import pytest

from jobs import context, relay, telling
from jobs.bus import publishing
from jobs.bus.envelopes import Message
from jobs.bus.publishing import Rests
from jobs.bus.sinks import AWS, KAFKA, Sink
from jobs.subscriptions import BUS
from tests.jobs.bus.telling_all import Bus, Notebook
from webapp import outbox
from webapp.config import BusSettings
from webapp.invariants.waiting import WAITING
from webapp.kernel import db
from webapp.outbox import Fact


def ids(messages: Sequence[Message]) -> list[str]:
    return [one.fact_id for one in messages]


def test_a_broker_that_is_away_delays_no_other_and_nothing_is_lost(bus: Bus) -> None:
    story = bus.story(3, BUS, KAFKA, AWS)
    kafka, aws = Notebook(away=True), Notebook()
    with pytest.raises(telling.Away, match="nobody there"):
        bus.publish(bus.publisher(kafka))
    assert bus.publish(bus.publisher(aws, AWS)) == 3
    bus.tell()
    assert ids(aws.given) == bus.in_stream() == story
    assert bus.ground.due(KAFKA) == story, "all are as they were"
    assert set(bus.ground.query("SELECT tries FROM outbox_due")) == {0}
    with context.working():
        queue = outbox.queues_of([BUS, KAFKA, AWS])
    assert list(queue) == [KAFKA]
    assert (queue[KAFKA].waiting, queue[KAFKA].last_error) == (3, "nobody there")
    kafka.away = False
    assert bus.publish(bus.publisher(kafka)) == 3
    assert ids(kafka.given) == story


def test_a_fact_that_is_refused_holds_back_its_own_story_and_no_other(bus: Bus) -> None:
    story, other = bus.story(3, KAFKA), bus.story(3, KAFKA)
    sink = Notebook(refuses={story[1]})
    publisher = bus.publisher(sink)
    bus.publish(publisher)
    assert set(ids(sink.given)) == {story[0], *other}
    assert bus.ground.due(KAFKA) == story[1:], "the third waits behind the second"
    bus.make_due()
    bus.publish(publisher)
    assert bus.ground.due(KAFKA) == story[1:]
    assert bus.ground.query("SELECT tries FROM outbox_due ORDER BY fact_id") == [2, 0]
    sink.refuses.clear()
    bus.make_due()
    bus.publish(publisher)
    assert [one for one in ids(sink.given) if one in story] == story


def test_what_is_refused_eight_times_is_set_aside_and_still_not_overtaken(bus: Bus) -> None:
    story = bus.story(2, KAFKA)
    sink = Notebook(refuses={story[0]})
    publisher = bus.publisher(sink)
    for _ in range(telling.GIVE_UP_AFTER):
        bus.make_due()
        bus.publish(publisher)
    assert sink.given == []
    with context.working():
        queue = outbox.queues_of([KAFKA])[KAFKA]
        assert (queue.waiting, queue.set_aside, queue.last_error) == (1, 1, "refused")
        with db.transaction(db.WORKER):
            outbox.never_tell(KAFKA, story[0])
    bus.publish(publisher)
    assert ids(sink.given) == story[1:], "a person let the first one go"


def test_a_failed_fact_of_the_streams_holds_back_its_own_story_too(bus: Bus) -> None:
    story, other = bus.story(2, BUS), bus.story(2, BUS)
    told: list[str] = []

    def choke(facts: Sequence[Fact]) -> None:
        if story[0] in [fact.id for fact in facts]:
            raise KeyError("snapshot")
        told.extend(fact.id for fact in facts)

    bus.tell(consumer=choke)
    assert told == other
    assert bus.ground.due(BUS) == story


@pytest.mark.races
def test_two_relays_publish_each_story_in_order_without_holding_the_database(bus: Bus) -> None:
    stories = [bus.story(4, KAFKA) for _ in range(8)]
    others = bus.story(1, KAFKA)

    def with_nothing_held(_messages: Sequence[Message]) -> None:
        assert not db.in_transaction()
        assert not db.session().in_transaction()

    sink = Notebook(at_most=3, on_publish=with_nothing_held)
    publishers = [bus.publisher(sink) for _ in range(2)]

    def run(publisher: publishing.Publisher) -> None:
        for _ in range(300):
            with context.working():
                publisher.publish_due()
            if not bus.ground.due(KAFKA):
                return

    threads = [Thread(target=run, args=(one,)) for one in publishers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    given = ids(sink.given)
    assert sorted(given) == sorted([*others, *(one for story in stories for one in story)])
    for story in stories:
        assert [one for one in given if one in story] == story


def test_what_another_relay_is_publishing_now_holds_back_the_rest_of_its_story(bus: Bus) -> None:
    story = bus.story(2, KAFKA)
    second = Notebook()
    slow = Notebook(on_publish=lambda _messages: bus.publish(bus.publisher(second)))
    bus.publish(bus.publisher(slow))
    assert second.given == []
    assert ids(slow.given) == story


def test_a_relay_that_died_while_publishing_leaves_the_same_event_to_the_next(bus: Bus) -> None:
    story = bus.story(2, KAFKA)
    first, second = Notebook(), Notebook()

    def die(messages: Sequence[Message]) -> None:
        first.given += messages
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bus.publish(bus.publisher(Notebook(on_publish=die)))
    assert bus.publish(bus.publisher(second)) == 0, "it is held for half a minute"
    bus.make_due()
    assert bus.publish(bus.publisher(second)) == 2
    assert ids(second.given) == story
    assert [one.id for one in first.given] == [second.given[0].id], "one id, so that it is known"


def test_a_fact_that_ends_its_relay_three_times_lets_the_others_pass(bus: Bus) -> None:
    story, other = bus.story(1, KAFKA), bus.story(1, KAFKA)
    sink = Notebook()

    def die(messages: Sequence[Message]) -> None:
        if ids(messages) == story:
            raise KeyboardInterrupt

    sink.on_publish = die
    for _ in range(outbox.CLAIMS_AT_MOST):
        with pytest.raises(KeyboardInterrupt), context.working():
            bus.publisher(sink).publish_carefully()
        bus.make_due()
    with context.working():
        bus.publisher(sink).publish_carefully()
        assert outbox.queues_of([KAFKA])[KAFKA].set_aside == 1
    assert ids(sink.given) == other


def test_a_broker_that_stays_away_is_asked_less_and_less_often() -> None:
    rests = Rests()
    assert [rests.seconds() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    rests.end()
    assert rests.seconds() == 1


def test_a_sink_that_is_no_longer_set_up_can_be_forgotten(bus: Bus) -> None:
    story = bus.story(2, KAFKA, BUS)
    with context.working():
        assert outbox.forget(KAFKA) == 2
    assert bus.ground.due(KAFKA) == []
    assert bus.ground.due(BUS) == story


def test_the_relay_publishes_by_itself_and_stops_when_asked(
    bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    story, sink, bell = bus.story(3, KAFKA), Notebook(), Event()
    process = context.here()

    def stop_at_last(messages: Sequence[Message]) -> None:
        if ids(messages) == story[-1:]:
            process.stop.set()
            bell.set()

    sink.on_publish = stop_at_last

    def stand_in(_name: str, _settings: BusSettings) -> Sink:
        return sink

    monkeypatch.setattr(relay, "opened", stand_in)
    running = Thread(target=relay.publishing(process, KAFKA, bell))
    running.start()
    running.join(30)
    assert not running.is_alive()
    assert ids(sink.given) == story


def test_what_waits_behind_a_failed_fact_of_its_object_breaks_no_promise(bus: Bus) -> None:
    story, other = bus.story(2, KAFKA), bus.story(1, KAFKA)
    bus.ground.query("UPDATE outbox_due SET due_at = clock_now() - interval '2 min'")
    (check,) = [one for one in WAITING if one.name == "facts_are_told_in_time"]
    found = check.sql.replace("%", "%%")
    assert set(bus.ground.query(found)) == {*story, *other}
    bus.ground.query(
        "UPDATE outbox_due SET due_at = clock_now() + interval '1 min' WHERE fact_id = %(id)s",
        id=story[0],
    )
    assert bus.ground.query(found) == other
