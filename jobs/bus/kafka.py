"""Kafka as a sink: an idempotent producer that waits for all replicas; the object is the key."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import Message as Receipt

from jobs.bus.envelopes import Message
from jobs.bus.sinks import SinkAway
from webapp.config import KafkaSettings

_log = logging.getLogger(__name__)
#: How long a broker may take for a message; within the time for which facts are held.
MESSAGE_SECONDS = 8.0
#: How long a topic may be unknown before that counts as an answer.
TOPIC_SECONDS = 2.0
#: What is wrong with a message itself or with its topic: the others are published all the same.
REFUSED = frozenset(
    {
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - so the library calls them
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.TOPIC_EXCEPTION,
        KafkaError.MSG_SIZE_TOO_LARGE,
        KafkaError.INVALID_MSG,
        KafkaError.INVALID_MSG_SIZE,
        KafkaError.INVALID_RECORD,
        KafkaError.RECORD_LIST_TOO_LARGE,
    }
)


def configuration(settings: KafkaSettings) -> dict[str, Any]:
    """Return the producer's configuration, in librdkafka's names."""
    chosen = {
        "bootstrap.servers": settings.brokers,
        "client.id": "paydeck",
        "enable.idempotence": True,
        "acks": "all",
        "linger.ms": 5,
        "log_level": 2,  # what fails is told by the sink itself
        "message.timeout.ms": int(MESSAGE_SECONDS * 1000),
        "topic.metadata.propagation.max.ms": int(TOPIC_SECONDS * 1000),
        "security.protocol": settings.security,
        "sasl.mechanism": settings.mechanism,
        "sasl.username": settings.username,
        "sasl.password": settings.password,
        "ssl.ca.location": settings.ca_file,
    }
    return {name: value for name, value in chosen.items() if value is not None}


class _Round:
    """What comes back of one round of messages, by the fact's id."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self.waiting = {one.fact_id: len(one.topics) for one in messages}
        self.refused: dict[str, str] = {}
        self.faults: list[str] = []
        self.is_fatal = False

    def note(self, fact_id: str, error: KafkaError | None, _receipt: Receipt | None = None) -> None:
        """Note what a broker, or the library, says of one message."""
        if error is None:
            self.waiting[fact_id] -= 1
        elif error.code() in REFUSED:
            self.refused[fact_id] = f"{error.name()}: {error.str()}"
        else:
            self.faults.append(f"{error.name()}: {error.str()}")
            self.is_fatal = self.is_fatal or error.fatal()

    def left(self) -> dict[str, str | None]:
        """Return what was not taken, with the reason where it is one of its own."""
        return {
            fact_id: self.refused.get(fact_id)
            for fact_id, count in self.waiting.items()
            if count or fact_id in self.refused
        }


class KafkaSink:
    """A sink of Kafka topics; `more` goes to the producer besides, for tests."""

    at_most = 500

    def __init__(self, settings: KafkaSettings, **more: Any) -> None:
        self._said: list[str] = []
        self._is_fatal = False
        self._chosen = {**configuration(settings), "logger": _log, "error_cb": self._heard, **more}
        self._producer = Producer(self._chosen)

    def publish(self, messages: Sequence[Message]) -> Mapping[str, str | None]:
        """Publish and wait; a promise of Sink."""
        about = _Round(messages)
        for message in messages:
            for topic in message.topics:
                self._send(topic, message, about)
        self._said.clear()
        if self._producer.flush(MESSAGE_SECONDS + 2):
            self._producer.purge()
            self._producer.poll(0)
        if self._is_fatal or about.is_fatal:
            self._open_again()
        left = about.left()
        if None in left.values() and len(left) == len(about.waiting):
            raise SinkAway(["brokers do not answer", *about.faults, *self._said][-1])
        return left

    def _open_again(self) -> None:
        """Begin with a fresh producer: one that failed for good takes nothing any more."""
        self.close()
        self._is_fatal = False
        self._producer = Producer(self._chosen)

    def _heard(self, error: KafkaError) -> None:
        """Keep what a broker said last: a message that timed out does not say why."""
        self._said[:] = [error.str()]
        self._is_fatal = self._is_fatal or error.fatal()

    def _send(self, topic: str, message: Message, about: _Round) -> None:
        try:
            self._producer.produce(
                topic,
                key=message.key,
                value=message.body.encode(),
                headers={name: value.encode() for name, value in message.headers.items()},
                on_delivery=partial(about.note, message.fact_id),
            )
        except KafkaException as fault:
            about.note(message.fact_id, fault.args[0])
        except BufferError as full:
            about.faults.append(str(full))

    def close(self) -> None:
        """Let go of the brokers."""
        self._producer.purge()
        self._producer.flush(1)
