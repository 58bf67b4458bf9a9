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
#: What is wrong with a message itself, however often it is sent.
REFUSED = frozenset(
    {
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
        "security.protocol": settings.security,
        "sasl.mechanism": settings.mechanism,
        "sasl.username": settings.username,
        "sasl.password": settings.password,
        "ssl.ca.location": settings.ca_file,
    }
    return {name: value for name, value in chosen.items() if value is not None}


class KafkaSink:
    """A sink of Kafka topics; `more` goes to the producer besides, for tests."""

    at_most = 500

    def __init__(self, settings: KafkaSettings, **more: Any) -> None:
        self._said: list[str] = []
        chosen = {**configuration(settings), "logger": _log, "error_cb": self._heard, **more}
        self._producer = Producer(chosen)

    def publish(self, messages: Sequence[Message]) -> Mapping[str, str]:
        """Publish and wait; a promise of Sink."""
        refused: dict[str, str] = {}
        faults: list[str] = []
        for message in messages:
            for topic in message.topics:
                self._send(topic, message, refused, faults)
        self._said.clear()
        left = self._producer.flush(MESSAGE_SECONDS + 2)
        if left or faults:
            self._producer.purge()
            said = self._said or faults or ["brokers do not answer"]
            raise SinkAway(said[-1])
        return refused

    def _heard(self, error: KafkaError) -> None:
        """Keep what a broker said last: a message that timed out does not say why."""
        self._said[:] = [error.str()]

    def _send(
        self, topic: str, message: Message, refused: dict[str, str], faults: list[str]
    ) -> None:
        try:
            self._producer.produce(
                topic,
                key=message.key,
                value=message.body.encode(),
                headers={name: value.encode() for name, value in message.headers.items()},
                on_delivery=partial(_note, message.fact_id, refused, faults),
            )
        except KafkaException as fault:
            _note(message.fact_id, refused, faults, fault.args[0], None)
        except BufferError as full:
            faults.append(str(full))

    def close(self) -> None:
        """Let go of the brokers."""
        self._producer.purge()
        self._producer.flush(1)


def _note(
    fact_id: str,
    refused: dict[str, str],
    faults: list[str],
    error: KafkaError | None,
    _receipt: Receipt | None,
) -> None:
    if error is None:
        return
    if error.code() in REFUSED:
        refused[fact_id] = error.str()
    else:
        faults.append(f"{error.name()}: {error.str()}")
