"""Amazon gets events through SNS into a queue, in groups of one object; on moto, in here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointConnectionError
from moto.server import ThreadedMotoServer

from jobs import telling
from jobs.bus import aws
from jobs.bus.aws import AwsSink
from jobs.bus.envelopes import Message
from jobs.bus.sinks import AWS, SinkAway
from tests.jobs.bus.telling_all import Bus, sequences
from webapp.config import AwsSettings

REGION = "eu-west-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
NOBODY = AwsSettings(
    topic_arn=None,
    queue_url="http://127.0.0.1:1/000000000000/paydeck.fifo",
    region=REGION,
    endpoint_url="http://127.0.0.1:1",
)


@dataclass
class Amazon:
    """A stand-in for Amazon on a free port of this machine."""

    url: str

    def client(self, service: str) -> Any:
        """Return a client of one of its services."""
        config = Config(retries={"total_max_attempts": 1})
        return boto3.Session().client(
            service, region_name=REGION, endpoint_url=self.url, config=config, **KEYS
        )

    def queue(self, name: str) -> str:
        """Make a queue and return its address."""
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        made = self.client("sqs").create_queue(QueueName=name, Attributes=attributes)
        return str(made["QueueUrl"])

    def topic_into(self, queue: str, name: str) -> str:
        """Make a topic that a queue is subscribed to, bodies as they are; returns its ARN."""
        sns = self.client("sns")
        attributes = {"FifoTopic": "true", "ContentBasedDeduplication": "false"}
        arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=arn,
            Protocol="sqs",
            Endpoint=found["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        return str(arn)

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages out of a queue, in the order in which it gives them."""
        sqs = self.client("sqs")
        found: list[dict[str, Any]] = []
        while True:
            some = sqs.receive_message(
                QueueUrl=queue,
                MaxNumberOfMessages=10,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            ).get("Messages", [])
            if not some:
                return found
            for one in some:
                sqs.delete_message(QueueUrl=queue, ReceiptHandle=one["ReceiptHandle"])
            found += some


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    """Amazon's stand-in, for the tests of this file."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield Amazon(f"http://{host}:{port}")
    server.stop()


def events(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [json.loads(one["Body"]) for one in messages]


@pytest.mark.requirement("S0-15")
def test_events_come_through_a_topic_into_a_queue_in_order_per_object(
    bus: Bus, amazon: Amazon
) -> None:
    queue = amazon.queue("through-a-topic.fifo")
    settings = replace(
        NOBODY,
        endpoint_url=amazon.url,
        topic_arn=amazon.topic_into(queue, "events.fifo"),
        queue_url=None,
    )
    stories = [bus.story(3, AWS) for _ in range(5)]
    sink = AwsSink(settings, **KEYS)
    assert bus.publish(bus.publisher(sink, AWS)) == 15
    messages = amazon.messages(queue)
    assert set(map(tuple, sequences(events(messages)).values())) == {(1, 2, 3)}
    assert {one["id"].replace("evt_", "fact_") for one in events(messages)} == {
        fact for story in stories for fact in story
    }
    assert bus.ground.due(AWS) == []


@pytest.mark.requirement("S0-15")
def test_a_queue_alone_is_enough_and_each_object_is_a_group_of_its_own(
    bus: Bus, amazon: Amazon
) -> None:
    queue = amazon.queue("alone.fifo")
    story = bus.story(2, AWS)
    sink = AwsSink(replace(NOBODY, endpoint_url=amazon.url, queue_url=queue), **KEYS)
    bus.publish(bus.publisher(sink, AWS))
    first, second = amazon.messages(queue)
    assert first["Attributes"]["MessageGroupId"] == events([first])[0]["subject"]
    assert first["Attributes"]["MessageDeduplicationId"] == story[0].replace("fact_", "evt_")
    assert [one["sequence"] for one in events([first, second])] == [1, 2]
    said = {name: one["StringValue"] for name, one in first["MessageAttributes"].items()}
    assert said["type"] == "payment.success"
    assert said["alias"] == "PAYMENT_SUCCESS_EVENT"
    assert said["topic"] == "payment-events"


def test_an_event_that_was_published_twice_is_in_a_fifo_queue_once(
    bus: Bus, amazon: Amazon
) -> None:
    queue = amazon.queue("twice.fifo")
    (fact_id,) = bus.story(1, AWS)
    sink = AwsSink(replace(NOBODY, endpoint_url=amazon.url, queue_url=queue), **KEYS)
    bus.publish(bus.publisher(sink, AWS))
    bus.ground.query(
        "INSERT INTO outbox_due (fact_id, consumer, due_at) VALUES (%(id)s, %(to)s, clock_now())",
        id=fact_id,
        to=AWS,
    )
    assert bus.publish(bus.publisher(sink, AWS)) == 1
    assert len(amazon.messages(queue)) == 1


def test_a_queue_that_keeps_no_order_is_told_no_group(bus: Bus, amazon: Amazon) -> None:
    queue = amazon.queue("plain")
    bus.story(2, AWS)
    sink = AwsSink(replace(NOBODY, endpoint_url=amazon.url, queue_url=queue), **KEYS)
    assert bus.publish(bus.publisher(sink, AWS)) == 2
    assert len(amazon.messages(queue)) == 2


def test_what_is_too_large_is_refused_and_the_others_go_on(bus: Bus, amazon: Amazon) -> None:
    queue = amazon.queue("large.fifo")
    large, small = bus.story(1, AWS), bus.story(1, AWS)
    bus.ground.query("ALTER TABLE fact DISABLE TRIGGER USER")
    bus.ground.query(
        "UPDATE fact SET snapshot = jsonb_build_object('x', repeat('x', 250000)) WHERE id = %(id)s",
        id=large[0],
    )
    sink = AwsSink(replace(NOBODY, endpoint_url=amazon.url, queue_url=queue), **KEYS)
    bus.publish(bus.publisher(sink, AWS))
    assert [one["id"] for one in events(amazon.messages(queue))] == [
        small[0].replace("fact_", "evt_")
    ]
    assert bus.ground.due(AWS) == large
    assert bus.ground.query("SELECT last_error FROM outbox_due") == ["too large"]


def test_a_queue_that_is_not_there_or_does_not_answer_loses_nothing(
    bus: Bus, amazon: Amazon
) -> None:
    story = bus.story(2, AWS)
    gone = replace(
        NOBODY, endpoint_url=amazon.url, queue_url=f"{amazon.url}/123456789012/gone.fifo"
    )
    for settings in (gone, NOBODY):
        with pytest.raises(telling.Away):
            bus.publish(bus.publisher(AwsSink(settings, **KEYS), AWS))
        assert bus.ground.due(AWS) == story
    assert set(bus.ground.query("SELECT tries FROM outbox_due")) == {0}


def some_messages(count: int) -> list[Message]:
    """Return messages of as many objects."""
    return [
        Message(f"fact_{n}", f"obj_{n}", ("payment-events",), {"id": f"evt_{n}"}, "{}")
        for n in range(count)
    ]


def test_what_one_call_took_stays_taken_though_the_next_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    busy = {"Failed": [{"Id": "3", "Code": "Busy", "SenderFault": False}]}
    answers: Iterator[Any] = iter([busy, EndpointConnectionError(endpoint_url="x")])

    def send(_sink: AwsSink, _some: object) -> Any:
        answer = next(answers)
        if isinstance(answer, EndpointConnectionError):
            raise answer
        return answer

    monkeypatch.setattr(AwsSink, "_send", send)
    left = AwsSink(NOBODY, **KEYS).publish(some_messages(20))
    assert left == dict.fromkeys(["fact_3", *(f"fact_{n}" for n in range(10, 20))])


def test_no_call_is_begun_that_could_outlast_the_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws, "SECONDS", -1.0)
    with pytest.raises(SinkAway, match="no time left"):
        AwsSink(NOBODY, **KEYS).publish(some_messages(3))
