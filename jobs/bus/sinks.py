"""Where facts are published besides the streams: what a sink promises, and which are set up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from jobs.bus.envelopes import Message
from webapp.config import BusSettings

KAFKA = "bus_kafka"
AWS = "bus_aws"


class SinkAway(Exception):
    """The broker does not take anything now; nothing that was to be published is to blame."""


class Sink(Protocol):
    """One broker, spoken to by one thread; made once and kept.

    `at_most` is how many messages it surely takes or refuses within the time of a hold.
    """

    at_most: int

    def publish(self, messages: Sequence[Message]) -> Mapping[str, str | None]:
        """Publish messages, at most one of each object, and return once the broker has them.

        Returns by the fact's id why it refused some, each for a reason of its own, such as a topic
        that is not there; None for those that it just did not take in time. Raises SinkAway when it
        took none and that is nobody's fault.
        """

    def close(self) -> None:
        """Let go of the broker."""


def opened(name: str, settings: BusSettings) -> Sink:
    """Return the sink of that name; its library is loaded here and nowhere else."""
    if name == KAFKA and settings.kafka is not None:
        from jobs.bus.kafka import KafkaSink  # noqa: PLC0415 - an optional extra

        return KafkaSink(settings.kafka)
    if name == AWS and settings.aws is not None:
        from jobs.bus.aws import AwsSink  # noqa: PLC0415 - an optional extra

        return AwsSink(settings.aws)
    message = f"{name} is not set up"
    raise LookupError(message)
