"""Amazon as a sink: one SNS topic or one SQS queue, in groups of one object where it is FIFO."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from jobs.bus.envelopes import Message
from jobs.bus.sinks import SinkAway
from webapp.config import AwsSettings

AT_ONCE = 10
#: No call is begun after so long: with the last one's 8 s all is within the time of a hold.
SECONDS = 15.0
#: What one call may carry, with room for attributes; one message larger than that is refused.
BYTES_AT_ONCE = 240_000
_CONFIG = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})


class AwsSink:
    """A sink of one topic or queue; `more` goes to boto3 besides, for tests."""

    at_most = 20

    def __init__(self, settings: AwsSettings, **more: Any) -> None:
        self._settings = settings
        self._client = boto3.Session().client(
            "sns" if settings.topic_arn else "sqs",
            region_name=settings.region,
            endpoint_url=settings.endpoint_url,
            config=_CONFIG,
            **more,
        )

    def publish(self, messages: Sequence[Message]) -> Mapping[str, str | None]:
        """Publish and wait; a promise of Sink."""
        large = {one.fact_id: "too large" for one in messages if _size(one) > BYTES_AT_ONCE}
        left: dict[str, str | None] = {**large}
        until, said = time.monotonic() + SECONDS, "no time left"
        for some in _batches([one for one in messages if one.fact_id not in large]):
            if time.monotonic() > until:
                left |= dict.fromkeys(one.fact_id for one in some)
                continue
            try:
                answer = self._send(some)
            except (BotoCoreError, ClientError) as fault:
                until, said = 0.0, f"{type(fault).__name__}: {fault}"
                left |= dict.fromkeys(one.fact_id for one in some)
                continue
            for failed in answer.get("Failed", ()):
                said = f"{failed.get('Code')}: {failed.get('Message', '')}"
                left[some[int(failed["Id"])].fact_id] = said if failed.get("SenderFault") else None
        if None in left.values() and len(left) == len(messages):
            raise SinkAway(said)
        return left

    def _send(self, some: Sequence[Message]) -> dict[str, Any]:
        if self._settings.topic_arn:
            entries = [self._entry(n, one, "Message") for n, one in enumerate(some)]
            answer = self._client.publish_batch(
                TopicArn=self._settings.topic_arn, PublishBatchRequestEntries=entries
            )
        else:
            entries = [self._entry(n, one, "MessageBody") for n, one in enumerate(some)]
            answer = self._client.send_message_batch(
                QueueUrl=self._settings.queue_url, Entries=entries
            )
        return dict(answer)

    def _entry(self, number: int, message: Message, body: str) -> dict[str, Any]:
        said = {**message.headers, "topic": message.topics[0]}
        entry = {
            "Id": str(number),
            body: message.body,
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in said.items()
            },
        }
        if self._settings.is_fifo:
            entry |= {"MessageGroupId": message.key, "MessageDeduplicationId": message.id}
        return entry

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


def _size(message: Message) -> int:
    return len(message.body.encode())


def _batches(messages: Sequence[Message]) -> Iterator[list[Message]]:
    """Yield the messages in their order, as many at once as one call may carry."""
    some: list[Message] = []
    for message in messages:
        if some and (
            len(some) == AT_ONCE or sum(map(_size, some)) + _size(message) > BYTES_AT_ONCE
        ):
            yield some
            some = []
        some.append(message)
    if some:
        yield some
