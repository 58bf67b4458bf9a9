"""Settings of the bus: said plainly, refused by name, and never a secret in clear."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec

import pytest

from jobs.bus import topics
from jobs.bus.sinks import opened
from tests.kernel.test_config import GOOD
from webapp import config
from webapp.config import BadSetting, BusSettings

ARN = "arn:aws:sns:eu-west-1:123456789012:paydeck.fifo"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/123456789012/paydeck.fifo"
SASL = {
    "KAFKA_BROKERS": "kafka.example:9093",
    "KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
    "KAFKA_SASL_USERNAME": "paydeck",
    "KAFKA_SASL_PASSWORD": "hunter2",
}


def read(**env: str) -> BusSettings:
    return config.read(GOOD | env).bus


def test_with_nothing_set_there_are_streams_and_no_brokers() -> None:
    bus = read()
    assert bus.stream_length == 5000
    assert bus.sinks == ()
    assert (bus.kafka, bus.aws) == (None, None)
    for name in ("bus_kafka", "bus_aws"):
        with pytest.raises(LookupError):
            opened(name, bus)


@pytest.mark.requirement("S4-93a", "S4-93b", "S4-93c", "S4-93d")
def test_kafkas_settings_are_called_as_others_call_them() -> None:
    bus = read(
        KAFKA_BROKERS="localhost:9092,other.example:9093",
        KAFKA_GROUP_ID="payments-service",
        KAFKA_TOPIC_PAYMENTS="payments.events",
        KAFKA_TOPIC_WEBHOOKS="webhooks.delivery",
    )
    assert bus.kafka is not None
    assert bus.kafka.brokers == "localhost:9092,other.example:9093"
    assert bus.group == "payments-service"
    assert bus.sinks == ("bus_kafka",)
    called = topics.names(bus)
    assert called[topics.PAYMENTS] == "payments.events"
    assert called[topics.WEBHOOKS] == "webhooks.delivery"
    assert called[topics.USERS] == "user-events"


def test_both_kinds_of_broker_may_be_set_up_at_once() -> None:
    bus = read(KAFKA_BROKERS="localhost:9092", SNS_TOPIC_ARN=ARN)
    assert bus.sinks == ("bus_kafka", "bus_aws")
    assert bus.aws is not None
    assert (bus.aws.region, bus.aws.is_fifo) == ("eu-west-1", True)
    queue = read(SQS_QUEUE_URL=QUEUE, AWS_REGION="eu-west-1").aws
    assert queue is not None
    assert (queue.queue_url, queue.topic_arn, queue.region) == (QUEUE, None, "eu-west-1")


@pytest.mark.requirement("S0-22")
def test_brokers_are_signed_in_to_over_tls_only() -> None:
    kafka = read(**SASL).kafka
    assert kafka is not None
    assert (kafka.security, kafka.mechanism) == ("SASL_SSL", "SCRAM-SHA-512")
    assert "hunter2" not in repr(config.read(GOOD | SASL))
    for protocol in ("PLAINTEXT", "SSL", "SASL_PLAINTEXT"):
        with pytest.raises(BadSetting) as wrong:
            read(**SASL | {"KAFKA_SECURITY_PROTOCOL": protocol})
        assert "hunter2" not in str(wrong.value)
    for name in ("KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"):
        with pytest.raises(BadSetting, match=f"^{name} is not set"):
            read(**SASL | {name: ""})


@pytest.mark.requirement("S0-22")
@pytest.mark.parametrize(
    "url",
    ["redis://:secret@localhost:6379/0", "rediss://valkey.example:6380", "unix:///run/valkey.sock"],
)
def test_valkey_is_reached_by_tcp_tls_or_a_socket(url: str) -> None:
    assert config.read(GOOD | {"REDIS_URL": url}).redis_url == url
    with pytest.raises(BadSetting, match=r"^REDIS_URL must begin with"):
        config.read(GOOD | {"REDIS_URL": "http://localhost:6379"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BUS_STREAM_LENGTH", "0"),
        ("BUS_STREAM_LENGTH", "many"),
        ("KAFKA_BROKERS", "localhost"),
        ("KAFKA_BROKERS", "kafka://localhost:9092"),
        ("KAFKA_TOPIC_PAYMENTS", "payments events"),
        ("KAFKA_GROUP_ID", "a/b"),
        ("SNS_TOPIC_ARN", "paydeck.fifo"),
        ("SQS_QUEUE_URL", "http://sqs.eu-west-1.amazonaws.com/123456789012/paydeck"),
    ],
)
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^{name} must"):
        read(**{name: value})


def test_a_file_of_certificates_must_be_there_and_a_mechanism_known() -> None:
    with pytest.raises(BadSetting, match=r"^KAFKA_SSL_CA_FILE must"):
        read(**SASL, KAFKA_SSL_CA_FILE="/nowhere/ca.pem")
    with pytest.raises(BadSetting, match=r"^KAFKA_SASL_MECHANISM must"):
        read(**SASL, KAFKA_SASL_MECHANISM="GSSAPI")


def test_a_topic_and_a_queue_are_not_both_published_to() -> None:
    with pytest.raises(BadSetting, match=r"^SQS_QUEUE_URL cannot be set beside SNS_TOPIC_ARN"):
        read(SNS_TOPIC_ARN=ARN, SQS_QUEUE_URL=QUEUE)


@pytest.mark.parametrize(
    ("name", "value", "module", "extra"),
    [
        ("KAFKA_BROKERS", "localhost:9092", "confluent_kafka", "kafka"),
        ("SNS_TOPIC_ARN", ARN, "boto3", "aws"),
        ("SQS_QUEUE_URL", QUEUE, "boto3", "aws"),
    ],
)
def test_a_broker_whose_library_is_not_installed_stops_the_start_and_says_what_to_install(
    name: str, value: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec

    def without(wanted: str, package: str | None = None) -> ModuleSpec | None:
        return None if wanted == module else find(wanted, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(BadSetting, match=f"^{name} needs .* -r requirements-{extra}.txt$"):
        read(**{name: value})
