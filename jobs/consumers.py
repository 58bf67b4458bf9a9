"""Who is told facts: thin wrappers that add to a room's own step the knocks that follow from it.

What such a step writes has no fact of its own, so its knock goes out once the step has committed;
the page that misses it sees the change at its next look.
"""

from __future__ import annotations

from collections.abc import Sequence

from flask import current_app

from jobs.bus import streams
from jobs.knocks import knock, merchant_topic
from webapp import analytics, notifications
from webapp.kernel import db
from webapp.outbox import Fact

__all__ = ["fold", "knock", "notify", "publish"]

MESSAGE = "message"
FIGURES = "figures"


def notify(facts: Sequence[Fact]) -> None:
    """Consumer: write messages and mails, then knock on the doors of those who got a message."""
    told = notifications.notify(facts)
    knocks = {(f"user:{one.user_id}", MESSAGE, one.message_id) for one in told}
    _knock_after_commit(knocks)


def fold(facts: Sequence[Fact]) -> None:
    """Consumer: add to the merchants' figures, then knock where figures are shown."""
    analytics.fold(facts)
    _knock_after_commit(
        {
            (
                merchant_topic(fact.merchant_id, livemode=bool(fact.livemode)),
                FIGURES,
                fact.merchant_id,
            )
            for fact in facts
            if fact.merchant_id is not None
        }
    )


def publish(facts: Sequence[Fact]) -> None:
    """Consumer: add facts to the streams of events; raises RedisError while Valkey is away."""
    streams.publish(facts, current_app.extensions["paydeck_settings"].bus)


def _knock_after_commit(wanted: set[tuple[str, str, str]]) -> None:
    if not wanted:
        return
    from webapp import realtime  # noqa: PLC0415 - keeps Socket.IO out of the web processes

    knocks = [realtime.Knock(topic, kind, id_, 0) for topic, kind, id_ in sorted(wanted)]
    db.after_commit(lambda: realtime.send_softly(knocks))
