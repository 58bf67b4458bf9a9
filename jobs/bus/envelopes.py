"""What is published of a fact: one JSON object without personal data, its key and its headers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.bus import topics
from webapp import webhooks
from webapp.outbox import Fact


@dataclass(frozen=True, slots=True)
class Message:
    """One fact on its way out; `key` is its object, within which the order is kept."""

    fact_id: str
    key: str
    topics: tuple[str, ...]
    headers: Mapping[str, str]
    body: str

    @property
    def id(self) -> str:
        """The event's id, the same however often the fact is published."""
        return self.headers["id"]


def message_of(fact: Fact, called: Mapping[str, str]) -> Message:
    """Return what is published of a fact; `called` gives the topics' names here."""
    envelope = envelope_of(fact)
    headers = {name: envelope[name] for name in ("id", "type", "name", "alias", "trace")}
    return Message(
        fact_id=fact.id,
        key=fact.subject_id,
        topics=tuple(called[one] for one in topics.topics_of(fact.name, fact.subject_kind)),
        headers={name: value for name, value in headers.items() if value},
        body=json.dumps(envelope, separators=(",", ":"), ensure_ascii=False),
    )


def envelope_of(fact: Fact) -> dict[str, Any]:
    """Return the envelope of a fact; `type` is its name outside, `sequence` grows per object.

    Its id is the one that webhooks and the API give the same event.
    """
    public = webhooks.EVENTS.get(fact.name)
    return {
        "id": f"evt_{fact.id.removeprefix('fact_')}",
        "type": public.name if public else fact.name,
        "name": fact.name,
        "alias": topics.ALIASES.get(fact.name),
        "noun": fact.subject_kind,
        "subject": fact.subject_id,
        "sequence": fact.version,
        "merchant": fact.merchant_id,
        "livemode": fact.livemode,
        "at": fact.at.isoformat(),
        "trace": fact.trace_id,
        "because": fact.because,
        "actor": fact.actor_kind,
        "snapshot": fact.snapshot,
    }
