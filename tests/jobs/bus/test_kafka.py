"""Kafka takes events in order and under their object's key; on librdkafka's own mock brokers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from jobs import context, telling
from jobs.bus import kafka
from jobs.bus.envelopes import Message
from jobs.bus.kafka import KafkaSink
from jobs.bus.publishing import Publisher
from jobs.bus.sinks import KAFKA, SinkAway
from tests.jobs.bus.telling_all import SETTINGS as BUS_SETTINGS
from tests.jobs.bus.telling_all import Bus, sequences
from webapp.config import KafkaSettings

SETTINGS = KafkaSettings(
    brokers="127.0.0.1:1",
    security="PLAINTEXT",
    mechanism=None,
    username=None,
    password=None,
    ca_file=None,
)
PARTITIONS = 4


@dataclass
class Cluster:
    """Mock brokers, which live in the consumer that made them."""

    brokers: str
    reader: Consumer

    def messages(self, count: int, *topics: str) -> list[Any]:
        """Return what topics hold, partition by partition, each in its order."""
        found: list[Any] = []
        self.reader.assign(
            [
                TopicPartition(topic, one, OFFSET_BEGINNING)
                for topic in topics
                for one in range(PARTITIONS)
            ]
        )
        for _ in range(count):
            message = self.reader.poll(20)
            assert message is not None, f"{topics} hold {len(found)} of {count} messages"
            assert message.error() is None
            found.append(message)
        return sorted(found, key=lambda one: (one.topic(), one.partition(), one.offset()))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """One mock broker on a free port of this machine."""
    reader = Consumer(
        {
            "bootstrap.servers": "127.0.0.1:1",
            "test.mock.num.brokers": 1,
            "group.id": "test",
            "fetch.wait.max.ms": 20,
            "log_level": 0,
        }
    )
    known = reader.list_topics(timeout=20).brokers.values()
    yield Cluster(",".join(f"{broker.host}:{broker.port}" for broker in known), reader)
    reader.close()


@pytest.fixture
def sink(cluster: Cluster) -> Iterator[KafkaSink]:
    """Our sink on these brokers."""
    sink = KafkaSink(replace(SETTINGS, brokers=cluster.brokers))
    yield sink
    sink.close()


@pytest.mark.requirement("S4-93a", "S2-58")
def test_brokers_get_every_event_in_order_under_its_objects_key(
    bus: Bus, cluster: Cluster, sink: KafkaSink
) -> None:
    stories = [bus.story(3, KAFKA) for _ in range(5)]
    assert bus.publish(bus.publisher(sink)) == 15
    messages = cluster.messages(15, "payment-events")
    events = [json.loads(one.value()) for one in messages]
    assert {one["id"] for one in events} == {
        fact.replace("fact_", "evt_") for story in stories for fact in story
    }
    assert set(map(tuple, sequences(events).values())) == {(1, 2, 3)}
    assert [one.key().decode() for one in messages] == [one["subject"] for one in events]
    headers = dict(messages[0].headers())
    assert headers["id"].decode() == events[0]["id"]
    assert headers["type"] == b"payment.success"
    assert headers["alias"] == b"PAYMENT_SUCCESS_EVENT"
    assert bus.ground.due(KAFKA) == []


@pytest.mark.requirement("S4-93c", "S4-93d", "S2-56", "S2-57", "S2-59", "S2-60")
def test_each_noun_goes_to_its_topic_and_two_topics_are_called_as_set(
    bus: Bus, cluster: Cluster, sink: KafkaSink
) -> None:
    called = {
        "payment": "payments.events",
        "webhook_endpoint": "hooks.delivery",
        "user": "user-events",
        "order": "transaction-events",
        "audit_entry": "audit-events",
        "mail": "notification-events",
    }
    settings = replace(
        BUS_SETTINGS, payments_topic="payments.events", webhooks_topic="hooks.delivery"
    )
    for noun in called:
        kind = {"audit_entry": "audit"}.get(noun, noun)
        bus.story(1, KAFKA, noun=noun, kind=kind)
    with context.working():
        assert Publisher(KAFKA, sink, settings).publish_due() == len(called)
    came = cluster.messages(len(called), *called.values())
    assert {json.loads(one.value())["noun"]: one.topic() for one in came} == called


def test_a_message_that_is_too_large_is_refused_and_the_others_go_on(
    bus: Bus, cluster: Cluster
) -> None:
    large, small = bus.story(1, KAFKA), bus.story(1, KAFKA)
    bus.ground.query("ALTER TABLE fact DISABLE TRIGGER USER")
    bus.ground.query(
        "UPDATE fact SET snapshot = jsonb_build_object('x', repeat('x', 3000)) WHERE id = %(id)s",
        id=large[0],
    )
    settings = replace(SETTINGS, brokers=cluster.brokers)
    sink = KafkaSink(settings, **{"message.max.bytes": 2000})
    bus.publish(bus.publisher(sink))
    sink.close()
    (message,) = cluster.messages(1, "payment-events")
    assert json.loads(message.value())["id"] == small[0].replace("fact_", "evt_")
    assert bus.ground.due(KAFKA) == large
    (error,) = bus.ground.query("SELECT last_error FROM outbox_due")
    assert "too large" in error


def test_brokers_that_are_away_take_nothing_and_nothing_is_lost(bus: Bus) -> None:
    story = bus.story(2, KAFKA)
    sink = KafkaSink(SETTINGS, **{"message.timeout.ms": 300})
    with pytest.raises(telling.Away, match=r"brokers are down|Connection refused"):
        bus.publish(bus.publisher(sink))
    sink.close()
    assert bus.ground.due(KAFKA) == story
    assert set(bus.ground.query("SELECT tries FROM outbox_due")) == {0}


class Brokers:
    """Stands in for the library's producer: says of each topic what its brokers would."""

    says: ClassVar[dict[str, KafkaError]] = {}
    made = 0

    def __init__(self, _settings: dict[str, Any]) -> None:
        type(self).made += 1
        self._waiting: list[Callable[[], None]] = []

    def produce(self, topic: str, *, on_delivery: Callable[..., None], **_named: object) -> None:
        """Keep until the flush, or refuse at once."""
        self._waiting.append(lambda: on_delivery(self.says.get(topic), None))

    def flush(self, _seconds: float) -> int:
        """Say what became of each."""
        waiting, self._waiting = self._waiting, []
        for tell in waiting:
            tell()
        return 0

    def purge(self) -> None:
        """Forget what waits."""
        self._waiting.clear()


@pytest.fixture
def brokers(monkeypatch: pytest.MonkeyPatch) -> type[Brokers]:
    """Brokers that take everything until they are told otherwise."""
    monkeypatch.setattr(Brokers, "says", {})
    monkeypatch.setattr(Brokers, "made", 0)
    monkeypatch.setattr(kafka, "Producer", Brokers)
    return Brokers


def a_message(number: int, *topics: str) -> Message:
    """Return a message to these topics."""
    return Message(f"fact_{number}", f"obj_{number}", topics, {"id": f"evt_{number}"}, "{}")


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - so the library calls it
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
    ],
)
def test_a_topic_that_is_missing_or_forbidden_holds_back_its_own_facts_alone(
    brokers: type[Brokers], code: int
) -> None:
    brokers.says["audit-events"] = KafkaError(code)
    left = KafkaSink(SETTINGS).publish(
        [a_message(1, "payment-events"), a_message(2, "audit-events"), a_message(3, "audit-events")]
    )
    assert set(left) == {"fact_2", "fact_3"}
    assert all(left.values()), "each says why, and is counted"
    assert set(KafkaSink(SETTINGS).publish([a_message(4, "audit-events")])) == {"fact_4"}


def test_what_was_taken_stays_taken_though_others_were_not_taken_in_time(
    brokers: type[Brokers],
) -> None:
    late = KafkaError(KafkaError._MSG_TIMED_OUT)  # noqa: SLF001 - so the library calls it
    brokers.says["audit-events"] = late
    messages = [a_message(1, "payment-events"), a_message(2, "payment-events", "audit-events")]
    assert KafkaSink(SETTINGS).publish(messages) == {"fact_2": None}
    with pytest.raises(SinkAway, match="timed out"):
        KafkaSink(SETTINGS).publish([a_message(3, "audit-events")])


def test_a_producer_that_failed_for_good_is_opened_again(brokers: type[Brokers]) -> None:
    fatal = KafkaError(KafkaError._FATAL, "out of order", fatal=True)  # noqa: SLF001
    brokers.says["payment-events"] = fatal
    sink = KafkaSink(SETTINGS)
    with pytest.raises(SinkAway):
        sink.publish([a_message(1, "payment-events")])
    assert brokers.made == 2
    brokers.says.clear()
    assert sink.publish([a_message(1, "payment-events")]) == {}
    assert brokers.made == 2


@pytest.mark.requirement("S0-22")
def test_settings_of_security_reach_the_producer_as_they_are() -> None:
    secure = replace(
        SETTINGS,
        security="SASL_SSL",
        mechanism="SCRAM-SHA-512",
        username="paydeck",
        password="a-password",
        ca_file="/etc/brokers.pem",
    )
    made = kafka.configuration(secure)
    assert made["security.protocol"] == "SASL_SSL"
    assert made["sasl.mechanism"] == "SCRAM-SHA-512"
    assert (made["sasl.username"], made["sasl.password"]) == ("paydeck", "a-password")
    assert made["ssl.ca.location"] == "/etc/brokers.pem"
    assert (made["enable.idempotence"], made["acks"]) == (True, "all")
    assert "a-password" not in repr(secure)
    assert not any(name.startswith(("sasl.", "ssl.")) for name in kafka.configuration(SETTINGS))
